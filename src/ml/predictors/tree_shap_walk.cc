#include "ml/predictors/tree_shap_walk.h"

namespace gyre::predictors {

namespace {

struct Two {
  typedef double Numbers __attribute__((vector_size(16), may_alias));
  typedef std::int64_t Mask __attribute__((vector_size(16), may_alias));
};

void WalkShapPlain(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room) {
  WalkShapWith<Two>(tree, rows, room);
}

}  // namespace

std::vector<ShapWalk> ShapWalks() {
  std::vector<ShapWalk> walks = {WalkShapPlain};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) walks.push_back(WalkShapAvx2);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    walks.push_back(WalkShapAvx512);
#endif
  return walks;
}

void WalkShap(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room) {
  static const ShapWalk walk = ShapWalks().back();
  walk(tree, rows, room);
}

}  // namespace gyre::predictors
