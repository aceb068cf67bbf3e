#include "ml/recipes/tasks.h"

#include <algorithm>

#include "ml/recipes/recipe.h"
#include "platform/table/reader.h"

namespace gyre::recipes {
namespace {

Result<Json> SuggestTask(runners::TaskContext& context) {
  const Json& input = context.input();
  std::vector<std::string> parts;
  for (const Json& part : input["parts"].items()) parts.push_back(part.AsString());
  table::ReadOptions read;
  read.rows_max = input["rows_max"].AsInt(-1);
  read.cancelled = [&] { return context.cancelled(); };
  GYRE_TRY(const table::Frame frame, table::ReadParquet(parts, read));
  SuggestOptions options;
  options.target = input["target"].AsString();
  for (const Json& column : input["exclude"].items()) options.exclude.push_back(column.AsString());
  if (input["for"].AsString() == "linear") options.model = SuggestOptions::For::kLinear;
  GYRE_TRY(const Spec spec, Suggest(frame, options));
  Json left_out = Json::Arr();
  for (const table::Column& column : frame.columns) {
    const auto& read_columns = spec.input();
    const bool is_read = std::any_of(read_columns.begin(), read_columns.end(),
                                     [&](const table::Field& f) { return f.name == column.name; });
    if (!is_read && column.name != options.target) left_out.Push(column.name);
  }
  return Json::Obj({{"recipe", spec.ToJson()},
                    {"rows", static_cast<std::int64_t>(frame.rows())},
                    {"steps", spec.step_count()},
                    {"columns", spec.input().size()},
                    {"left_out", std::move(left_out)}});
}

}  // namespace

void AddTasks(runners::TaskRegistry& tasks) { tasks.Add("recipes.suggest", SuggestTask); }

}  // namespace gyre::recipes
