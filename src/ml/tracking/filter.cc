#include "ml/tracking/filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ml/tracking/filter_fields.h"
#include "ml/tracking/filter_lexer.h"

namespace gyre::tracking {
namespace {

using Kind = FilterToken::Kind;
using NodeKind = FilterNode::Kind;

bool IsKeyWord(const FilterToken& token, std::string_view word) {
  return token.kind == Kind::kWord && EqualsIgnoreCase(token.raw, word);
}

bool AnyKeyWord(const FilterToken& token, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return IsKeyWord(token, word); });
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

// One child stands for itself, children of the same kind are taken in.
FilterNode Joined(NodeKind kind, std::vector<FilterNode> nodes) {
  if (nodes.size() == 1) return std::move(nodes.front());
  FilterNode joined = {.kind = kind};
  for (FilterNode& node : nodes) {
    if (node.kind != kind) {
      joined.children.push_back(std::move(node));
      continue;
    }
    for (FilterNode& child : node.children) joined.children.push_back(std::move(child));
  }
  return joined;
}

FilterNode Negated(FilterNode node) {
  if (node.kind == NodeKind::kNot) return std::move(node.children.front());
  FilterNode negated = {.kind = NodeKind::kNot};
  negated.children.push_back(std::move(node));
  return negated;
}

// What stands for a value, rightly or not: "0x10" does not, as in MLflow's reader.
bool IsValue(const FilterToken& token) {
  switch (token.kind) {
    case Kind::kText:
    case Kind::kDouble:
    case Kind::kNumber:
    case Kind::kWord:
      return true;
    case Kind::kOther:
      break;
    default:
      return false;
  }
  const char first = token.raw.front();
  const bool digits = first == '.' || (first >= '0' && first <= '9');
  return !token.parts.empty() || (digits && !token.raw.starts_with("0x"));
}

bool IsConnective(const FilterToken& token) { return AnyKeyWord(token, {"AND", "OR", "NOT"}); }

// One comparison as written, from its first word on.
struct WrittenComparison {
  std::size_t identifier = 0;
  std::string comparator = {};
  WrittenValue value = {};
};

class Parser {
 public:
  Parser(std::string_view text, const FieldTable& fields)
      : text_(text), fields_(fields), tokens_(FilterTokens(text)) {}

  Result<Filter> Parse() {
    if (Now().kind == Kind::kEnd) {
      return Wrong(fmt::format("Invalid filter '{}'. Could not be parsed.", text_),
                   "there is no comparison in it");
    }
    Filter filter;
    GYRE_TRY(FilterNode root, ParseOr());
    if (Now().kind != Kind::kEnd) {
      const bool close = Now().kind == Kind::kClose;
      return Unexpected(close ? "no parenthesis is open here" : "AND, OR or the end belongs here");
    }
    std::size_t next = 0;
    GYRE_DO(Resolve(&root, &next));
    filter.root.push_back(std::move(root));
    return filter;
  }

 private:
  // Comparisons stand in the tree in the order in which they were read.
  Result<> Resolve(FilterNode* node, std::size_t* next) {
    for (FilterNode& child : node->children) GYRE_DO(Resolve(&child, next));
    if (node->kind != NodeKind::kComparison) return {};
    const WrittenComparison& written = written_[(*next)++];
    at_ = written.identifier;
    const auto field = FindField(tokens_[at_].parts, fields_);
    if (!field) return Wrong(field.error(), "");
    auto comparison = MakeComparison(*field, written.comparator, written.value, fields_);
    if (!comparison) return Wrong(std::move(comparison).error(), "");
    node->comparison = *std::move(comparison);
    return {};
  }

  const FilterToken& Now() const { return tokens_[at_]; }
  const FilterToken& Then(std::size_t ahead = 1) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }

