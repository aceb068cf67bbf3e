#include "ml/recipes/spec.h"

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "base/text.h"
#include "platform/config/yaml.h"

namespace gyre::recipes {
namespace {

Error SyntaxError(std::string what) { return InvalidArgument("GY3101", "{}", std::move(what)); }
Error TypeError(const Step& step, std::string_view what) {
  return InvalidArgument("GY3103", "step `{}` ({}): {}", step.id, step.operation->name, what);
}

Result<> CheckKeys(const Json& object, std::string_view where,
                   std::span<const std::string> allowed) {
  for (const auto& [key, value] : object.members()) {
    if (std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
    Error error =
        SyntaxError(fmt::format("{} has no `{}`; it knows {}", where, key, Join(allowed, ", ")));
    if (const auto close = ClosestMatch(key, allowed))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return error;
  }
  return {};
}

// --- arguments -----------------------------------------------------------------------------------
bool IsChoice(std::string_view choices, const Json& value) {
  if (choices.empty()) return true;
  for (std::string_view choice : Split(choices, '|')) {
    if (value.is_string() && value.AsString() == choice) return true;
  }
  return false;
}

Result<> CheckArgument(const Step& step, const Argument& argument, const Json& value) {
  const auto wrong = [&](std::string_view rule) {
    return TypeError(step,
                     fmt::format("`{}` must be {}, not {}", argument.name, rule, value.Dump()));
  };
  switch (argument.kind) {
    case ArgumentKind::kInteger:
      if (!value.is_int()) return wrong("a whole number");
      break;
    case ArgumentKind::kNumber:
      if (!value.is_number()) return wrong("a number");
      break;
    case ArgumentKind::kBool:
      if (!value.is_bool()) return wrong("true or false");
      return {};
    case ArgumentKind::kText:
      if (!value.is_string() || !IsChoice(argument.choices, value))
        return wrong("one of " + std::string(argument.choices));
      return {};
    case ArgumentKind::kList:
      if (!value.is_array()) return wrong("a list");
      if (value.size() > kStepsMax) return wrong("a shorter list");
      if (!argument.choices.empty() && value.size() == 0)
        return wrong("a list of one or more of " + std::string(argument.choices));
      for (const Json& item : value.items()) {
        if (!IsChoice(argument.choices, item))
          return wrong("a list of " + std::string(argument.choices));
        const bool repeats = std::count(value.items().begin(), value.items().end(), item) > 1;
        if (!argument.choices.empty() && repeats) return wrong("a list without repeats");
      }
      return {};
    case ArgumentKind::kAny:
      return {};
  }
  const double number = value.AsDouble();
  if (!(number >= argument.min && number <= argument.max))
    return wrong(fmt::format("between {} and {}", argument.min, argument.max));
  return {};
}

// All arguments with their defaults, so that equal meaning gives equal canonical text.
Result<Json> CompleteArguments(const Step& step, const Json& given) {
  if (!given.is_null() && !given.is_object()) return TypeError(step, "`args` must be a mapping");
  std::vector<std::string> names;
  for (const Argument& argument : step.operation->arguments) names.emplace_back(argument.name);
  for (const auto& [key, value] : given.members()) {
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    Error error = TypeError(
        step, names.empty()
                  ? fmt::format("takes no arguments, but `{}` is given", key)
                  : fmt::format("has no argument `{}`; it knows {}", key, Join(names, ", ")));
    if (const auto close = ClosestMatch(key, names))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return error;
  }
  Json complete = Json(Json::Object());
  for (const Argument& argument : step.operation->arguments) {
    const Json* value = given.Find(argument.name);
    if (value == nullptr && argument.fallback.empty())
      return TypeError(step, fmt::format("needs the argument `{}`", argument.name));
    Json chosen;
    if (value != nullptr) {
      chosen = *value;
    } else {
      GYRE_TRY(chosen, Json::Parse(argument.fallback));
    }
    if (argument.kind == ArgumentKind::kNumber && chosen.is_int())
      chosen = Json(chosen.AsDouble());  // 1 and 1.0 mean the same
    GYRE_DO(CheckArgument(step, argument, chosen));
    complete.Set(argument.name, std::move(chosen));
  }
  return complete;
}

// --- input ---------------------------------------------------------------------------------------
Result<table::Type> ReadType(std::string_view column, const Json& json) {
  std::string name = json.AsString();
  if (!name.empty() && name.back() == '?') name.pop_back();  // every column may have missing values
  static constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"f64", "double"},  {"f32", "double"},  {"float", "double"}, {"number", "double"},
      {"i64", "int"},     {"i32", "int"},     {"integer", "int"},  {"str", "text"},
      {"string", "text"}, {"boolean", "bool"}};
  for (const auto& [alias, type] : kAliases) {
    if (name == alias) name = type;
  }
  if (const auto type = table::ParseType(name)) return *type;
  return SyntaxError(fmt::format(
      "column `{}` has the unknown type {}; types are bool, int, double, text, date, timestamp",
      column, json.Dump()));
}

// {name: type} or [{name, type}].
Result<table::Schema> ReadSchema(const Json& json) {
  table::Schema schema;
  if (json.is_object()) {
    for (const auto& [name, type] : json.members()) {
      GYRE_TRY(const table::Type t, ReadType(name, type));
      schema.push_back({name, t});
    }
  } else if (json.is_array()) {
    for (const Json& field : json.items()) {
      if (!field["name"].is_string())
        return SyntaxError("every column of `input.schema` needs a name and a type");
      GYRE_TRY(const table::Type t, ReadType(field["name"].AsString(), field["type"]));
      schema.push_back({field["name"].AsString(), t});
    }
  }
  if (schema.empty())
    return SyntaxError("`input.schema` must name the raw columns and their types")
        .Fix("input: {schema: {age: int, city: text}}");
  std::map<std::string_view, int> seen;
  for (const auto& field : schema) {
    if (field.name.empty()) return SyntaxError("a column has an empty name");
    if (!IsValidUtf8(field.name)) return SyntaxError("the name of a column is not UTF-8");
    if (++seen[field.name] > 1)
      return SyntaxError(fmt::format("column `{}` is declared twice", field.name));
  }
  return schema;
}

// --- steps ---------------------------------------------------------------------------------------
class Compiler {
 public:
  explicit Compiler(table::Schema schema) {
    body_.input = std::move(schema);
    for (std::size_t c = 0; c < body_.input.size(); ++c) columns_.emplace(body_.input[c].name, c);
  }

