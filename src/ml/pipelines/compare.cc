#include "ml/pipelines/compare.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "ml/pipelines/programs.h"
#include "ml/pipelines/run_view.h"

namespace gyre::pipelines {
namespace {

bool IsScalar(const Json& value) {
  const bool is_file = value.is_string() && value.AsString().starts_with(kFilePrefix);
  return value.is_number() || value.is_bool() || (value.is_string() && !is_file);
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Declared ones first, then what the kind of step gives besides.
std::vector<std::string> OutputNames(const Step& step,
                                     const std::vector<const TaskRecord*>& tasks) {
  std::vector<std::string> names;
  for (const OutputSpec& output : step.outputs) names.push_back(output.name);
  for (const TaskRecord* task : tasks) {
    for (const auto& [name, value] : task->outputs.members()) {
      if (!Contains(names, name)) names.push_back(name);
    }
  }
  return names;
}

struct Columns {
  Json differing = Json::Arr(), same = Json::Obj();
};

// Numbers are always compared, and come first; texts only when the items do not agree on them.
Columns ColumnsOf(const std::vector<std::string>& names,
                  const std::vector<const TaskRecord*>& tasks) {
  Columns columns;
  std::vector<std::string> texts;
  for (const std::string& name : names) {
    const Json* first = nullptr;
    bool any_number = false, differs = false;
    for (const TaskRecord* task : tasks) {
      const Json& value = task->outputs[name];
      if (!IsScalar(value)) continue;
      any_number = any_number || value.is_number();
      differs = differs || (first != nullptr && !(*first == value));
      if (first == nullptr) first = &value;
    }
    if (first == nullptr) continue;
    if (any_number)
      columns.differing.Push(name);
    else if (differs)
      texts.push_back(name);
    else
      columns.same.Set(name, *first);
  }
  for (std::string& name : texts) columns.differing.Push(std::move(name));
  return columns;
}

// What has none comes last, whichever way it is sorted.
void Sort(const std::string& by, bool ascending, std::vector<Json>* rows) {
  const auto value_of = [&](const Json& row) -> const Json& {
    const Json& output = row["outputs"][by];
    return output.is_null() ? row[by] : output;
  };
  const auto rank = [](const Json& value) {
    return value.is_number() ? 0 : IsScalar(value) ? 1 : 2;
  };
  std::ranges::stable_sort(*rows, [&](const Json& left, const Json& right) {
    const Json& a = value_of(left);
    const Json& b = value_of(right);
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    const Json& low = ascending ? a : b;
    const Json& high = ascending ? b : a;
    if (rank(a) == 0) return low.AsDouble() < high.AsDouble();
    return rank(a) == 1 && TextOf(low) < TextOf(high);
  });
}

}  // namespace

Result<Json> CompareItems(const StoredRun& stored, const Comparison& wanted) {
  GYRE_TRY(const Json plan, Json::Parse(stored.plan, 128));
  const Spec spec = SpecFromJson(plan);
  GYRE_TRY(const std::size_t index, FindStep(spec, wanted.step));
  const Step& step = spec.steps[index];
  std::vector<const TaskRecord*> tasks;
  for (const TaskRecord& task : stored.tasks) {
    if (static_cast<std::size_t>(task.step) == index) tasks.push_back(&task);
  }
  std::vector<std::string> names = OutputNames(step, tasks);
  Columns columns = ColumnsOf(names, tasks);
  names.insert(names.end(), {"seconds", "cpu_seconds"});
  if (!wanted.by.empty() && !Contains(names, wanted.by)) {
    const auto close = ClosestMatch(wanted.by, names);
    return InvalidArgument("GY4727", "step `{}` has no output `{}`", step.name, wanted.by)
        .Fix(close ? fmt::format("did you mean `{}`?", *close) : "one of " + Join(names, ", "));
  }
  std::vector<Json> rows;
  for (const TaskRecord* task : tasks)
    rows.push_back(TaskToJson(step, *task, Json(task->attempts)));
  if (!wanted.by.empty()) Sort(wanted.by, wanted.ascending, &rows);
  Json items = Json::Arr();
  for (Json& row : rows) {
    if (static_cast<int>(items.size()) < wanted.limit) items.Push(std::move(row));
  }
  return Json::Obj({{"run", stored.run.id},
                    {"pipeline", stored.run.pipeline},
                    {"step", step.name},
                    {"kind", step.kind},
                    {"by", wanted.by.empty() ? Json() : Json(wanted.by)},
                    {"ascending", wanted.ascending},
                    {"items_in_all", static_cast<std::int64_t>(rows.size())},
                    {"columns", std::move(columns.differing)},
                    {"same", std::move(columns.same)},
                    {"items", std::move(items)}});
}

}  // namespace gyre::pipelines
