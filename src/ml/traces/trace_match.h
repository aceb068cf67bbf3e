// A filter held against a trace. What a trace has is read when a comparison asks for it: its row is
// there, its labels cost one read, its spans must be unpacked. Private.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/traces/pattern.h"
#include "ml/traces/trace_store.h"
#include "ml/tracking/filter.h"
#include "ml/tracking/filter_match.h"

namespace gyre::traces {

// One trace while it is looked at.
class TraceView {
 public:
  TraceView(db::Reader& reader, const TraceRow& row) : reader_(reader), row_(row) {}

  // A trace may have several values under one name (runs, texts); none = it has nothing there. Not
  // for spans.
  Result<std::vector<tracking::FieldValue>> Values(const tracking::Comparison& comparison);
  // What orders traces: the first of them.
  Result<tracking::FieldValue> First(tracking::Entity entity, const std::string& key);

  struct SpanText {
    Span span;
    std::string content;  // as it is stored
  };
  Result<const std::vector<SpanText>*> Spans();

 private:
  Result<const Trace*> Labels();
  Result<std::vector<tracking::FieldValue>> Attribute(const std::string& key);
  Result<std::vector<tracking::FieldValue>> Assessed(const tracking::Comparison& comparison);

  db::Reader& reader_;
  const TraceRow& row_;
  std::optional<Trace> labels_;
  std::optional<std::vector<Assessment>> assessments_;
  std::optional<std::vector<SpanText>> spans_;
};

class TraceMatcher {
 public:
  // `filter` outlives it. Error: GY3455 a pattern.
  static Result<TraceMatcher> Make(const tracking::Filter& filter);
  // Comparisons of spans that AND joins hold for one span together.
  Result<bool> Holds(TraceView& trace) const;

 private:
  explicit TraceMatcher(const tracking::Filter& filter) : filter_(filter) {}
  Result<> Compile(const tracking::FilterNode& node);
  Result<bool> HoldsNode(const tracking::FilterNode& node, TraceView& trace) const;
  Result<bool> HoldsAll(const tracking::FilterNode& node, TraceView& trace) const;
  Result<bool> HoldsAny(const tracking::Comparison& comparison, TraceView& trace) const;
  Result<bool> HoldsSpan(const std::vector<const tracking::Comparison*>& comparisons,
                         TraceView& trace) const;
  bool HoldsValue(const tracking::Comparison& comparison, const tracking::FieldValue& value) const;

  const tracking::Filter& filter_;
  std::map<const tracking::Comparison*, Pattern> patterns_;
};

}  // namespace gyre::traces