  Result<> AddStep(const Json& json, std::size_t number) {
    if (!json.is_object())
      return SyntaxError(fmt::format("step {} must be a mapping with id, op and in", number));
    static const std::vector<std::string> kKeys = {"id", "op", "in", "args"};
    GYRE_DO(CheckKeys(json, fmt::format("step {}", number), kKeys));
    Step step;
    step.id = json["id"].AsString();
    if (step.id.empty()) return SyntaxError(fmt::format("step {} needs an `id`", number));
    if (!IsValidUtf8(step.id))
      return SyntaxError(fmt::format("the id of step {} is not UTF-8", number));
    if (ids_.contains(step.id))
      return SyntaxError(fmt::format("the id `{}` is used by two steps", step.id));
    GYRE_DO(FindOp(json["op"], &step));
    GYRE_DO(FindSource(json["in"], &step));
    GYRE_DO(CheckShadow(step));
    GYRE_TRY(step.args, CompleteArguments(step, json["args"]));
    if ((step.operation->accepts & Accepts(step.input_type)) == 0) return Refuse(step);
    auto gives = step.operation->result(step.input_type, step.args);
    if (!gives)
      return std::move(gives.error())
          .Context(fmt::format("step `{}` ({})", step.id, step.operation->name));
    step.gives = *gives;
    ids_.emplace(step.id, body_.steps.size());
    body_.steps.push_back(std::move(step));
    return {};
  }

