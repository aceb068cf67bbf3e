#include "ml/inference_log/trace.h"

#include <charconv>

#include "ml/inference_log/segment_builder.h"
#include "ml/inference_log/segment_file.h"

namespace gyre::inference_log {
namespace {

constexpr std::size_t kHalfDigits = 16;

// Two ids further apart were not given by one thread.
constexpr std::int64_t kAnswersMax = std::int64_t{1} << 48;

// Newton's way: each step doubles the digits that are right, and an odd number is its own inverse
// in the last three.
constexpr std::uint64_t InverseOf(std::uint64_t odd) {
  std::uint64_t inverse = odd;
  for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
  return inverse;
}
constexpr std::uint64_t kIdStepInverse = InverseOf(kIdStep);
static_assert(kIdStep * kIdStepInverse == 1);

std::optional<std::uint64_t> ParseHalf(std::string_view digits) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return value;
}

class Tracer {
 public:
  explicit Tracer(const std::string& id) : id_(id), own_(ParseOwnId(id)) {}

  Result<> Read(const std::string& path, std::int64_t place) {
    GYRE_TRY(const Json facts, ReadFacts(path));
    GYRE_TRY(const StreamSpec spec, StreamFromFacts(facts));
    return ForEachFrame(path, [&](table::Frame& part) -> Result<> {
      if (part.columns.size() < kSystemColumns)
        return MakeError(Code::kDataLoss, "GY4607", "a segment lacks columns");
      for (std::size_t row = 0; row < part.rows(); ++row) Look(spec, part, row, place);
      return {};
    });
  }

  void AddProblem(const std::string& problem) { problems_.Push(problem); }

  Json Answer() && {
    found_.Set("matches", matches_).Set("problems", std::move(problems_));
    if (last_before_) found_.Set("after_us", before_us_);
    if (first_after_) found_.Set("before_us", after_us_);
    return std::move(found_);
  }

 private:
  void Look(const StreamSpec& spec, const table::Frame& part, std::size_t row, std::int64_t place) {
    if (part.columns[kClientId].IsValid(row)) {
      if (part.columns[kClientId].text[row] == id_) Take(spec, part, row, place);
      return;
    }
    if (!own_ || static_cast<std::uint64_t>(part.columns[kIdHigh].ints[row]) != own_->high) return;
    const auto low = static_cast<std::uint64_t>(part.columns[kIdLow].ints[row]);
    if (low != own_->low)
      Near(AnswersBetween(own_->low, low), part.columns[kReceivedTime].ints[row]);
    else if (part.columns[kRow].ints[row] == own_->row)
      Take(spec, part, row, place);
    else
      NearSame(part.columns[kReceivedTime].ints[row]);
  }

  // A shadow scored the same row, but answered nobody.
  void Take(const StreamSpec& spec, const table::Frame& part, std::size_t row, std::int64_t place) {
    if (spec.role == "shadow") return;
    ++matches_;
    const std::int64_t received_us = part.columns[kReceivedTime].ints[row];
    if (matches_ > 1 && received_us < found_["received_us"].AsInt()) return;
    found_ = Json::Obj({{"captured", true},
                        {"endpoint", spec.endpoint},
                        {"deployment_id", spec.deployment_id},
                        {"model", spec.model},
                        {"model_version_id", spec.model_version_id},
                        {"role", spec.role},
                        {"event_us", part.columns[kEventTime].ints[row]},
                        {"received_us", received_us},
                        {"latency_us", part.columns[kLatency].ints[row]},
                        {"place", place}});
  }

  // Another row of the same request.
  void NearSame(std::int64_t received_us) {
    last_before_ = first_after_ = 0;
    before_us_ = after_us_ = received_us;
  }

  void Near(std::int64_t answers, std::int64_t received_us) {
    if (answers > kAnswersMax || answers < -kAnswersMax) return;
    if (answers < 0 && (!last_before_ || answers > *last_before_)) {
      last_before_ = answers;
      before_us_ = received_us;
    }
    if (answers > 0 && (!first_after_ || answers < *first_after_)) {
      first_after_ = answers;
      after_us_ = received_us;
    }
  }

