#include "platform/otlp/encode.h"

#include <bit>
#include <cstring>

namespace gyre::otlp {
namespace {

// Fields of protobuf's wire format, appended to a message.
class Message {
 public:
  void Varint(int field, std::uint64_t value) {
    Tag(field, 0);
    Raw(value);
  }
  void Fixed64(int field, std::uint64_t value) {
    Tag(field, 1);
    Bits(value);
  }
  void Double(int field, double value) { Fixed64(field, std::bit_cast<std::uint64_t>(value)); }
  void Bytes(int field, std::string_view bytes) {
    Tag(field, 2);
    Raw(bytes.size());
    out_ += bytes;
  }
  void Text(int field, std::string_view text) {
    if (!text.empty()) Bytes(field, text);
  }
  void Nested(int field, const Message& message) { Bytes(field, message.out_); }
  // Numbers of 8 bytes each, one after the other.
  template <class Number>
  void Packed(int field, std::span<const Number> values) {
    Tag(field, 2);
    Raw(values.size() * 8);
    for (const Number value : values) Bits(std::bit_cast<std::uint64_t>(value));
  }
  std::string Take() { return std::move(out_); }

 private:
  void Tag(int field, int type) {
    Raw(static_cast<std::uint64_t>(field) << 3 | static_cast<unsigned>(type));
  }
  void Raw(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  void Bits(std::uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8) out_ += static_cast<char>(value & 0xff);
  }
  std::string out_;
};

std::uint64_t Nanos(std::int64_t time_us) { return static_cast<std::uint64_t>(time_us) * 1000; }

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool IsHex(std::string_view text) {
  for (const char c : text)
    if (Digit(c) < 0) return false;
  return true;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  if (!IsHex(hex)) return bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(Digit(hex[i]) * 16 + Digit(hex[i + 1]));
  return bytes;
}

Message AnyValue(const Value& value) {
  Message any;
  if (const auto* text = std::get_if<std::string>(&value)) any.Bytes(1, *text);
  if (const auto* flag = std::get_if<bool>(&value)) any.Varint(2, *flag ? 1 : 0);
  if (const auto* whole = std::get_if<std::int64_t>(&value))
    any.Varint(3, static_cast<std::uint64_t>(*whole));
  if (const auto* number = std::get_if<double>(&value)) any.Double(4, *number);
  return any;
}

void AddAttribute(int field, std::string_view key, const Value& value, Message* to) {
  Message pair;
  pair.Bytes(1, key);
  pair.Nested(2, AnyValue(value));
  to->Nested(field, pair);
}

void AddAttributes(int field, const Attributes& attributes, Message* to) {
  for (const auto& [key, value] : attributes) AddAttribute(field, key, value, to);
}

// resource -> scope -> items: all three requests are built alike.
std::string Request(const Resource& resource, int items_field, std::span<const Message> items) {
  Message described, scope, scoped, whole, request;
  AddAttributes(1, resource.attributes, &described);
  scope.Bytes(1, "gyre");
  scoped.Nested(1, scope);
  for (const Message& item : items) scoped.Nested(items_field, item);
  whole.Nested(1, described);
  whole.Nested(2, scoped);
  request.Nested(1, whole);
  return request.Take();
}

constexpr int kCumulative = 2;

void AddLabels(int field, const telemetry::Labels& labels, Message* to) {
  for (const auto& [name, value] : labels) AddAttribute(field, name, Value(value), to);
}

Message NumberPoint(const telemetry::FamilyReading::Series& series, std::int64_t start_us,
                    std::int64_t now_us) {
  Message point;
  AddLabels(7, series.labels, &point);
  if (start_us != 0) point.Fixed64(2, Nanos(start_us));
  point.Fixed64(3, Nanos(now_us));
  point.Double(4, series.value);
  return point;
}

Message HistogramPoint(const telemetry::FamilyReading::Series& series, std::int64_t start_us,
                       std::int64_t now_us) {
  std::vector<std::uint64_t> counts;
  std::int64_t before = 0;
  for (const std::int64_t cumulative : series.cumulative) {
    counts.push_back(static_cast<std::uint64_t>(cumulative - before));
    before = cumulative;
  }
  Message point;
  AddLabels(9, series.labels, &point);
  point.Fixed64(2, Nanos(start_us));
  point.Fixed64(3, Nanos(now_us));
  point.Fixed64(4, static_cast<std::uint64_t>(before));
  point.Double(5, series.sum);
  point.Packed<std::uint64_t>(6, counts);
  point.Packed<double>(7, series.bounds);
  return point;
}

Message MetricOf(const telemetry::FamilyReading& family, std::int64_t start_us,
                 std::int64_t now_us) {
  const bool counter = family.type == "counter", histogram = family.type == "histogram";
  Message data, metric;
  for (const auto& series : family.series)
    data.Nested(1, histogram ? HistogramPoint(series, start_us, now_us)
                             : NumberPoint(series, counter ? start_us : 0, now_us));
  if (counter || histogram) data.Varint(2, kCumulative);
  if (counter) data.Varint(3, 1);  // it only grows
  metric.Text(1, family.name);
  metric.Text(2, family.help);
  metric.Nested(counter ? 7 : histogram ? 9 : 5, data);
  return metric;
}

int Severity(telemetry::LogLevel level) {
  switch (level) {
    case telemetry::LogLevel::kDebug:
      return 5;
    case telemetry::LogLevel::kInfo:
      return 9;
    case telemetry::LogLevel::kWarn:
      return 13;
    default:
      return 17;
  }
}

}  // namespace

std::string MetricsRequest(const Resource& resource,
                           std::span<const telemetry::FamilyReading> families,
                           std::int64_t start_us, std::int64_t now_us) {
  std::vector<Message> metrics;
  for (const telemetry::FamilyReading& family : families)
    if (!family.series.empty()) metrics.push_back(MetricOf(family, start_us, now_us));
  return Request(resource, 2, metrics);
}

std::string LogsRequest(const Resource& resource, std::span<const LogRecord> records) {
  std::vector<Message> items;
  for (const LogRecord& record : records) {
    Message& item = items.emplace_back();
    item.Fixed64(1, Nanos(record.time_us));
    item.Varint(2, static_cast<std::uint64_t>(Severity(record.level)));
    item.Text(3, telemetry::LogLevelName(record.level));
    item.Nested(5, AnyValue(Value(record.body)));
    AddAttributes(6, record.attributes, &item);
    item.Text(9, FromHex(record.trace_id));
    item.Text(10, FromHex(record.span_id));
    item.Fixed64(11, Nanos(record.time_us));
  }
  return Request(resource, 2, items);
}

std::string TracesRequest(const Resource& resource, std::span<const Span> spans) {
  std::vector<Message> items;
  for (const Span& span : spans) {
    Message& item = items.emplace_back();
    item.Text(1, FromHex(span.trace_id));
    item.Text(2, FromHex(span.span_id));
    item.Text(4, FromHex(span.parent_id));
    item.Text(5, span.name);
    item.Varint(6, static_cast<std::uint64_t>(span.kind));
    item.Fixed64(7, Nanos(span.start_us));
    item.Fixed64(8, Nanos(span.end_us));
    AddAttributes(9, span.attributes, &item);
    if (!span.failed) continue;
    constexpr int kError = 2;
    Message status;
    status.Text(2, span.message);
    status.Varint(3, kError);
    item.Nested(15, status);
  }
  return Request(resource, 2, items);
}

}  // namespace gyre::otlp
