#include "ml/tracking/metric_codec.h"

#include <bit>
#include <cstring>
#include <map>
#include <optional>

namespace gyre::tracking {

namespace {

static_assert(std::endian::native == std::endian::little);
constexpr char kBatch = 1, kSegment = 2;
constexpr std::uint64_t kEven = 0, kUneven = 1;

void PutVarint(std::uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

std::uint64_t ZigZag(std::uint64_t delta) { return (delta << 1) ^ (0 - (delta >> 63)); }
std::uint64_t UnZigZag(std::uint64_t zigzag) { return (zigzag >> 1) ^ (0 - (zigzag & 1)); }

// Deltas wrap around, so that every pair of 64-bit numbers has one.
void PutDeltas(const std::vector<std::int64_t>& values, std::string* out) {
  std::uint64_t before = 0;
  for (const std::int64_t value : values) {
    const std::uint64_t delta = static_cast<std::uint64_t>(value) - before;
    before = static_cast<std::uint64_t>(value);
    PutVarint(ZigZag(delta), out);
  }
}

class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}
  std::optional<std::uint64_t> Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) return std::nullopt;
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }
  std::optional<std::string_view> Bytes(std::uint64_t length) {
    if (length > bytes_.size()) return std::nullopt;
    const std::string_view taken = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return taken;
  }
  std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

bool ReadDeltas(Input& in, std::uint64_t count, std::vector<std::int64_t>* values) {
  std::uint64_t value = 0;
  values->reserve(values->size() + count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto zigzag = in.Varint();
    if (!zigzag) return false;
    value += UnZigZag(*zigzag);
    values->push_back(static_cast<std::int64_t>(value));
  }
  return true;
}

bool ReadValues(Input& in, std::uint64_t count, std::vector<double>* values) {
  const auto raw = in.Bytes(count * sizeof(double));
  if (!raw || in.left() != 0) return false;
  const std::size_t before = values->size();
  values->resize(before + count);
  if (count > 0) std::memcpy(values->data() + before, raw->data(), raw->size());
  return true;
}

// A count that the rest cannot hold is refused before anything is kept for it.
bool Holds(const Input& in, std::uint64_t count) { return count <= in.left() / sizeof(double); }

bool ReadSeries(std::string_view bytes, std::string_view wanted, const SeriesCallback& callback) {
  Input in(bytes);
  const auto key_length = in.Varint();
  if (!key_length) return false;
  const auto key = in.Bytes(*key_length);
  if (!key) return false;
  if (!wanted.empty() && *key != wanted) return true;
  const auto count = in.Varint();
  if (!count || !Holds(in, *count)) return false;
  Series series;
  if (!ReadDeltas(in, *count, &series.steps) || !ReadDeltas(in, *count, &series.times_us) ||
      !ReadValues(in, *count, &series.values))
    return false;
  callback(*key, std::move(series));
  return true;
}

void PutColumn(const std::vector<std::int64_t>& values, std::string* out) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint64_t>(values[i]); };
  const std::size_t n = values.size();
  const std::uint64_t stride = n > 1 ? at(1) - at(0) : 0;
  bool even = true;
  for (std::size_t i = 2; even && i < n; ++i) even = at(i) - at(i - 1) == stride;
  PutVarint(even ? kEven : kUneven, out);
  PutVarint(ZigZag(n > 0 ? at(0) : 0), out);
  if (even) return PutVarint(ZigZag(stride), out);
  std::uint64_t before = 0;
  for (std::size_t i = 1; i < n; ++i) {
    const std::uint64_t delta = at(i) - at(i - 1);
    PutVarint(ZigZag(delta - before), out);
    before = delta;
  }
}

bool ReadColumn(Input& in, std::uint64_t count, std::vector<std::int64_t>* values) {
  const auto kind = in.Varint();
  const auto first = in.Varint();
  if (!kind || !first || *kind > kUneven) return false;
  std::uint64_t value = UnZigZag(*first), delta = 0;
  if (*kind == kEven) {
    const auto stride = in.Varint();
    if (!stride) return false;
    delta = UnZigZag(*stride);
  }
  values->reserve(values->size() + count);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i > 0 && *kind == kUneven) {
      const auto change = in.Varint();
      if (!change) return false;
      delta += UnZigZag(*change);
    }
    if (i > 0) value += delta;
    values->push_back(static_cast<std::int64_t>(value));
  }
  return true;
}

Result<> Broken() {
  return MakeError(Code::kDataLoss, "GY3410", "stored metric points are damaged");
}

}  // namespace

std::string EncodePoints(const std::vector<MetricPoint>& points) {
  std::map<std::string_view, Series> by_key;
  for (const MetricPoint& point : points) {
    Series& series = by_key[point.key];
    series.Add(point.step, point.time_us, point.value);
  }
  std::string out(1, kBatch);
  PutVarint(by_key.size(), &out);
  for (const auto& [key, series] : by_key) {
    std::string body;
    PutVarint(key.size(), &body);
    body.append(key);
    PutVarint(series.values.size(), &body);
    PutDeltas(series.steps, &body);
    PutDeltas(series.times_us, &body);
    body.append(reinterpret_cast<const char*>(series.values.data()),
                series.values.size() * sizeof(double));
    PutVarint(body.size(), &out);
    out += body;
  }
  return out;
}

Result<> DecodePoints(std::string_view bytes, std::string_view key,
                      const SeriesCallback& callback) {
  if (bytes.empty() || bytes.front() != kBatch) return Broken();
  Input in(bytes.substr(1));
  const auto count = in.Varint();
  if (!count) return Broken();
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto length = in.Varint();
    if (!length) return Broken();
    const auto body = in.Bytes(*length);
    if (!body || !ReadSeries(*body, key, callback)) return Broken();
  }
  if (in.left() != 0) return Broken();
  return {};
}

std::string EncodeSeries(const Series& series) {
  std::string out(1, kSegment);
  PutVarint(series.size(), &out);
  PutColumn(series.steps, &out);
  PutColumn(series.times_us, &out);
  out.append(reinterpret_cast<const char*>(series.values.data()), series.size() * sizeof(double));
  return out;
}

Result<> DecodeSeries(std::string_view bytes, Series* series) {
  if (bytes.empty() || bytes.front() != kSegment) return Broken();
  Input in(bytes.substr(1));
  const auto count = in.Varint();
  if (!count || !Holds(in, *count)) return Broken();
  if (!ReadColumn(in, *count, &series->steps) || !ReadColumn(in, *count, &series->times_us) ||
      !ReadValues(in, *count, &series->values))
    return Broken();
  return {};
}

}  // namespace gyre::tracking