  Result<> AddOutput(const Json& json) {
    std::string name = json.AsString();
    if (name.size() > 2 && name.ends_with(".*") && !ids_.contains(name))
      name.resize(name.size() - 2);
    const auto found = ids_.find(name);
    if (!json.is_string() || found == ids_.end()) {
      Error error = InvalidArgument("GY3103", "the output {} is not the id of a step", json.Dump());
      if (const auto close = ClosestMatch(name, Ids()))
        return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
      return error;
    }
    const Step& step = body_.steps[found->second];
    if (std::find(body_.outputs.begin(), body_.outputs.end(), found->second) !=
        body_.outputs.end()) {
      return InvalidArgument("GY3103", "the output `{}` stands there twice", name);
    }
    if (step.gives.type == table::Type::kText) {
      return TypeError(step, "gives text, and outputs are numbers")
          .Fix("encode it first, for example with encode.onehot");
    }
    if (step.gives.type == table::Type::kDate || step.gives.type == table::Type::kTimestamp) {
      return TypeError(step, "gives a date, and outputs are numbers").Fix("use datetime.parts");
    }
    body_.outputs.push_back(found->second);
    return {};
  }

  // Drops steps and columns that no output needs.
  Spec::Body Finish(std::string name) {
    std::vector<bool> live(body_.steps.size(), false), read(body_.input.size(), false);
    for (std::size_t output : body_.outputs) live[output] = true;
    for (std::size_t s = body_.steps.size(); s-- > 0;) {
      if (!live[s]) continue;
      (body_.steps[s].from.is_column ? read : live)[body_.steps[s].from.index] = true;
    }
    std::vector<std::size_t> new_step(live.size()), new_column(read.size());
    Spec::Body body;
    body.name = std::move(name);
    for (std::size_t c = 0; c < read.size(); ++c) {
      new_column[c] = body.input.size();
      if (read[c]) body.input.push_back(body_.input[c]);
    }
    for (std::size_t s = 0; s < live.size(); ++s) {
      new_step[s] = body.steps.size();
      if (!live[s]) continue;
      Step step = body_.steps[s];
      step.from.index =
          step.from.is_column ? new_column[step.from.index] : new_step[step.from.index];
      step.column = new_column[step.column];
      body.steps.push_back(std::move(step));
    }
    for (std::size_t output : body_.outputs) body.outputs.push_back(new_step[output]);
    return body;
  }

 private:
  std::vector<std::string> Ids() const {
    std::vector<std::string> ids;
    for (const Step& step : body_.steps) ids.push_back(step.id);
    return ids;
  }

  // A step may take the name of the column that its chain begins with: later steps then read the
  // step. The name of any other column would mislead.
  Result<> CheckShadow(const Step& step) const {
    const auto found = columns_.find(step.id);
    if (found == columns_.end() || found->second == step.column) return {};
    return SyntaxError(fmt::format(
        "step `{}` has the name of a column that it does not read; give it another id", step.id));
  }

  static Result<> FindOp(const Json& op, Step* step) {
    step->operation = FindOperation(op.AsString());
    if (step->operation != nullptr) return {};
    Error error =
        InvalidArgument("GY3102", "step `{}`: there is no operation {}", step->id, op.Dump());
    const std::vector<std::string> names = OperationNames();
    if (const auto close = ClosestMatch(op.AsString(), names))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return std::move(error).Fix("operations are " + Join(names, ", "));
  }

  Result<> FindSource(const Json& in, Step* step) const {
    const Json& name = in.is_array() && in.size() == 1 ? in.items()[0] : in;
    if (!name.is_string())
      return SyntaxError(
          fmt::format("step `{}` needs `in`: the name of one column or earlier step", step->id));
    if (const auto found = ids_.find(name.AsString()); found != ids_.end()) {
      const Step& from = body_.steps[found->second];
      if (from.gives.vector)
        return TypeError(
            *step, fmt::format("reads `{}`, which gives many columns; only an output can take them",
                               from.id));
      step->from = {false, found->second};
      step->input_type = from.gives.type;
      step->column = from.column;
      return {};
    }
    if (const auto found = columns_.find(name.AsString()); found != columns_.end()) {
      step->from = {true, found->second};
      step->input_type = body_.input[found->second].type;
      step->column = found->second;
      return {};
    }
    std::vector<std::string> names = Ids();
    for (const table::Field& field : body_.input) names.push_back(field.name);
    Error error = TypeError(
        *step,
        fmt::format("reads `{}`, which is neither a column nor an earlier step", name.AsString()));
    if (const auto close = ClosestMatch(name.AsString(), names))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return error;
  }

