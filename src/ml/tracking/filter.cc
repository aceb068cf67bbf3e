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

// A word or number with signs that neither has: "a-b", "0x10".
bool IsBare(const FilterToken& token) {
  const char first = token.raw.empty() ? '\0' : token.raw.front();
  return !token.parts.empty() || first == '.' || (first >= '0' && first <= '9');
}

std::string_view NoValueRule(const FilterToken& token) {
  const bool open = token.raw.starts_with('\'') || token.raw.starts_with('"');
  return open ? "a quote is not closed; one within is doubled"
              : "a value belongs here: 'text', \"text\" or a number";
}

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
    filter.root.push_back(std::move(root));
    return filter;
  }

 private:
  const FilterToken& Now() const { return tokens_[at_]; }
  const FilterToken& Then(std::size_t ahead = 1) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }

  Error Wrong(std::string message, std::string_view why) const {
    return Error(Code::kInvalidArgument, "GY3430", std::move(message))
        .Why(std::string(why))
        .Where(fmt::format("filter:{}", Now().place + 1));
  }
  // From where the comparison begins to the word that does not fit.
  Error Unexpected(std::string_view why) const {
    if (Now().raw == ";" && Then().kind != Kind::kEnd) {
      return Wrong(fmt::format("Search filter contained multiple expression {}. Provide AND-ed "
                               "expression list.",
                               Quoted(text_)),
                   "a filter is one expression");
    }
    std::string clauses;
    for (std::size_t i = std::min(clause_, at_); i <= at_ && i + 1 < tokens_.size(); ++i)
      clauses += fmt::format("{}'{}'", clauses.empty() ? "" : ", ", tokens_[i].raw);
    if (clauses.empty()) clauses = fmt::format("'{}'", tokens_[at_ - 1].raw);
    return Wrong("Invalid clause(s) in filter string: " + clauses, why);
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
      clause_ = at_;
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
    clause_ = at_;
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
    const std::size_t identifier = at_++;
    GYRE_TRY(const std::string comparator, ParseComparator());
    GYRE_TRY(const WrittenValue value, ParseValue(comparator));
    const std::size_t end = at_;
    at_ = identifier;  // the place of what is said from here on
    const auto field = FindField(tokens_[identifier].parts, fields_);
    if (!field) return Wrong(field.error(), fields_rule());
    auto comparison = MakeComparison(*field, comparator, value, fields_);
    if (!comparison) return Wrong(std::move(comparison).error(), fields_rule());
    at_ = end;
    return FilterNode{.comparison = *std::move(comparison)};
  }

  std::string fields_rule() const {
    return fmt::format("what {} can be searched by, and how, is a fixed list", fields_.noun);
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
    WrittenValue value = {.raw = token.raw, .text = token.text, .number = token.number};
    switch (token.kind) {
      case Kind::kText:
      case Kind::kDouble:
        value.kind = WrittenValue::Kind::kText;
        break;
      case Kind::kNumber:
        value.kind = WrittenValue::Kind::kNumber;
        break;
      case Kind::kWord:
        value.kind = WrittenValue::Kind::kBare;
        break;
      default:
        if (!IsBare(token)) return Unexpected(NoValueRule(token));
        value.kind = WrittenValue::Kind::kBare;
    }
    ++at_;
    return value;
  }

  Result<WrittenValue> ParseList() {
    constexpr std::string_view kDoing = "While parsing a list in the query, expected";
    const std::size_t open = Now().place;
    WrittenValue list = {.kind = WrittenValue::Kind::kList};
    bool sound = true, texts = true, separated = true;
    for (++at_; Now().kind != Kind::kClose; ++at_) {
      if (Now().kind == Kind::kEnd) return Unexpected("a parenthesis is not closed");
      const bool comma = Now().kind == Kind::kComma;
      const bool text = Now().kind == Kind::kText || Now().kind == Kind::kDouble;
      texts &= Now().kind != Kind::kNumber;
      sound &= comma != separated && (comma || text || Now().kind == Kind::kNumber);
      separated = comma;
      if (text) list.items.push_back(Now().text);
    }
    list.raw = text_.substr(open, Now().place + 1 - open);
    if (!sound) {
      return Wrong(
          fmt::format("{} a non-empty list of string values, but got ill-formed list.", kDoing),
          "a list is ('a', 'b')");
    }
    if (!texts) return ListOfOthers(kDoing, std::move(list));
    if (list.items.empty() || list.items.size() > kFilterListMax) {
      return Wrong(fmt::format("{} a non-empty list of string values, but got {} list", kDoing,
                               list.items.empty() ? "empty" : "too long a"),
                   fmt::format("a list has 1 to {} texts", GroupDigits(kFilterListMax)));
    }
    ++at_;
    return list;
  }

  // Of a number that is compared with a list, the comparison says what is wrong.
  Result<WrittenValue> ListOfOthers(std::string_view doing, WrittenValue list) {
    const auto field = FindField(tokens_[clause_].parts, fields_);
    if (!field || !field->compares.Has(Compare::kIn)) {
      ++at_;
      return list;
    }
    return Wrong(fmt::format("{} string value, punctuation, or whitespace, but got different type "
                             "in list: {}",
                             doing, list.raw),
                 "a list holds quoted texts");
  }

  const std::string_view text_;
  const FieldTable& fields_;
  const std::vector<FilterToken> tokens_;
  std::size_t at_ = 0, clause_ = 0;
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
      tokens.front().kind == Kind::kWord || tokens.front().kind == Kind::kDouble;
  if (!field_first || tokens.size() > 3) {
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
