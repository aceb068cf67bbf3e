#include <fmt/format.h>

#include "base/text.h"
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

// The bytes of the first character of `text`; a byte that begins none counts as one.
std::size_t CharacterLength(std::string_view text) {
  const std::size_t length = Utf8SequenceLength(text);
  return length == 0 ? 1 : length;
}

bool SameByte(char a, char b, bool ignore_case) {
  if (a == b) return true;
  const char lower = static_cast<char>(a | 0x20);
  return ignore_case && lower == static_cast<char>(b | 0x20) && lower >= 'a' && lower <= 'z';
}

}  // namespace

std::string FilterText(const Filter& filter, const FieldTable& fields) {
  return filter.empty() ? "" : NodeText(filter.root.front(), fields);
}

// Only the last '%' can take more text: O(text * pattern) at worst, without recursion.
bool Matches(std::string_view text, std::string_view pattern, bool ignore_case) {
  std::size_t t = 0, p = 0, star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      star = ++p;
      taken = t;
    } else if (p < pattern.size() && pattern[p] == '_') {
      t += CharacterLength(text.substr(t));
      ++p;
    } else if (p < pattern.size() && SameByte(text[t], pattern[p], ignore_case)) {
      ++t;
      ++p;
    } else if (star != std::string_view::npos) {
      taken += CharacterLength(text.substr(taken));
      t = taken;
      p = star;
    } else {
      return false;
    }
  }
  return pattern.substr(p).find_first_not_of('%') == std::string_view::npos;
}

}  // namespace gyre::tracking
