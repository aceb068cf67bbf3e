// What a tree ensemble is, whatever file it came from: the parsers write it, the forest engines are
// compiled from it. Private.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::predictors {

enum class Missing : unsigned char {
  kNone,
  kZero,
  kNan
};  // which values take the default direction

// A row goes left when x <= threshold (numeric) or when the whole part of x is in the bitset
// (categorical).
struct Split {
  std::uint32_t feature = 0;
  std::int32_t left = 0, right = 0;  // another split, or ~leaf
  double threshold = 0;
  Missing missing = Missing::kNone;
  bool default_left = false;
  bool categorical = false;
  std::uint32_t bitset_begin = 0, bitset_words = 0;  // in Tree::bitsets
};

struct Tree {
  std::vector<Split> splits;  // split 0 is the root; empty for a single leaf
  std::vector<double> leaves;
  std::vector<std::uint32_t> bitsets;
  // Rows of training that came by; empty unless they were asked for.
  std::vector<double> split_covers, leaf_covers;
};

// How raw sums become answers.
enum class Link : unsigned char {
  kIdentity,
  kSquare,  // sign(x) * x * x
  kExp,
  kSigmoid,  // each output by itself
  kSoftmax,
  kLog1pExp,
};

struct TreeModel {
  std::size_t features = 0;
  std::size_t outputs = 1;  // tree i adds to output i % outputs
  Link link = Link::kIdentity;
  double sigmoid = 1;
  bool average = false;  // the sums are divided by the number of iterations
  std::vector<Tree> trees;
};

constexpr double kZeroThreshold = 1e-35F;  // LightGBM takes smaller magnitudes for zero

// What raw sums count in, for people.
std::string_view ScaleName(Link link);
// In place, with LightGBM's own order of operations.
void ApplyLink(Link link, double sigmoid, double* values, std::size_t count);

// Answers do not need the covers, explanations do.
enum class Covers : unsigned char { kSkip, kRead };
// Reads LightGBM's model text, versions 2 to 4. Errors: kInvalidArgument GY3202 with line and
// reason; kUnimplemented GY3204 for what it can say and we do not run (linear trees, ranking
// objectives); kFailedPrecondition GY3206 the covers are asked for and are not there.
Result<TreeModel> ParseLightGbmText(std::string_view text, Covers covers = Covers::kSkip);

}  // namespace gyre::predictors
