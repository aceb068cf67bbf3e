// Tables for tests: made up from a seed, with something to learn.
#pragma once

#include "base/random.h"
#include "platform/table/frame.h"

namespace gyre::training {

// x and z are numbers, city is a category, leak copies the target, target is "no" or "yes" with a
// rule behind it.
inline table::Frame ChurnFrame(std::size_t rows, std::uint64_t seed) {
  table::Frame frame;
  frame.columns.resize(5);
  const char* names[] = {"x", "z", "city", "leak", "churn"};
  const table::Type types[] = {table::Type::kDouble, table::Type::kInt, table::Type::kText,
                               table::Type::kText, table::Type::kText};
  for (std::size_t c = 0; c < 5; ++c) {
    frame.columns[c].name = names[c];
    frame.columns[c].type = types[c];
  }
  static constexpr const char* kCities[] = {"Rome", "Oslo", "Bern"};
  Random random(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = random.Normal();
    const auto z = static_cast<std::int64_t>(random.Below(20));
    const std::uint64_t city = random.Below(3);
    const bool yes =
        x + (city == 1 ? 1.0 : 0.0) + 0.1 * static_cast<double>(z) + random.Normal() > 1.5;
    frame.columns[0].PushDouble(x);
    if (i % 11 == 0) {
      frame.columns[1].PushNull();
    } else {
      frame.columns[1].PushInt(z);
    }
    frame.columns[2].PushText(kCities[city]);
    frame.columns[3].PushText(yes ? "gone" : "here");
    frame.columns[4].PushText(yes ? "yes" : "no");
  }
  return frame;
}

}  // namespace gyre::training
