#include "ml/data/leakage.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "base/hash.h"
#include "base/text.h"
#include "ml/data/association.h"
#include "platform/table/reader.h"

namespace gyre::data {

namespace {
constexpr std::size_t kRowsMax = 50'000;
constexpr double kNearPerfect = 0.98;
constexpr double kPure = 0.97;
constexpr std::size_t kSumColumnsMax = 60;  // pairs; triples up to half of it

std::uint64_t CellHash(const table::Column& column, std::uint32_t row) {
  const table::Cell cell = table::CellAt(column, row);
  if (!cell.valid) return 0;
  if (cell.type == table::Type::kText) return Xxh3(cell.text);
  std::uint64_t bits = static_cast<std::uint64_t>(cell.i);
  if (cell.type == table::Type::kDouble) bits = __builtin_bit_cast(std::uint64_t, cell.d);
  return Xxh3({reinterpret_cast<const char*>(&bits), sizeof bits}, 1);
}

// What needs no target: constant columns, and those with another value in each row.
void FindUseless(const table::Frame& frame, const std::vector<std::uint32_t>& rows,
                 std::string_view target, std::vector<LeakWarning>* found) {
  for (const table::Column& column : frame.columns) {
    if (column.name == target || rows.size() < 2) continue;
    std::unordered_set<std::uint64_t> distinct;
    std::size_t filled = 0, words = 0;
    bool increasing = true;
    std::int64_t before = 0;
    for (const std::uint32_t row : rows) {
      if (!column.IsValid(row)) continue;
      distinct.insert(CellHash(column, row));
      if (column.type == table::Type::kInt) {
        increasing = increasing && (filled == 0 || column.ints[row] > before);
        before = column.ints[row];
      }
      if (column.type == table::Type::kText)
        words += 1 + static_cast<std::size_t>(
                         std::count(column.text[row].begin(), column.text[row].end(), ' '));
      ++filled;
    }
    if (distinct.size() <= 1) {
      found->push_back(
          {column.name, "constant", Severity::kLow, 1, "distinct.exact",
           filled == 0 ? fmt::format("`{}` is always missing", column.name)
           : filled == rows.size()
               ? fmt::format("`{}` has one value only", column.name)
               : fmt::format("`{}` has one value only, and is missing in {} of the rows",
                             column.name,
                             PercentText(1 - static_cast<double>(filled) /
                                                 static_cast<double>(rows.size()))),
           true});
      continue;
    }
    if (filled != rows.size() || distinct.size() != filled || rows.size() < 50) continue;
    const std::string lower = ToLower(column.name);
    const bool named =
        lower == "id" || lower.ends_with("id") || lower.ends_with("_id") || lower == "index";
    const bool id = (column.type == table::Type::kInt && (increasing || named)) ||
                    (column.type == table::Type::kText && words * 2 < filled * 3);
    if (!id) continue;
    found->push_back(
        {column.name, "id_like", Severity::kLow, 1, "distinct.exact",
         fmt::format("`{}` has another value in each row and looks like a name of the rows, which "
                     "nothing can be learned from",
                     column.name),
         true});
  }
}

// Each value of one goes with one value of the other, in both directions.
bool IsRelabelling(const table::Column& column, const table::Column& target,
                   const std::vector<std::uint32_t>& rows) {
  std::unordered_map<std::uint64_t, std::uint64_t> there, back;
  for (const std::uint32_t row : rows) {
    if (!column.IsValid(row)) return false;
    const std::uint64_t a = CellHash(column, row), b = CellHash(target, row);
    if (there.emplace(a, b).first->second != b || back.emplace(b, a).first->second != a)
      return false;
  }
  return there.size() > 1;
}

// Whether a value is there tells the target.
void FindTellingGaps(const table::Column& column, const Target& target,
                     std::vector<LeakWarning>* found) {
  const Bins bins = PresenceBins(column, target);
  const auto present =
      static_cast<std::size_t>(std::count(bins.of_row.begin(), bins.of_row.end(), 1u));
  const std::size_t absent = bins.of_row.size() - present;
  if (present < 30 || absent < 30) return;
  const double score = PredictiveScore(bins, target);
  const bool numbers = target.kind == Target::Kind::kNumber;
  double pure = 0;
  std::size_t pure_side = 0;
  if (!numbers) {
    std::vector<double> all(static_cast<std::size_t>(target.classes), 0), sides[2] = {all, all};
    for (std::size_t i = 0; i < bins.of_row.size(); ++i) {
      const auto label = static_cast<std::size_t>(target.values[i]);
      ++all[label];
      ++sides[bins.of_row[i]][label];
    }
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
      const double size = static_cast<double>(side == 1 ? present : absent);
      for (std::size_t label = 0; label < all.size(); ++label) {
        const double base = all[label] / static_cast<double>(target.values.size());
        const double share = sides[side][label] / size;
        if (share >= kPure && base <= 0.9 && share > pure) {
          pure = share;
          pure_side = side;
        }
      }
    }
  }
  if (pure == 0 && score < (numbers ? 0.5 : 0.85)) return;
  const std::string what =
      pure > 0 ? fmt::format("where it is {}, {} of the rows have the same `target`",
                             pure_side == 1 ? "filled" : "missing", PercentText(pure))
               : std::string("whether it is filled predicts the target");
  LeakWarning warning{column.name,
                      "missingness",
                      Severity::kHigh,
                      std::max(pure, score),
                      std::string(target.method()),
                      "",
                      true};
  warning.message =
      fmt::format("`{}` looks as if it was filled in after the outcome: {}", column.name, what);
  found->push_back(std::move(warning));
}

struct Numbers {
  const std::string* name;
  std::vector<double> values;  // of the target's rows
};

bool AddsUp(const std::vector<double>& target, const std::vector<const Numbers*>& parts,
            const std::vector<double>& signs) {
  for (std::size_t row = 0; row < target.size(); ++row) {
    double sum = 0, scale = std::fabs(target[row]);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      sum += signs[i] * parts[i]->values[row];
      scale = std::max(scale, std::fabs(parts[i]->values[row]));
    }
    if (!(std::fabs(sum - target[row]) <= 1e-9 * std::max(1.0, scale)))
      return false;  // NaN is not equal
  }
  return true;
}

