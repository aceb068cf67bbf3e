// What stretches of a series leave on a chart: their ends, extremes, and what is no number. Pure
// functions. Private.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/series.h"

namespace gyre::tracking {

inline constexpr std::size_t kBlockPoints = 256;

// One point and its place in the series.
struct Mark {
  std::int64_t place = 0, step = 0, time_us = 0;
  double value = 0;
};

struct Block {
  std::int64_t points = 0;
  Mark first = {}, last = {};
  // The first of those with the least and the greatest finite value.
  std::optional<Mark> least = {}, most = {};
  // The first that is NaN, that is infinite.
  std::optional<Mark> nan = {}, up = {}, down = {};
  bool times_rise = true;  // none is before the one in front of it
};

// Of the points from `begin` to before `end`, of which there is one; places count from `base`.
Block Summarize(const Series& series, std::size_t begin, std::size_t end, std::int64_t base);
// Of stretches of kBlockPoints, the last one shorter.
std::vector<Block> BlocksOf(const Series& series, std::int64_t base);
// `later` follows what stands in `block`; its places are moved by `shift`.
void Join(const Block& later, std::int64_t shift, Block* block);
// The points of a block that a chart shows, in their order, each once.
std::vector<Mark> MarksOf(const Block& block);

// kBlocks, a byte; per block: flags, a byte; points; the marks that are there. All whole numbers
// have 8 bytes, little-endian.
std::string EncodeBlocks(std::span<const Block> blocks);
Result<std::vector<Block>> DecodeBlocks(std::string_view bytes);  // kDataLoss GY3410

}  // namespace gyre::tracking
