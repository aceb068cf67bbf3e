#include "ml/traces/trace_search.h"

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "ml/traces/assessment_store.h"
#include "ml/traces/label_store.h"
#include "ml/traces/trace_match.h"
#include "ml/traces/trace_store.h"
#include "ml/tracking/run_order.h"

namespace gyre::traces {
namespace {

using tracking::Compare;
using tracking::Comparison;
using tracking::Entity;
using tracking::FilterNode;

constexpr std::size_t kBatch = 500;
constexpr std::size_t kReadMax = 20'000;  // traces that one page looks at
constexpr double kMillisMax = 9e15;
constexpr std::size_t kListMax = 100;

// "WHERE ..." and what its parameters are. Points at the texts of the search.
class Conditions {
 public:
  explicit Conditions(const TraceSearch& search) {
    text_ = "WHERE project = " + Parameter(search.project) + " AND experiment IN (";
    for (std::size_t i = 0; i < search.experiments.size(); ++i)
      text_ += (i == 0 ? "" : ", ") + Parameter(search.experiments[i]);
    text_ += ")";
    if (search.filter.empty()) return;
    const FilterNode& root = search.filter.root.front();
    if (root.kind == FilterNode::Kind::kComparison) Add(root.comparison);
    if (root.kind != FilterNode::Kind::kAnd) return;
    for (const FilterNode& child : root.children)
      if (child.kind == FilterNode::Kind::kComparison) Add(child.comparison);
  }
  std::string Parameter(const db::Value& value) {
    values_.push_back(value);
    return fmt::format("?{}", values_.size());
  }
  void And(const std::string& condition) { text_ += " AND " + condition; }
  const std::string& text() const { return text_; }
  const std::vector<db::Value>& values() const { return values_; }

 private:
  void Add(const Comparison& c) {
    if (c.entity == Entity::kAttribute && c.key == "timestamp") return AddTime(c);
    if (c.entity == Entity::kAttribute && c.key == "request_id" && c.compare == Compare::kIn)
      return AddIds(c);
    const auto* const text = std::get_if<std::string>(&c.value);
    if (text == nullptr || c.compare != Compare::kEqual) return;
    if (c.entity == Entity::kTag) return AddLabel(Label::kTag, c.key, *text);
    if (c.entity == Entity::kMetadata) return AddLabel(Label::kMetadata, c.key, *text);
    if (c.entity == Entity::kAttribute) AddAttribute(c.key, *text);
  }
  void AddAttribute(const std::string& key, const std::string& text) {
    if (key == "request_id") And("id = " + Parameter(text));
    if (key == "client_request_id") And("client_request = " + Parameter(text));
    if (key == "name") AddLabel(Label::kTag, kNameTag, text);
    if (key == "prompt") And("number IN (" + Linked(kPromptLink, text) + ")");
    if (key == "run_id")
      And("number IN (" + Labelled(Label::kMetadata, kRunMetadata, text) + " UNION ALL " +
          Linked(kRunLink, text) + ")");
    if (key != "status") return;
    const auto state = StateOf(text);
    And("state = " + Parameter(state ? static_cast<int>(*state) : -1));
  }
  // The index holds the beginning of values.
  std::string Labelled(Label kind, std::string_view name, const std::string& text) {
    return fmt::format(
        "SELECT trace FROM traces_label WHERE kind = {} AND name = {} AND substr(value, 1, 64) = "
        "substr({}, 1, 64)",
        static_cast<int>(kind), Parameter(name), Parameter(text));
  }
  void AddLabel(Label kind, std::string_view name, const std::string& text) {
    And("number IN (" + Labelled(kind, name, text) + ")");
  }
  std::string Linked(std::string_view kind, const std::string& target) {
    return "SELECT trace FROM traces_link WHERE kind = " + Parameter(kind) +
           " AND target = " + Parameter(target);
  }
  void AddIds(const Comparison& c) {
    const auto* const ids = std::get_if<std::vector<std::string>>(&c.value);
    if (ids == nullptr || ids->size() > kListMax) return;
    std::string list;
    for (const std::string& id : *ids) list += (list.empty() ? "" : ", ") + Parameter(id);
    And("id IN (" + list + ")");
  }
  // Milliseconds: whatever lies in the millisecond.
  void AddTime(const Comparison& c) {
    const auto* const number = std::get_if<double>(&c.value);
    if (number == nullptr || std::abs(*number) > kMillisMax) return;
    const std::int64_t from_us = static_cast<std::int64_t>(*number) * 1'000;
    const std::int64_t to_us = from_us + 1'000;
    if (c.compare == Compare::kGreater) And("started_us >= " + Parameter(to_us));
    if (c.compare == Compare::kGreaterEqual || c.compare == Compare::kEqual)
      And("started_us >= " + Parameter(from_us));
    if (c.compare == Compare::kLess) And("started_us < " + Parameter(from_us));
    if (c.compare == Compare::kLessEqual || c.compare == Compare::kEqual)
      And("started_us < " + Parameter(to_us));
  }

