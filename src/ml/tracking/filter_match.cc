#include "ml/tracking/filter_match.h"

#include <algorithm>
#include <cmath>

namespace gyre::tracking {
namespace {

bool HoldsNumber(double number, const Comparison& c) {
  const auto* wanted = std::get_if<double>(&c.value);
  if (wanted == nullptr) return false;
  switch (c.compare) {
    case Compare::kEqual:
      return number == *wanted;
    case Compare::kNotEqual:
      return number != *wanted;
    case Compare::kGreater:
      return number > *wanted;
    case Compare::kGreaterEqual:
      return number >= *wanted;
    case Compare::kLess:
      return number < *wanted;
    case Compare::kLessEqual:
      return number <= *wanted;
    default:
      return false;
  }
}

bool HoldsText(const std::string& text, const Comparison& c) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&c.value)) {
    const bool there = std::ranges::find(*list, text) != list->end();
    return c.compare == Compare::kNotIn ? !there : there;
  }
  const auto* wanted = std::get_if<std::string>(&c.value);
  if (wanted == nullptr) return false;
  switch (c.compare) {
    case Compare::kEqual:
      return text == *wanted;
    case Compare::kNotEqual:
      return text != *wanted;
    case Compare::kGreater:
      return text > *wanted;
    case Compare::kGreaterEqual:
      return text >= *wanted;
    case Compare::kLess:
      return text < *wanted;
    case Compare::kLessEqual:
      return text <= *wanted;
    case Compare::kLike:
      return Matches(text, *wanted, false);
    case Compare::kILike:
      return Matches(text, *wanted, true);
    default:
      return false;
  }
}

bool HoldsNode(const FilterNode& node, const FieldOf& field) {
  const auto holds = [&](const FilterNode& child) { return HoldsNode(child, field); };
  switch (node.kind) {
    case FilterNode::Kind::kComparison:
      return Holds(node.comparison, field(node.comparison.entity, node.comparison.key));
    case FilterNode::Kind::kAnd:
      return std::ranges::all_of(node.children, holds);
    case FilterNode::Kind::kOr:
      return std::ranges::any_of(node.children, holds);
    case FilterNode::Kind::kNot:
      return !HoldsNode(node.children.front(), field);
  }
  return false;
}

// 0 a number or text, 1 NaN, 2 nothing.
int RankOf(const FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return 2;
  const auto* number = std::get_if<double>(&value);
  return number != nullptr && std::isnan(*number) ? 1 : 0;
}

}  // namespace

bool Holds(const Comparison& comparison, const FieldValue& value) {
  const bool there = !std::holds_alternative<std::monostate>(value);
  if (comparison.compare == Compare::kIsNull) return !there;
  if (comparison.compare == Compare::kIsNotNull) return there;
  if (const auto* number = std::get_if<double>(&value)) return HoldsNumber(*number, comparison);
  if (const auto* text = std::get_if<std::string>(&value)) return HoldsText(*text, comparison);
  return false;
}

bool Holds(const Filter& filter, const FieldOf& field) {
  return filter.empty() || HoldsNode(filter.root.front(), field);
}

std::weak_ordering CompareFields(const FieldValue& a, const FieldValue& b, bool ascending) {
  if (const auto ranks = RankOf(a) <=> RankOf(b); ranks != 0) return ranks;
  if (RankOf(a) != 0) return std::weak_ordering::equivalent;
  if (!ascending) return CompareFields(b, a, true);
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr) {
    if (*x < *y) return std::weak_ordering::less;
    return *x > *y ? std::weak_ordering::greater : std::weak_ordering::equivalent;
  }
  if (x != nullptr || y != nullptr) return a.index() <=> b.index();
  return std::get<std::string>(a) <=> std::get<std::string>(b);
}

}  // namespace gyre::tracking
