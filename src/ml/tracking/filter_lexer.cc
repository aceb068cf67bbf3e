#include "ml/tracking/filter_lexer.h"

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
    if (StartsNumber()) return ReadNumber(token);
    if (c == '\'') return ReadText(token);
    if (c == '"' || c == '`' || IsWordChar(c)) return ReadWord(token);
    if (IsComparatorChar(c)) {
      while (IsComparatorChar(Peek())) ++at_;
      token->kind = Kind::kSymbol;
      return;
    }
    if (c == '(' || c == ')' || c == ',') {
      ++at_;
      token->kind = c == '(' ? Kind::kOpen : c == ')' ? Kind::kClose : Kind::kComma;
      return;
    }
    ++at_;
    if (c != ';') SkipJunk();
    token->kind = Kind::kOther;
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
    const auto number = ParseDouble(text_.substr(first, at_ - first));
    const bool goes_on = at_ < text_.size() && !EndsJunk(Peek());
    token->kind = number && !goes_on ? Kind::kNumber : Kind::kOther;
    token->number = number.value_or(0);
    if (goes_on) SkipJunk();
  }

  void ReadText(FilterToken* token) {
    auto text = ReadQuoted();
    token->kind = text ? Kind::kText : Kind::kOther;
    if (text) token->text = *std::move(text);
  }

  void ReadWord(FilterToken* token) {
    const bool double_quoted = Peek() == '"';
    token->kind = Kind::kOther;
    do {
      if (!token->parts.empty()) ++at_;  // the dot
      auto part = IsQuote(Peek()) ? ReadQuoted() : ReadBare();
      if (!part) return;
      token->parts.push_back(*std::move(part));
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

  // A quote within is doubled. Nothing when none closes the text: all that is left is read.
  std::optional<std::string> ReadQuoted() {
    const char quote = text_[at_++];
    std::string value;
    for (; at_ < text_.size(); ++at_) {
      if (Peek() == quote && Peek(1) != quote) {
        ++at_;
        return value;
      }
      if (Peek() == quote) ++at_;
      value += Peek();
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
