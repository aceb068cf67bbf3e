// The slots of a forest: each (feature, treatment of missing values, set of categories) that some
// split asks for gets a number, so that a row is turned into keys once for all trees. Private.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "ml/predictors/forest_layout.h"

namespace gyre::predictors {

// Numbers the slots: sorted by kind, then feature, then set.
class SlotBook {
 public:
  void Note(const Tree& tree);
  Slots Number();  // after the last Note
  std::uint32_t Find(const Tree& tree, const Split& split) const;

 private:
  using Key = std::tuple<SlotKind, std::uint32_t, std::vector<std::uint32_t>>;
  static Key KeyFor(const Tree& tree, const Split& split);
  std::map<Key, std::uint32_t> numbers_;
};

// A row goes right where the key of the split's slot is greater.
std::int64_t NodeKey(const Split& split);

}  // namespace gyre::predictors
