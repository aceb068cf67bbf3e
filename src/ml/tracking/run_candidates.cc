#include "ml/tracking/run_candidates.h"

#include <fmt/format.h>

#include <algorithm>

#include "ml/tracking/names.h"

namespace gyre::tracking {
namespace {

using Kind = FilterNode::Kind;
using MaybePart = std::optional<CandidatePart>;
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

Narrow ByRunName(std::string_view name, std::string_view project) {
  return [name, project](std::int64_t, RunSelect* select) {
    select->From("tracking_run r");
    select->Where("r.project = " + select->Param(project));
    select->Where("r.name = " + select->Param(name));
  };
}

// Of the states that the index of runs at work holds.
Narrow ByStatus(std::string_view status) {
  return [status](std::int64_t, RunSelect* select) {
    select->From("tracking_run r");
    select->Where("r.status IN ('scheduled', 'running')");
    select->Where("r.status = " + select->Param(status));
  };
}

Narrow ByStart(const StartRange& range) {
  return [range](std::int64_t experiment, RunSelect* select) {
    select->From("tracking_run r");
    select->Where("r.experiment = " + select->Param(experiment));
    select->Where("r.deleted_us = 0");
    WhereStarted(range, select);
  };
}

void FromNamed(ValueTable table, std::int64_t experiment, std::int64_t name, RunSelect* select) {
  select->From(fmt::format("{} c", TableName(table)));
  select->Where("c.experiment = " + select->Param(experiment));
  select->Where("c.name = " + select->Param(name));
}

Narrow ByText(ValueTable table, std::int64_t name, std::string_view text) {
  return [=](std::int64_t experiment, RunSelect* select) {
    FromNamed(table, experiment, name, select);
    const std::string wanted = select->Param(IndexedPart(text));
    select->Where(fmt::format("{} = {}", IndexedValue(table, "c"), wanted));
  };
}

// Texts that begin so.
Narrow ByBeginning(ValueTable table, std::int64_t name, std::string_view beginning) {
  return [=](std::int64_t experiment, RunSelect* select) {
    FromNamed(table, experiment, name, select);
    const std::string value = IndexedValue(table, "c");
    const std::string_view first = IndexedPart(beginning);
    select->Where(fmt::format("{} >= {}", value, select->Param(first)));
    std::string beyond(first);  // no text that begins so and fits the index comes behind it
    for (std::size_t i = 0; i < kIndexedCharacters; ++i) beyond += "\U0010FFFF";
    select->Where(fmt::format("{} <= {}", value, select->Param(std::string_view(beyond))));
  };
}

Narrow ByRange(std::int64_t name, const NumberRange& range) {
  return [=](std::int64_t experiment, RunSelect* select) {
    FromNamed(ValueTable::kMetric, experiment, name, select);
    WhereBetween(range, "c", select);
  };
}

Narrow ByDataset(std::string_view name) {
  return [name](std::int64_t experiment, RunSelect* select) {
    select->From("tracking_dataset d CROSS JOIN tracking_run_dataset c");
    select->Where("d.experiment = " + select->Param(experiment));
    select->Where("d.name = " + select->Param(name));
    select->Where("c.dataset = d.number");
  };
}

MaybePart OfAttribute(const Comparison& comparison, std::string_view project) {
  const bool equal = comparison.compare == Compare::kEqual;
  if (comparison.key == "run_id" && (equal || comparison.compare == Compare::kIn)) {
    return CandidatePart{.narrow = ByRunIds(comparison), .of_runs = true, .each_experiment = false};
  }
  if (comparison.key == "run_name" && equal) {
    return CandidatePart{.narrow = ByRunName(std::get<std::string>(comparison.value), project),
                         .of_runs = true,
                         .each_experiment = false};
  }
  if (comparison.key == "status" && equal) {
    const auto& status = std::get<std::string>(comparison.value);
    if (status != "scheduled" && status != "running") return std::nullopt;
    return CandidatePart{.narrow = ByStatus(status), .of_runs = true, .each_experiment = false};
  }
  return std::nullopt;
}

MaybePart OfText(const Comparison& comparison, ValueTable table, std::int64_t name) {
  const auto* text = std::get_if<std::string>(&comparison.value);
  if (text == nullptr) return std::nullopt;
  if (comparison.compare == Compare::kEqual)
    return CandidatePart{.narrow = ByText(table, name, *text)};
  const std::string_view beginning = std::string_view(*text).substr(0, text->find_first_of("%_"));
  if (comparison.compare != Compare::kLike || beginning.empty()) return std::nullopt;
  return CandidatePart{.narrow = ByBeginning(table, name, beginning)};
}

// `together`: what must hold with it.
Result<MaybePart> OfComparison(db::Reader& reader, const Comparison& comparison,
                               const Required& together, std::string_view project) {
  if (comparison.entity == Entity::kAttribute) return OfAttribute(comparison, project);
  if (comparison.entity == Entity::kDataset) {
    if (comparison.key != "name" || comparison.compare != Compare::kEqual) return MaybePart();
    return CandidatePart{.narrow = ByDataset(std::get<std::string>(comparison.value)),
                         .repeats = true};
  }
  const auto table = RunField{.entity = comparison.entity}.table();
  if (!table) return MaybePart();
  GYRE_TRY(const std::int64_t name, NameBook::Find(reader, comparison.key));
  if (table != ValueTable::kMetric) return OfText(comparison, *table, name);
  const NumberRange range = RangeOf(together, comparison.key);
  if (comparison.entity != Entity::kMetric || range.empty()) return MaybePart();
  return CandidatePart{.narrow = ByRange(name, range)};
}

// Of one of which all must hold, the first that an index answers.
Result<MaybePart> OfBranch(db::Reader& reader, const FilterNode& branch, std::string_view project) {
  const Required together = RequiredOf(branch);
  for (const Comparison* one : together) {
    GYRE_TRY(MaybePart part, OfComparison(reader, *one, together, project));
    if (part) return part;
  }
  return MaybePart();
}

// Empty when one branch asks for what no index knows.
Result<Candidates> OfAlternatives(db::Reader& reader, const FilterNode& any,
                                  std::string_view project) {
  Candidates parts;
  for (const FilterNode& branch : any.children) {
    GYRE_TRY(MaybePart part, OfBranch(reader, branch, project));
    if (!part) return Candidates();
    part->repeats = true;
    parts.push_back(*std::move(part));
  }
  return parts;
}

}  // namespace

RunSource MakeSource(const CandidatePart& part, std::int64_t experiment, View view) {
  RunSource source = {.repeats = part.repeats};
  part.narrow(experiment, &source.select);
  if (!part.of_runs) {
    source.select.From(" CROSS JOIN tracking_run r");
    source.select.Where("r.number = c.run");
  }
  source.select.WhereViewed(view);
  return source;
}

Result<std::vector<Candidates>> CandidatesOf(db::Reader& reader, const RunMatcher& matcher,
                                             std::string_view project, View view) {
  std::vector<Candidates> all;
  if (matcher.filter().empty()) return all;
  for (const Comparison* one : matcher.required()) {
    GYRE_TRY(MaybePart part, OfComparison(reader, *one, matcher.required(), project));
    if (part) all.push_back({*std::move(part)});
  }
  const StartRange start = StartRangeOf(matcher.required());
  if (view == View::kActive && !start.empty())
    all.push_back({{.narrow = ByStart(start), .of_runs = true}});
  const FilterNode& root = matcher.filter().root.front();
  const std::span<const FilterNode> nodes =
      root.kind == Kind::kAnd ? std::span(root.children) : std::span(&root, 1);
  for (const FilterNode& node : nodes) {
    if (node.kind != Kind::kOr) continue;
    GYRE_TRY(Candidates parts, OfAlternatives(reader, node, project));
    if (!parts.empty()) all.push_back(std::move(parts));
  }
  return all;
}

}  // namespace gyre::tracking