void FindSums(const table::Frame& frame, std::string_view target_name, const Target& target,
              std::vector<LeakWarning>* found) {
  if (target.kind != Target::Kind::kNumber || target.values.size() < 20) return;
  std::vector<Numbers> numbers;
  for (const table::Column& column : frame.columns) {
    if (column.name == target_name ||
        (column.type != table::Type::kInt && column.type != table::Type::kDouble))
      continue;
    const std::vector<double> all = table::AsDoubles(column);
    Numbers picked{&column.name, {}};
    for (const std::uint32_t row : target.rows) picked.values.push_back(all[row]);
    const bool varies = std::any_of(picked.values.begin(), picked.values.end(),
                                    [&](double v) { return v != picked.values[0] && v != 0; });
    if (varies) numbers.push_back(std::move(picked));
    if (numbers.size() == kSumColumnsMax) break;
  }
  std::unordered_set<std::string> told;
  const auto tell = [&](const std::vector<const Numbers*>& parts, const std::string& formula) {
    for (const Numbers* part : parts) {
      if (!told.insert(*part->name).second) continue;
      LeakWarning warning{*part->name, "sum_to_target", Severity::kHigh, 1, "sum.exact", "", true};
      warning.message = fmt::format("`{}` is a part of the target: {} = {} in every row",
                                    *part->name, formula, target_name);
      found->push_back(std::move(warning));
    }
  };
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    for (std::size_t j = i + 1; j < numbers.size(); ++j) {
      const Numbers *a = &numbers[i], *b = &numbers[j];
      if (AddsUp(target.values, {a, b}, {1, 1})) tell({a, b}, *a->name + " + " + *b->name);
      if (AddsUp(target.values, {a, b}, {1, -1})) tell({a, b}, *a->name + " - " + *b->name);
      if (AddsUp(target.values, {b, a}, {1, -1})) tell({b, a}, *b->name + " - " + *a->name);
      for (std::size_t k = j + 1; numbers.size() <= kSumColumnsMax / 2 && k < numbers.size(); ++k) {
        const Numbers* c = &numbers[k];
        if (AddsUp(target.values, {a, b, c}, {1, 1, 1}))
          tell({a, b, c}, *a->name + " + " + *b->name + " + " + *c->name);
      }
    }
  }
}

