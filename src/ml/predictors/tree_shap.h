// Shapley values of forests by quadrature. Private.
//
// A leaf's part in the value of a feature is an integral over a polynomial whose degree is below
// the number of features on the leaf's path; Gauss-Legendre nodes, half as many as features, give
// it exactly. Each node of the quadrature needs products along the path only, without branches, so
// many rows go through a tree side by side.
//
// For feature i on a path let z be the product of the cover fractions of its edges and o whether
// the row follows all of them. With F(z, o) = (1 - t) z + t o the value of i is the sum over leaves
// of v * integral of prod F * (o_i - z_i) / F(z_i, o_i). Where a feature comes again further down,
// the last factor is built up edge by edge: (1 - z1) / F(z1, 1) - (1 - z0) / F(z0, 1) is
// (z0 - z1) / (F(z1, 1) F(z0, 1)), and for a row that leaves the path it is -1 / ((1 - t) F(z0,
// 1)).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "ml/predictors/explainer.h"
#include "ml/predictors/forest_layout.h"

namespace gyre::predictors {

constexpr std::size_t kShapLanes = 32;  // rows of a strip
struct alignas(64) Strip {
  double at[kShapLanes];
};
struct alignas(64) MaskStrip {
  std::int64_t at[kShapLanes];
};

// A tree as the steps of a walk, depth first.
struct ShapStep {
  enum Kind : unsigned char { kDown, kUp, kLeaf };
  Kind kind = kDown;
  bool right = false;         // the edge to the right child, which adds to its sister's sums
  std::uint32_t slot = 0;     // a row goes right where this key is greater than `key`
  std::uint32_t feature = 0;  // place in used()
  std::int32_t before = -1;   // depth of the edge above with the same feature
  std::uint32_t depth = 0;    // of the split that the edge leaves
  std::int64_t key = 0;
};

// Constants of the steps for one set of nodes, in the order of the walk. With F0 = F(z0, 1) and
// F1 = F(z1, 1), by node t of weight w:
//   kDown: F1 / F0, (1 - t) z1 / F0; then z1 / z0
//   kUp:   w (z0 - z1) / (F0 F1), -w / ((1 - t) F0)
//   kLeaf: both of kDown times v, w / F0^2; then v z1 / z0, v (z0 - z1), -v z1
// Two leaves of one split are one step: what the right one adds, its rows being those that do not
// take the edge to the left, is in the same constants.
struct ShapTree {
  const ShapStep* steps = nullptr;
  std::size_t step_count = 0;
  const double* constants = nullptr;
  std::size_t nodes = 0;
};

// keys: [strip][slot], values: [strip][place in used()], added to.
struct ShapRows {
  const MaskStrip* keys = nullptr;
  Strip* values = nullptr;
  std::size_t strips = 0, slots = 0, used = 0;
};

// Where a walk keeps what it has on its path.
struct ShapRoom {
  Strip* products = nullptr;      // by depth and node, (depth + 1) * nodes
  Strip* sums = nullptr;          // as many
  MaskStrip* followed = nullptr;  // by depth: the rows that follow all edges of its feature
};

// What this processor can do, the fastest last. All give the same bits: wider instructions only do
// more rows at a time.
using ShapWalk = void (*)(const ShapTree&, const ShapRows&, const ShapRoom&);
std::vector<ShapWalk> ShapWalks();
void WalkShap(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room);
#if defined(__x86_64__)
void WalkShapAvx2(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room);
void WalkShapAvx512(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room);
#endif

std::unique_ptr<Explainer> CompileShap(TreeModel model);  // with covers

}  // namespace gyre::predictors
