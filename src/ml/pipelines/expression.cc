#include "ml/pipelines/expression.h"

#include "base/limits.h"
#include "base/text.h"

namespace gyre::pipelines {
namespace {

constexpr int kDepthMax = 64;

bool IsPathByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

struct Piece {
  std::string_view text;
  bool is_path = false;
};

// "a ${b} c" -> "a ", b, " c". "$${" stands for "${".
Result<std::vector<Piece>> Pieces(std::string_view text) {
  std::vector<Piece> pieces;
  std::size_t from = 0;
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", from)) {
    if (at > from && text[at - 1] == '$') {
      pieces.push_back({text.substr(from, at - 1 - from)});
      pieces.push_back({text.substr(at, 2)});
      from = at + 2;
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos)
      return InvalidArgument("GY4703", "`{}` has no closing brace", text.substr(at, 40))
          .Fix("${params.NAME} or ${steps.STEP.outputs.NAME}; $${ for the two characters");
    if (at > from) pieces.push_back({text.substr(from, at - from)});
    const std::string_view path = Trim(text.substr(at + 2, end - at - 2));
    for (const char c : path) {
      if (!IsPathByte(c))
        return InvalidArgument("GY4703", "`${{{}}}` is no reference", path)
            .Fix("${params.NAME} or ${steps.STEP.outputs.NAME}");
    }
    pieces.push_back({path, true});
    from = end + 1;
  }
  if (from < text.size()) pieces.push_back({text.substr(from)});
  return pieces;
}

Result<> CollectPaths(const Json& document, int depth, std::vector<std::string>* paths) {
  if (depth > kDepthMax) return InvalidArgument("GY4702", "nested deeper than 64 levels");
  if (document.is_string()) {
    GYRE_TRY(const auto found, PathsIn(std::string_view(document.AsString())));
    paths->insert(paths->end(), found.begin(), found.end());
  }
  for (const Json& item : document.items()) GYRE_DO(CollectPaths(item, depth + 1, paths));
  for (const auto& [key, value] : document.members())
    GYRE_DO(CollectPaths(value, depth + 1, paths));
  return {};
}

Result<Json> Value(std::string_view path, const Lookup& lookup) {
  if (auto found = lookup(path)) return *std::move(found);
  return InvalidArgument("GY4707", "`${{{}}}` has no value", path)
      .Why("the step that would make it was skipped, failed, or never wrote it");
}

Result<Json> FillText(std::string_view text, const Lookup& lookup) {
  GYRE_TRY(const auto pieces, Pieces(text));
  if (pieces.size() == 1 && pieces[0].is_path) return Value(pieces[0].text, lookup);
  std::string filled;
  for (const Piece& piece : pieces) {
    if (!piece.is_path) {
      filled += piece.text;
      continue;
    }
    GYRE_TRY(const Json value, Value(piece.text, lookup));
    filled += TextOf(value);
  }
  return Json(std::move(filled));
}

// A condition, read from left to right by recursive descent.
class Condition {
 public:
  // kAnything: whatever the values are, every side is read; for finding references.
  enum class Values { kKnown, kAnything };
  Condition(std::string_view text, const Lookup& lookup, Values values)
      : text_(text), lookup_(lookup), anything_(values == Values::kAnything) {}

  Result<bool> Read() {
    GYRE_TRY(const Json value, Either(0));
    Skip();
    if (at_ < text_.size()) return Unreadable();
    if (!IsTruth(value))
      return InvalidArgument("GY4703", "`{}` is {}, neither true nor false", text_, value.Dump());
    return value.AsBool();
  }

