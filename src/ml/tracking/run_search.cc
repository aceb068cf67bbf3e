#include "ml/tracking/run_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <unordered_set>

#include "base/hash.h"
#include "base/text.h"
#include "ml/statistics/metrics.h"
#include "ml/tracking/run_candidates.h"
#include "ml/tracking/run_fields.h"
#include "ml/tracking/run_matcher.h"
#include "ml/tracking/run_order.h"
#include "ml/tracking/run_sources.h"

namespace gyre::tracking {
namespace {

constexpr std::int64_t kNoEnd = INT64_MAX;

std::uint64_t FingerprintOf(const RunSearch& search) {
  std::string text = fmt::format("{}\n{}\n{}", search.project, static_cast<int>(search.view),
                                 FilterText(search.filter, kRunFields));
  for (const OrderBy& order : search.order)
    text += fmt::format("\n{} {} {}", static_cast<int>(order.entity), order.ascending, order.key);
  for (const std::int64_t experiment : search.experiments) text += fmt::format("\n{}", experiment);
  return Xxh3(text);
}

// 0 a number or a text, 1 NaN, 2 nothing.
int RankOf(const FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return 2;
  const auto* number = std::get_if<double>(&value);
  return number != nullptr && std::isnan(*number) ? 1 : 0;
}

bool IsStart(const OrderBy& order) {
  return order.entity == Entity::kAttribute && order.key == "start_time";
}

bool IsMetric(Entity entity) {
  return entity == Entity::kMetric || entity == Entity::kMetricLeast ||
         entity == Entity::kMetricMost || entity == Entity::kMetricBest;
}

bool AsksForMetrics(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::kComparison) return IsMetric(node.comparison.entity);
  return std::ranges::any_of(node.children,
                             [](const FilterNode& child) { return AsksForMetrics(child); });
}

bool AsksForMetrics(const RunSearch& search) {
  return std::ranges::any_of(search.filter.root,
                             [](const FilterNode& node) { return AsksForMetrics(node); }) ||
         std::ranges::any_of(search.order, [](const OrderBy& by) { return IsMetric(by.entity); });
}

class Finder {
 public:
  Finder(db::Reader& reader, const RunSearch& search, const RunSearchEffort& effort)
      : reader_(reader),
        search_(search),
        effort_(effort),
        limit_(static_cast<std::size_t>(std::clamp(search.limit, 1, kRunSearchMax))),
        order_(MakeOrder(search)) {}

  Result<FoundRuns> Find() {
    GYRE_DO(Prepare());
    GYRE_TRY(const bool from_few, TryCandidates(effort_.few));
    if (!from_few) GYRE_DO(FindAmongMany());
    FoundRuns found;
    std::vector<FirstRuns::Run> runs = first_->Take();
    if (runs.size() == limit_)
      found.next_page_token = EncodePlace(runs.back().place, FingerprintOf(search_));
    for (FirstRuns::Run& run : runs) {
      found.numbers.push_back(run.number);
      found.ids.push_back(std::move(run.place.id));
    }
    return found;
  }

 private:
  using MakesSource = std::function<RunSource()>;

  static RunOrder MakeOrder(const RunSearch& search) {
    std::vector<bool> ascending;
    for (const OrderBy& order : search.order) ascending.push_back(order.ascending);
    return {std::move(ascending), std::ranges::none_of(search.order, IsStart)};
  }

  Result<> Prepare() {
    GYRE_DO(KeepOwnExperiments());
    if (!search_.page_token.empty()) {
      GYRE_TRY(after_, DecodePlace(search_.page_token, FingerprintOf(search_), order_.fields()));
    }
    for (const OrderBy& order : search_.order) {
      GYRE_TRY(const std::size_t field, fields_.Add(reader_, order.entity, order.key, true));
      order_fields_.push_back(field);
    }
    GYRE_TRY(RunMatcher matcher, RunMatcher::Make(reader_, search_.filter, &fields_));
    matcher_.emplace(std::move(matcher));
    StartOver();
    return {};
  }

  // Numbers of experiments are the server's: what is not of the project is not looked at.
  Result<> KeepOwnExperiments() {
    for (const std::int64_t experiment : search_.experiments) {
      GYRE_TRY(
          const bool own,
          reader_.QueryOne("SELECT 1 FROM tracking_experiment WHERE number = ?1 AND project = ?2",
                           {experiment, search_.project}, [](const db::Row&) {}));
      if (own) experiments_.insert(experiment);
    }
    return {};
  }

  void StartOver() {
    first_.emplace(order_, limit_, after_);
    seen_.clear();
    looked_at_ = 0;
  }

