#include "ml/recipes/grams.h"

#include <algorithm>
#include <numeric>

#include "base/hash.h"
#include "base/text.h"

namespace gyre::recipes {
namespace {

bool IsWordByte(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Appends the words of text to work.text with one space between them.
void AppendWords(std::string_view text, bool keep_ranges, Workspace& work) {
  for (std::size_t i = 0; i < text.size();) {
    const auto starts = static_cast<unsigned char>(text[i]);
    // An apostrophe belongs to a word when a letter follows: don't, 's.
    if (!IsWordByte(starts) && !(starts == '\'' && i + 1 < text.size() &&
                                 IsWordByte(static_cast<unsigned char>(text[i + 1])))) {
      ++i;
      continue;
    }
    if (!work.text.empty() && work.text.back() != ' ') work.text.push_back(' ');
    const auto begin = static_cast<std::uint32_t>(work.text.size());
    do {
      work.text.push_back(Lower(text[i++]));
    } while (i < text.size() && (IsWordByte(static_cast<unsigned char>(text[i])) ||
                                 (text[i] == '\'' && i + 1 < text.size() &&
                                  IsWordByte(static_cast<unsigned char>(text[i + 1])))));
    if (keep_ranges) work.tokens.emplace_back(begin, static_cast<std::uint32_t>(work.text.size()));
  }
}

// Counts by hash in a fixed space: a gram whose slot stays below min_rows surely occurs in fewer
// rows. Keeps the exact count small.
class Sieve {
 public:
  Sieve() : counts_(std::size_t{1} << 22, 0) {}
  void Add(std::string_view gram) {
    auto& count = counts_[Xxh3(gram, 1) & (counts_.size() - 1)];
    if (count != 0xff) ++count;
  }
  bool MayReach(std::string_view gram, std::int64_t min_rows) const {
    return counts_[Xxh3(gram, 1) & (counts_.size() - 1)] >= std::min<std::int64_t>(min_rows, 0xff);
  }

 private:
  std::vector<std::uint8_t> counts_;
};

// 2 x bins table of presence against bin.
double ChiSquare(const std::int64_t* present, const std::vector<std::int64_t>& totals,
                 std::int64_t all) {
  std::int64_t with = 0;
  for (std::size_t b = 0; b < totals.size(); ++b) with += present[b];
  double chi = 0;
  for (std::size_t b = 0; b < totals.size(); ++b) {
    const double expected_with =
        static_cast<double>(with) * static_cast<double>(totals[b]) / static_cast<double>(all);
    const double expected_without = static_cast<double>(totals[b]) - expected_with;
    const double difference = static_cast<double>(present[b]) - expected_with;
    if (expected_with > 0) chi += difference * difference / expected_with;
    if (expected_without > 0) chi += difference * difference / expected_without;
  }
  return chi;
}

}  // namespace

GramShape GramShapeOf(const Json& args) {
  return {args["of"].AsString() == "characters", static_cast<std::size_t>(args["min"].AsInt()),
          static_cast<std::size_t>(args["max"].AsInt())};
}

void Normalize(std::string_view text, const GramShape& shape, Workspace& work) {
  work.text.clear();
  work.tokens.clear();
  if (!shape.characters) {
    AppendWords(text, true, work);
    return;
  }
  work.text.push_back(' ');
  AppendWords(text, false, work);
  if (work.text.size() == 1) return;
  work.text.push_back(' ');
  for (std::size_t i = 0; i < work.text.size();) {
    const std::size_t length =
        std::max<std::size_t>(1, Utf8SequenceLength(std::string_view(work.text).substr(i)));
    work.tokens.emplace_back(static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i + length));
    i += length;
  }
}

GramCounts CountGrams(const FitInput& input, const GramShape& shape, std::int64_t min_rows) {
  Workspace work;
  Sieve sieve;
  for (std::size_t row = 0; row < input.rows; ++row) {
    ForGrams(input.in.texts[row], shape, work, [&](std::string_view gram) { sieve.Add(gram); });
  }
  GramCounts counts;
  const std::size_t bins = input.target != nullptr ? input.target->bin_count : 0;
  std::vector<std::size_t> last_row;
  for (std::size_t row = 0; row < input.rows; ++row) {
    ForGrams(input.in.texts[row], shape, work, [&](std::string_view gram) {
      if (!sieve.MayReach(gram, min_rows)) return;
      const auto code = static_cast<std::size_t>(counts.grams.Insert(gram));
      if (code == last_row.size()) {
        last_row.push_back(0);
        counts.rows.push_back(0);
        counts.by_bin.resize(counts.by_bin.size() + bins, 0);
      }
      if (last_row[code] == row + 1) return;
      last_row[code] = row + 1;
      ++counts.rows[code];
      if (bins != 0 && input.target->bins[row] >= 0)
        ++counts.by_bin[code * bins + static_cast<std::size_t>(input.target->bins[row])];
    });
  }
  std::vector<std::uint32_t> kept;
  for (std::uint32_t code : counts.grams.SortedCodes()) {
    if (counts.rows[code] >= min_rows) kept.push_back(code);
  }
  GramCounts result;
  result.grams = counts.grams.Pick(kept);
  for (std::uint32_t code : kept) {
    result.rows.push_back(counts.rows[code]);
    for (std::size_t b = 0; b < bins; ++b) result.by_bin.push_back(counts.by_bin[code * bins + b]);
  }
  return result;
}

std::vector<std::uint32_t> ChooseGrams(const GramCounts& counts, const FitInput& input,
                                       bool by_chi_square, std::size_t max) {
  std::vector<double> worth(counts.rows.size());
  const std::size_t bins = input.target != nullptr ? input.target->bin_count : 0;
  if (by_chi_square && bins >= 2) {
    std::vector<std::int64_t> totals(bins, 0);
    std::int64_t all = 0;
    for (std::size_t row = 0; row < input.rows; ++row) {
      if (input.target->bins[row] < 0) continue;
      ++totals[static_cast<std::size_t>(input.target->bins[row])];
      ++all;
    }
    for (std::size_t code = 0; code < worth.size(); ++code)
      worth[code] = ChiSquare(&counts.by_bin[code * bins], totals, all);
  } else {
    for (std::size_t code = 0; code < worth.size(); ++code)
      worth[code] = static_cast<double>(counts.rows[code]);
  }
  std::vector<std::uint32_t> order(worth.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return worth[a] > worth[b]; });
  if (order.size() > max) order.resize(max);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace gyre::recipes