  static Error Refuse(const Step& step) {
    std::vector<std::string> types;
    using enum table::Type;
    for (const table::Type type : {kBool, kInt, kDouble, kText, kDate, kTimestamp}) {
      if ((step.operation->accepts & Accepts(type)) != 0) types.emplace_back(table::TypeName(type));
    }
    return TypeError(step, fmt::format("reads a {}, but takes only {}",
                                       table::TypeName(step.input_type), Join(types, ", ")))
        .Fix("put a `cast` before it");
  }

  Spec::Body body_;
  std::map<std::string, std::size_t, std::less<>> ids_, columns_;
};

// What the format can say and this program does in one way only: that way may be written down,
// another is refused by name.
Result<> CheckOnlyWay(const Json& object, std::string_view where, std::string_view key,
                      std::string_view way, std::string_view why) {
  const Json* value = object.Find(key);
  if (value == nullptr || value->is_null()) return {};
  if (value->is_string() && value->AsString() == way) return {};
  return SyntaxError(fmt::format("`{}.{}` must be {}, not {}", where, key, way, value->Dump()))
      .Why(std::string(why));
}

// A name, or a list of one.
Result<std::string> ReadRole(const Json& input, std::string_view role) {
  const Json& given = input[role];
  if (given.is_null()) return std::string();
  const Json& name = given.is_array() && given.size() == 1 ? given.items()[0] : given;
  if (name.is_string() && !name.AsString().empty() && IsValidUtf8(name.AsString()))
    return name.AsString();
  return SyntaxError(
      fmt::format("`input.{}` must name one column, not {}", role, given.Dump().substr(0, 80)));
}

Result<Roles> ReadRoles(const Json& input) {
  Roles roles;
  GYRE_TRY(roles.label, ReadRole(input, "label"));
  GYRE_TRY(roles.time, ReadRole(input, "time"));
  GYRE_TRY(roles.key, ReadRole(input, "key"));
  if (roles.label.empty() || (roles.label != roles.time && roles.label != roles.key)) return roles;
  return SyntaxError(
      fmt::format("`{}` is the label: it cannot be the time or the key too", roles.label));
}

Json InputToJson(const Spec::Body& body) {
  Json input = Json::Obj({{"schema", table::SchemaToJson(body.input)}});
  for (const auto& [role, name] : {std::pair{"label", &body.roles.label},
                                   {"time", &body.roles.time},
                                   {"key", &body.roles.key}}) {
    if (!name->empty()) input.Set(role, *name);
  }
  return input;
}

Result<> CheckFit(const Json& fit) {
  static const std::vector<std::string> kFitKeys = {"scope", "sample"};
  if (fit.is_null()) return {};
  if (!fit.is_object()) return SyntaxError("`fit` must be a mapping with scope and sample");
  GYRE_DO(CheckKeys(fit, "`fit`", kFitKeys));
  GYRE_DO(CheckOnlyWay(fit, "fit", "scope", "train", "a recipe learns from training rows alone"));
  return CheckOnlyWay(fit, "fit", "sample", "none", "a recipe learns from all training rows");
}

Result<> CheckOutput(const Json& output) {
  static const std::vector<std::string> kOutputKeys = {"vector", "dtype", "names"};
  if (!output.is_object()) return {};
  GYRE_DO(CheckKeys(output, "`output`", kOutputKeys));
  GYRE_DO(CheckOnlyWay(output, "output", "dtype", "f64",
                       "vectors are 64-bit numbers, in training and in serving"));
  return CheckOnlyWay(output, "output", "names", "kept", "each number keeps its name");
}

}  // namespace

