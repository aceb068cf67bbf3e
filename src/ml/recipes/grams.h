// Text to n-grams: lower case (ASCII), words or characters. Bytes above 127 count as letters, so
// any bytes at all give something.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ml/recipes/kernel.h"

namespace gyre::recipes {

struct GramShape {
  bool characters = false;
  std::size_t min = 1, max = 1;  // n
};
GramShape GramShapeOf(const Json& args);

// Fills work.text with "tok tok tok" (characters: " tok tok ") and work.tokens with the ranges of
// its words (code points).
void Normalize(std::string_view text, const GramShape& shape, Workspace& work);

// f(gram) for each n-gram, in the order of the text. Grams are views into work.text.
template <class F>
void ForGrams(std::string_view text, const GramShape& shape, Workspace& work, F f) {
  Normalize(text, shape, work);
  const std::string_view all = work.text;
  for (std::size_t i = 0; i < work.tokens.size(); ++i) {
    for (std::size_t n = shape.min; n <= shape.max && i + n <= work.tokens.size(); ++n) {
      f(all.substr(work.tokens[i].first, work.tokens[i + n - 1].second - work.tokens[i].first));
    }
  }
}

// Calls f(code) once per distinct known n-gram of the text.
template <class F>
void ForKnownGrams(std::string_view text, const GramShape& shape, const Dictionary& vocabulary,
                   Workspace& work, F f) {
  if (work.stamps.size() < vocabulary.size()) work.stamps.resize(vocabulary.size(), 0);
  if (++work.stamp == 0) {
    std::fill(work.stamps.begin(), work.stamps.end(), 0u);
    work.stamp = 1;
  }
  ForGrams(text, shape, work, [&](std::string_view gram) {
    const std::int32_t code = vocabulary.Find(gram);
    if (code < 0 || work.stamps[static_cast<std::size_t>(code)] == work.stamp) return;
    work.stamps[static_cast<std::size_t>(code)] = work.stamp;
    f(static_cast<std::size_t>(code));
  });
}

// The n-grams that occur in at least min_rows rows, with the number of rows that hold them, in all
// and by bin of the target.
struct GramCounts {
  Dictionary grams{Dictionary::Kind::kText};
  std::vector<std::int64_t> rows;    // per gram
  std::vector<std::int64_t> by_bin;  // gram x bins; empty without a target
};
GramCounts CountGrams(const FitInput& input, const GramShape& shape, std::int64_t min_rows);

// Codes of the `max` grams that tell most (chi-square of presence against the bins) or occur most;
// in key order.
std::vector<std::uint32_t> ChooseGrams(const GramCounts& counts, const FitInput& input,
                                       bool by_chi_square, std::size_t max);

}  // namespace gyre::recipes
