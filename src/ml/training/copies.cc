#include "ml/training/copies.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "platform/table/reader.h"

namespace gyre::training {
namespace {

constexpr double kShareNoted = 0.02;  // of the test rows
constexpr double kFineShare = 0.2;    // different values among different rows
constexpr std::size_t kRowsMin = 20;

using Hashes = std::unordered_set<std::uint64_t>;

bool IsFine(const table::Column& column, std::size_t different_rows) {
  table::Frame alone;
  alone.columns.push_back(column);
  const auto hashes = table::RowHashes(alone);
  const Hashes different(hashes.begin(), hashes.end());
  return static_cast<double>(different.size()) > kFineShare * static_cast<double>(different_rows);
}

std::size_t CountCopies(const Problem& problem) {
  const auto rest = [&](const table::Frame& frame) {
    std::vector<std::string> ids;
    for (const std::string& name : problem.excluded)
      if (name != problem.request.target) ids.push_back(name);
    return frame.WithoutColumns(ids);
  };
  const table::Frame train = rest(problem.train);
  const auto taught = table::RowHashes(train);
  const Hashes kinds(taught.begin(), taught.end());
  std::size_t copies = 0;
  for (const std::uint64_t hash : table::RowHashes(rest(problem.test)))
    copies += kinds.contains(hash) ? 1 : 0;
  if (copies == 0) return 0;
  const bool fine = std::ranges::any_of(train.columns, [&](const table::Column& column) {
    return column.name != problem.request.target && IsFine(column, kinds.size());
  });
  return fine ? copies : 0;
}

}  // namespace

void NoteCopies(Problem* problem) {
  const std::size_t rows = problem->test.rows();
  if (rows < kRowsMin) return;
  const std::size_t copies = CountCopies(*problem);
  if (static_cast<double>(copies) < kShareNoted * static_cast<double>(rows)) return;
  problem->findings.push_back(
      {"", "copies",
       fmt::format("{} of {} test rows stand among the training rows too, value for value: the "
                   "scores flatter. Add the table without its copies, or name what they share "
                   "with --group-column",
                   GroupDigits(static_cast<std::int64_t>(copies)),
                   GroupDigits(static_cast<std::int64_t>(rows))),
       false});
}

}  // namespace gyre::training
