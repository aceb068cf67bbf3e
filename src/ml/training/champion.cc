#include "ml/training/champion.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "base/text.h"
#include "ml/evaluation/learned.h"
#include "platform/exec/files.h"
#include "platform/table/reader.h"

namespace gyre::training {
namespace {

constexpr std::size_t kRowsMin = 100;
constexpr double kShareByChance = 0.01;  // rows that are equal without being copies

// Who has learned from one row of a group, or of a time, knows something of the rest of it: rows of
// such a group, and rows that are not newer, are no longer new either.
std::vector<std::uint32_t> Unrelated(const Problem& problem,
                                     const std::vector<std::uint32_t>& learned) {
  std::vector<std::uint32_t> rest(problem.test.rows());
  std::iota(rest.begin(), rest.end(), 0U);
  std::erase_if(rest, [&](auto row) { return std::ranges::binary_search(learned, row); });
  const SplitKind kind = problem.split_kind;
  if (kind == SplitKind::kGroup || kind == SplitKind::kTimeGroup) {
    const table::Column& group = *problem.test.Find(problem.request.group_column);
    std::set<std::string> known;
    for (const std::uint32_t row : learned) {
      if (group.IsValid(row)) known.insert(table::CellText(group, row));
    }
    std::erase_if(rest, [&](auto row) {
      return group.IsValid(row) && known.contains(table::CellText(group, row));
    });
  }
  if (InTime(kind)) {
    const std::vector<double> time =
        table::AsDoubles(*problem.test.Find(problem.request.time_column));
    double newest = -std::numeric_limits<double>::infinity();
    for (const std::uint32_t row : learned) newest = std::fmax(newest, time[row]);
    std::erase_if(rest, [&](auto row) { return !(time[row] > newest); });
  }
  return rest;
}

// The rows that are new to the champion, or all where it knows hardly any.
Result<std::vector<std::uint32_t>> RowsNewTo(const Problem& problem,
                                             const std::function<bool()>& cancelled,
                                             std::vector<std::string>* warnings) {
  std::vector<std::uint32_t> learned;
  const evaluation::Lessons& lessons = problem.request.champion_lessons;
  if (!lessons.parts.empty()) {
    GYRE_TRY(learned, evaluation::LearnedRows(problem.test, lessons, cancelled));
  }
  const std::size_t rows = problem.test.rows();
  if (static_cast<double>(learned.size()) <= kShareByChance * static_cast<double>(rows)) {
    std::vector<std::uint32_t> all(rows);
    std::iota(all.begin(), all.end(), 0U);
    return all;
  }
  std::vector<std::uint32_t> rest = Unrelated(problem, learned);
  const auto digits = [](std::size_t n) { return GroupDigits(static_cast<std::int64_t>(n)); };
  const std::string known = fmt::format("learned from {} of the {} rows held out here",
                                        digits(learned.size()), digits(rows));
  if (rest.size() < std::min(kRowsMin, rows * 4 / 5)) {
    return InvalidArgument("GY3524", "it {}; {} are new to it, too few to compare on", known,
                           rest.size())
        .Why("a model knows the answers of rows that it learned from")
        .Fix("compare on rows that are new to both: gyre evaluate MODEL --on DATASET");
  }
  warnings->push_back(fmt::format("{} {}: the two are compared on {} that are new to it",
                                  problem.request.champion_name, known, digits(rest.size())));
  return rest;
}

}  // namespace

Result<evaluation::Comparison> CompareWithChampion(const Problem& problem,
                                                   const predictors::Scorer& scorer,
                                                   const evaluation::EvaluateOptions& options,
                                                   std::vector<std::string>* warnings) {
  GYRE_TRY(const std::string bytes, exec::ReadFile(problem.request.champion_package));
  GYRE_TRY(const auto champion, predictors::Scorer::Load(bytes));
  GYRE_TRY(const auto rows, RowsNewTo(problem, options.cancelled, warnings));
  std::string line = evaluation::OtherPositive(scorer, *champion, problem.request.champion_name);
  if (!line.empty()) warnings->push_back(std::move(line));
  if (rows.size() == problem.test.rows())
    return evaluation::Compare(scorer, *champion, problem.test, options);
  return evaluation::Compare(scorer, *champion, problem.test.Select(rows), options);
}

}  // namespace gyre::training
