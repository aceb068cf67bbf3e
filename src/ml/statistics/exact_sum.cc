#include "ml/statistics/exact_sum.h"

#include <cmath>
#include <limits>

namespace gyre::statistics {

void ExactSum::Normalize() {
  pending_ = 0;
  std::int64_t carry = 0;
  for (int i = 0; i + 1 < kLanes; ++i) {
    const std::int64_t v = lanes_[i] + carry;
    carry = v >> 32;
    lanes_[i] = v & 0xffff'ffff;
  }
  lanes_[kLanes - 1] += carry;
}

void ExactSum::AddSpecial(std::uint64_t bits) {
  if ((bits & 0xf'ffff'ffff'ffffull) != 0) {
    nan_ = true;
  } else if (bits >> 63 != 0) {
    minus_infinity_ = true;
  } else {
    plus_infinity_ = true;
  }
}

void ExactSum::Merge(const ExactSum& other) {
  ExactSum copy = other;
  copy.Normalize();
  Normalize();
  for (int i = 0; i < kLanes; ++i) lanes_[i] += copy.lanes_[i];
  Normalize();
  nan_ |= other.nan_;
  plus_infinity_ |= other.plus_infinity_;
  minus_infinity_ |= other.minus_infinity_;
}

void ExactSum::Clear() { *this = ExactSum(); }

double ExactSum::Value() const {
  if (nan_ || (plus_infinity_ && minus_infinity_)) return std::numeric_limits<double>::quiet_NaN();
  if (plus_infinity_) return std::numeric_limits<double>::infinity();
  if (minus_infinity_) return -std::numeric_limits<double>::infinity();
  ExactSum sum = *this;
  sum.Normalize();
  const bool negative = sum.lanes_[kLanes - 1] < 0;
  if (negative) {
    for (std::int64_t& lane : sum.lanes_) lane = -lane;
    sum.Normalize();
  }
  const auto bit = [&sum](int b) {
    return (static_cast<std::uint64_t>(sum.lanes_[b >> 5]) >> (b & 31)) & 1;
  };
  int top = kLanes - 1;
  while (top >= 0 && sum.lanes_[top] == 0) --top;
  if (top < 0) return 0;
  int highest = top * 32 + 31;
  while (bit(highest) == 0) --highest;
  // Bit 1 is the smallest denormal; below 53 significant bits above it, nothing is lost.
  const int lowest = highest < 53 ? 1 : highest - 52;
  std::uint64_t significand = 0;
  for (int b = highest; b >= lowest; --b) significand = significand << 1 | bit(b);
  if (lowest > 1 && bit(lowest - 1) != 0) {
    bool sticky = (significand & 1) != 0;
    for (int b = lowest - 2; b >= 1 && !sticky; --b) sticky = bit(b) != 0;
    if (sticky) ++significand;
  }
  const double value = std::ldexp(static_cast<double>(significand), lowest - 1075);
  return negative ? -value : value;
}

}  // namespace gyre::statistics
