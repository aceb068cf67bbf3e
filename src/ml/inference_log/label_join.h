// Labels to rows: matched by hash, then put in an order of their own, so that it does not matter in
// which they came. Private.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ml/inference_log/joined.h"

namespace gyre::inference_log {

// Columns of a label file.
enum LabelColumn : std::size_t {
  kLabelId,
  kLabelKey,
  kLabelValue,
  kLabelTime,
  kLabelVersion,
  kLabelReceived,
  kLabelColumns,
};
table::Schema LabelSchema(table::Type label_type);

// Which labels have met a row, over all pieces of a reading.
class MetLabels {
 public:
  void Met(std::size_t label) {
    if (met_.size() <= label) met_.resize(label + 1);
    met_[label] = true;
  }
  std::int64_t count() const;

 private:
  std::vector<bool> met_;
};

// Appends `label` and `label_time` to a frame that has inference_id, key and event_time, and adds
// to the counts of rows. `problems` gets the damaged label files, once. The number of all labels.
Result<std::int64_t> JoinLabels(const ReadRequest& request, table::Type label_type,
                                table::Frame* frame, MetLabels* met, JoinCounts* counts,
                                std::vector<std::string>* problems);

}  // namespace gyre::inference_log
