// Traces: what happened while a program answered one request, as a tree of spans, with what people
// and judges said of it. A trace belongs to an experiment. Its spans come in batches, often before
// the client says what the trace is as a whole (Start), and either may be missing. Ids are the
// clients' own and are unique within a project. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/traces/span.h"
#include "ml/tracking/filter.h"
#include "platform/db/database.h"

namespace gyre::traces {

db::ModuleSchema TracesSchema();

using Texts = std::map<std::string, std::string>;

// Labels that searches know by a shorter word, named as tracing libraries name them.
inline constexpr std::string_view kNameTag = "mlflow.traceName";      // `name`
inline constexpr std::string_view kRunMetadata = "mlflow.sourceRun";  // `run_id`, beside links

inline constexpr std::size_t kTraceIdBytesMax = 250;
inline constexpr std::int64_t kSpanBytesMax = 64 << 20;  // of one trace, as text
inline constexpr int kLinksMax = 100;                    // in one call
inline constexpr int kAssessmentsMax = 1'000;            // of one trace
inline constexpr int kSearchMax = 500;

enum class State : unsigned char { kUnknown, kAtWork, kOk, kError };
std::string_view StateWord(State state);  // "IN_PROGRESS"
std::optional<State> StateOf(std::string_view word);

// What somebody, or a program, says of a trace.
struct Assessment {
  std::string id = {};                 // empty when it is made: one is given
  std::string name, kind;              // kind: feedback, expectation, issue
  std::string value = {}, error = {};  // JSON; empty = none
  std::string source_type = {}, source_id = {}, span = {};
  std::optional<std::string> rationale = {};
  Texts metadata = {};
  std::string overrides = {};                   // the id of the one that it replaces
  bool valid = true;                            // no other replaces it
  std::int64_t created_us = 0, updated_us = 0;  // 0 when it is made: now
};

struct Trace {
  std::string id, project;
  std::int64_t experiment = 0, started_us = 0;
  std::optional<std::int64_t> duration_us = {};
  State state = State::kUnknown;
  std::optional<std::string> client_request = {}, request_preview = {}, response_preview = {};
  Texts tags = {}, metadata = {};
  std::vector<Assessment> assessments = {};  // in the order in which they were made
  bool has_spans = false;
};

// The end of a trace that was started before its end was known.
struct TraceEnd {
  std::int64_t ended_us = 0;
  State state = State::kOk;
  Texts tags = {}, metadata = {};
};

// Spans of one trace. What is said beside them fills what the trace does not have yet; tags replace
// those of the same name.
struct SpanBatch {
  std::string trace_id;
  std::vector<Span> spans;
  std::optional<std::string> request_preview = {}, response_preview = {};
  Texts tags = {}, metadata = {};
};

struct TraceSearch {
  std::string project;
  std::vector<std::int64_t> experiments;
  tracking::Filter filter = {};               // of tracking::kTraceFields
  std::vector<tracking::OrderBy> order = {};  // then by the newest start, then by id
  int limit = 100;
  std::string page_token = {};
};
struct FoundTraces {
  std::vector<Trace> traces;
  // Also when the page is not full: one search reads at most 20,000 traces.
  std::string next_page_token;
};

struct TraceDeletion {
  std::string project;
  std::int64_t experiment = 0;
  std::vector<std::string> ids = {};           // these; empty = all that the rest holds for
  std::optional<std::int64_t> until_us = {};   // started then or before
  std::optional<std::int64_t> count_max = {};  // the oldest ones
  // Where among the files of the project those beside a trace lie, which go with it; "" = nowhere.
  std::function<std::string(std::string_view id)> folder = {};
};

struct AssessmentChange {
  std::optional<std::string> name = {}, value = {}, error = {}, rationale = {};
  std::string kind = {};  // of the value, when there is one: must be that of the assessment
  Texts metadata = {};    // added
};

// How two filters go together.
struct Correlation {
  std::int64_t first = 0, second = 0, both = 0, all = 0;
};

class Traces {
 public:
  virtual ~Traces() = default;

  // What the client says of a trace, once; a second time completes it. Errors: GY3450 a bad id,
  // GY3451 the id belongs to a trace of another experiment.
  virtual Result<Trace> Start(const Trace& trace) = 0;
  virtual Result<Trace> End(std::string_view project, std::string_view id,
                            const TraceEnd& end) = 0;  // GY3452
  // All of them or none. Errors: GY3450, GY3451, GY3454 more than kSpanBytesMax.
  virtual Result<> AddSpans(std::string_view project, std::int64_t experiment,
                            std::span<const SpanBatch> batches) = 0;

  virtual Result<Trace> Get(std::string_view project, std::string_view id) = 0;  // GY3452
  // In the order of their start, the root first; a span that came twice is there as it came last.
  virtual Result<std::vector<Span>> SpansOf(std::string_view project,
                                            std::string_view id) = 0;  // GY3452
  // Errors: GY3453 a page token, GY3455 a pattern.
  virtual Result<FoundTraces> Search(const TraceSearch& search) = 0;
  // Of the traces that `search` finds; its page and order do not matter.
  virtual Result<Correlation> Correlate(const TraceSearch& search, const tracking::Filter& first,
                                        const tracking::Filter& second) = 0;
  virtual Result<std::int64_t> Delete(const TraceDeletion& which) = 0;

  virtual Result<> SetTag(std::string_view project, std::string_view id, std::string_view name,
                          std::string_view value) = 0;  // GY3452
  virtual Result<> DeleteTag(std::string_view project, std::string_view id,
                             std::string_view name) = 0;  // GY3452, GY3456
  // To a run (kind "run") or a version of a prompt ("prompt", "name/version"). Traces that are not
  // there are passed over. GY3457: more than kLinksMax.
  virtual Result<> Link(std::string_view project, std::span<const std::string> ids,
                        std::string_view kind, std::string_view target) = 0;

  virtual Result<Assessment> Assess(std::string_view project, std::string_view id,
                                    Assessment assessment) = 0;  // GY3452, GY3458, GY3459
  virtual Result<Assessment> GetAssessment(std::string_view project, std::string_view id,
                                           std::string_view assessment) = 0;  // GY3452, GY3458
  virtual Result<Assessment> ChangeAssessment(
      std::string_view project, std::string_view id, std::string_view assessment,
      const AssessmentChange& change) = 0;  // GY3452, GY3458, GY3459
  // One that is not there is deleted already; what it replaced is valid again.
  virtual Result<> DeleteAssessment(std::string_view project, std::string_view id,
                                    std::string_view assessment) = 0;  // GY3452
};

Result<std::unique_ptr<Traces>> OpenTraces(db::Database& database, const Clock& clock);

}  // namespace gyre::traces