Result<Spec> Spec::FromYaml(std::string_view text) {
  if (text.size() > kRecipeBytesMax)
    return SyntaxError(fmt::format("the recipe is larger than {} bytes", kRecipeBytesMax));
  auto json = config::ParseYaml(text, "recipe");
  if (!json) {
    Error error = SyntaxError(json.error().message()).Where(json.error().where());
    if (text.contains("?,") || text.contains("?}"))
      return std::move(error).Fix(
          "leave out the `?` inside braces: any column may have missing values");
    return error;
  }
  std::size_t step = 0;
  auto spec = Compile(*json, &step);
  if (spec || step == 0) return spec;
  return std::move(spec.error())
      .Where(fmt::format("recipe:{}", config::YamlLineOf(text, "steps", step - 1)));
}

Result<Spec> Spec::FromTextOrObject(const Json& json) {
  if (json.is_string()) return FromYaml(json.AsString());
  if (json.is_object()) return FromJson(json);
  return SyntaxError("`recipe` must be the text of a recipe, or the recipe as an object");
}

Result<Spec> Spec::FromJson(const Json& json) {
  std::size_t step = 0;
  return Compile(json, &step);
}

Result<Spec> Spec::Compile(const Json& json, std::size_t* wrong_step) {
  if (!json.is_object()) return SyntaxError("a recipe is a mapping with input, steps and output");
  static const std::vector<std::string> kKeys = {"recipe", "input", "steps", "output", "fit"};
  static const std::vector<std::string> kInputKeys = {"schema", "key", "label", "time"};
  GYRE_DO(CheckKeys(json, "the recipe", kKeys));
  if (!json["input"].is_object())
    return SyntaxError("the recipe needs `input`").Fix("input: {schema: {age: int, city: text}}");
  GYRE_DO(CheckKeys(json["input"], "`input`", kInputKeys));
  GYRE_TRY(table::Schema schema, ReadSchema(json["input"]["schema"]));
  GYRE_TRY(Roles roles, ReadRoles(json["input"]));
  if (!json["steps"].is_array() || json["steps"].size() == 0)
    return SyntaxError("the recipe needs `steps`: a list of one or more");
  if (json["steps"].size() > kStepsMax)
    return SyntaxError(fmt::format("a recipe has at most {} steps", kStepsMax));
  Compiler compiler(std::move(schema));
  for (const Json& step : json["steps"].items()) GYRE_DO(compiler.AddStep(step, ++*wrong_step));
  *wrong_step = 0;
  GYRE_DO(CheckOutput(json["output"]));
  GYRE_DO(CheckFit(json["fit"]));
  const Json& outputs = json["output"].is_object() ? json["output"]["vector"] : json["output"];
  if (!outputs.is_array() || outputs.size() == 0)
    return SyntaxError("the recipe needs `output`: the ids of the steps that make the vector");
  for (const Json& output : outputs.items()) GYRE_DO(compiler.AddOutput(output));
  if (!json["recipe"].is_null() && !json["recipe"].is_string())
    return SyntaxError("`recipe` must be a name");
  Body body = compiler.Finish(json["recipe"].AsString());
  body.roles = std::move(roles);
  return Spec(std::make_shared<const Body>(std::move(body)));
}

Json Spec::ToJson() const {
  Json steps = Json(Json::Array()), outputs = Json(Json::Array());
  for (const Step& step : body_->steps) {
    const std::string& from =
        step.from.is_column ? body_->input[step.from.index].name : body_->steps[step.from.index].id;
    steps.Push(Json::Obj(
        {{"id", step.id}, {"op", step.operation->name}, {"in", from}, {"args", step.args}}));
  }
  for (std::size_t output : body_->outputs) outputs.Push(body_->steps[output].id);
  Json json = Json(Json::Object());
  if (!body_->name.empty()) json.Set("recipe", body_->name);
  json.Set("input", InputToJson(*body_));
  json.Set("steps", std::move(steps));
  json.Set("output", Json::Obj({{"vector", std::move(outputs)}}));
  return json;
}

std::string Spec::hash() const { return Sha256Hex(ToJson().DumpCanonical()); }
const table::Schema& Spec::input() const { return body_->input; }
const Roles& Spec::roles() const { return body_->roles; }
std::size_t Spec::step_count() const { return body_->steps.size(); }
std::size_t Spec::output_step_count() const { return body_->outputs.size(); }

}  // namespace gyre::recipes
