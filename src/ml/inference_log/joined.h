// Answers and their labels as one table: what monitoring, export and retraining read. For worker
// tasks; segments and labels come as files (InferenceLog::Plan finds them). Thread-safe.
//
// A label belongs to each row with its inference id or key. Of several, the one with the latest
// label_time counts (then the higher version, then the greater label), so the result does not
// depend on the order in which they came; the same label again changes nothing. label_time is the
// time since which it stands.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "platform/table/frame.h"

namespace gyre::inference_log {

struct FileRef {
  std::string path, name;
  // As its row in the database says; of segments, the events that it holds.
  std::int64_t rows = 0;
  std::int64_t event_min_us = INT64_MIN, event_max_us = INT64_MAX;
};

// A segment that cannot be read, or not to its end.
struct Damage {
  std::string what = {};  // one of the problems
  std::int64_t event_min_us = INT64_MIN, event_max_us = INT64_MAX;
};

struct ReadRequest {
  std::vector<FileRef> segments = {}, labels = {};
  std::int64_t from_us = INT64_MIN, to_us = INT64_MAX;  // of the event time, without its end
  std::int64_t lateness_us = INT64_MAX;
  std::int64_t dropped = 0;  // of the endpoint: passed on to the counts
  bool one_target = false;   // only what tells the same as the newest; the rest is a problem
  std::vector<std::string> whole = {};     // rows whose policy withheld one of these: a problem
  std::vector<std::string> problems = {};  // files that were damaged when they were found
  std::vector<Damage> damage = {};         // the segments among them
  std::int64_t damaged_segments = 0, damaged_rows = 0;
  std::function<bool()> cancelled = {};
};
Json ReadRequestToJson(const ReadRequest& request);
ReadRequest ReadRequestFromJson(const Json& json);

struct JoinCounts {
  std::int64_t rows = 0, labelled = 0;
  std::int64_t late = 0;        // rows whose first label came after the allowed lateness
  std::int64_t duplicates = 0;  // labels that said again what was known
  std::int64_t corrected = 0;   // labels that a later one replaced
  std::int64_t unknown = 0;     // labels of no row in these segments
  std::int64_t dropped = 0;     // rows that were answered but not captured, over all time
  std::int64_t damaged_segments = 0, damaged_rows = 0;
};
Json JoinCountsToJson(const JoinCounts& counts);

struct JoinedInput {
  std::string name;    // of the model's input
  std::string column;  // in the frame: another one when the name is taken ("input_label")
};

struct AnsweringVersion {
  std::string model;  // "churn:v3", as in the column model_version
  std::string model_version_id;
  std::vector<std::string> classes = {};  // empty: a regression
};

// Columns: inference_id, key, event_time, received_time, model_version ("churn:v3"), role,
// latency_us, the inputs (typed as the model's; hashed ones are text, dropped ones are not there),
// prediction (a number, or the name of the class), probability_CLASS..., label (as prediction),
// label_time. Rows by event time, then id.
struct Joined {
  table::Frame frame = {};
  std::vector<JoinedInput> inputs = {};
  std::vector<std::string> hashed = {};  // of the inputs: in some rows their values are hashes
  std::vector<AnsweringVersion> versions = {};
  std::string target = {};  // of the newest segment
  table::Type target_type = table::Type::kText;
  std::vector<std::string> classes = {};  // of the newest segment; empty: a regression
  JoinCounts counts = {};
  std::vector<std::string> problems = {};  // damaged files, named; their rows are not there
  std::vector<Damage> damage = {};         // the segments among them

  // What that version ("churn:v3") answers with; those of the newest segment for an unknown one.
  const std::vector<std::string>& ClassesOf(std::string_view model) const;
};

// Errors: kCancelled GY4606. A damaged file is no error but a problem.
Result<Joined> ReadJoined(const ReadRequest& request);

// The same piece by piece, whole segments up to about that many rows; each piece has the same
// columns, and is in order for itself. `frame` of the answer is empty. In memory: a piece, and at
// most 2,000,000 labels, 200 MB; they are read once, where there are more once for each piece.
using JoinedCallback = std::function<Result<>(const Joined& head, table::Frame& chunk)>;
Result<Joined> ForEachJoined(const ReadRequest& request, std::int64_t chunk_rows,
                             const JoinedCallback& callback);

// Only when the rows of each segment happened, and in which role they were answered: no columns are
// put together and no labels are read. What is damaged is left out.
using TimesCallback =
    std::function<Result<>(std::string_view role, std::span<const std::int64_t> event_us)>;
Result<> ForEachEventTime(const ReadRequest& request, const TimesCallback& callback);

// Inputs and target as the training data had them: the label under the target's name and of its
// type. A shadow's rows are left out: it answered nobody. So are hashed inputs: nothing that is
// asked later looks like a hash.
struct TrainingRows {
  table::Frame frame = {};
  std::vector<std::int64_t> event_us = {};      // of each row, ascending
  std::vector<AnsweringVersion> versions = {};  // those that answered
  std::int64_t labelled = 0;                    // rows with a label, set aside or not
  std::map<std::string, std::int64_t, std::less<>> set_aside = {};  // rows by their label
};
// Rows whose label is none of `classes` are set aside; empty: none are.
TrainingRows TrainingFrame(const Joined& joined, bool labelled_only,
                           const std::vector<std::string>& classes);

}  // namespace gyre::inference_log
