#include "ml/traces/trace_match.h"

#include <algorithm>

#include "base/text.h"
#include "ml/traces/assessment_store.h"
#include "ml/traces/label_store.h"
#include "ml/traces/span_codec.h"
#include "ml/traces/span_store.h"
#include "platform/db/read_budget.h"

namespace gyre::traces {
namespace {

using tracking::Compare;
using tracking::Comparison;
using tracking::Entity;
using tracking::FieldValue;
using tracking::FilterNode;

constexpr std::int64_t kMicrosPerMilli = 1'000;  // times of filters are milliseconds
constexpr std::string_view kSpanAttributes = "attributes.";

FieldValue Millis(std::int64_t time_us) { return static_cast<double>(time_us / kMicrosPerMilli); }

// A text as it is, anything else as JSON.
std::string PlainText(const Json& value) {
  return value.is_string() ? value.AsString() : value.Dump();
}

FieldValue OfSpan(const TraceView::SpanText& text, const std::string& key) {
  if (key == "name") return text.span.name;
  if (key == "type") return text.span.type;
  if (key == "status") return std::string(SpanStatusWord(text.span.status));
  if (key == "content") return text.content;
  if (!key.starts_with(kSpanAttributes)) return {};
  const Json* const value = text.span.attributes.Find(key.substr(kSpanAttributes.size()));
  return value == nullptr ? FieldValue() : FieldValue(PlainText(*value));
}

std::vector<FieldValue> OfLabel(const Texts& labels, const std::string& key) {
  const auto label = labels.find(key);
  if (label == labels.end()) return {};
  return {label->second};
}

std::vector<FieldValue> OfText(const std::optional<std::string>& text) {
  if (!text) return {};
  return {*text};
}

}  // namespace

// --- what a trace has ----------------------------------------------------------------------------
Result<const Trace*> TraceView::Labels() {
  if (!labels_) {
    labels_.emplace();
    GYRE_DO(ReadLabels(reader_, row_.number, &labels_->tags, &labels_->metadata));
  }
  return &*labels_;
}

Result<const std::vector<TraceView::SpanText>*> TraceView::Spans() {
  if (!spans_) {
    GYRE_TRY(const std::string batches, ReadBatches(reader_, row_.number));
    GYRE_TRY(const std::string lines, Decompressed(batches));
    spans_.emplace();
    for (const std::string_view line : Split(lines, '\n')) {
      if (line.empty()) continue;
      GYRE_TRY(Span span, SpanOfLine(line));
      spans_->push_back({std::move(span), std::string(line)});
    }
  }
  return &*spans_;
}

Result<std::vector<FieldValue>> TraceView::Attribute(const std::string& key) {
  const Trace& t = row_.trace;
  std::vector<FieldValue> values;
  if (key == "request_id") return std::vector<FieldValue>{t.id};
  if (key == "experiment_id") return std::vector<FieldValue>{static_cast<double>(t.experiment)};
  if (key == "status") return std::vector<FieldValue>{std::string(StateWord(t.state))};
  if (key == "timestamp") return std::vector<FieldValue>{Millis(t.started_us)};
  if (key == "end_time")
    return std::vector<FieldValue>{Millis(t.started_us + t.duration_us.value_or(0))};
  if (key == "execution_time") {
    if (t.duration_us) values.push_back(Millis(*t.duration_us));
    return values;
  }
  if (key == "client_request_id") return OfText(t.client_request);
  if (key == "text") {
    GYRE_TRY(const auto* const spans, Spans());
    for (const SpanText& text : *spans) values.emplace_back(text.content);
    return values;
  }
  const bool run = key == "run_id";
  if (key == "name" || run) {
    GYRE_TRY(const Trace* const labels, Labels());
    values = run ? OfLabel(labels->metadata, std::string(kRunMetadata))
                 : OfLabel(labels->tags, std::string(kNameTag));
  }
  if (run || key == "prompt") {
    GYRE_TRY(const auto links, ReadLinks(reader_, row_.number, run ? kRunLink : kPromptLink));
    values.insert(values.end(), links.begin(), links.end());
  }
  return values;
}

Result<std::vector<FieldValue>> TraceView::Assessed(const Comparison& comparison) {
  if (!assessments_) {
    GYRE_TRY(assessments_, ReadAssessments(reader_, row_.number));
  }
  const std::string_view kind = comparison.entity == Entity::kFeedback ? "feedback" : "expectation";
  const bool as_number = comparison.compare <= Compare::kGreaterEqual;
  std::vector<FieldValue> values;
  for (const Assessment& a : *assessments_) {
    if (a.kind != kind || a.name != comparison.key || !a.valid) continue;
    const auto value = Json::Parse(a.value);
    if (!value || (as_number && !value->is_number())) continue;
    values.push_back(as_number ? FieldValue(value->AsDouble()) : FieldValue(PlainText(*value)));
  }
  return values;
}

Result<std::vector<FieldValue>> TraceView::Values(const Comparison& comparison) {
  switch (comparison.entity) {
    case Entity::kAttribute:
      return Attribute(comparison.key);
    case Entity::kTag: {
      GYRE_TRY(const Trace* const labels, Labels());
      return OfLabel(labels->tags, comparison.key);
    }
    case Entity::kMetadata: {
      GYRE_TRY(const Trace* const labels, Labels());
      return OfLabel(labels->metadata, comparison.key);
    }
    case Entity::kFeedback:
    case Entity::kExpectation:
      return Assessed(comparison);
    default:
      return std::vector<FieldValue>();
  }
}

Result<FieldValue> TraceView::First(Entity entity, const std::string& key) {
  GYRE_TRY(auto values, Values({.entity = entity, .key = key, .value = {}}));
  return values.empty() ? FieldValue() : std::move(values.front());
}

// --- what a filter says of it --------------------------------------------------------------------
Result<TraceMatcher> TraceMatcher::Make(const tracking::Filter& filter) {
  TraceMatcher matcher(filter);
  if (!filter.empty()) GYRE_DO(matcher.Compile(filter.root.front()));
  return matcher;
}

Result<> TraceMatcher::Compile(const FilterNode& node) {
  for (const FilterNode& child : node.children) GYRE_DO(Compile(child));
  if (node.kind != FilterNode::Kind::kComparison || node.comparison.compare != Compare::kRLike)
    return {};
  const auto* const text = std::get_if<std::string>(&node.comparison.value);
  GYRE_TRY(Pattern pattern, Pattern::Parse(text == nullptr ? std::string_view() : *text));
  patterns_.emplace(&node.comparison, std::move(pattern));
  return {};
}

Result<bool> TraceMatcher::Holds(TraceView& trace) const {
  if (filter_.empty()) return true;
  GYRE_TRY(const bool holds, HoldsNode(filter_.root.front(), trace));
  GYRE_DO(db::ReadBudget::Check());
  return holds;
}

Result<bool> TraceMatcher::HoldsNode(const FilterNode& node, TraceView& trace) const {
  switch (node.kind) {
    case FilterNode::Kind::kComparison:
      if (node.comparison.entity == Entity::kSpan) return HoldsSpan({&node.comparison}, trace);
      return HoldsAny(node.comparison, trace);
    case FilterNode::Kind::kAnd:
      return HoldsAll(node, trace);
    case FilterNode::Kind::kOr:
      for (const FilterNode& child : node.children) {
        GYRE_TRY(const bool holds, HoldsNode(child, trace));
        if (holds) return true;
      }
      return false;
    case FilterNode::Kind::kNot: {
      GYRE_TRY(const bool holds, HoldsNode(node.children.front(), trace));
      return !holds;
    }
  }
  return false;
}

// Spans last: they cost most.
Result<bool> TraceMatcher::HoldsAll(const FilterNode& node, TraceView& trace) const {
  std::vector<const Comparison*> of_spans;
  for (const FilterNode& child : node.children) {
    if (child.kind == FilterNode::Kind::kComparison && child.comparison.entity == Entity::kSpan) {
      of_spans.push_back(&child.comparison);
      continue;
    }
    GYRE_TRY(const bool holds, HoldsNode(child, trace));
    if (!holds) return false;
  }
  if (of_spans.empty()) return true;
  return HoldsSpan(of_spans, trace);
}

Result<bool> TraceMatcher::HoldsAny(const Comparison& comparison, TraceView& trace) const {
  GYRE_TRY(const auto values, trace.Values(comparison));
  if (values.empty()) return HoldsValue(comparison, {});
  return std::ranges::any_of(
      values, [&](const FieldValue& value) { return HoldsValue(comparison, value); });
}

Result<bool> TraceMatcher::HoldsSpan(const std::vector<const Comparison*>& comparisons,
                                     TraceView& trace) const {
  GYRE_TRY(const auto* const spans, trace.Spans());
  return std::ranges::any_of(*spans, [&](const TraceView::SpanText& span) {
    return std::ranges::all_of(comparisons, [&](const Comparison* comparison) {
      return HoldsValue(*comparison, OfSpan(span, comparison->key));
    });
  });
}

bool TraceMatcher::HoldsValue(const Comparison& comparison, const FieldValue& value) const {
  if (db::ReadBudget::Spent()) return false;  // Holds says so
  if (comparison.compare != Compare::kRLike) return tracking::Holds(comparison, value);
  const auto* const text = std::get_if<std::string>(&value);
  const auto pattern = patterns_.find(&comparison);
  return text != nullptr && pattern != patterns_.end() && pattern->second.FoundIn(*text);
}

}  // namespace gyre::traces
