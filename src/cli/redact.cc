#include "cli/redact.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/json.h"
#include "base/text.h"
#include "platform/config/environment.h"
#include "platform/config/secrets.h"

namespace gyre::cli {
namespace {

constexpr std::string_view kHidden = "(hidden)", kName = "(name)";
constexpr std::string_view kAuthorization = "authorization";
constexpr std::string_view kSecrets[] = {"token",   "password", "passwd", "secret", "bearer",
                                         "api_key", "api-key",  "apikey", "cookie", kAuthorization};

bool IsWordSign(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-+=").find(c) != std::string_view::npos;
}

// An id of gyre's own, which opens nothing.
bool IsId(std::string_view word) {
  return word.size() == 32 && word.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// One pass over a text; each step looks at what stands next, and either takes it or leaves it.
class Redactor {
 public:
  explicit Redactor(const std::string& text)
      : text_(text), lower_(ToLower(text)), home_(config::HomeDirectory()) {}

  std::string Run() {
    while (at_ < text_.size()) {
      if (!TakeHome() && !TakeLogin() && !TakeSecret() && !TakeToken()) out_ += text_[at_++];
    }
    return std::move(out_);
  }

 private:
  bool TakeHome() {
    if (home_.size() < 2 || !text_.substr(at_).starts_with(home_)) return false;
    out_ += '~';
    at_ += home_.size();
    return true;
  }

  // https://name:password@host
  bool TakeLogin() {
    if (!text_.substr(at_).starts_with("://")) return false;
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n\"'/@", at_ + 3), text_.size());
    out_ += "://";
    at_ += 3;
    if (end < text_.size() && text_[end] == '@') {
      out_ += kHidden;
      at_ = end;
    }
    return true;
  }

  // "password": "two words", token=abc, Authorization: Bearer abc
  bool TakeSecret() {
    const std::string_view rest = std::string_view(lower_).substr(at_);
    const auto* const secret =
        std::find_if(std::begin(kSecrets), std::end(kSecrets),
                     [&](std::string_view word) { return rest.starts_with(word); });
    if (secret == std::end(kSecrets)) return false;
    const std::size_t after = at_ + secret->size();
    std::size_t value = std::min(text_.find_first_not_of("\"'=: ", after), text_.size());
    const std::string_view between = text_.substr(after, value - after);
    if (value == text_.size() || between.find_first_of("=: ") == std::string_view::npos) {
      out_ += text_.substr(at_, secret->size());
      at_ = after;
      return true;
    }
    if (std::string_view(lower_).substr(value).starts_with("bearer ")) value += 7;
    // Authorization has a scheme before its value, whichever: Basic, Digest, ...
    const bool has_scheme =
        *secret == kAuthorization && between.find_first_of("=:") != std::string_view::npos;
    const char quote = text_[value - 1];
    out_ += text_.substr(at_, value - at_);
    out_ += kHidden;
    at_ = quote == '"' || quote == '\''
              ? QuoteEnd(value, quote)
              : std::min(text_.find_first_of(has_scheme ? "\r\n\"',;}" : " \t\r\n\"',;&}", value),
                         text_.size());
    return true;
  }

  std::size_t QuoteEnd(std::size_t from, char quote) const {
    while (from < text_.size() && text_[from] != quote) from += text_[from] == '\\' ? 2 : 1;
    return std::min(from, text_.size());
  }

  // A word that looks like a token, whatever stands before it.
  bool TakeToken() {
    if (!IsWordSign(text_[at_]) || (at_ > 0 && IsWordSign(text_[at_ - 1]))) return false;
    std::size_t end = at_;
    while (end < text_.size() && IsWordSign(text_[end])) ++end;
    std::string_view word = text_.substr(at_, end - at_);
    // NAME=VALUE: the name stays, the value is looked at as the next word.
    if (const std::size_t equals = word.find('=');
        equals != std::string_view::npos &&
        word.find_first_not_of('=', equals) != std::string_view::npos) {
      out_ += word.substr(0, equals);
      at_ += equals;
      const std::string_view value = word.substr(equals + 1);
      out_ += '=';
      const std::string_view name = std::string_view(lower_).substr(at_ - equals, equals);
      const bool named = std::ranges::any_of(kSecrets, [&](std::string_view secret) {
        return name.find(secret) != std::string_view::npos;
      });
      out_ += named || (!IsId(value) && config::LooksSecret("", value)) ? kHidden : value;
      at_ = end;
      return true;
    }
    if (IsId(word) || !config::LooksSecret("", word)) return false;
    out_ += kHidden;
    at_ = end;
    return true;
  }

  const std::string_view text_;
  const std::string lower_, home_;
  std::string out_;
  std::size_t at_ = 0;
};

// /api/v1/projects/churn/datasets/sales?x=1: nouns and what they are called take turns.
std::string PathWithoutNames(std::string_view path) {
  path = path.substr(0, path.find('?'));
  std::string out;
  std::size_t begin = 0;
  for (const std::string_view prefix : {"/api/v1", "/v2"}) {
    const std::size_t found = path.find(prefix);
    if (found != std::string_view::npos) begin = found + prefix.size();
  }
  out += path.substr(0, begin);
  bool is_name = false;
  for (const std::string_view part : Split(path.substr(begin), '/')) {
    if (part.empty()) continue;
    out += '/';
    out += is_name && !IsId(part) && !ParseInt(part) ? kName : part;
    is_name = !is_name;
  }
  return out;
}

// The value of a field of a log line, and whether it may stay.
std::string FieldWithoutNames(std::string_view field, std::string_view value) {
  if (field == "path") return PathWithoutNames(value);
  const bool says_nothing = value.empty() || value == "\"\"" || value == "unix" ||
                            value == "local-owner" || value.starts_with("127.") || value == "::1";
  if ((field == "who" || field == "user" || field == "peer" || field == "address") && !says_nothing)
    return std::string(kHidden);
  return std::string(value);
}

std::string LineWithoutNames(std::string_view line);

// log.format: json
Json JsonWithoutNames(const Json& line) {
  Json out = Json::Obj();
  for (const auto& [field, value] : line.members()) {
    out.Set(field, value.is_string()
                       ? Json(FieldWithoutNames(field, LineWithoutNames(value.AsString())))
                       : value);
  }
  return out;
}

std::string LineWithoutNames(std::string_view line) {
  std::string out;
  if (line.starts_with('{')) {
    if (const auto parsed = Json::Parse(line)) return JsonWithoutNames(*parsed).Dump();
  }
  while (!line.empty()) {
    if (line.front() == '`' && line.find('`', 1) != std::string_view::npos) {
      out += fmt::format("`{}`", kName);
      line.remove_prefix(line.find('`', 1) + 1);
      continue;
    }
    const std::size_t end = std::min(line.find_first_of(" `", 1), line.size());
    const std::string_view word = line.substr(0, end);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      out += word;
    } else {
      const std::string_view name = word.substr(0, equals);
      out += fmt::format(
          "{}={}", name,
          FieldWithoutNames(name.substr(name.starts_with(' ') ? 1 : 0), word.substr(equals + 1)));
    }
    line.remove_prefix(end);
  }
  return out;
}

}  // namespace

std::string WithoutSecrets(const std::string& text) { return Redactor(text).Run(); }

std::string WithoutNames(const std::string& text) {
  std::string out;
  for (const std::string_view line : Split(text, '\n')) {
    if (!out.empty()) out += '\n';
    out += LineWithoutNames(line);
  }
  return out;
}

}  // namespace gyre::cli
