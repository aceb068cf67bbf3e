#include "ml/predictors/forest_slots.h"

namespace gyre::predictors {

namespace {

SlotKind KindOf(const Split& split) {
  if (split.categorical) return kInSet;
  if (split.missing == Missing::kZero) return split.default_left ? kZeroLeft : kZeroRight;
  if (split.missing == Missing::kNan) return split.default_left ? kNanLeft : kNanRight;
  return kPlain;
}

}  // namespace

SlotBook::Key SlotBook::KeyFor(const Tree& tree, const Split& split) {
  Key key{KindOf(split), split.feature, {}};
  if (split.categorical) {
    const auto first = tree.bitsets.begin() + split.bitset_begin;
    std::get<2>(key).assign(first, first + split.bitset_words);
  }
  return key;
}

void SlotBook::Note(const Tree& tree) {
  for (const Split& split : tree.splits) numbers_.try_emplace(KeyFor(tree, split), 0);
}

Slots SlotBook::Number() {
  Slots slots;
  slots.set_begin.push_back(0);
  for (auto& [key, number] : numbers_) {
    const auto& [kind, feature, set] = key;
    number = static_cast<std::uint32_t>(slots.feature.size());
    slots.feature.push_back(feature);
    ++slots.begin[static_cast<std::size_t>(kind) + 1];
    if (kind != kInSet) continue;
    slots.sets.insert(slots.sets.end(), set.begin(), set.end());
    slots.set_begin.push_back(static_cast<std::uint32_t>(slots.sets.size()));
  }
  for (std::size_t kind = 0; kind < kSlotKinds; ++kind) slots.begin[kind + 1] += slots.begin[kind];
  return slots;
}

std::uint32_t SlotBook::Find(const Tree& tree, const Split& split) const {
  return numbers_.find(KeyFor(tree, split))->second;
}

std::int64_t NodeKey(const Split& split) {
  return split.categorical ? 0 : KeyOf(ThresholdForRawValues(split.threshold));
}

}  // namespace gyre::predictors