  // What MLflow's message says enough of has no rule.
  Error Wrong(std::string message, std::string_view why) const {
    return Error(Code::kInvalidArgument, "GY3430", std::move(message))
        .Why(std::string(why))
        .Where(fmt::format("filter:{}", Now().place + 1));
  }
  // Names all that belongs to no comparison, as MLflow does.
  Error Unexpected(std::string_view why) const {
    if (Now().raw == ";" && Then().kind != Kind::kEnd) {
      return Wrong(fmt::format("Search filter contained multiple expression {}. Provide AND-ed "
                               "expression list.",
                               Quoted(text_)),
                   "a filter is one expression");
    }
    std::string clauses;
    for (const std::string_view stray : Strays())
      clauses += fmt::format("{}'{}'", clauses.empty() ? "" : ", ", stray);
    const std::size_t here = Now().kind == Kind::kEnd ? at_ - 1 : at_;
    if (clauses.empty()) clauses = fmt::format("'{}'", tokens_[here].raw);
    return Wrong("Invalid clause(s) in filter string: " + clauses, why);
  }

  std::vector<std::string_view> Strays() const {
    std::vector<std::string_view> strays;
    std::vector<std::size_t> open;  // places in `strays`
    for (std::size_t i = 0; i + 1 < tokens_.size(); ++i) {
      const FilterToken& token = tokens_[i];
      if (const std::size_t end = EndOfComparison(i); end > i) {
        i = end - 1;
      } else if (token.kind == Kind::kClose && !open.empty()) {
        strays.erase(strays.begin() + static_cast<std::ptrdiff_t>(open.back()));
        open.pop_back();
      } else if (!IsConnective(token)) {
        if (token.kind == Kind::kOpen) open.push_back(strays.size());
        strays.push_back(token.raw);
      }
    }
    return strays;
  }

  // Beyond the comparison that begins at `i`; `i` itself when none does.
  std::size_t EndOfComparison(std::size_t i) const {
    const auto at = [&](std::size_t place) -> const FilterToken& {
      return tokens_[std::min(place, tokens_.size() - 1)];
    };
    if (!IsValue(at(i)) || IsConnective(at(i))) return i;
    std::size_t next = i + 1;
    if (IsKeyWord(at(next), "IS")) {
      next += IsKeyWord(at(next + 1), "NOT") ? 2 : 1;
      return IsKeyWord(at(next), "NULL") ? next + 1 : i;
    }
    if (IsKeyWord(at(next), "NOT")) ++next;
    const bool lists = IsKeyWord(at(next), "IN");
    const bool compares = at(next).kind == Kind::kSymbol && next == i + 1;
    if (!lists && !compares && !AnyKeyWord(at(next), {"LIKE", "ILIKE", "RLIKE"})) return i;
    ++next;
    if (!lists && IsValue(at(next)) && !IsConnective(at(next))) return next + 1;
    const std::size_t end = EndOfList(next);
    return end > next ? end : i;
  }

  // Beyond the parenthesis that closes the one at `i`; `i` itself when none does.
  std::size_t EndOfList(std::size_t i) const {
    int levels = 0;
    for (std::size_t next = i; next + 1 < tokens_.size(); ++next) {
      if (tokens_[next].kind == Kind::kOpen) ++levels;
      if (tokens_[next].kind == Kind::kClose) --levels;
      if (levels == 0) return tokens_[next].kind == Kind::kClose ? next + 1 : i;
    }
    return i;
  }

  Result<FilterNode> ParseOr() {
    std::vector<FilterNode> nodes;
    do {
      if (!nodes.empty()) ++at_;
      GYRE_TRY(FilterNode node, ParseAnd());
      nodes.push_back(std::move(node));
    } while (IsKeyWord(Now(), "OR"));
    return Joined(NodeKind::kOr, std::move(nodes));
  }

  // AND may be left out, or be there for nothing: MLflow takes both.
  Result<FilterNode> ParseAnd() {
    std::vector<FilterNode> nodes;
    for (;;) {
      while (IsKeyWord(Now(), "AND")) ++at_;
      const bool ends =
          Now().kind == Kind::kEnd || Now().kind == Kind::kClose || IsKeyWord(Now(), "OR");
      if (ends && !nodes.empty()) return Joined(NodeKind::kAnd, std::move(nodes));
      if (ends) return Unexpected("a comparison belongs here");
      GYRE_TRY(FilterNode node, ParseTerm());
      nodes.push_back(std::move(node));
    }
  }