  Result<> FindAmongMany() {
    const std::vector<MakesSource> walks = Walks();
    std::int64_t most = effort_.many;
    if (!walks.empty()) {
      const auto page = static_cast<std::int64_t>(limit_);
      const std::int64_t walked = effort_.walked + effort_.walked_per_run * page;
      GYRE_TRY(bool whole, TakeAll(walks, walked));
      if (whole) return {};
      most = std::min(most, WorthOfWalk());
      if (const std::vector<MakesSource> ties = TieWalks(); !ties.empty()) {
        StartOver();
        GYRE_TRY(whole, TakeAll(ties, walked));
        if (whole) return {};
      }
      StartOver();
    }
    GYRE_TRY(const bool from_candidates, TryCandidates(most));
    if (from_candidates) return {};
    GYRE_TRY([[maybe_unused]] const bool whole,
             TakeAll(walks.empty() ? Everything() : walks, kNoEnd));
    return {};
  }

  // How many candidates cost as much as going on with a walk that has found so many so far: one
  // costs twice the look at a run along an index.
  std::int64_t WorthOfWalk() const {
    if (first_->size() == 0) return kNoEnd;
    return looked_at_ * static_cast<std::int64_t>(limit_ / first_->size()) / 2;
  }

  // --- along the order ---------------------------------------------------------------------------
  WalkPlan PlanOf(std::int64_t experiment, View view) const {
    return {.experiment = experiment,
            .view = view,
            .start = StartRangeOf(matcher_->required()),
            .after = after_ ? &*after_ : nullptr};
  }

  std::vector<MakesSource> Everything() const {
    std::vector<MakesSource> all;
    for (const std::int64_t experiment : experiments_)
      all.push_back([this, experiment] { return AllRuns(PlanOf(experiment, search_.view)); });
    return all;
  }

  // None when no index knows the order.
  std::vector<MakesSource> Walks() const {
    std::vector<MakesSource> walks;
    const bool by_start = search_.order.empty() || IsStart(search_.order.front());
    if (!by_start && !IndexedField()) return walks;
    for (const std::int64_t experiment : experiments_) {
      if (!by_start) {
        AddValueWalks(experiment, &walks);
        continue;
      }
      const bool up = !search_.order.empty() && search_.order.front().ascending;
      for (const View view : Views())
        walks.push_back(
            [this, experiment, view, up] { return WalkStarts(PlanOf(experiment, view), up); });
    }
    return walks;
  }

  // One after the other: an index by the start is of those that are active.
  std::vector<View> Views() const {
    if (search_.view == View::kAll) return {View::kActive, View::kDeleted};
    return {search_.view};
  }

  // The order's first field, when an index knows its values.
  const RunField* IndexedField() const {
    const RunField& field = fields_[order_fields_.front()];
    const bool indexed = field.entity == Entity::kMetric || field.entity == Entity::kParam ||
                         field.entity == Entity::kTag;
    return indexed ? &field : nullptr;
  }

  ValueWalk MakeValueWalk(const RunField& field) const {
    ValueWalk walk = {
        .table = *field.table(), .name = field.name, .ascending = search_.order.front().ascending};
    if (field.entity == Entity::kMetric) walk.range = RangeOf(matcher_->required(), field.key);
    return walk;
  }

  void AddValueWalks(std::int64_t experiment, std::vector<MakesSource>* walks) const {
    const RunField& field = *IndexedField();
    const ValueWalk walk = MakeValueWalk(field);
    const int done = after_ ? RankOf(after_->keys.front()) : 0;
    if (done == 0)
      walks->push_back(
          [this, experiment, walk] { return WalkValues(PlanOf(experiment, search_.view), walk); });
    if (done <= 1 && walk.table == ValueTable::kMetric && walk.range.empty())
      walks->push_back(
          [this, experiment, walk] { return WalkNaNs(PlanOf(experiment, search_.view), walk); });
    if (matcher_->Requires(walk.table, field.key)) return;
    for (const View view : Views())
      walks->push_back([this, experiment, view] {
        return WalkOnly(PlanOf(experiment, view), FieldValue(), search_.order.size() == 1);
      });
  }

  // Of a value that more runs have than a page holds, an index of values tells nothing more: those
  // before it, then those of it by the start.
  std::vector<MakesSource> TieWalks() const {
    const bool by_value = search_.order.size() == 1 && !IsStart(search_.order.front());
    if (!by_value || search_.view == View::kDeleted || !first_->full()) return {};
    const FieldValue tie = first_->last().keys.front();
    if (RankOf(tie) == 2) return {};
    ValueWalk walk = MakeValueWalk(*IndexedField());
    walk.until = tie;
    std::vector<MakesSource> walks;
    for (const std::int64_t experiment : experiments_) {
      if (!after_ || RankOf(after_->keys.front()) == 0)
        walks.push_back([this, experiment, walk] {
          return Repeating(WalkValues(PlanOf(experiment, search_.view), walk));
        });
      for (const View view : Views())
        walks.push_back([this, experiment, view, tie] {
          return Repeating(WalkOnly(PlanOf(experiment, view), tie, true));
        });
    }
    return walks;
  }

  static RunSource Repeating(RunSource source) {
    source.repeats = true;
    return source;
  }

