#include "api/mlflow/assessments_api.h"

#include <algorithm>

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/traces_words.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr Permission kRead("run.read"), kWrite("run.write");
constexpr net::Field kAssessment = {"assessment", Type::kObject, "what is said", "", kRequired};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/traces/{trace_id}/assessments",
     .handler = Serve<&AssessmentsApi::Create>,
     .permission = kWrite,
     .summary = "Say something of a trace",
     .fields = {kAssessment},
     .doors = Doors::kApi3,
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/traces/{trace_id}/assessments/{assessment_id}",
     .handler = Serve<&AssessmentsApi::Get>,
     .permission = kRead,
     .summary = "An assessment",
     .doors = Doors::kApi3},
    {.method = Method::kPatch,
     .path = "/mlflow/traces/{trace_id}/assessments/{assessment_id}",
     .handler = Serve<&AssessmentsApi::Update>,
     .permission = kWrite,
     .summary = "Change an assessment",
     .fields = {kAssessment,
                {"update_mask", Type::kText, "its members that change", "", kRequired}},
     .doors = Doors::kApi3,
     .audited = false},
    {.method = Method::kDelete,
     .path = "/mlflow/traces/{trace_id}/assessments/{assessment_id}",
     .handler = Serve<&AssessmentsApi::Delete>,
     .permission = kWrite,
     .summary = "Remove an assessment",
     .doors = Doors::kApi3,
     .audited = false},
};

net::Response AnswerWith(std::string_view trace_id, const traces::Assessment& assessment) {
  return AnswerOf([&](AnswerWriter& out) {
    out.Raw("assessment", AssessmentJson(trace_id, assessment).Dump());
  });
}

// "rationale,metadata": protobuf's JSON of a mask joins its members with commas, in camel case or
// as they are.
Result<traces::AssessmentChange> ReadChange(std::string_view mask, Json json) {
  traces::AssessmentChange change;
  const auto paths = Split(mask, ',');
  const auto has = [&](std::string_view name) {
    return std::ranges::find(paths, name) != paths.end();
  };
  const bool says = has("feedback") || has("expectation");
  if (has("feedback") && has("expectation"))
    return InvalidParameter("Cannot specify both `expectation` and `feedback` parameters.");
  // What is not to change is not looked at, but an assessment always says something.
  if (!says) json.Set("feedback", Json::Obj()).Set("expectation", {}).Set("issue", {});
  GYRE_TRY(traces::Assessment given, ReadAssessment(json));
  if (says) {
    change.kind = given.kind;
    change.value = given.value;
    change.error = given.error;
  }
  if (has("assessment_name") || has("assessmentName")) change.name = given.name;
  if (has("rationale")) change.rationale = given.rationale.value_or("");
  if (has("metadata")) change.metadata = given.metadata;
  return change;
}

}  // namespace

net::RouteTable AssessmentsApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<net::Response> AssessmentsApi::Create(Call& call) {
  const std::string& trace_id = call.request.Param("trace_id");
  GYRE_TRY(const Json json, TreeOf("assessment", call.arguments.Value("assessment")));
  GYRE_TRY(traces::Assessment assessment, ReadAssessment(json));
  const std::string overrides = assessment.overrides;
  const auto made = traces_.Assess(call.project, trace_id, std::move(assessment));
  if (!made) return InTraceWords(made.error(), trace_id, overrides);
  return AnswerWith(trace_id, *made);
}

Result<net::Response> AssessmentsApi::Get(Call& call) {
  const std::string& trace_id = call.request.Param("trace_id");
  const std::string& id = call.request.Param("assessment_id");
  const auto found = traces_.GetAssessment(call.project, trace_id, id);
  if (!found) return InTraceWords(found.error(), trace_id, id);
  return AnswerWith(trace_id, *found);
}

Result<net::Response> AssessmentsApi::Update(Call& call) {
  const std::string& trace_id = call.request.Param("trace_id");
  const std::string& id = call.request.Param("assessment_id");
  GYRE_TRY(Json json, TreeOf("assessment", call.arguments.Value("assessment")));
  GYRE_TRY(const traces::AssessmentChange change,
           ReadChange(call.arguments.Text("update_mask"), std::move(json)));
  const auto changed = traces_.ChangeAssessment(call.project, trace_id, id, change);
  if (!changed) return InTraceWords(changed.error(), trace_id, id);
  return AnswerWith(trace_id, *changed);
}

Result<net::Response> AssessmentsApi::Delete(Call& call) {
  const std::string& trace_id = call.request.Param("trace_id");
  const std::string& id = call.request.Param("assessment_id");
  if (const auto done = traces_.DeleteAssessment(call.project, trace_id, id); !done)
    return InTraceWords(done.error(), trace_id, id);
  return EmptyAnswer();
}

}  // namespace gyre::mlflow
