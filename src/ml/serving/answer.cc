#include "ml/serving/answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/id.h"

namespace gyre::serving {

namespace {

// Shortest text that reads back the same bits; null for what JSON cannot say.
void AppendNumber(double value, std::string* out) {
  if (!std::isfinite(value)) {
    out->append("null");
    return;
  }
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out->append(text.data(), static_cast<std::size_t>(end - text.data()));
}

void AppendHex(std::uint64_t value, std::string* out) {
  std::array<char, 16> text;
  for (std::size_t i = text.size(); i > 0; --i, value >>= 4)
    text[i - 1] = "0123456789abcdef"[value & 15];
  out->append(text.data(), text.size());
}

std::uint64_t RandomBits() {
  std::uint64_t bits = 0;
  const std::string id = NewId();
  std::from_chars(id.data(), id.data() + 16, bits, 16);
  return bits;
}

}  // namespace

// Ids come from the kernel once per thread and go on by counting: one system call per request would
// cost more than the forest.
Answer::Answer() : id_high_(RandomBits()), id_low_(RandomBits()) {}

void Outputs::Clear() {
  rows = 0;
  values.clear();
  labels.clear();
}

void Outputs::Add(std::uint32_t label, const std::vector<double>& probabilities) {
  ++rows;
  values.insert(values.end(), probabilities.begin(), probabilities.end());
  labels.push_back(label);
}

std::uint64_t Answer::NextKey() const { return id_high_ ^ (id_low_ + inference_log::kIdStep); }

void Answer::TakeKey() { id_low_ += inference_log::kIdStep; }

void Answer::Begin(const Snapshot& snapshot, inference_log::Recorder* recorder, bool keep) {
  keep_ = keep;
  outputs_.Clear();
  snapshot_ = &snapshot;
  recorder_ = recorder;
  if (scratch_serial_ != snapshot.serial) {
    scratch_.emplace();
    scratch_serial_ = snapshot.serial;
    probabilities_.resize(std::max<std::size_t>(1, snapshot.predictions.size()));
  }
  first_ = true;
  out_.clear();
  out_ += snapshot.head;
  id_low_ += inference_log::kIdStep;
  AppendHex(id_high_, &out_);
  AppendHex(id_low_, &out_);
  if (recorder_ != nullptr) recorder_->Begin(snapshot.stream.get(), id_high_, id_low_);
  out_ += R"(","outputs":[)";
}

void Answer::Row(std::span<const table::Cell> cells) {
  const auto score = snapshot_->info.scorer->ScoreRow(cells, probabilities_, *scratch_);
  if (recorder_ != nullptr) recorder_->Row(cells, score.prediction, score.label, probabilities_);
  if (keep_) outputs_.Add(score.label, probabilities_);
  out_ += first_ ? R"({"prediction":)" : R"(,{"prediction":)";
  first_ = false;
  if (snapshot_->predictions.empty()) {
    AppendNumber(score.prediction, &out_);
    out_ += '}';
    return;
  }
  out_ += snapshot_->predictions[score.label];
  out_ += R"(,"probability":{)";
  for (std::size_t k = 0; k < snapshot_->keys.size(); ++k) {
    if (k != 0) out_ += ',';
    out_ += snapshot_->keys[k];
    AppendNumber(probabilities_[k], &out_);
  }
  out_ += "}}";
}

std::string Answer::Finish(const RowFacts& facts) {
  out_ += ']';
  if (facts.ignored != 0) {
    out_ += R"(,"ignored_columns":)";
    out_ += std::to_string(facts.ignored);
  }
  out_ += '}';
  return out_;
}

}  // namespace gyre::serving
