// The answer of an endpoint as JSON. Private.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ml/serving/rows.h"

namespace gyre::serving {

// What a model answered, for comparing it with another one.
struct Outputs {
  std::size_t rows = 0;
  std::vector<double> values;  // rows x classes: probabilities; for regression rows x 1
  std::vector<std::uint32_t> labels;
  void Clear();
  void Add(std::uint32_t label, const std::vector<double>& probabilities);
};

// Scores rows as they come, writes their outputs and records both. One per thread, reused.
class Answer final : public RowSink {
 public:
  Answer();
  // `keep`: outputs() are wanted afterwards.
  void Begin(const Snapshot& snapshot, inference_log::Recorder* recorder = nullptr,
             bool keep = false);
  void Row(std::span<const table::Cell> cells) override;
  std::string Finish(const RowFacts& facts);

  const Outputs& outputs() const { return outputs_; }
  std::uint64_t id_high() const { return id_high_; }
  std::uint64_t id_low() const { return id_low_; }
  std::uint64_t NextKey() const;  // a number as good as the next answer's id
  void TakeKey();                 // no answer follows: the next number is another one

 private:
  const Snapshot* snapshot_ = nullptr;
  inference_log::Recorder* recorder_ = nullptr;
  std::uint64_t scratch_serial_ = 0;
  std::optional<predictors::Scorer::RowScratch> scratch_;
  std::vector<double> probabilities_;
  std::string out_;
  Outputs outputs_;
  bool first_ = true, keep_ = false;
  std::uint64_t id_high_, id_low_;
};

}  // namespace gyre::serving
