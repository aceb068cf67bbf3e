#include "ml/tracking/run_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace gyre::tracking {
namespace {

RunSource BeginValues(const WalkPlan& plan, const ValueWalk& walk) {
  RunSource source;
  RunSelect& select = source.select;
  select.From(fmt::format("{} w CROSS JOIN tracking_run r", TableName(walk.table)));
  select.Where(fmt::format("w.experiment = {}", select.Param(plan.experiment)));
  select.Where(fmt::format("w.name = {}", select.Param(walk.name)));
  select.Joined(walk.table, walk.name, "w");
  return source;
}

void EndValues(const WalkPlan& plan, RunSelect* select) {
  select->Where("r.number = w.run");
  select->WhereViewed(plan.view);
}

// On the near side of a value or at it; `beyond`: without it, unless the index cannot tell it from
// others.
void WhereFrom(const FieldValue& bound, std::string_view value, bool up, bool beyond,
               RunSelect* select) {
  const auto* text = std::get_if<std::string>(&bound);
  const auto* number = std::get_if<double>(&bound);
  if (text == nullptr && (number == nullptr || std::isnan(*number))) return;
  const bool exact = text == nullptr || text->size() < kIndexedCharacters;
  const std::string_view sign = beyond && exact ? (up ? ">" : "<") : (up ? ">=" : "<=");
  const std::string param =
      text == nullptr ? select->Param(*number) : select->Param(IndexedPart(*text));
  select->Where(fmt::format("{} {} {}", value, sign, param));
}

void OrderByStart(bool ascending, std::size_t term, RunSource* source) {
  source->select.OrderBy(ascending ? " ORDER BY r.started_us" : " ORDER BY r.started_us DESC");
  source->sorted_terms = term;
}

// No run that started later than the page's last one is wanted.
StartRange UpTo(StartRange range, const RunPlace& last) {
  range.to_us = std::min(range.to_us.value_or(last.started_us), last.started_us);
  return range;
}

}  // namespace

std::string_view IndexedPart(std::string_view text) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kIndexedCharacters && bytes < text.size(); ++i)
    bytes += std::max<std::size_t>(1, Utf8SequenceLength(text.substr(bytes)));
  return text.substr(0, bytes);
}

void WhereStarted(const StartRange& range, RunSelect* select) {
  if (range.from_us) select->Where("r.started_us >= " + select->Param(*range.from_us));
  if (range.to_us) select->Where("r.started_us <= " + select->Param(*range.to_us));
}

void WhereBetween(const NumberRange& range, std::string_view alias, RunSelect* select) {
  const auto where = [&](std::string_view sign, double bound) {
    select->Where(fmt::format("{}.value {} {}", alias, sign, select->Param(bound)));
  };
  if (range.from) where(range.from_open ? ">" : ">=", *range.from);
  if (range.to) where(range.to_open ? "<" : "<=", *range.to);
}

RunSource AllRuns(const WalkPlan& plan) {
  RunSource source;
  RunSelect& select = source.select;
  select.From("tracking_run r");
  select.Where("r.experiment = " + select.Param(plan.experiment));
  select.WhereViewed(plan.view);
  WhereStarted(plan.start, &select);
  return source;
}

RunSource WalkStarts(const WalkPlan& plan, bool ascending) {
  WalkPlan rest = plan;
  if (plan.after != nullptr && !ascending) rest.start = UpTo(plan.start, *plan.after);
  if (plan.after != nullptr && ascending) {
    const std::int64_t first = plan.after->started_us;
    rest.start.from_us = std::max(plan.start.from_us.value_or(first), first);
  }
  RunSource source = AllRuns(rest);
  if (plan.view == View::kActive) OrderByStart(ascending, 1, &source);
  return source;
}

RunSource WalkOnly(const WalkPlan& plan, FieldValue only, bool start_decides) {
  const bool sorted = start_decides && plan.view == View::kActive;
  const bool inside =
      plan.after != nullptr && CompareFields(plan.after->keys.front(), only, true) == 0;
  WalkPlan rest = plan;
  if (inside && start_decides) rest.start = UpTo(plan.start, *plan.after);
  RunSource source = AllRuns(rest);
  if (sorted) OrderByStart(false, 2, &source);
  source.only = std::move(only);
  return source;
}

RunSource WalkValues(const WalkPlan& plan, const ValueWalk& walk) {
  RunSource source = BeginValues(plan, walk);
  RunSelect& select = source.select;
  const std::string value = IndexedValue(walk.table, "w");
  if (walk.table == ValueTable::kMetric) select.Where("w.value IS NOT NULL");
  WhereBetween(walk.range, "w", &select);
  if (plan.after != nullptr)
    WhereFrom(plan.after->keys.front(), value, walk.ascending, false, &select);
  if (walk.until) WhereFrom(*walk.until, value, !walk.ascending, true, &select);
  EndValues(plan, &select);
  select.OrderBy(fmt::format(" ORDER BY {}{}", value, walk.ascending ? "" : " DESC"));
  source.sorted_terms = 1;
  return source;
}

RunSource WalkNaNs(const WalkPlan& plan, const ValueWalk& walk) {
  RunSource source = BeginValues(plan, walk);
  source.select.Where("w.value IS NULL");
  EndValues(plan, &source.select);
  source.sorted_terms = 1;
  source.only = std::nan("");
  return source;
}

}  // namespace gyre::tracking
