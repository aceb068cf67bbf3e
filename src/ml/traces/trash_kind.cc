#include "ml/traces/trash_kind.h"

namespace gyre::traces {

trash::Holding HeldTraces() {
  constexpr const char* kOfTraces = "trace IN (SELECT number FROM traces_trace WHERE project = ?1)";
  return {.what = "traces",
          .count = "SELECT COUNT(*) FROM traces_trace WHERE project = ?1",
          .rows = {{"traces_label", kOfTraces},
                   {"traces_link", kOfTraces},
                   {"traces_spans", kOfTraces},
                   {"traces_assessment", kOfTraces},
                   {"traces_trace"}}};
}

}  // namespace gyre::traces
