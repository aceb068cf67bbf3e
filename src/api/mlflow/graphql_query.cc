#include "api/mlflow/graphql_query.h"

#include <algorithm>
#include <span>

#include "api/mlflow/errors.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

constexpr int kDepthMax = 10;
constexpr std::size_t kFieldsMax = 1'000, kRootFieldsMax = 10, kQueryBytesMax = 100'000;

Error Unreadable(std::string_view what) {
  return InvalidParameter(fmt::format("GraphQL query: {}", what));
}

constexpr std::string_view kLists[] = {"datasetInputs", "metrics", "modelInputs", "modelOutputs",
                                       "modelVersions", "params",  "tags"};
constexpr std::string_view kParts[] = {"data", "inputs", "outputs"};

bool IsOneOf(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Result<std::vector<Selection>> Run() {
    Skip();
    const std::string operation = Name();
    if (!operation.empty() && operation != "query") return Unreadable("only queries are answered");
    (void)Name();
    GYRE_DO(SkipArguments(nullptr));
    GYRE_DO(SkipDirectives());
    GYRE_TRY(std::vector<Selection> fields, Fields(1));
    if (!rest_.empty()) return Unreadable("one operation at a time");
    if (fields.size() > kRootFieldsMax) return Unreadable("more than 10 fields at its root");
    return fields;
  }

 private:
  void Skip() {
    while (!rest_.empty()) {
      if (rest_[0] == '#') {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else if (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t' || rest_[0] == '\r' ||
                 rest_[0] == ',') {
        rest_.remove_prefix(1);
      } else {
        return;
      }
    }
  }
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    Skip();
    return true;
  }
  std::string Name() {
    std::size_t size = 0;
    while (size < rest_.size() && IsNameChar(rest_[size])) ++size;
    std::string name(rest_.substr(0, size));
    rest_.remove_prefix(size);
    Skip();
    return name;
  }
  // "(input: $data)" names a variable; those of an operation or a directive are passed over.
  Result<> SkipArguments(std::string* variable) {
    if (!Take('(')) return {};
    while (!Take(')')) {
      if (rest_.empty()) return Unreadable("it is cut off");
      if (rest_[0] == '(') return Unreadable("brackets within brackets");
      if (rest_[0] == '"') {
        const std::size_t end = rest_.find('"', 1);
        if (end == std::string_view::npos) return Unreadable("it is cut off");
        rest_.remove_prefix(end + 1);
        Skip();
      } else if (Take('$')) {
        const std::string name = Name();
        if (variable != nullptr) *variable = name;
      } else if (Name().empty()) {
        rest_.remove_prefix(1);
        Skip();
      }
    }
    return {};
  }
  Result<> SkipDirectives() {
    while (Take('@')) {
      (void)Name();
      GYRE_DO(SkipArguments(nullptr));
    }
    return {};
  }
  Result<Selection> Field(int depth) {
    if (++count_ > kFieldsMax) return Unreadable("more than 1,000 fields");
    Selection field;
    field.name = field.answers_as = Name();
    if (Take(':')) field.name = Name();
    if (field.name.empty() || field.answers_as.empty()) return Unreadable("a field is expected");
    GYRE_DO(SkipArguments(&field.variable));
    GYRE_DO(SkipDirectives());
    if (!rest_.empty() && rest_[0] == '{') {
      GYRE_TRY(field.fields, Fields(depth + 1));
    }
    return field;
  }
  // NOLINTNEXTLINE(misc-no-recursion): as deep as kDepthMax
  Result<std::vector<Selection>> Fields(int depth) {
    if (depth > kDepthMax) return Unreadable("more than 10 levels deep");
    if (!Take('{')) return Unreadable("'{' is expected");
    std::vector<Selection> fields;
    while (!Take('}')) {
      GYRE_TRY(Selection field, Field(depth));
      fields.push_back(std::move(field));
    }
    return fields;
  }

  std::string_view rest_;
  std::size_t count_ = 0;
};

std::string SnakeCase(std::string_view name) {
  std::string snake;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper) snake += '_';
    snake += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return snake;
}

// "info" -> "MlflowInfo": tells one kind of objects from another, which is all that it is for.
std::string TypeOf(std::string_view name) {
  std::string type = fmt::format("Mlflow{}", name);
  constexpr std::size_t kPrefix = 6;
  if (type.size() > kPrefix && type[kPrefix] >= 'a' && type[kPrefix] <= 'z')
    type[kPrefix] = static_cast<char>(type[kPrefix] - 'a' + 'A');
  return type;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the query
Json ValueOf(const Json& value, const Selection& field) {
  if (value.is_array()) {
    Json list = Json::Arr();
    for (const Json& item : value.items()) list.Push(ValueOf(item, field));
    return list;
  }
  // MLflow's REST leaves out what is empty, its GraphQL does not.
  if (value.is_null() && IsOneOf(kLists, field.name)) return Json::Arr();
  if (value.is_object() || (value.is_null() && IsOneOf(kParts, field.name)))
    return field.fields.empty() ? Json() : Selected(value, TypeOf(field.name), field.fields);
  return value.is_int() ? Json(fmt::format("{}", value.AsInt())) : value;
}

}  // namespace

Result<std::vector<Selection>> ParseQuery(std::string_view text) {
  if (text.size() > kQueryBytesMax) return Unreadable("it is larger than 100 kB");
  return Reader(text).Run();
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the query
Json Selected(const Json& document, std::string_view type, const std::vector<Selection>& fields) {
  Json selected = Json::Obj();
  for (const Selection& field : fields) {
    selected.Set(field.answers_as, field.name == "__typename"
                                       ? Json(type)
                                       : ValueOf(document[SnakeCase(field.name)], field));
  }
  return selected;
}

}  // namespace gyre::mlflow
