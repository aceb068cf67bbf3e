#include "api/native/evaluation_api.h"

#include "api/native/job_answer.h"
#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "base/text.h"
#include "ml/evaluation/evaluations.h"

namespace gyre::native {
namespace {

// What both ways of judging take.
constexpr net::Field kDataset{"dataset", Type::kText,
                              "churn:v2; else the rows that the training held out"};
constexpr net::Field kAlias{"alias", Type::kText, "whose gate judges: champion"};
constexpr net::Field kRules{"rules", Type::kObjects, "of the gate, instead of its own"};
constexpr net::Field kOptions{"options", Type::kObject,
                              "slice, threshold, resamples, interval and the like"};
constexpr net::Field kFacts{"facts", Type::kObject, "numbers of yours for the rules of the gate"};
constexpr net::Field kPrimary{"primary", Type::kText, "the metric that decides"};

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/evaluate",
     .handler = Bind<&EvaluationApi::Evaluate>,
     .permission = Permission("model.write"),
     .summary = "Evaluate a model on a dataset, or on the rows that its training held out; the "
                "gate's verdict is recorded",
     .body = Body::kBuffer,
     .response_type = "Job",
     .members = {{"model", Type::kText, "churn:v3 or churn@champion", "", net::kRequired},
                 kDataset,
                 kAlias,
                 kRules,
                 kOptions,
                 kFacts,
                 kPrimary}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/compare",
     .handler = Bind<&EvaluationApi::Compare>,
     .permission = Permission("model.write"),
     .summary =
         "Compare two models on the same rows, and what the gate would say; no alias moves by it",
     .body = Body::kBuffer,
     .response_type = "Job",
     .members = {{"model", Type::kText, "churn:v3 or churn@champion", "", net::kRequired},
                 {"against", Type::kText, "the other model", "", net::kRequired},
                 kDataset,
                 kAlias,
                 kRules,
                 kOptions,
                 kFacts,
                 kPrimary}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/evaluations",
     .handler = Bind<&EvaluationApi::List>,
     .permission = Permission("model.read"),
     .summary = "Evaluations, newest first",
     .query = {{"model_version", Type::kText, "only those of this version, by id"}, kLimit}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/evaluations/{evaluation}",
     .handler = Bind<&EvaluationApi::Get>,
     .permission = Permission("model.read"),
     .summary = "One evaluation with its curves, slices and importance"},
};

Result<std::string> TextMember(const Json& body, std::string_view key) {
  const Json& value = body[key];
  if (!value.is_null() && !value.is_string())
    return InvalidArgument("GY3708", "`{}` must be text", key);
  return value.AsString();
}

}  // namespace

net::RouteTable EvaluationApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> EvaluationApi::Submit(net::Request& request, bool compare) {
  GYRE_TRY(const Json body, request.JsonBody());
  evaluation::EvaluateRequest asked;
  asked.project = request.Param("project");
  GYRE_TRY(asked.model, body.GetString("model"));
  if (compare) {
    GYRE_TRY(asked.against, body.GetString("against"));
    asked.counts = false;
  }
  GYRE_TRY(asked.dataset, TextMember(body, "dataset"));
  GYRE_TRY(asked.primary, TextMember(body, "primary"));
  GYRE_TRY(const std::string alias, TextMember(body, "alias"));
  if (!alias.empty()) asked.alias = alias;
  asked.rules = body["rules"];
  asked.options = body["options"];
  asked.facts = body["facts"];
  asked.created_by = request.principal.name;
  GYRE_TRY(const runners::Job job, evaluations_.Submit(std::move(asked)));
  return Accepted(job);
}

Result<net::Response> EvaluationApi::Evaluate(net::Request& request) {
  return Submit(request, false);
}
Result<net::Response> EvaluationApi::Compare(net::Request& request) {
  return Submit(request, true);
}

Result<net::Response> EvaluationApi::List(net::Request& request) {
  GYRE_TRY(const int limit, ReadLimit(request));
  GYRE_TRY(const auto evaluations,
           evaluations_.List(request.Param("project"), request.Query("model_version").value_or(""),
                             limit));
  return WholeList(evaluations, evaluation::StoredEvaluationToJson);
}

Result<net::Response> EvaluationApi::Get(net::Request& request) {
  GYRE_TRY(const evaluation::StoredEvaluation stored,
           evaluations_.Get(request.Param("evaluation")));
  if (stored.project != request.Param("project")) {
    return NotFound("GY3706", "there is no evaluation `{}` in this project",
                    request.Param("evaluation").substr(0, 64));
  }
  GYRE_TRY(const Json document, evaluations_.Document(stored));
  Json answer = evaluation::StoredEvaluationToJson(stored);
  for (const auto& [key, value] : document.members()) answer.Set(key, value);
  return net::Response::JsonDoc(answer);
}

}  // namespace gyre::native
