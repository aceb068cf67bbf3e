#include "ml/data/association.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <unordered_map>

#include "base/hash.h"
#include "platform/table/reader.h"

namespace gyre::data {

namespace {
constexpr std::uint32_t kNumberBins = 64;
constexpr std::uint32_t kTextBins = 1024;
constexpr int kClassesMax = 20;
// Fewer rows than this outside the most frequent class may fall into place by chance.
constexpr std::size_t kSeparatedRowsMin = 8;

// Even and odd rows are often systematically different (pairs, sorted files): the half is drawn by
// a hash of the row number.
bool FirstHalf(std::uint32_t row) { return ((row * 0x9E3779B1u) >> 16 & 1) == 0; }

// Sum of the target per bin (or per bin and class) over one half.
struct Learned {
  std::vector<double> sums;  // bins x outputs
  std::vector<double> counts;
  double overall = 0;
};

double Auc(const std::vector<double>& scores, const std::vector<double>& labels) {
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return scores[a] < scores[b]; });
  double rank_sum = 0, positives = 0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t j = i;
    while (j < order.size() && scores[order[j]] == scores[order[i]]) ++j;
    const double rank =
        (static_cast<double>(i) + static_cast<double>(j) + 1) / 2;  // the mean rank of ties
    for (; i < j; ++i) {
      if (labels[order[i]] > 0.5) {
        rank_sum += rank;
        ++positives;
      }
    }
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return 0.5;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

// Prediction of each row from the other half's means per bin, shrunk towards the overall mean by
// one row's weight.
std::vector<double> HeldOutMeans(const Bins& bins, const Target& target) {
  std::vector<double> sums[2], counts[2];
  double total[2] = {0, 0}, rows[2] = {0, 0};
  for (int half = 0; half < 2; ++half) {
    sums[half].assign(bins.count, 0);
    counts[half].assign(bins.count, 0);
  }
  for (std::size_t i = 0; i < target.values.size(); ++i) {
    const int half = FirstHalf(target.rows[i]) ? 0 : 1;
    sums[half][bins.of_row[i]] += target.values[i];
    counts[half][bins.of_row[i]] += 1;
    total[half] += target.values[i];
    rows[half] += 1;
  }
  std::vector<double> predicted(target.values.size());
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const int other = FirstHalf(target.rows[i]) ? 1 : 0;
    const double mean = rows[other] > 0 ? total[other] / rows[other] : 0;
    const std::uint32_t bin = bins.of_row[i];
    predicted[i] = (sums[other][bin] + mean) / (counts[other][bin] + 1);
  }
  return predicted;
}

double R2(const std::vector<double>& predicted, const std::vector<double>& actual) {
  double mean = 0;
  for (const double v : actual) mean += v / static_cast<double>(actual.size());
  double residual = 0, total = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    residual += (actual[i] - predicted[i]) * (actual[i] - predicted[i]);
    total += (actual[i] - mean) * (actual[i] - mean);
  }
  return total > 0 ? std::max(0.0, 1 - residual / total) : 0;
}

double AccuracyGain(const Bins& bins, const Target& target) {
  const auto classes = static_cast<std::size_t>(target.classes);
  std::vector<std::uint32_t> counts[2];
  std::vector<std::uint32_t> overall(classes, 0);
  for (auto& half : counts) half.assign(bins.count * classes, 0);
  for (std::size_t i = 0; i < target.values.size(); ++i) {
    const auto label = static_cast<std::size_t>(target.values[i]);
    ++counts[FirstHalf(target.rows[i]) ? 0 : 1][bins.of_row[i] * classes + label];
    ++overall[label];
  }
  const auto base =
      static_cast<std::size_t>(std::max_element(overall.begin(), overall.end()) - overall.begin());
  double right = 0, right_base = 0;
  for (std::size_t i = 0; i < target.values.size(); ++i) {
    const auto& other = counts[FirstHalf(target.rows[i]) ? 1 : 0];
    const auto begin = other.begin() + static_cast<std::ptrdiff_t>(bins.of_row[i] * classes);
    const auto best = std::max_element(begin, begin + static_cast<std::ptrdiff_t>(classes));
    const std::size_t guess = *best == 0 ? base : static_cast<std::size_t>(best - begin);
    const auto label = static_cast<std::size_t>(target.values[i]);
    right += guess == label;
    right_base += base == label;
  }
  const double n = static_cast<double>(target.values.size());
  return right_base < n ? std::max(0.0, (right - right_base) / (n - right_base)) : 0;
}
}  // namespace

