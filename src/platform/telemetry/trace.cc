#include "platform/telemetry/trace.h"

#include <atomic>
#include <memory>

#include "base/hash.h"
#include "base/id.h"
#include "base/mutex.h"

namespace gyre::telemetry {
namespace {

constexpr std::size_t kTraceDigits = 32, kSpanDigits = 16;

thread_local TraceScope* current = nullptr;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool IsZero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

// Process-wide like the log: a span may end anywhere.
struct TapState {
  Mutex mutex;
  std::shared_ptr<const std::function<void(Span)>> tap GYRE_GUARDED_BY(mutex);
  std::atomic<bool> wanted{false};
};
TapState& State() {
  static TapState* const state = new TapState;  // as long as any thread
  return *state;
}

}  // namespace

std::optional<SpanContext> ParseTraceParent(std::string_view text) {
  constexpr std::size_t kSize = 55;
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
  const std::string_view version = text.substr(0, 2), trace = text.substr(3, kTraceDigits),
                         span = text.substr(36, kSpanDigits), flags = text.substr(53, 2);
  if (!IsHex(version) || !IsHex(trace) || !IsHex(span) || !IsHex(flags)) return {};
  // A later version may say more after a dash; the first one may not.
  if (version == "ff" || (version == "00" && text.size() != kSize)) return {};
  if (text.size() > kSize && text[kSize] != '-') return {};
  if (IsZero(trace) || IsZero(span)) return {};
  constexpr std::string_view kOdd = "13579bdf";
  return SpanContext{std::string(trace), std::string(span), kOdd.contains(flags[1])};
}

std::string TraceParentOf(const SpanContext& context) {
  if (context.trace_id.empty()) return {};
  return "00-" + context.trace_id + "-" + context.span_id + (context.sampled ? "-01" : "-00");
}

std::string TraceIdOf(std::string_view id) {
  return LooksLikeId(id) && !IsZero(id) ? std::string(id) : Sha256Hex(id).substr(0, kTraceDigits);
}

std::string SpanIdOf(std::string_view id) {
  return LooksLikeId(id) && !IsZero(id.substr(0, kSpanDigits))
             ? std::string(id.substr(0, kSpanDigits))
             : Sha256Hex(id).substr(0, kSpanDigits);
}

TraceScope::TraceScope(std::string_view request_id, std::string_view traceparent, bool* led_on)
    : request_id_(request_id), traceparent_(traceparent), led_on_(led_on), previous_(current) {
  current = this;
}
TraceScope::TraceScope(const SpanContext& context) : context_(&context), previous_(current) {
  current = this;
}
TraceScope::~TraceScope() { current = previous_; }

// Most requests never ask: their ids are put together only here.
SpanContext CurrentSpan() {
  if (current == nullptr) return {};
  if (current->context_ != nullptr) return *current->context_;
  if (auto given = ParseTraceParent(current->traceparent_)) {
    given->span_id = SpanIdOf(current->request_id_);
    return *std::move(given);
  }
  return {TraceIdOf(current->request_id_), SpanIdOf(current->request_id_), /*sampled=*/true};
}

bool WorkHasBegun() {
  return current != nullptr && current->led_on_ != nullptr && *current->led_on_;
}

SpanContext ParentOfWork() {
  if (current != nullptr && current->led_on_ != nullptr) *current->led_on_ = true;
  return CurrentSpan();
}

std::string CurrentParent() {
  const auto given = current == nullptr ? std::nullopt : ParseTraceParent(current->traceparent_);
  return given ? given->span_id : std::string();
}

void SetSpanTap(std::function<void(Span)> tap) {
  TapState& state = State();
  const MutexLock lock(state.mutex);
  state.wanted = static_cast<bool>(tap);
  state.tap = tap ? std::make_shared<const std::function<void(Span)>>(std::move(tap)) : nullptr;
}

bool SpansAreWanted() { return State().wanted.load(std::memory_order_relaxed); }

void TellSpan(Span span) {
  TapState& state = State();
  std::shared_ptr<const std::function<void(Span)>> tap;
  {
    const MutexLock lock(state.mutex);
    tap = state.tap;
  }
  if (tap) (*tap)(std::move(span));
}

}  // namespace gyre::telemetry
