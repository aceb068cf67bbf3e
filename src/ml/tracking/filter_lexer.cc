#include "ml/tracking/filter_lexer.h"

#include <cmath>
#include <optional>

#include "base/text.h"

namespace gyre::tracking {
namespace {

using Kind = FilterToken::Kind;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsWordChar(char c) {
  const auto byte = static_cast<unsigned char>(c);
  const char lower = static_cast<char>(c | 0x20);
  return IsDigit(c) || (lower >= 'a' && lower <= 'z') || c == '_' || byte >= 0x80;
}
bool IsQuote(char c) { return c == '\'' || c == '"' || c == '`'; }
bool IsComparatorChar(char c) { return c == '<' || c == '>' || c == '=' || c == '!' || c == '~'; }
bool EndsJunk(char c) {
  return IsSpace(c) || IsQuote(c) || IsComparatorChar(c) || c == '(' || c == ')' || c == ',' ||
         c == ';';
}

// Of a number that is too great or too small for a double.
double OutOfRange(std::string_view number) {
  if (number.contains("e-") || number.contains("E-")) return 0;
  return number.starts_with('-') ? -HUGE_VAL : HUGE_VAL;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  FilterToken Next() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    FilterToken token = {.kind = Kind::kEnd, .place = at_};
    if (at_ < text_.size()) Read(&token);
    token.raw = text_.substr(token.place, at_ - token.place);
    return token;
  }

 private:
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool StartsNumber() const {
    const std::size_t sign = Peek() == '-' ? 1 : 0;
    return IsDigit(Peek(sign)) || (Peek(sign) == '.' && IsDigit(Peek(sign + 1)));
  }

  void Read(FilterToken* token) {
    const char c = Peek();
    token->kind = Kind::kOther;
    if (StartsNumber()) return ReadNumber(token);
    if (c == '"' || c == '`' || IsWordChar(c)) return ReadWord(token);
    if (c == '\'') return ReadText(token);
    if (c == '-' && Peek(1) == '-') return SkipTo("\n");
    if (c == '/' && Peek(1) == '*') return SkipTo("*/");
    ++at_;
    if (IsComparatorChar(c)) {
      while (IsComparatorChar(Peek())) ++at_;
      token->kind = Kind::kSymbol;
    }
    if (c == '(') token->kind = Kind::kOpen;
    if (c == ')') token->kind = Kind::kClose;
    if (c == ',') token->kind = Kind::kComma;
  }

  void SkipTo(std::string_view end) {
    const std::size_t found = text_.find(end, at_ + 2);
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
  }

  void SkipJunk() {
    while (at_ < text_.size() && !EndsJunk(Peek())) ++at_;
  }

  void ReadNumber(FilterToken* token) {
    const std::size_t first = at_;
    if (Peek() == '-') ++at_;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.') ++at_;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == 'e' || Peek() == 'E') {
      const std::size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 2 : 1;
      if (IsDigit(Peek(sign))) at_ += sign;
      while (IsDigit(Peek())) ++at_;
    }
    const std::string_view text = text_.substr(first, at_ - first);
    token->number = ParseDouble(text).value_or(OutOfRange(text));
    const bool goes_on = at_ < text_.size() && !EndsJunk(Peek());
    token->kind = goes_on ? Kind::kOther : Kind::kNumber;
    if (goes_on) SkipJunk();
  }

  void ReadText(FilterToken* token) {
    auto text = ReadQuoted();
    token->kind = text ? Kind::kText : Kind::kOther;
    if (text) token->text = *std::move(text);
  }

  void ReadWord(FilterToken* token) {
    const bool double_quoted = Peek() == '"';
    do {
      const bool first = token->parts.empty();
      if (!first) ++at_;  // the dot
      const std::size_t before = at_;
      auto part = IsQuote(Peek()) ? ReadQuoted() : ReadBare();
      if (!part && first) return;
      if (!part) at_ = before;  // the quote is a word of its own
      token->parts.push_back(std::move(part).value_or(""));
    } while (Peek() == '.');
    if (at_ < text_.size() && !EndsJunk(Peek())) return SkipJunk();  // "metrics.a-b"
    token->kind = Kind::kWord;
    if (double_quoted && token->parts.size() == 1) {
      token->kind = Kind::kDouble;
      token->text = token->parts.front();
    }
  }

  std::optional<std::string> ReadBare() {
    const std::size_t first = at_;
    while (IsWordChar(Peek())) ++at_;
    return std::string(text_.substr(first, at_ - first));
  }

  // As MLflow's reader has it: a quote that is doubled or follows '\' does not end the text, where
  // another one does later, and all that stands within is the text as it is. When none closes it,
  // nothing, and the quote is a word of its own.
  std::optional<std::string> ReadQuoted() {
    const std::size_t first = at_ + 1;
    const char quote = text_[at_++];
    const std::size_t last = text_.rfind(quote);
    for (std::size_t i = first; i <= last; ++i) {
      const bool escapes = text_[i] == quote || (text_[i] == '\\' && quote != '`');
      if (escapes && i + 2 <= last && text_[i + 1] == quote) {
        ++i;
      } else if (text_[i] == quote) {
        at_ = i + 1;
        return std::string(text_.substr(first, i - first));
      }
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<FilterToken> FilterTokens(std::string_view text) {
  Lexer lexer(text);
  std::vector<FilterToken> tokens;
  do tokens.push_back(lexer.Next());
  while (tokens.back().kind != Kind::kEnd);
  return tokens;
}

}  // namespace gyre::tracking