std::vector<std::uint32_t> EvenRows(std::size_t rows, std::size_t rows_max) {
  const std::size_t count = std::min(rows, rows_max);
  std::vector<std::uint32_t> picked(count);
  for (std::size_t i = 0; i < count; ++i) picked[i] = static_cast<std::uint32_t>(i * rows / count);
  return picked;
}

std::string_view Target::method() const {
  if (kind == Kind::kBinary) return "assoc.gini.2fold";
  return kind == Kind::kClasses ? "assoc.accuracy_gain.2fold" : "assoc.r2.2fold";
}

Target ReadTarget(const table::Column& column, const std::vector<std::uint32_t>& rows) {
  Target target;
  std::map<std::string, int> names;
  std::map<double, int> numbers;
  const std::vector<double> doubles = table::AsDoubles(column);
  const bool text = column.type == table::Type::kText;
  for (const std::uint32_t row : rows) {
    if (!column.IsValid(row) || (!text && std::isnan(doubles[row]))) continue;
    target.rows.push_back(row);
    if (text && names.size() <= 1000) names.emplace(column.text[row], 0);
    if (!text && numbers.size() <= kClassesMax) numbers.emplace(doubles[row], 0);
  }
  int next = 0;
  for (auto& [name, index] : names) index = next++;
  next = 0;
  for (auto& [number, index] : numbers) index = next++;
  const bool classes = text || column.type == table::Type::kBool ||
                       (column.type == table::Type::kInt && numbers.size() <= 10) ||
                       numbers.size() <= 2;
  for (const std::uint32_t row : target.rows) {
    if (text) {
      const auto found = names.find(std::string(column.text[row]));
      target.values.push_back(found == names.end() ? 0 : found->second);
    } else {
      target.values.push_back(classes ? numbers[doubles[row]] : doubles[row]);
    }
  }
  if (!classes) return target;
  target.classes = static_cast<int>(text ? names.size() : numbers.size());
  target.kind = target.classes <= 2 ? Target::Kind::kBinary : Target::Kind::kClasses;
  return target;
}

namespace {
// Upper bounds of each bin but the last. A value that fills a bin has one for itself: zeros in the
// same bin as the first numbers above them would hide that the zeros know the answer.
std::vector<double> BinEdges(const std::vector<double>& sorted) {
  std::vector<double> edges;
  if (sorted.empty()) return edges;
  const auto add = [&](double edge) {
    if (edge > (edges.empty() ? sorted.front() : edges.back())) edges.push_back(edge);
  };
  double before = sorted.front();
  for (std::uint32_t i = 1; i < kNumberBins; ++i) {
    const double value = sorted[sorted.size() * i / kNumberBins];
    add(value);
    if (value == before) {
      const auto next = std::upper_bound(sorted.begin(), sorted.end(), value);
      if (next != sorted.end()) add(*next);
    }
    before = value;
  }
  return edges;
}

// What a column says of the target in each of its values' runs: rows in the order of the values,
// missing ones first.
struct Ordered {
  double value;
  bool missing;
  int label;
};
std::vector<Ordered> InOrder(const table::Column& column, const Target& target) {
  const std::vector<double> doubles = table::AsDoubles(column);
  std::vector<Ordered> rows;
  for (std::size_t i = 0; i < target.rows.size(); ++i) {
    const double value = doubles[target.rows[i]];
    const bool missing = std::isnan(value);
    rows.push_back({missing ? 0 : value, missing, static_cast<int>(target.values[i])});
  }
  std::sort(rows.begin(), rows.end(), [](const Ordered& a, const Ordered& b) {
    return a.missing != b.missing ? a.missing : a.value < b.value;
  });
  return rows;
}
}  // namespace

