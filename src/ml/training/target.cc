#include "ml/training/target.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/text.h"
#include "platform/table/reader.h"

namespace gyre::training {

namespace {

using predictors::Task;
using table::Type;

constexpr std::size_t kRowsMin = 4;
constexpr std::size_t kClassesMax = 1'000;
constexpr std::size_t kWholeNumberClassesMax =
    10;  // more different whole numbers are an amount, not a choice

bool IsNumber(Type type) { return type == Type::kInt || type == Type::kDouble; }

// Values as text with their counts, in sort order: numbers by size, text by bytes.
struct Distinct {
  std::vector<std::string> texts;
  std::vector<std::uint32_t> codes;  // per kept row
  bool whole = true;                 // all are whole numbers
};

Result<Distinct> CollectDistinct(const table::Column& column,
                                 const std::vector<std::uint32_t>& kept) {
  Distinct distinct;
  std::vector<std::string> raw;
  raw.reserve(kept.size());
  std::map<std::string, std::uint32_t, std::less<>> codes;
  for (const std::uint32_t row : kept) {
    raw.push_back(table::CellText(column, row));
    codes.try_emplace(raw.back(), 0);
    if (column.type == Type::kDouble && column.doubles[row] != std::floor(column.doubles[row]))
      distinct.whole = false;
  }
  for (const auto& [text, code] : codes) distinct.texts.push_back(text);
  if (IsNumber(column.type)) {
    std::ranges::sort(distinct.texts, {},
                      [](const std::string& text) { return ParseDouble(text).value_or(0); });
  }
  for (std::size_t i = 0; i < distinct.texts.size(); ++i)
    codes[distinct.texts[i]] = static_cast<std::uint32_t>(i);
  for (const std::string& text : raw) distinct.codes.push_back(codes.find(text)->second);
  return distinct;
}

Result<Task> Infer(const table::Column& column, const Distinct& distinct, std::string* reason) {
  const std::size_t count = distinct.texts.size();
  if (count == 2) {
    *reason =
        fmt::format("2 different values ({}, {}): binary", distinct.texts[0], distinct.texts[1]);
    return Task::kBinary;
  }
  if (!IsNumber(column.type)) {
    *reason = fmt::format("{} different values of type {}: multiclass", count,
                          table::TypeName(column.type));
    return Task::kMulticlass;
  }
  if (column.type == Type::kInt && count <= kWholeNumberClassesMax) {
    *reason = fmt::format(
        "{} different whole numbers: multiclass (--task regression takes them as amounts)", count);
    return Task::kMulticlass;
  }
  *reason = fmt::format("{} different numbers: regression", count);
  return Task::kRegression;
}

Result<> CheckTask(const table::Column& column, const Distinct& distinct, Task task) {
  const std::size_t count = distinct.texts.size();
  const std::string name = fmt::format("target `{}`", column.name);
  if (task == Task::kRegression) {
    if (IsNumber(column.type) || column.type == Type::kBool) return {};
    return InvalidArgument("GY3504", "{} holds {} values, and regression needs numbers", name,
                           table::TypeName(column.type))
        .Fix(fmt::format("gyre add FILE --type {}=double", column.name));
  }
  if (task == Task::kBinary && count != 2) {
    return InvalidArgument("GY3504",
                           "{} has {} different values, and a binary task needs exactly 2", name,
                           count)
        .Fix("--task multiclass");
  }
  if (count > kClassesMax || (count > 20 && count * 2 > distinct.codes.size())) {
    return InvalidArgument("GY3504", "{} has {} different values in {} rows", name, count,
                           distinct.codes.size())
        .Why(fmt::format("a class must be seen more than once, and there may be at most {}",
                         kClassesMax))
        .Fix("name another column with --target; this one looks like an identifier or free text");
  }
  return {};
}

}  // namespace

Result<Target> ReadTarget(const table::Column& column, std::optional<Task> task) {
  Target target;
  if (column.type == Type::kDate || column.type == Type::kTimestamp) {
    return InvalidArgument("GY3504",
                           "target `{}` holds points in time, and models answer classes or numbers",
                           column.name)
        .Fix(
            "add a column with the number of days (or whatever is meant), and name it with "
            "--target");
  }
  for (std::uint32_t row = 0; row < column.size(); ++row) {
    const bool number =
        column.IsValid(row) && (column.type != Type::kDouble || std::isfinite(column.doubles[row]));
    if (number) target.kept.push_back(row);
  }
  target.missing = column.size() - target.kept.size();
  if (target.kept.empty() && column.size() > 0) {
    return InvalidArgument("GY3502", "every value of target `{}` is missing", column.name)
        .Fix("name another column with --target");
  }
  if (target.kept.size() < kRowsMin) {
    return InvalidArgument("GY3502", "{} rows have a value in target `{}`", target.kept.size(),
                           column.name)
        .Why(fmt::format("at least {} rows are needed to fit a model and to test it on others",
                         kRowsMin))
        .Fix("add more rows");
  }
  GYRE_TRY(Distinct distinct, CollectDistinct(column, target.kept));
  if (distinct.texts.size() == 1) {
    return InvalidArgument("GY3503", "target `{}` is `{}` in every row", column.name,
                           distinct.texts[0])
        .Why("with one class there is nothing to tell apart")
        .Fix("add rows of the other class, or name another column with --target");
  }
  if (task) {
    target.task = *task;
    target.reason = fmt::format("{}, as you said", predictors::TaskName(*task));
  } else {
    GYRE_TRY(target.task, Infer(column, distinct, &target.reason));
  }
  GYRE_DO(CheckTask(column, distinct, target.task));
  if (target.task == Task::kRegression) {
    const std::vector<double> numbers = table::AsDoubles(column);
    for (const std::uint32_t row : target.kept) target.values.push_back(numbers[row]);
  } else {
    target.classes = std::move(distinct.texts);
    target.labels = std::move(distinct.codes);
  }
  return target;
}

}  // namespace gyre::training
