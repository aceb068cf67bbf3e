// Traces: what led to what. A thread works inside a span while a TraceScope lives; what it begins
// meanwhile (a job, a pipeline's run) becomes a child. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gyre::telemetry {

// A place in a trace, as the W3C's header `traceparent` tells it.
struct SpanContext {
  std::string trace_id{}, span_id{};  // 32 and 16 lower-case hexadecimal digits; both or none
  bool sampled = false;
  bool operator==(const SpanContext&) const = default;
};
// "00-<32 hex>-<16 hex>-01", or nothing when it is not one.
std::optional<SpanContext> ParseTraceParent(std::string_view text);
std::string TraceParentOf(const SpanContext& context);  // "" when there is none
// The ids of a span are those of what it tells about: an id of 32 digits is a trace's, half of it a
// span's; any other text stands for one.
std::string TraceIdOf(std::string_view id);
std::string SpanIdOf(std::string_view id);

// While it lives, this thread works inside the span. What the arguments refer to must outlive it.
class TraceScope {
 public:
  // Of a request: goes on with the trace of the header, or begins one of its own id. `*led_on`
  // turns true when something durable begins inside it.
  TraceScope(std::string_view request_id, std::string_view traceparent, bool* led_on);
  explicit TraceScope(const SpanContext& context);
  ~TraceScope();
  TraceScope(const TraceScope&) = delete;
  TraceScope& operator=(const TraceScope&) = delete;

 private:
  friend SpanContext CurrentSpan();
  friend SpanContext ParentOfWork();
  friend std::string CurrentParent();
  friend bool WorkHasBegun();
  std::string_view request_id_, traceparent_;
  bool* led_on_ = nullptr;
  const SpanContext* context_ = nullptr;
  TraceScope* const previous_;
};
SpanContext CurrentSpan();  // none outside a scope
// The same for work that begins here and is traced whenever nobody has decided otherwise.
SpanContext ParentOfWork();
bool WorkHasBegun();  // inside this request
// The span that the caller of this request is in; "" when it told of none.
std::string CurrentParent();

using SpanValue = std::variant<std::int64_t, double, bool, std::string>;
enum class SpanKind : unsigned char { kInternal = 1, kServer = 2, kClient = 3 };
struct Span {
  std::string trace_id{}, span_id{}, parent_id{};  // hexadecimal: 32, 16, 16 or none
  std::string name{};
  SpanKind kind = SpanKind::kInternal;
  std::int64_t start_us = 0, end_us = 0;
  std::vector<std::pair<std::string, SpanValue>> attributes{};
  bool failed = false;
  std::string message{};  // why
};
// Where spans go that have ended. It must not wait. Empty = nowhere.
void SetSpanTap(std::function<void(Span)> tap);
bool SpansAreWanted();
void TellSpan(Span span);

}  // namespace gyre::telemetry