void FindPredictors(const table::Frame& frame, const table::Column& target_column,
                    const Target& target, std::vector<LeakWarning>* found) {
  for (const table::Column& column : frame.columns) {
    if (column.name == target_column.name) continue;
    if (IsRelabelling(column, target_column, target.rows) && target.kind != Target::Kind::kNumber) {
      found->push_back({column.name, "copy_of_target", Severity::kHigh, 1, "relabelling.exact",
                        fmt::format("`{}` is the target under another name: each of its values "
                                    "goes with one value of `{}`",
                                    column.name, target_column.name),
                        true});
      continue;
    }
    double score = PredictiveScore(column, target);
    std::string method(target.method());
    if (const double ranks = RankScore(column, target);
        score < kNearPerfect && ranks >= kNearPerfect) {
      score = ranks;
      method = "assoc.rank_r2.2fold";
    }
    if (score >= kNearPerfect) {
      found->push_back(
          {column.name, "near_perfect", Severity::kHigh, score, std::move(method),
           fmt::format(
               "`{}` alone predicts `{}` almost perfectly ({:.3f}): would you know it beforehand?",
               column.name, target_column.name, score),
           true});
      continue;
    }
    const std::size_t before = found->size();
    FindTellingGaps(column, target, found);
    if (found->size() > before) {
      std::string& message = found->back().message;
      if (const auto at = message.find("`target`"); at != std::string::npos)
        message.replace(at, 8, "`" + target_column.name + "`");
    }
  }
}
}  // namespace

std::string PercentText(double share) {
  const double percent = 100 * share;
  if (percent < 100 && percent > 99.9) return "more than 99.9 %";
  if (percent > 0 && percent < 0.1) return "less than 0.1 %";
  const bool near_end = percent != 0 && percent != 100 && (percent < 1 || percent > 99);
  return near_end ? fmt::format("{:.1f} %", percent) : fmt::format("{:.0f} %", percent);
}

std::string_view SeverityName(Severity severity) {
  return severity == Severity::kHigh ? "high" : "low";
}

Json LeakWarningToJson(const LeakWarning& warning) {
  return Json::Obj({{"column", warning.column},
                    {"kind", warning.kind},
                    {"severity", SeverityName(warning.severity)},
                    {"score", warning.score},
                    {"method", warning.method},
                    {"message", warning.message},
                    {"leave_out", warning.leave_out}});
}

std::vector<LeakWarning> FindLeaks(const table::Frame& frame, std::string_view target_name) {
  std::vector<LeakWarning> found;
  const std::vector<std::uint32_t> rows = EvenRows(frame.rows(), kRowsMax);
  const table::Column* target_column = frame.Find(target_name);
  if (target_column != nullptr) {
    const Target target = ReadTarget(*target_column, rows);
    if (target.values.size() >= 20 &&
        (target.kind == Target::Kind::kNumber || target.classes > 1)) {
      FindSums(frame, target_name, target, &found);
      FindPredictors(frame, *target_column, target, &found);
    }
  }
  FindUseless(frame, rows, target_name, &found);
  // One column, one warning: the first is the gravest.
  std::stable_sort(found.begin(), found.end(), [](const LeakWarning& a, const LeakWarning& b) {
    if (a.severity != b.severity) return a.severity < b.severity;
    return a.score > b.score;
  });
  std::unordered_set<std::string> seen;
  std::erase_if(found,
                [&](const LeakWarning& warning) { return !seen.insert(warning.column).second; });
  return found;
}

std::vector<Association> Associations(const table::Frame& frame, std::string_view target_name) {
  std::vector<Association> list;
  const table::Column* target_column = frame.Find(target_name);
  if (target_column == nullptr) return list;
  const Target target = ReadTarget(*target_column, EvenRows(frame.rows(), kRowsMax));
  for (const table::Column& column : frame.columns) {
    if (column.name == target_name) continue;
    list.push_back({column.name, PredictiveScore(column, target), std::string(target.method())});
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Association& a, const Association& b) { return a.score > b.score; });
  return list;
}

}  // namespace gyre::data
