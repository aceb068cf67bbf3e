// Compiled for processors with these instructions, called only on them.
#if defined(__x86_64__)
#include "ml/predictors/tree_shap_walk.h"

namespace gyre::predictors {

namespace {

struct Four {
  typedef double Numbers __attribute__((vector_size(32), may_alias));
  typedef std::int64_t Mask __attribute__((vector_size(32), may_alias));
};

}  // namespace

void WalkShapAvx2(const ShapTree& tree, const ShapRows& rows, const ShapRoom& room) {
  WalkShapWith<Four>(tree, rows, room);
}

}  // namespace gyre::predictors
#endif
