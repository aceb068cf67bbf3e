#include "ml/inference_log/trash_kind.h"

#include "ml/inference_log/store.h"

namespace gyre::inference_log {

trash::Holding HeldCaptures(InferenceLog& log) {
  return {.what = "captured rows",
          .count = "SELECT COALESCE(SUM(row_count), 0) FROM inference_segment WHERE project = ?1",
          .blobs = {{kSegmentKind, "SELECT id FROM inference_segment WHERE project = ?1"},
                    {kLabelKind, "SELECT id FROM inference_label_batch WHERE project = ?1"}},
          .rows = {{"inference_segment"},
                   {"inference_stream"},
                   {"inference_label_batch"},
                   {"inference_policy"},
                   {"inference_count"}},
          // The last answers, given while the project went, have made these anew.
          .yields = {"inference_stream", "inference_policy", "inference_count"},
          .before = [&log](std::string_view) { return log.Flush(); }};
}

}  // namespace gyre::inference_log