  std::string text_;
  std::vector<db::Value> values_;
};

struct Place {
  std::int64_t started_us = 0;
  std::string id;
};

// Newest first, from behind `after`; a batch at a time: reading stops where `take` says false.
Result<> Walk(db::Reader& reader, const TraceSearch& search, std::optional<Place> after,
              const std::function<Result<bool>(TraceRow&&)>& take) {
  if (search.experiments.empty()) return {};
  while (true) {
    Conditions conditions(search);
    if (after) {
      const std::string time = conditions.Parameter(after->started_us);
      conditions.And(fmt::format("started_us <= {0} AND (started_us < {0} OR id > {1})", time,
                                 conditions.Parameter(after->id)));
    }
    std::vector<TraceRow> batch;
    GYRE_DO(QueryTraces(
        reader, conditions.text() + fmt::format(" ORDER BY started_us DESC, id LIMIT {}", kBatch),
        conditions.values(), [&](TraceRow&& row) { batch.push_back(std::move(row)); }));
    const bool last = batch.size() < kBatch;
    if (!last) after = Place{batch.back().trace.started_us, batch.back().trace.id};
    for (TraceRow& row : batch) {
      GYRE_TRY(const bool more, take(std::move(row)));
      if (!more) return {};
    }
    if (last) return {};
  }
}

bool AlongTime(const TraceSearch& search) {
  return search.order.empty() ||
         (search.order.size() == 1 && search.order[0].entity == Entity::kAttribute &&
          search.order[0].key == "timestamp" && !search.order[0].ascending);
}

Error WrongToken(const TraceSearch& search) {
  return InvalidArgument("GY3453", "`{}` is not a page token of this search of traces",
                         std::string_view(search.page_token).substr(0, 100))
      .Fix("begin without a page token");
}

// "t<started_us>.<id>"
Result<std::optional<Place>> ParseToken(const TraceSearch& search) {
  const std::string_view text = search.page_token;
  if (text.empty()) return std::nullopt;
  const std::size_t dot = text.find('.');
  const auto first = ParseInt(text.substr(1, dot == std::string_view::npos ? dot : dot - 1));
  if (text[0] != 't' || dot == std::string_view::npos || !first) return WrongToken(search);
  return Place{*first, std::string(text.substr(dot + 1))};
}

std::uint64_t FingerprintOf(const TraceSearch& search) {
  std::string text = search.project + "\n" + FilterText(search.filter, tracking::kTraceFields);
  for (const tracking::OrderBy& by : search.order)
    text += fmt::format("\n{} {} {}", static_cast<int>(by.entity), by.ascending, by.key);
  for (const std::int64_t experiment : search.experiments) text += fmt::format("\n{}", experiment);
  return Xxh3(text);
}

Result<FoundTraces> FindAlongTime(db::Reader& reader, const TraceSearch& search,
                                  const TraceMatcher& matcher) {
  GYRE_TRY(const std::optional<Place> begin, ParseToken(search));
  const auto limit = static_cast<std::size_t>(search.limit);
  FoundTraces found;
  std::size_t read = 0;
  GYRE_DO(Walk(reader, search, begin, [&](TraceRow&& row) -> Result<bool> {
    TraceView view(reader, row);
    GYRE_TRY(const bool holds, matcher.Holds(view));
    const bool full = found.traces.size() + (holds ? 1 : 0) == limit || ++read == kReadMax;
    if (full) found.next_page_token = fmt::format("t{}.{}", row.trace.started_us, row.trace.id);
    if (holds) {
      GYRE_DO(Complete(reader, row.number, &row.trace));
      found.traces.push_back(std::move(row.trace));
    }
    return !full;
  }));
  return found;
}

// Looks at all, and keeps a page of their places.
Result<FoundTraces> FindInOrder(db::Reader& reader, const TraceSearch& search,
                                const TraceMatcher& matcher) {
  const auto limit = static_cast<std::size_t>(search.limit);
  const std::uint64_t fingerprint = FingerprintOf(search);
  std::vector<bool> ascending;
  for (const tracking::OrderBy& by : search.order) ascending.push_back(by.ascending);
  const tracking::RunOrder order(ascending, true);
  std::optional<tracking::RunPlace> after;
  if (!search.page_token.empty()) {
    auto place = tracking::DecodePlace(search.page_token, fingerprint, order.fields());
    if (!place) return WrongToken(search);
    after = *std::move(place);
  }
  tracking::FirstRuns first(order, limit + 1, after);
  GYRE_DO(Walk(reader, search, {}, [&](TraceRow&& row) -> Result<bool> {
    TraceView view(reader, row);
    tracking::RunPlace place = {.started_us = row.trace.started_us, .id = row.trace.id};
    for (const tracking::OrderBy& by : search.order) {
      GYRE_TRY(auto key, view.First(by.entity, by.key));
      place.keys.push_back(std::move(key));
    }
    if (!first.Wants(place)) return true;
    GYRE_TRY(const bool holds, matcher.Holds(view));
    if (holds) first.Add({.number = row.number, .place = std::move(place)});
    return true;
  }));
  const std::vector<tracking::FirstRuns::Run> page = first.Take();
  FoundTraces found;
  if (page.size() > limit)
    found.next_page_token = tracking::EncodePlace(page[limit - 1].place, fingerprint);
  for (std::size_t i = 0; i < std::min(page.size(), limit); ++i) {
    GYRE_TRY(TraceRow row, ReadTrace(reader, search.project, page[i].place.id));
    GYRE_DO(Complete(reader, row.number, &row.trace));
    found.traces.push_back(std::move(row.trace));
  }
  return found;
}

}  // namespace

Result<> Complete(db::Reader& reader, std::int64_t number, Trace* trace) {
  GYRE_DO(ReadLabels(reader, number, &trace->tags, &trace->metadata));
  GYRE_TRY(trace->assessments, ReadAssessments(reader, number));
  return {};
}

Result<FoundTraces> FindTraces(db::Reader& reader, const TraceSearch& search) {
  GYRE_TRY(const TraceMatcher matcher, TraceMatcher::Make(search.filter));
  return AlongTime(search) ? FindAlongTime(reader, search, matcher)
                           : FindInOrder(reader, search, matcher);
}

Result<Correlation> CountTraces(db::Reader& reader, const TraceSearch& search,
                                const tracking::Filter& first, const tracking::Filter& second) {
  GYRE_TRY(const TraceMatcher base, TraceMatcher::Make(search.filter));
  GYRE_TRY(const TraceMatcher one, TraceMatcher::Make(first));
  GYRE_TRY(const TraceMatcher other, TraceMatcher::Make(second));
  Correlation counts;
  GYRE_DO(Walk(reader, search, {}, [&](TraceRow&& row) -> Result<bool> {
    TraceView view(reader, row);
    GYRE_TRY(const bool there, base.Holds(view));
    if (!there) return true;
    GYRE_TRY(const bool in_first, one.Holds(view));
    GYRE_TRY(const bool in_second, other.Holds(view));
    counts.all += 1;
    counts.first += in_first ? 1 : 0;
    counts.second += in_second ? 1 : 0;
    counts.both += in_first && in_second ? 1 : 0;
    return true;
  }));
  return counts;
}

}  // namespace gyre::traces
