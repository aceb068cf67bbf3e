// Labels to rows: matched by hash, then put in an order of their own, so that it does not matter in
// which they came. Private.
#pragma once

#include <cstdint>
#include <memory>
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

// The labels of a reading, by the ids and keys that they name: read once for all its pieces, as
// long as there are at most `labels_at_once`. Of more, so many at a time are held, and each piece
// reads them anew. One with an id of 32 digits takes about 100 bytes: 2,000,000 are 200 MB.
class LabelIndex {
 public:
  static constexpr std::int64_t kLabelsAtOnce = 2'000'000;
  // `request` and `problems` outlive the index; the latter gets the damaged label files, once.
  LabelIndex(const ReadRequest& request, table::Type label_type, std::vector<std::string>* problems,
             std::int64_t labels_at_once = kLabelsAtOnce);
  ~LabelIndex();
  LabelIndex(const LabelIndex&) = delete;
  LabelIndex& operator=(const LabelIndex&) = delete;

  // Appends `label` and `label_time` to a frame that has inference_id, key and event_time, and adds
  // to the counts of rows. Error: kCancelled GY4606.
  Result<> Join(table::Frame* frame, JoinCounts* counts);
  // Labels that no row so far belongs to.
  std::int64_t unknown() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace gyre::inference_log
