// Labels on their way in: each is checked against what the model predicts, and a batch becomes a
// file that joined.h reads. Private.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/inference_log/recorder.h"
#include "platform/table/frame.h"

namespace gyre::inference_log {

// What a label of an endpoint may be.
struct LabelRule {
  std::string target;
  table::Type target_type = table::Type::kText;
  std::vector<std::string> classes = {};  // empty: numbers
  std::string hash_key = {};              // of the keys, when the policy hashes the key column
  std::string key_column = {};

  bool numbers() const { return classes.empty(); }
};
LabelRule RuleOf(const StreamSpec& spec);
Json RuleToJson(const LabelRule& rule);
LabelRule RuleFromJson(const Json& json);

struct Label {
  std::string inference_id = {}, key = {};  // one of them, or both
  std::string word = {};                    // of classes
  double number = 0;                        // of a regression
  std::int64_t time_us = 0, version = 0;
};

// "ID-0" is "ID": the first row of a request.
std::string CanonicalId(std::string id);

// One row of a request: {"inference_id" or "key", "label", "time"?, "version"?}. `place` is said in
// messages: "rows[3]". Errors: kInvalidArgument GY4610 (a member), GY4611 the label is no value of
// the target.
Result<Label> ReadLabel(const Json& row, const LabelRule& rule, std::string_view place,
                        std::int64_t received_us);
// The label as it stands in a file; `where` is said in messages: "labels.csv, row 3, column label".
Result<> SetLabel(std::string_view text, const LabelRule& rule, std::string_view where,
                  Label* label);

// A file that grows: a frame each 65,536 labels, so that a storm of them takes no memory.
class LabelBatch {
 public:
  using Sink = std::function<Result<>(std::string_view bytes)>;
  LabelBatch(const LabelRule& rule, std::int64_t received_us, Sink sink);
  Result<> Add(const Label& label);
  Result<> Finish();
  std::int64_t rows() const { return rows_; }
  // Labels that are no class of the model, and how many: a new kind of answer, or a mistake.
  Json unknown_classes() const;

 private:
  Result<> Flush();
  const LabelRule& rule_;
  const std::int64_t received_us_;
  const Sink sink_;
  table::Frame frame_;
  std::int64_t rows_ = 0;
  bool begun_ = false;
  std::map<std::string, std::int64_t, std::less<>> unknown_;
};

}  // namespace gyre::inference_log
