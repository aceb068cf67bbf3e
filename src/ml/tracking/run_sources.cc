#include "ml/tracking/run_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "ml/tracking/names.h"

namespace gyre::tracking {
namespace {

std::string_view IndexedPart(std::string_view text) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kIndexedCharacters && bytes < text.size(); ++i)
    bytes += std::max<std::size_t>(1, Utf8SequenceLength(text.substr(bytes)));
  return text.substr(0, bytes);
}

void WhereStarted(const StartRange& range, std::string_view alias, RunSelect* select) {
  if (range.from_us)
    select->Where(fmt::format("{}.started_us >= {}", alias, select->Param(*range.from_us)));
  if (range.to_us)
    select->Where(fmt::format("{}.started_us <= {}", alias, select->Param(*range.to_us)));
}

void WhereBetween(const NumberRange& range, std::string_view alias, RunSelect* select) {
  if (range.from) {
    select->Where(fmt::format("{}.value {} {}", alias,
                              range.from_open ? ">" : ">=", select->Param(*range.from)));
  }
  if (range.to) {
    select->Where(
        fmt::format("{}.value {} {}", alias, range.to_open ? "<" : "<=", select->Param(*range.to)));
  }
}

void BeginWalk(const WalkPlan& plan, RunSelect* select) {
  select->From("tracking_run r");
  select->Where(fmt::format("r.experiment = {}", select->Param(plan.experiment)));
  select->WhereViewed(plan.view);
}

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

}  // namespace

RunSource WalkRuns(const WalkPlan& plan, Along along, std::size_t term) {
  RunSource source;
  BeginWalk(plan, &source.select);
  StartRange range = plan.start;
  const bool up = along == Along::kStartUp;
  if (plan.after != nullptr && term == 1) {
    const std::int64_t start = plan.after->started_us;
    if (up) range.from_us = std::max(range.from_us.value_or(start), start);
    if (along == Along::kStartDown) range.to_us = std::min(range.to_us.value_or(start), start);
  }
  WhereStarted(range, "r", &source.select);
  if (along == Along::kNothing || plan.view != View::kActive) return source;
  source.select.OrderBy(up ? " ORDER BY r.started_us" : " ORDER BY r.started_us DESC");
  source.sorted_terms = term;
  return source;
}

RunSource WalkValues(const WalkPlan& plan, const ValueWalk& walk) {
  RunSource source = BeginValues(plan, walk);
  RunSelect& select = source.select;
  const std::string value = IndexedValue(walk.table, "w");
  const std::string_view beyond = walk.ascending ? ">=" : "<=";
  if (walk.table == ValueTable::kMetric) select.Where("w.value IS NOT NULL");
  WhereBetween(walk.range, "w", &select);
  const FieldValue* first = plan.after == nullptr ? nullptr : &plan.after->keys.front();
  if (const auto* number = first ? std::get_if<double>(first) : nullptr)
    select.Where(fmt::format("{} {} {}", value, beyond, select.Param(*number)));
  if (const auto* text = first ? std::get_if<std::string>(first) : nullptr)
    select.Where(fmt::format("{} {} {}", value, beyond, select.Param(IndexedPart(*text))));
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
  return source;
}

RunSource WalkMissing(const WalkPlan& plan, const ValueWalk& walk, bool start_decides) {
  WalkPlan rest = plan;
  const bool inside = plan.after != nullptr && start_decides &&
                      std::holds_alternative<std::monostate>(plan.after->keys.front());
  if (inside) {
    const std::int64_t start = plan.after->started_us;
    rest.start.to_us = std::min(rest.start.to_us.value_or(start), start);
  }
  RunSource source = WalkRuns(rest, start_decides ? Along::kStartDown : Along::kNothing, 2);
  const std::string alias = source.select.Join(walk.table, walk.name);
  source.select.Where(alias + ".run IS NULL");
  source.sorted_terms = std::max<std::size_t>(source.sorted_terms, 1);
  return source;
}

