// Rows of one deployment on their way into a segment. Private.
//
// Columns of a segment: those of kSystemColumns, the inputs that the policy keeps or hashes, the
// prediction (of classes its index, `label`), a probability per class.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "ml/inference_log/policy.h"
#include "ml/inference_log/recorder.h"
#include "platform/table/frame.h"

namespace gyre::inference_log {

enum SystemColumn : std::size_t {
  kIdHigh,
  kIdLow,
  kRow,
  kClientId,
  kKey,
  kEventTime,
  kReceivedTime,
  kLatency,
  kSystemColumns,
};

// What a segment says of itself, and the stream's row in the database.
Json StreamFacts(const StreamSpec& spec);
Result<StreamSpec> StreamFromFacts(const Json& facts);

class SegmentBuilder {
 public:
  SegmentBuilder(std::shared_ptr<const Stream> stream, std::shared_ptr<const Policy> policy,
                 std::string_view hash_key, std::int64_t began_us);

  // The rows of one request as the recorder wrote them.
  void Add(std::string_view request);
  void Finish(std::string* file) const;
  // Begins the next segment in the memory of this one.
  void Clear(std::int64_t began_us);

  const Stream& stream() const { return *stream_; }
  const std::shared_ptr<const Policy>& policy() const { return policy_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t bytes() const { return bytes_; }        // taken in, about what it holds
  std::int64_t began_us() const { return began_us_; }  // by the monotonic clock
  std::int64_t event_min_us() const { return event_min_us_; }
  std::int64_t event_max_us() const { return event_max_us_; }
  std::int64_t received_min_us() const { return received_min_us_; }
  std::int64_t received_max_us() const { return received_max_us_; }
  std::int64_t ahead() const { return ahead_; }  // rows whose event time was ahead of the clock

 private:
  struct InputPlan {
    Keep keep = Keep::kKeep;
    std::size_t column = 0;  // in the frame
    std::unordered_map<std::string, std::string> hashes = {};
  };
  // What came with the rows of a request, by row.
  struct Extras {
    std::vector<std::int64_t> event_times;
    std::vector<std::string_view> ids, keys;
    void Read(const char* at, const RequestHead& head);
  };
  void AddExtras(const RequestHead& head, std::size_t i);
  const char* AddRow(const char* at, const RequestHead& head, std::string* key);
  void PushInput(std::size_t i, bool valid, const char* cell, std::string_view text);
  const std::string& Hashed(InputPlan& plan, std::string value);

  const std::shared_ptr<const Stream> stream_;
  const std::shared_ptr<const Policy> policy_;
  const std::string_view hash_key_;
  std::int64_t began_us_;
  std::size_t key_input_;  // inputs.size() = none
  table::Frame frame_;
  std::vector<InputPlan> inputs_;
  Extras extras_;                       // of the request that is being added, like the two below
  std::vector<std::uint32_t> numbers_;  // of its rows
  std::vector<std::string> keys_;       // from an input column
  std::size_t outputs_ = 0;             // first of the outputs in the frame
  std::int64_t rows_ = 0, bytes_ = 0, ahead_ = 0;
  std::int64_t event_min_us_ = INT64_MAX, event_max_us_ = INT64_MIN;
  std::int64_t received_min_us_ = INT64_MAX, received_max_us_ = INT64_MIN;
};

}  // namespace gyre::inference_log
