#include "ml/tracking/metric_codec.h"

#include <bit>
#include <cstring>
#include <map>
#include <optional>

namespace gyre::tracking {

namespace {

static_assert(std::endian::native == std::endian::little);
constexpr char kVersion = 1;

void PutVarint(std::uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

// Deltas wrap around, so that every pair of 64-bit numbers has one.
void PutDeltas(const std::vector<std::int64_t>& values, std::string* out) {
  std::uint64_t before = 0;
  for (const std::int64_t value : values) {
    const std::uint64_t delta = static_cast<std::uint64_t>(value) - before;
    before = static_cast<std::uint64_t>(value);
    PutVarint((delta << 1) ^ (0 - (delta >> 63)), out);
  }
}

struct Series {
  std::vector<std::int64_t> steps, times;
  std::vector<double> values;
};

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
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto zigzag = in.Varint();
    if (!zigzag) return false;
    value += (*zigzag >> 1) ^ (0 - (*zigzag & 1));
    values->push_back(static_cast<std::int64_t>(value));
  }
  return true;
}

bool ReadSeries(std::string_view bytes, std::string_view wanted, std::vector<MetricPoint>* points) {
  Input in(bytes);
  const auto key_length = in.Varint();
  if (!key_length) return false;
  const auto key = in.Bytes(*key_length);
  if (!key) return false;
  if (!wanted.empty() && *key != wanted) return true;
  const auto count = in.Varint();
  if (!count || *count > in.left()) return false;
  Series series;
  if (!ReadDeltas(in, *count, &series.steps) || !ReadDeltas(in, *count, &series.times))
    return false;
  const auto raw = in.Bytes(*count * sizeof(double));
  if (!raw || in.left() != 0) return false;
  for (std::size_t i = 0; i < *count; ++i) {
    double value = 0;
    std::memcpy(&value, raw->data() + i * sizeof(double), sizeof(double));
    points->push_back({std::string(*key), value, series.steps[i], series.times[i]});
  }
  return true;
}

}  // namespace

std::string EncodePoints(const std::vector<MetricPoint>& points) {
  std::map<std::string_view, Series> by_key;
  for (const MetricPoint& point : points) {
    Series& series = by_key[point.key];
    series.steps.push_back(point.step);
    series.times.push_back(point.time_us);
    series.values.push_back(point.value);
  }
  std::string out(1, kVersion);
  PutVarint(by_key.size(), &out);
  for (const auto& [key, series] : by_key) {
    std::string body;
    PutVarint(key.size(), &body);
    body.append(key);
    PutVarint(series.values.size(), &body);
    PutDeltas(series.steps, &body);
    PutDeltas(series.times, &body);
    body.append(reinterpret_cast<const char*>(series.values.data()),
                series.values.size() * sizeof(double));
    PutVarint(body.size(), &out);
    out += body;
  }
  return out;
}

Result<> DecodePoints(std::string_view bytes, std::string_view key,
                      std::vector<MetricPoint>* points) {
  const auto broken = [] {
    return MakeError(Code::kDataLoss, "GY3410", "a stored batch of metric points is damaged");
  };
  if (bytes.empty() || bytes.front() != kVersion) return broken();
  Input in(bytes.substr(1));
  const auto count = in.Varint();
  if (!count) return broken();
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto length = in.Varint();
    if (!length) return broken();
    const auto body = in.Bytes(*length);
    if (!body || !ReadSeries(*body, key, points)) return broken();
  }
  if (in.left() != 0) return broken();
  return {};
}

}  // namespace gyre::tracking