 private:
  Error Unreadable() const {
    return InvalidArgument("GY4703", "the condition `{}` cannot be read at `{}`", text_,
                           text_.substr(std::min(at_, text_.size()), 20))
        .Fix("${steps.check.outputs.rows} > 100 && ${params.mode} == 'full'");
  }
  bool IsTruth(const Json& value) const { return anything_ || value.is_bool(); }
  void Skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
      ++at_;
  }
  bool Take(std::string_view word) {
    Skip();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  Result<Json> Either(int depth) {
    GYRE_TRY(Json left, Both(depth));
    while (Take("||")) {
      GYRE_TRY(const Json right, Both(depth));
      if (!IsTruth(left) || !IsTruth(right)) return Unreadable();
      left = Json(left.AsBool() || right.AsBool());
    }
    return left;
  }
  Result<Json> Both(int depth) {
    GYRE_TRY(Json left, Compared(depth));
    while (Take("&&")) {
      GYRE_TRY(const Json right, Compared(depth));
      if (!IsTruth(left) || !IsTruth(right)) return Unreadable();
      left = Json(left.AsBool() && right.AsBool());
    }
    return left;
  }
  Result<Json> Compared(int depth) {
    GYRE_TRY(Json left, One(depth));
    for (const std::string_view sign : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (!Take(sign)) continue;
      GYRE_TRY(const Json right, One(depth));
      return Compare(left, sign, right);
    }
    return left;
  }
  Result<Json> Compare(const Json& left, std::string_view sign, const Json& right) const {
    if (anything_) return Json(true);
    int order = 0;
    const bool numbers = left.is_number() && right.is_number();
    if (numbers) {
      const double a = left.AsDouble(), b = right.AsDouble();
      order = a < b ? -1 : a > b ? 1 : 0;
    } else if (left.is_string() && right.is_string()) {
      order = left.AsString().compare(right.AsString());
    } else if (sign == "==" || sign == "!=") {
      order = left == right ? 0 : 1;
    } else {
      return InvalidArgument("GY4703", "{} and {} have no order in `{}`", left.Dump(), right.Dump(),
                             text_);
    }
    if (sign == "==") return Json(order == 0);
    if (sign == "!=") return Json(order != 0);
    if (sign == "<=") return Json(order <= 0);
    if (sign == ">=") return Json(order >= 0);
    return Json(sign == "<" ? order < 0 : order > 0);
  }

  Result<Json> One(int depth) {
    if (depth > kDepthMax) return Unreadable();
    if (Take("!")) {
      GYRE_TRY(const Json value, One(depth + 1));
      if (!IsTruth(value)) return Unreadable();
      return Json(!value.AsBool());
    }
    if (Take("(")) {
      GYRE_TRY(Json value, Either(depth + 1));
      if (!Take(")")) return Unreadable();
      return value;
    }
    if (Take("int(")) return WholeNumber(depth);
    if (Take("${")) {
      const std::size_t end = text_.find('}', at_);
      if (end == std::string_view::npos) return Unreadable();
      const std::string_view path = Trim(text_.substr(at_, end - at_));
      at_ = end + 1;
      return Value(path, lookup_);
    }
    Skip();
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return Quoted();
    return Word();
  }
  Result<Json> WholeNumber(int depth) {
    GYRE_TRY(const Json value, Either(depth + 1));
    if (!Take(")")) return Unreadable();
    if (anything_) return Json(0);
    if (value.is_number()) return Json(static_cast<std::int64_t>(value.AsDouble()));
    if (const auto number = ParseInt(Trim(value.AsString()))) return Json(*number);
    return InvalidArgument("GY4703", "int({}) is no whole number", value.Dump());
  }
  Result<Json> Quoted() {
    const char quote = text_[at_];
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return Unreadable();
    Json value(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return value;
  }
  Result<Json> Word() {
    const std::size_t from = at_;
    while (at_ < text_.size() && (IsPathByte(text_[at_]) || text_[at_] == '+')) ++at_;
    const std::string_view word = text_.substr(from, at_ - from);
    if (word.empty()) return Unreadable();
    if (word == "true" || word == "false") return Json(word == "true");
    if (word == "null") return Json();
    if (const auto whole = ParseInt(word)) return Json(*whole);
    const bool numeric = (word[0] >= '0' && word[0] <= '9') || word[0] == '-' || word[0] == '.';
    if (const auto number = ParseDouble(word); numeric && number) return Json(*number);
    if (numeric) return Unreadable();
    return Value(word, lookup_);
  }

  std::string_view text_;
  const Lookup& lookup_;
  const bool anything_;
  std::size_t at_ = 0;
};

}  // namespace

std::string TextOf(const Json& value) {
  if (value.is_string()) return value.AsString();
  return value.is_null() ? std::string() : value.Dump();
}

std::optional<std::string> OnlyPath(std::string_view text) {
  const auto pieces = Pieces(text);
  if (!pieces || pieces->size() != 1 || !pieces->front().is_path) return std::nullopt;
  return std::string(pieces->front().text);
}

Result<std::vector<std::string>> PathsIn(std::string_view text) {
  GYRE_TRY(const auto pieces, Pieces(text));
  std::vector<std::string> paths;
  for (const Piece& piece : pieces) {
    if (piece.is_path) paths.emplace_back(piece.text);
  }
  return paths;
}

Result<std::vector<std::string>> PathsIn(const Json& document) {
  std::vector<std::string> paths;
  GYRE_DO(CollectPaths(document, 0, &paths));
  return paths;
}

Result<std::vector<std::string>> PathsInCondition(std::string_view condition) {
  std::vector<std::string> paths;
  const Lookup collect = [&](std::string_view path) {
    paths.emplace_back(path);
    return std::optional<Json>(Json(true));
  };
  GYRE_TRY([[maybe_unused]] const bool held,
           Condition(condition, collect, Condition::Values::kAnything).Read());
  return paths;
}

Result<Json> Fill(const Json& document, const Lookup& lookup) {
  if (document.is_string()) return FillText(document.AsString(), lookup);
  if (document.is_array()) {
    Json filled = Json::Arr();
    for (const Json& item : document.items()) {
      GYRE_TRY(Json value, Fill(item, lookup));
      filled.Push(std::move(value));
    }
    return filled;
  }
  if (!document.is_object()) return document;
  Json::Object members;
  for (const auto& [key, value] : document.members()) {
    GYRE_TRY(Json inner, Fill(value, lookup));
    members.emplace_back(key, std::move(inner));
  }
  return Json(std::move(members));
}

Result<bool> Holds(std::string_view condition, const Lookup& lookup) {
  return Condition(condition, lookup, Condition::Values::kKnown).Read();
}

}  // namespace gyre::pipelines
