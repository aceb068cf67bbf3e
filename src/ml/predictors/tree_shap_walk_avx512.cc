// Compiled for processors with these instructions, called only on them.
#if defined(__x86_64__)
#include "ml/predictors/tree_shap_walk.h"

namespace gyre::predictors {

namespace {

struct Eight {
  typedef double Numbers __attribute__((vector_size(64), may_alias));
  typedef std::int64_t Mask __attribute__((vector_size(64), may_alias));
};

}  // namespace

void WalkShapAvx512(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room) {
  WalkShapWith<Eight>(tree, rows, room);
}

}  // namespace gyre::predictors
#endif
