// The values of one column or step for a block of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace gyre::recipes {

// Exactly one of numbers, integers, texts is set. Missing: NaN; valid[i] == 0; a text whose data()
// is null.
struct Lane {
  const double* numbers = nullptr;
  const std::int64_t* integers = nullptr;  // bool, int, date, timestamp
  const unsigned char* valid = nullptr;    // of integers; null = all valid
  const std::string_view* texts = nullptr;
};

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Every NaN becomes the same one, so that payloads in the data never reach an output.
inline double Canonical(double x) { return x != x ? kNaN : x; }

// f(i, number) for every row of a numeric lane.
template <class F>
void ForNumbers(const Lane& in, std::size_t rows, F f) {
  if (in.numbers != nullptr) {
    for (std::size_t i = 0; i < rows; ++i) f(i, Canonical(in.numbers[i]));
  } else {
    for (std::size_t i = 0; i < rows; ++i) {
      f(i, in.valid != nullptr && in.valid[i] == 0 ? kNaN : static_cast<double>(in.integers[i]));
    }
  }
}

// f(i, is_missing) for every row of any lane.
template <class F>
void ForMissing(const Lane& in, std::size_t rows, F f) {
  for (std::size_t i = 0; i < rows; ++i) {
    if (in.numbers != nullptr) {
      f(i, in.numbers[i] != in.numbers[i]);
    } else if (in.texts != nullptr) {
      f(i, in.texts[i].data() == nullptr);
    } else {
      f(i, in.valid != nullptr && in.valid[i] == 0);
    }
  }
}

}  // namespace gyre::recipes