  Result<FilterNode> ParseTerm() {
    const bool negates = IsKeyWord(Now(), "NOT");
    if (!negates && Now().kind != Kind::kOpen) return ParseComparison();
    if (++levels_ > kFilterLevelsMax) {
      return Wrong("The filter is nested too deeply",
                   fmt::format("at most {} levels of parentheses and NOT", kFilterLevelsMax));
    }
    ++at_;
    auto node = negates ? ParseTerm() : ParseInParentheses();
    --levels_;
    if (!node || !negates) return node;
    return Negated(*std::move(node));
  }

  Result<FilterNode> ParseInParentheses() {
    GYRE_TRY(FilterNode node, ParseOr());
    if (Now().kind != Kind::kClose) return Unexpected("a parenthesis is not closed");
    ++at_;
    return node;
  }

  Result<FilterNode> ParseComparison() {
    if (++comparisons_ > kFilterComparisonsMax) {
      return Wrong("The filter has too many comparisons",
                   fmt::format("at most {}", kFilterComparisonsMax));
    }
    GYRE_DO(CheckIsIdentifier());
    WrittenComparison written = {.identifier = at_++};
    GYRE_TRY(written.comparator, ParseComparator());
    GYRE_TRY(written.value, ParseValue(written.comparator));
    written_.push_back(std::move(written));
    return FilterNode{};
  }

  Result<> CheckIsIdentifier() const {
    if (Now().kind == Kind::kWord || Now().kind == Kind::kDouble) return {};
    const bool compares = Then().kind == Kind::kSymbol;
    const bool value = Now().kind == Kind::kText || Now().kind == Kind::kNumber ||
                       (Now().kind == Kind::kOther && !Now().parts.empty());
    if (!compares || !value) return Unexpected("a field belongs here: metrics.auc, tags.`a b`");
    return Wrong(
        fmt::format("Invalid comparison clause. Expected 'Identifier' found '{}'", Now().raw),
        "a field stands left; one with other signs than letters, digits, '_' and '.' stands in "
        "backticks: metrics.`a-b`");
  }

  Result<std::string> ParseComparator() {
    if (Now().kind == Kind::kSymbol || AnyKeyWord(Now(), {"LIKE", "ILIKE", "RLIKE", "IN"}))
      return Upper(tokens_[at_++].raw);
    if (IsKeyWord(Now(), "NOT") && AnyKeyWord(Then(), {"LIKE", "ILIKE", "RLIKE", "IN"})) {
      at_ += 2;
      return "NOT " + Upper(tokens_[at_ - 1].raw);
    }
    if (IsKeyWord(Now(), "IS") && IsKeyWord(Then(), "NULL")) {
      at_ += 2;
      return std::string("IS NULL");
    }
    if (IsKeyWord(Now(), "IS") && IsKeyWord(Then(), "NOT") && IsKeyWord(Then(2), "NULL")) {
      at_ += 3;
      return std::string("IS NOT NULL");
    }
    return Unexpected("a comparator belongs here: =, !=, <, LIKE, IN, ...");
  }

  Result<WrittenValue> ParseValue(std::string_view comparator) {
    if (comparator.starts_with("IS ")) return WrittenValue{};
    const bool list = comparator == "IN" || comparator == "NOT IN";
    if (Now().kind == Kind::kOpen) return ParseList();
    if (list) return Unexpected("a list belongs here: ('a', 'b')");
    const FilterToken& token = Now();
    if (token.raw == "'" || token.raw == "\"") return Unexpected("a quote is not closed");
    if (!IsValue(token)) return Unexpected("a value belongs here: 'text', \"text\" or a number");
    ++at_;
    using Written = WrittenValue::Kind;
    const bool text = token.kind == Kind::kText || token.kind == Kind::kDouble;
    return WrittenValue{
        .kind = text ? Written::kText
                     : (token.kind == Kind::kNumber ? Written::kNumber : Written::kBare),
        .raw = token.raw,
        .text = token.text,
        .number = token.number};
  }

  Result<WrittenValue> ParseList() {
    const std::size_t open = Now().place;
    WrittenValue list = {.kind = WrittenValue::Kind::kList};
    bool sound = true, texts = true, separated = true;
    const std::size_t end = EndOfList(at_);
    if (end == at_) return Unexpected("a parenthesis is not closed");
    for (++at_; at_ + 1 < end; ++at_) {
      const bool comma = Now().kind == Kind::kComma;
      const bool text = Now().kind == Kind::kText || Now().kind == Kind::kDouble;
      texts &= Now().kind != Kind::kNumber;
      sound &= comma != separated && (comma || text || Now().kind == Kind::kNumber);
      separated = comma;
      if (text) list.items.push_back(Now().text);
    }
    list.raw = text_.substr(open, Now().place + 1 - open);
    ++at_;
    list.problem = ProblemOf(list, sound, texts);
    return list;
  }