bool Separates(const table::Column& column, const Target& target) {
  if (target.kind == Target::Kind::kNumber || column.type == table::Type::kText) return false;
  std::vector<std::size_t> of_class(static_cast<std::size_t>(target.classes), 0);
  for (const double label : target.values) ++of_class[static_cast<std::size_t>(label)];
  std::sort(of_class.begin(), of_class.end());
  if (target.classes < 2 || target.values.size() - of_class.back() < kSeparatedRowsMin)
    return false;
  const std::vector<Ordered> rows = InOrder(column, target);
  int runs = 1;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].label == rows[i - 1].label) continue;
    const bool tie = rows[i].missing == rows[i - 1].missing && rows[i].value == rows[i - 1].value;
    if (tie || ++runs > target.classes + 1) return false;
  }
  return true;
}

Bins MakeBins(const table::Column& column, const Target& target) {
  Bins bins;
  bins.of_row.resize(target.rows.size(), 0);
  if (column.type == table::Type::kText) {
    std::unordered_map<std::uint64_t, std::uint32_t> seen;
    for (std::size_t i = 0; i < target.rows.size(); ++i) {
      if (!column.IsValid(target.rows[i])) continue;
      const std::uint64_t hash = Xxh3(column.text[target.rows[i]]);
      const auto [found, fresh] = seen.emplace(hash, bins.count);
      // Beyond the bound, values share bins by their hash.
      if (fresh)
        found->second = bins.count < kTextBins
                            ? bins.count++
                            : 1 + static_cast<std::uint32_t>(hash % (kTextBins - 1));
      bins.of_row[i] = found->second;
    }
    return bins;
  }
  const std::vector<double> doubles = table::AsDoubles(column);
  std::vector<double> sorted;
  for (const std::uint32_t row : target.rows) {
    if (!std::isnan(doubles[row])) sorted.push_back(doubles[row]);
  }
  std::sort(sorted.begin(), sorted.end());
  const std::vector<double> edges = BinEdges(sorted);
  bins.count = static_cast<std::uint32_t>(edges.size()) + 2;
  for (std::size_t i = 0; i < target.rows.size(); ++i) {
    const double value = doubles[target.rows[i]];
    if (std::isnan(value)) continue;
    bins.of_row[i] = 1 + static_cast<std::uint32_t>(
                             std::upper_bound(edges.begin(), edges.end(), value) - edges.begin());
  }
  return bins;
}

Bins PresenceBins(const table::Column& column, const Target& target) {
  Bins bins;
  bins.count = 2;
  bins.of_row.reserve(target.rows.size());
  for (const std::uint32_t row : target.rows) bins.of_row.push_back(column.IsValid(row) ? 1 : 0);
  return bins;
}

double PredictiveScore(const Bins& bins, const Target& target) {
  if (target.values.size() < 20) return 0;
  if (target.kind == Target::Kind::kClasses) return AccuracyGain(bins, target);
  const std::vector<double> predicted = HeldOutMeans(bins, target);
  if (target.kind == Target::Kind::kNumber) return R2(predicted, target.values);
  return std::max(0.0, 2 * Auc(predicted, target.values) - 1);
}

double PredictiveScore(const table::Column& column, const Target& target) {
  return Separates(column, target) ? 1 : PredictiveScore(MakeBins(column, target), target);
}

double RankScore(const table::Column& column, const Target& target) {
  if (target.kind != Target::Kind::kNumber) return 0;
  Target ranks = target;
  std::vector<double> sorted = target.values;
  std::sort(sorted.begin(), sorted.end());
  for (double& value : ranks.values) {
    const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
    value = static_cast<double>((low - sorted.begin()) + (high - sorted.begin())) / 2;
  }
  return PredictiveScore(MakeBins(column, ranks), ranks);
}

}  // namespace gyre::data
