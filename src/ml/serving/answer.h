// The answer of an endpoint as JSON. Private.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ml/serving/rows.h"

namespace gyre::serving {

// Scores rows as they come, writes their outputs and records both. One per thread, reused.
class Answer final : public RowSink {
 public:
  Answer();
  void Begin(const Snapshot& snapshot, inference_log::Recorder* recorder = nullptr);
  void Row(std::span<const table::Cell> cells) override;
  std::string Finish(const RowFacts& facts);

 private:
  const Snapshot* snapshot_ = nullptr;
  inference_log::Recorder* recorder_ = nullptr;
  std::uint64_t scratch_serial_ = 0;
  std::optional<predictors::Scorer::RowScratch> scratch_;
  std::vector<double> probabilities_;
  std::string out_;
  bool first_ = true;
  std::uint64_t id_high_, id_low_;
};

}  // namespace gyre::serving