// --- candidates ----------------------------------------------------------------------------------
namespace {

using Narrow = std::function<void(std::int64_t, RunSelect*)>;

Narrow ByRunIds(const Comparison& comparison) {
  return [&comparison](std::int64_t, RunSelect* select) {
    std::string ids;
    const auto add = [&](const std::string& id) {
      ids += (ids.empty() ? "" : ", ") + select->Param(std::string_view(id));
    };
    if (const auto* one = std::get_if<std::string>(&comparison.value)) add(*one);
    if (const auto* list = std::get_if<std::vector<std::string>>(&comparison.value))
      std::ranges::for_each(*list, add);
    select->From("tracking_run r");
    select->Where(fmt::format("r.id IN ({})", ids));
  };
}

Narrow ByRunName(const Comparison& comparison, std::string_view project) {
  return [&comparison, project](std::int64_t, RunSelect* select) {
    select->From("tracking_run r");
    select->Where(fmt::format("r.project = {}", select->Param(project)));
    const auto& name = std::get<std::string>(comparison.value);
    select->Where(fmt::format("r.name = {}", select->Param(std::string_view(name))));
  };
}

Narrow ByStart(const StartRange& range) {
  return [range](std::int64_t experiment, RunSelect* select) {
    select->From("tracking_run r");
    select->Where(fmt::format("r.experiment = {}", select->Param(experiment)));
    select->Where("r.deleted_us = 0");
    WhereStarted(range, "r", select);
  };
}

void FromNamed(ValueTable table, std::int64_t experiment, std::int64_t name, RunSelect* select) {
  select->From(fmt::format("{} c", TableName(table)));
  select->Where(fmt::format("c.experiment = {}", select->Param(experiment)));
  select->Where(fmt::format("c.name = {}", select->Param(name)));
}

Narrow ByText(const Comparison& comparison, ValueTable table, std::int64_t name) {
  return [&comparison, table, name](std::int64_t experiment, RunSelect* select) {
    FromNamed(table, experiment, name, select);
    const auto& text = std::get<std::string>(comparison.value);
    select->Where(
        fmt::format("{} = {}", IndexedValue(table, "c"), select->Param(IndexedPart(text))));
  };
}

Narrow ByRange(const NumberRange& range, std::int64_t name) {
  return [range, name](std::int64_t experiment, RunSelect* select) {
    FromNamed(ValueTable::kMetric, experiment, name, select);
    WhereBetween(range, "c", select);
  };
}

Narrow ByDataset(const Comparison& comparison) {
  return [&comparison](std::int64_t experiment, RunSelect* select) {
    select->From("tracking_dataset d CROSS JOIN tracking_run_dataset c");
    select->Where(fmt::format("d.experiment = {}", select->Param(experiment)));
    const auto& text = std::get<std::string>(comparison.value);
    select->Where(fmt::format("d.name = {}", select->Param(std::string_view(text))));
    select->Where("c.dataset = d.number");
  };
}

std::optional<Candidates> ByAttribute(const Comparison& comparison, std::string_view project) {
  if (comparison.compare == Compare::kIn || comparison.compare == Compare::kEqual) {
    if (comparison.key == "run_id") return Candidates{ByRunIds(comparison), false, true, false};
    if (comparison.key == "run_name")
      return Candidates{ByRunName(comparison, project), false, true, false};
  }
  return std::nullopt;
}

Result<std::optional<Candidates>> ByComparison(db::Reader& reader, const RunMatcher& matcher,
                                               const Comparison& comparison,
                                               std::string_view project) {
  const bool equal = comparison.compare == Compare::kEqual;
  switch (comparison.entity) {
    case Entity::kAttribute:
      return ByAttribute(comparison, project);
    case Entity::kDataset:
      if (!equal || comparison.key != "name") return std::optional<Candidates>();
      return Candidates{ByDataset(comparison), true, false, true};
    case Entity::kMetric: {
      const NumberRange range = matcher.RangeOf(comparison.key);
      if (range.empty()) return std::optional<Candidates>();
      GYRE_TRY(const std::int64_t name, NameBook::Find(reader, comparison.key));
      return Candidates{ByRange(range, name), true, false, false};
    }
    case Entity::kParam:
    case Entity::kTag: {
      if (!equal) return std::optional<Candidates>();
      GYRE_TRY(const std::int64_t name, NameBook::Find(reader, comparison.key));
      const auto table = *RunField{.entity = comparison.entity}.table();
      return Candidates{ByText(comparison, table, name), true, false, false};
    }
    default:
      return std::optional<Candidates>();
  }
}

}  // namespace

Result<std::vector<Candidates>> CandidatesOf(db::Reader& reader, const RunMatcher& matcher,
                                             std::string_view project, View view) {
  std::vector<Candidates> all;
  for (const Comparison* comparison : matcher.required()) {
    GYRE_TRY(auto one, ByComparison(reader, matcher, *comparison, project));
    if (one) all.push_back(*std::move(one));
  }
  if (const StartRange start = matcher.StartRangeOf(); view == View::kActive && !start.empty())
    all.push_back({ByStart(start), true, true, false});
  return all;
}

RunSource MakeSource(const Candidates& candidates, std::int64_t experiment, View view) {
  RunSource source = {.repeats = candidates.repeats};
  candidates.narrow(experiment, &source.select);
  if (!candidates.of_runs) {
    source.select.From(" CROSS JOIN tracking_run r");
    source.select.Where("r.number = c.run");
  }
  source.select.WhereViewed(view);
  return source;
}

}  // namespace gyre::tracking