  const std::string id_;
  const std::optional<OwnId> own_;
  Json found_ = Json::Obj(), problems_ = Json::Arr();
  std::int64_t matches_ = 0;
  std::optional<std::int64_t> last_before_, first_after_;  // answers away
  std::int64_t before_us_ = 0, after_us_ = 0;
};

// What was answered, and what is known to be true.
Result<> ReadRow(const ReadPlan& plan, const std::string& id, runners::Jobs& jobs, Trace* trace) {
  GYRE_TRY(const Json found, jobs.RunTaskNow("inference_log.rows",
                                             Json::Obj({{"read", ReadRequestToJson(plan.request)},
                                                        {"inference_id", id},
                                                        {"limit", 1}}),
                                             {}));
  if (found["rows"].size() == 0) return {};
  const Json& row = found["rows"].items()[0];
  for (std::size_t i = 0; i < found["columns"].size(); ++i) {
    const std::string& name = found["columns"].items()[i]["name"].AsString();
    if (name == "prediction") trace->prediction = row.items()[i];
    if (name == "label") trace->label = row.items()[i];
    if (name == "label_time") trace->label_time = row.items()[i];
  }
  return {};
}

}  // namespace

Result<Trace> TraceAnswer(const std::string& id, const std::vector<SegmentRow>& segments,
                          blob::Store& blobs, runners::Jobs& jobs, const PlanRow& plan) {
  std::vector<blob::Pin> pins;
  std::vector<std::string> damaged;
  Json files = Json::Arr();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    pins.push_back(blobs.PinObject(segments[i].object.digest));
    auto path = blobs.LocalPath(segments[i].object.digest);
    if (path)
      files.Push(Json::Obj({{"path", *std::move(path)}, {"place", i}}));
    else
      damaged.push_back(path.error().message());
  }
  GYRE_TRY(const Json found,
           jobs.RunTaskNow("inference_log.trace",
                           Json::Obj({{"id", id}, {"files", std::move(files)}}), {}));
  Trace trace = TraceFromJson(found);
  trace.problems.insert(trace.problems.end(), damaged.begin(), damaged.end());
  const auto place = static_cast<std::size_t>(found["place"].AsInt());
  if (!trace.captured || place >= segments.size()) return trace;
  GYRE_TRY(const ReadPlan row, plan(segments[place], trace.event_us));
  GYRE_DO(ReadRow(row, id, jobs, &trace));
  return trace;
}

std::optional<OwnId> ParseOwnId(std::string_view text) {
  OwnId id;
  if (text.size() > 2 * kHalfDigits) {
    const std::string_view number = text.substr(2 * kHalfDigits);
    const auto read = std::from_chars(number.data() + 1, number.data() + number.size(), id.row, 10);
    if (number.front() != '-' || read.ec != std::errc() || id.row < 0 ||
        read.ptr != number.data() + number.size())
      return std::nullopt;
  }
  if (text.size() < 2 * kHalfDigits) return std::nullopt;
  const auto high = ParseHalf(text.substr(0, kHalfDigits));
  const auto low = ParseHalf(text.substr(kHalfDigits, kHalfDigits));
  if (!high || !low) return std::nullopt;
  id.high = *high;
  id.low = *low;
  return id;
}

std::int64_t AnswersBetween(std::uint64_t from_low, std::uint64_t to_low) {
  return static_cast<std::int64_t>((to_low - from_low) * kIdStepInverse);
}

Result<Json> TraceTask(runners::TaskContext& context) {
  Tracer tracer(context.input()["id"].AsString());
  for (const Json& file : context.input()["files"].items()) {
    if (context.cancelled())
      return MakeError(Code::kCancelled, "GY4606", "reading captures was cancelled");
    const auto read = tracer.Read(file["path"].AsString(), file["place"].AsInt());
    if (!read) tracer.AddProblem(read.error().message());
  }
  return std::move(tracer).Answer();
}

Trace TraceFromJson(const Json& json) {
  Trace trace{.captured = json["captured"].AsBool(),
              .matches = json["matches"].AsInt(),
              .endpoint = json["endpoint"].AsString(),
              .deployment_id = json["deployment_id"].AsString(),
              .model = json["model"].AsString(),
              .model_version_id = json["model_version_id"].AsString(),
              .role = json["role"].AsString(),
              .event_us = json["event_us"].AsInt(),
              .received_us = json["received_us"].AsInt(),
              .latency_us = json["latency_us"].AsInt(),
              .after_us = json["after_us"].AsInt(),
              .before_us = json["before_us"].AsInt()};
  for (const Json& problem : json["problems"].items()) trace.problems.push_back(problem.AsString());
  return trace;
}

}  // namespace gyre::inference_log
