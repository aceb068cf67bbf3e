#include "api/native/budgets_api.h"

#include <cmath>

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "base/time.h"
#include "ledger/usage/budgets.h"

namespace gyre::native {
namespace {

constexpr net::Field kName{"name", Type::kText, "its name", "", net::kRequired};
constexpr net::Field kAmount{"limit", Type::kNumber, "in the currency of the price book"};
constexpr net::Field kWarn{"warn_percent", Type::kWhole, "of the limit; 80 when it is not given"};
constexpr net::Field kStop{"stop", Type::kBool, "no new runs, jobs and pipelines once it is spent"};
constexpr net::Field kStopRunning{"stop_running", Type::kBool, "those that run are cancelled too"};

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/budgets",
     .handler = Bind<&BudgetsApi::List>,
     .permission = Permission("usage.read"),
     .summary = "Budgets, and how far each is spent",
     .response_type = "BudgetList",
     .per_project = true,
     .query = {kOfProject}},
    {.method = Method::kPost,
     .path = "/api/v1/budgets",
     .handler = Bind<&BudgetsApi::Add>,
     .permission = Permission("usage.admin"),
     .summary = "Limit what may be spent in a period",
     .body = Body::kBuffer,
     .request_type = "Budget",
     .response_type = "Budget",
     .members = {kName,
                 kAmount,
                 {"per", Type::kText, "month when it is not given", "day|week|month|year|total"},
                 {"project", Type::kText, "whose costs count; all when it is not given"},
                 {"user", Type::kText, "only what this one causes"},
                 {"kind", Type::kText, "only subjects of this kind: run, job, endpoint"},
                 kWarn,
                 kStop,
                 kStopRunning}},
    {.method = Method::kGet,
     .path = "/api/v1/budgets/{budget}",
     .handler = Bind<&BudgetsApi::Get>,
     .permission = Permission("usage.read"),
     .summary = "A budget, and how far it is spent",
     .response_type = "Budget",
     .per_project = true},
    {.method = Method::kPatch,
     .path = "/api/v1/budgets/{budget}",
     .handler = Bind<&BudgetsApi::Change>,
     .permission = Permission("usage.admin"),
     .summary = "Another limit, other thresholds; what is not given stays",
     .body = Body::kBuffer,
     .response_type = "Budget",
     .members = {kAmount, kWarn, kStop, kStopRunning}},
    {.method = Method::kDelete,
     .path = "/api/v1/budgets/{budget}",
     .handler = Bind<&BudgetsApi::Remove>,
     .permission = Permission("usage.admin"),
     .summary = "Remove a budget; what was spent stays in the books"},
};

Json StateToJson(const usage::BudgetState& state) {
  const usage::Budget& budget = state.budget;
  const auto text = [](const std::string& value) { return value.empty() ? Json() : Json(value); };
  return Json::Obj(
      {{"name", budget.name},
       {"project", text(budget.project)},
       {"user", text(budget.user)},
       {"kind", text(budget.subject_kind)},
       {"limit", static_cast<double>(budget.limit_nanos) / 1e9},
       {"per", budget.period},
       {"warn_percent", budget.warn_percent},
       {"stop", budget.stops},
       {"stop_running", budget.stops_running},
       {"spent", static_cast<double>(state.spent_nanos) / 1e9},
       {"spent_nanos", state.spent_nanos},
       {"spent_text", usage::MoneyText(state.spent_nanos)},
       {"limit_text", usage::MoneyText(budget.limit_nanos)},
       {"percent", state.percent()},
       {"state", state.spent()                                                 ? "spent"
                 : state.percent() >= static_cast<double>(budget.warn_percent) ? "warned"
                                                                               : "ok"},
       {"currency", state.currency},
       {"from", FormatTime(state.from_us)},
       {"to", state.to_us == 0 ? Json() : Json(FormatTime(state.to_us))},
       {"created_by", budget.created_by},
       {"created_at", FormatTime(budget.created_us)}});
}

Result<> ReadLimits(const Json& body, usage::Budget* budget) {
  constexpr double kLimitMax = 9e9;
  if (body.Has("limit")) {
    const double limit = body["limit"].AsDouble();
    budget->limit_nanos = limit > 0 && limit < kLimitMax ? std::llround(limit * 1e9) : 0;
  }
  if (body.Has("warn_percent")) {
    GYRE_TRY(budget->warn_percent, body.GetInt("warn_percent"));
  }
  budget->stops = body["stop"].AsBool(budget->stops);
  budget->stops_running = body["stop_running"].AsBool(budget->stops_running);
  return {};
}

Error NotThere(const std::string& name) {
  return NotFound("GY4135", "there is no budget `{}`", name).Fix("gyre budgets");
}

// A budget of a project that the caller may not see is not there for him.
Result<usage::BudgetState> StateOf(const usage::Budgets& budgets, const net::Request& request) {
  const std::string& name = request.Param("budget");
  GYRE_TRY(usage::BudgetState state, budgets.Get(name));
  const bool visible = state.budget.project.empty()
                           ? request.principal.all_projects
                           : request.principal.AllowsProject(state.budget.project);
  if (!visible) return NotThere(name);
  return state;
}

}  // namespace

net::RouteTable BudgetsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> BudgetsApi::List(net::Request& request) {
  GYRE_TRY(const auto states, budgets_.List(VisibleProjects(request)));
  return WholeList(states, StateToJson);
}

Result<net::Response> BudgetsApi::Add(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  usage::Budget budget;
  budget.name = body["name"].AsString();
  budget.project = body["project"].AsString();
  budget.user = body["user"].AsString();
  budget.subject_kind = body["kind"].AsString();
  budget.period = body["per"].StringOr("month");
  budget.created_by = request.principal.name;
  GYRE_DO(ReadLimits(body, &budget));
  const std::string name = budget.name;
  GYRE_DO(budgets_.Add(std::move(budget)));
  GYRE_TRY(const usage::BudgetState state, budgets_.Get(name));
  return net::Response::JsonDoc(StateToJson(state), 201);
}

Result<net::Response> BudgetsApi::Get(net::Request& request) {
  GYRE_TRY(const usage::BudgetState state, StateOf(budgets_, request));
  return net::Response::JsonDoc(StateToJson(state));
}

Result<net::Response> BudgetsApi::Change(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  const std::string& name = request.Param("budget");
  GYRE_DO(budgets_.Change(name, [&](usage::Budget* budget) { return ReadLimits(body, budget); }));
  GYRE_TRY(const usage::BudgetState state, budgets_.Get(name));
  return net::Response::JsonDoc(StateToJson(state));
}

Result<net::Response> BudgetsApi::Remove(net::Request& request) {
  GYRE_DO(budgets_.Remove(request.Param("budget")));
  return net::Response::Empty();
}

}  // namespace gyre::native
