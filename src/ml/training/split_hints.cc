#include "ml/training/split_hints.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/hash.h"
#include "base/shell.h"
#include "base/text.h"
#include "platform/table/reader.h"

namespace gyre::training {

namespace {

constexpr std::size_t kDistinctMin = 20;
constexpr std::array kWhos = {"account", "client",  "customer", "device",   "driver",
                              "member",  "patient", "person",   "player",   "session",
                              "student", "subject", "user",     "employee", "household"};

std::string Command(const FitRequest& request, std::string_view option, const std::string& column) {
  return fmt::format("gyre train {} --target {} {} {}", ShellWord(request.dataset),
                     ShellWord(request.target), option, ShellWord(column));
}

std::size_t Distinct(const table::Column& column) {
  std::unordered_set<std::uint64_t> seen;
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (column.IsValid(i)) seen.insert(Xxh3(table::CellText(column, i)));
  }
  return seen.size();
}

bool IsTime(const table::Column& column) {
  return column.type == table::Type::kDate || column.type == table::Type::kTimestamp;
}

// Dates that never go back, or never forth.
bool IsInOrder(const table::Column& column) {
  if (!IsTime(column)) return false;
  bool up = true, down = true;
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (!column.IsValid(i)) return false;
    if (i == 0) continue;
    up = up && column.ints[i - 1] <= column.ints[i];
    down = down && column.ints[i - 1] >= column.ints[i];
  }
  return (up || down) && Distinct(column) >= kDistinctMin;
}

// "customer", "customer_id", "userId", "ID".
bool NamesSomebody(const std::string& name) {
  const std::string lower = ToLower(name);
  if (lower == "id" || lower.ends_with("_id") || lower.ends_with(" id") || name.ends_with("Id") ||
      name.ends_with("ID"))
    return true;
  return std::ranges::any_of(kWhos, [&](std::string_view who) { return lower == who; });
}

// "customer", "Customer_ID", "userId", but no "id", and no "device", which may well be known.
bool NamesPeople(std::string name) {
  static constexpr std::array kPeople = {"account", "client", "customer", "household", "member",
                                         "patient", "person", "student",  "user"};
  name = ToLower(name);
  for (const std::string_view end : {"_id", " id", "-id", "id"}) {
    if (!name.ends_with(end)) continue;
    name.resize(name.size() - end.size());
    break;
  }
  return std::ranges::any_of(kPeople, [&](std::string_view who) { return name == who; });
}

std::optional<SplitChoice> ChooseTime(const std::vector<const table::Column*>& times) {
  if (times.size() != 1 || !IsInOrder(*times[0])) return std::nullopt;
  if (20 * Distinct(*times[0]) < 19 * times[0]->size()) return std::nullopt;
  return SplitChoice{
      times[0]->name, true,
      fmt::format("split by `{}`, the newest rows test: the rows stand in its order, each with its "
                  "own; by chance instead: --split random",
                  times[0]->name)};
}

}  // namespace

std::optional<SplitChoice> ChooseSplit(const table::Frame& frame, const FitRequest& request) {
  std::vector<const table::Column*> times, groups;
  for (const table::Column& column : frame.columns) {
    if (column.name == request.target) continue;
    if (IsTime(column)) times.push_back(&column);
    const auto format = request.formats.find(column.name);
    const bool nested =
        format != request.formats.end() && format->second == table::TextFormat::kJson;
    if (NamesPeople(column.name) && !nested && !ReadsColumn(request, column.name))
      groups.push_back(&column);
  }
  if (auto chosen = ChooseTime(times)) return chosen;
  if (groups.size() != 1) return std::nullopt;
  const std::size_t distinct = Distinct(*groups[0]), rows = frame.rows();
  if (distinct < kDistinctMin || 2 * distinct > rows) return std::nullopt;
  return SplitChoice{
      groups[0]->name, false,
      fmt::format("split by `{}`, which repeats ({} values in {} rows): all rows of one test, or "
                  "none, and it is no feature; by chance instead: --split random",
                  groups[0]->name, GroupDigits(static_cast<std::int64_t>(distinct)),
                  GroupDigits(static_cast<std::int64_t>(rows)))};
}

std::vector<Finding> SplitHints(const table::Frame& frame, const FitRequest& request) {
  std::vector<Finding> hints;
  for (const table::Column& column : frame.columns) {
    if (column.name == request.target) continue;
    if (IsInOrder(column)) {
      hints.push_back(
          {column.name, "time order",
           fmt::format("the rows stand in the order of `{}`, and a random split tests on the past: "
                       "to test on the newest rows: {}",
                       column.name, Command(request, "--time-column", column.name)),
           false});
    } else if (NamesSomebody(column.name)) {
      const std::size_t distinct = Distinct(column), rows = frame.rows();
      if (distinct < kDistinctMin || distinct > rows / 3 * 2) continue;
      hints.push_back(
          {column.name, "repeats",
           fmt::format("`{}` repeats ({} values in {} rows), and a random split tests on ones that "
                       "it has learned from: to test on unknown ones: {}",
                       column.name, GroupDigits(static_cast<std::int64_t>(distinct)),
                       GroupDigits(static_cast<std::int64_t>(rows)),
                       Command(request, "--group-column", column.name)),
           false});
    }
  }
  return hints;
}

}  // namespace gyre::training
