#include "ml/tracking/run_matcher.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace gyre::tracking {
namespace {

using Kind = FilterNode::Kind;

// States are kept in small letters; people write them in capitals too.
void LowerStatus(FilterNode* node) {
  for (FilterNode& child : node->children) LowerStatus(&child);
  Comparison& comparison = node->comparison;
  if (comparison.entity != Entity::kAttribute || comparison.key != "status") return;
  if (auto* text = std::get_if<std::string>(&comparison.value)) *text = ToLower(*text);
}

bool IsNullTest(const Comparison& comparison) {
  return comparison.compare == Compare::kIsNull || comparison.compare == Compare::kIsNotNull;
}

void Narrow(const Comparison& comparison, NumberRange* range) {
  const double bound = std::get<double>(comparison.value);
  const bool equal = comparison.compare == Compare::kEqual;
  const bool open = comparison.compare == Compare::kGreater || comparison.compare == Compare::kLess;
  const bool from = equal || comparison.compare == Compare::kGreater ||
                    comparison.compare == Compare::kGreaterEqual;
  const bool to =
      equal || comparison.compare == Compare::kLess || comparison.compare == Compare::kLessEqual;
  if (from && (!range->from || bound > *range->from || (bound == *range->from && open))) {
    range->from = bound;
    range->from_open = open;
  }
  if (to && (!range->to || bound < *range->to || (bound == *range->to && open))) {
    range->to = bound;
    range->to_open = open;
  }
}

// Of a run that started in a millisecond, all microseconds.
std::int64_t MillisToMicros(double ms) {
  constexpr double kMost = 9e12;
  return static_cast<std::int64_t>(std::clamp(ms, -kMost, kMost)) * 1'000;
}

void NarrowStart(const Comparison& comparison, StartRange* range) {
  const double ms = std::get<double>(comparison.value);
  std::optional<std::int64_t> from, to;
  switch (comparison.compare) {
    case Compare::kGreater:
      from = MillisToMicros(std::floor(ms) + 1);
      break;
    case Compare::kGreaterEqual:
      from = MillisToMicros(std::ceil(ms));
      break;
    case Compare::kLess:
      to = MillisToMicros(std::ceil(ms)) - 1;
      break;
    case Compare::kLessEqual:
      to = MillisToMicros(std::floor(ms) + 1) - 1;
      break;
    case Compare::kEqual:
      from = MillisToMicros(std::ceil(ms));
      to = MillisToMicros(std::floor(ms) + 1) - 1;
      break;
    default:
      return;
  }
  if (from) range->from_us = std::max(range->from_us.value_or(*from), *from);
  if (to) range->to_us = std::min(range->to_us.value_or(*to), *to);
}

}  // namespace

Required RequiredOf(const FilterNode& node) {
  if (node.kind == Kind::kComparison) return {&node.comparison};
  Required required;
  if (node.kind != Kind::kAnd) return required;
  for (const FilterNode& child : node.children)
    if (child.kind == Kind::kComparison) required.push_back(&child.comparison);
  return required;
}

NumberRange RangeOf(const Required& required, std::string_view metric) {
  NumberRange range;
  for (const Comparison* one : required)
    if (one->entity == Entity::kMetric && one->key == metric) Narrow(*one, &range);
  return range;
}

StartRange StartRangeOf(const Required& required) {
  StartRange range;
  for (const Comparison* one : required)
    if (one->entity == Entity::kAttribute && one->key == "start_time") NarrowStart(*one, &range);
  return range;
}

struct RunMatcher::RowOf {
  db::Reader& reader;
  const RunFields::Columns& columns;
  const db::Row& row;

  FieldValue Read(std::size_t field) const { return columns.Read(row, field); }

  // A run may have read several data sets: one that fits is enough.
  Result<bool> ReadOneLike(const Comparison& comparison) const {
    bool fits = false;
    GYRE_DO(reader.Query(
        "SELECT d.name, d.digest, c.context FROM tracking_run_dataset c JOIN tracking_dataset d ON "
        "d.number = c.dataset WHERE c.run = ?1",
        {columns.Number(row)}, [&](const db::Row& dataset) -> Result<> {
          const int column = comparison.key == "name" ? 0 : comparison.key == "digest" ? 1 : 2;
          const bool has = column < 2 || !dataset.Text(column).empty();
          fits |= has && tracking::Holds(comparison, dataset.Str(column));
          return {};
        }));
    return fits;
  }
};

Result<RunMatcher> RunMatcher::Make(db::Reader& reader, const Filter& filter, RunFields* fields) {
  RunMatcher matcher(std::make_unique<Filter>(filter));
  if (filter.empty()) return matcher;
  FilterNode& root = matcher.filter_->root.front();
  LowerStatus(&root);
  GYRE_TRY(matcher.root_, matcher.Compile(reader, root, fields));
  matcher.required_ = RequiredOf(root);
  return matcher;
}

Result<RunMatcher::Node> RunMatcher::Compile(db::Reader& reader, const FilterNode& node,
                                             RunFields* fields) {
  Node compiled = {.kind = node.kind, .comparison = &node.comparison};
  if (node.kind == Kind::kComparison && node.comparison.entity != Entity::kDataset) {
    GYRE_TRY(compiled.field,
             fields->Add(reader, node.comparison.entity, node.comparison.key, false));
  }
  for (const FilterNode& child : node.children) {
    GYRE_TRY(Node one, Compile(reader, child, fields));
    compiled.children.push_back(std::move(one));
  }
  return compiled;
}

Result<bool> RunMatcher::Holds(db::Reader& reader, const RunFields::Columns& columns,
                               const db::Row& row) const {
  if (!root_) return true;
  return HoldsNode(*root_, {reader, columns, row});
}

Result<bool> RunMatcher::HoldsNode(const Node& node, const RowOf& row) const {
  if (node.kind == Kind::kComparison) {
    if (node.comparison->entity == Entity::kDataset) return row.ReadOneLike(*node.comparison);
    return tracking::Holds(*node.comparison, row.Read(node.field));
  }
  const bool decides = node.kind != Kind::kAnd;  // the first child that holds, or that does not
  for (const Node& child : node.children) {
    GYRE_TRY(const bool holds, HoldsNode(child, row));
    if (node.kind == Kind::kNot) return !holds;
    if (holds == decides) return decides;
  }
  return !decides;
}

bool RunMatcher::Requires(ValueTable table, std::string_view key) const {
  return std::ranges::any_of(required_, [&](const Comparison* one) {
    const RunField field = {.entity = one->entity};
    return field.table() == table && one->key == key && !IsNullTest(*one);
  });
}

}  // namespace gyre::tracking
