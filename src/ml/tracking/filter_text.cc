#include <fmt/format.h>

#include "ml/tracking/filter.h"
#include "ml/tracking/filter_fields.h"

namespace gyre::tracking {
namespace {

std::string InQuotes(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote) quoted += quote;
    quoted += c;
  }
  return quoted + quote;
}

std::string ValueText(const FilterValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&value)) return InQuotes(*text, '\'');
  std::string list;
  for (const std::string& item : std::get<std::vector<std::string>>(value))
    list += (list.empty() ? "(" : ", ") + InQuotes(item, '\'');
  return list + ")";
}

std::string ComparisonText(const Comparison& comparison, const FieldTable& fields) {
  std::string text = comparison.entity == Entity::kAttribute
                         ? comparison.key
                         : fmt::format("{}.{}", EntityWord(comparison.entity, fields),
                                       InQuotes(comparison.key, '`'));
  text += ' ';
  text += CompareText(comparison.compare);
  if (comparison.compare == Compare::kIsNull || comparison.compare == Compare::kIsNotNull)
    return text;
  return text + ' ' + ValueText(comparison.value);
}

std::string NodeText(const FilterNode& node, const FieldTable& fields) {
  if (node.kind == FilterNode::Kind::kComparison) return ComparisonText(node.comparison, fields);
  if (node.kind == FilterNode::Kind::kNot) return "NOT " + NodeText(node.children.front(), fields);
  std::string text;
  for (const FilterNode& child : node.children) {
    if (!text.empty()) text += node.kind == FilterNode::Kind::kAnd ? " AND " : " OR ";
    text += NodeText(child, fields);
  }
  return "(" + text + ")";
}

}  // namespace

std::string FilterText(const Filter& filter, const FieldTable& fields) {
  return filter.empty() ? "" : NodeText(filter.root.front(), fields);
}

}  // namespace gyre::tracking