  // --- from few runs -----------------------------------------------------------------------------
  // From what leaves the fewest runs; false when everything leaves more than `most`.
  Result<bool> TryCandidates(std::int64_t most) {
    GYRE_TRY(const std::vector<Candidates> all,
             CandidatesOf(reader_, *matcher_, search_.project, search_.view));
    const Candidates* best = nullptr;
    for (const Candidates& one : all) {
      GYRE_TRY(const std::int64_t count, CountOf(one, most + 1));
      if (count > most) continue;
      best = &one;
      most = count - 1;
    }
    if (best == nullptr) return false;
    std::vector<MakesSource> sources;
    for (const CandidatePart& part : *best) {
      for (const std::int64_t experiment : experiments_) {
        sources.push_back(
            [this, &part, experiment] { return MakeSource(part, experiment, search_.view); });
        if (!part.each_experiment) break;
      }
    }
    return TakeAll(sources, kNoEnd);
  }

  Result<std::int64_t> CountOf(const Candidates& candidates, std::int64_t most) {
    std::int64_t count = 0;
    for (const CandidatePart& part : candidates) {
      for (const std::int64_t experiment : experiments_) {
        RunSelect select;
        part.narrow(experiment, &select);
        const std::string text = select.CountText(most - count);
        GYRE_DO(reader_.QueryList(text, select.params(), [&](const db::Row& row) -> Result<> {
          count += row.Int(0);
          return {};
        }));
        if (count >= most) return count;
        if (!part.each_experiment) break;
      }
    }
    return count;
  }

  // --- rows --------------------------------------------------------------------------------------
  // False when `most` runs have been looked at before the end.
  Result<bool> TakeAll(const std::vector<MakesSource>& sources, std::int64_t most) {
    for (const MakesSource& make : sources) {
      GYRE_DO(Take(make(), most));
      if (looked_at_ > most) return false;
    }
    return true;
  }

  Result<> Take(RunSource source, std::int64_t most) {
    if (source.only && first_->AreAllBefore({.keys = {*source.only}}, 1)) return {};
    const RunFields::Columns columns(fields_, &source.select);
    const std::string text = source.select.Text();
    bool enough = false;
    auto taken =
        reader_.QueryList(text, source.select.params(), [&](const db::Row& row) -> Result<> {
          if (source.repeats && !seen_.insert(columns.Number(row)).second) return {};
          GYRE_TRY(enough, TakeRow(columns, row, source));
          enough = enough || ++looked_at_ > most;
          // Ends the query; what the error says is not looked at.
          if (enough) return Error(Code::kCancelled, "", "");
          return {};
        });
    if (enough) return {};
    return taken;
  }

  // True when no later row of a source that is sorted so far is wanted.
  Result<bool> TakeRow(const RunFields::Columns& columns, const db::Row& row,
                       const RunSource& source) {
    if (!experiments_.contains(columns.Experiment(row))) return false;
    FirstRuns::Run run = {.number = columns.Number(row)};
    run.place = {.started_us = columns.StartedUs(row), .id = columns.Id(row)};
    for (const std::size_t field : order_fields_)
      run.place.keys.push_back(columns.Read(row, field));
    if (source.only && CompareFields(run.place.keys.front(), *source.only, true) != 0) return false;
    const bool sorted = source.sorted_terms > 0 && !IsCut(run.place);
    if (sorted && first_->AreAllBefore(run.place, source.sorted_terms)) return true;
    if (!first_->Wants(run.place)) return false;
    GYRE_TRY(const bool holds, matcher_->Holds(reader_, columns, row));
    if (holds) first_->Add(std::move(run));
    return false;
  }

  // An index holds the beginning of a text only: behind a long one a shorter one may follow.
  static bool IsCut(const RunPlace& place) {
    const auto* text = place.keys.empty() ? nullptr : std::get_if<std::string>(&place.keys.front());
    return text != nullptr && text->size() >= kIndexedCharacters;
  }

  db::Reader& reader_;
  const RunSearch& search_;
  const RunSearchEffort& effort_;
  const std::size_t limit_;
  const RunOrder order_;
  std::set<std::int64_t> experiments_;
  RunFields fields_;
  std::vector<std::size_t> order_fields_;
  std::optional<RunMatcher> matcher_;
  std::optional<RunPlace> after_;
  std::optional<FirstRuns> first_;
  std::unordered_set<std::int64_t> seen_;
  std::int64_t looked_at_ = 0;
};

}  // namespace

bool IsLowerBetter(std::string_view metric) {
  for (std::string_view word = metric; !word.empty();) {
    if (const auto* known = statistics::FindMetric(word))
      return known->better == statistics::Better::kLower;
    const std::size_t end = word.find_first_of("_-/. :");
    word = end == std::string_view::npos ? "" : word.substr(end + 1);
  }
  const std::string lower = ToLower(metric);
  return lower.contains("loss") || lower.contains("error") || lower.contains("perplexity");
}

Result<FoundRuns> RunSearcher::Find(const RunSearch& search) {
  if (settle_ && !search.experiments.empty() && AsksForMetrics(search))
    GYRE_DO(settle_(search.project, search.experiments));
  FoundRuns found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, Finder(reader, search, effort_).Find());
    return {};
  }));
  return found;
}

}  // namespace gyre::tracking