  static std::string ProblemOf(const WrittenValue& list, bool sound, bool texts) {
    constexpr std::string_view kDoing = "While parsing a list in the query, expected";
    constexpr std::string_view kWanted = "a non-empty list of string values, but got";
    if (!sound) return fmt::format("{} {} ill-formed list.", kDoing, kWanted);
    if (!texts) {
      return fmt::format(
          "{} string value, punctuation, or whitespace, but got different type in "
          "list: {}",
          kDoing, list.raw);
    }
    if (list.items.empty()) return fmt::format("{} {} empty list", kDoing, kWanted);
    if (list.items.size() <= kFilterListMax) return "";
    return fmt::format("{} {} more than {}", kDoing, kWanted, GroupDigits(kFilterListMax));
  }

  const std::string_view text_;
  const FieldTable& fields_;
  const std::vector<FilterToken> tokens_;
  std::vector<WrittenComparison> written_;
  std::size_t at_ = 0;
  int comparisons_ = 0, levels_ = 0;
};

// --- orders --------------------------------------------------------------------------------------
Error WrongOrder(std::string message) {
  return Error(Code::kInvalidArgument, "GY3431", std::move(message))
      .Why("an order is a field and, if need be, ASC or DESC: \"metrics.auc DESC\"");
}

Result<OrderBy> ParseOneOrder(std::string_view text, const FieldTable& fields) {
  const std::vector<FilterToken> tokens = FilterTokens(text);
  const bool field_first =
      (tokens.front().kind == Kind::kWord || tokens.front().kind == Kind::kDouble) &&
      !AnyKeyWord(tokens.front(), {"ASC", "DESC"});
  if (!field_first || tokens.size() > 3 || Trim(text).size() != text.size()) {
    return WrongOrder(fmt::format("Invalid order_by clause '{}'. Could not be parsed.", text));
  }
  const bool descending = IsKeyWord(tokens[1], "DESC");
  if (tokens.size() == 3 && !descending && !IsKeyWord(tokens[1], "ASC"))
    return WrongOrder(fmt::format("Invalid ordering key in order_by clause '{}'.", text));
  auto field = FindOrderField(tokens.front().parts, fields);
  if (!field) return WrongOrder(std::move(field).error());
  return OrderBy{.entity = field->entity, .key = std::move(field->key), .ascending = !descending};
}

}  // namespace

Result<Filter> ParseFilter(std::string_view text, const FieldTable& fields) {
  if (text.empty()) return Filter{};
  if (text.size() > kFilterBytesMax) {
    return InvalidArgument("GY3430", "The filter is too long: {} bytes",
                           GroupDigits(static_cast<std::int64_t>(text.size())))
        .Why(fmt::format("at most {} bytes", GroupDigits(kFilterBytesMax)));
  }
  if (!IsValidUtf8(text)) return InvalidArgument("GY3430", "The filter is not valid UTF-8");
  return Parser(text, fields).Parse();
}

Result<std::vector<OrderBy>> ParseOrder(std::span<const std::string> texts,
                                        const FieldTable& fields) {
  std::vector<OrderBy> orders;
  if (texts.size() > static_cast<std::size_t>(kFilterComparisonsMax))
    return WrongOrder(fmt::format("order_by has {} fields", texts.size()));
  for (const std::string& text : texts) {
    if (text.size() > kFilterBytesMax || !IsValidUtf8(text))
      return WrongOrder("Invalid order_by clause. Could not be parsed.");
    GYRE_TRY(OrderBy order, ParseOneOrder(text, fields));
    const bool twice = std::ranges::any_of(orders, [&](const OrderBy& other) {
      return other.entity == order.entity && other.key == order.key;
    });
    if (twice) {
      return WrongOrder("`order_by` contains duplicate fields: " + QuotedList(texts, "[", "]"));
    }
    orders.push_back(std::move(order));
  }
  return orders;
}

}  // namespace gyre::tracking
