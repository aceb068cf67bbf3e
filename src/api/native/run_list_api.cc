#include "api/native/run_list_api.h"

#include <algorithm>
#include <optional>

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "api/native/run_views.h"
#include "ml/tracking/long_read.h"
#include "ml/tracking/run_search.h"
#include "ml/tracking/tracking.h"

namespace gyre::native {
namespace {

using tracking::Comparison;
using tracking::Entity;
using tracking::Filter;
using tracking::FilterNode;
using tracking::OrderBy;

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/runs",
     .handler = Bind<&RunListApi::List>,
     .permission = Permission("run.read"),
     .summary = "List runs, newest first, by a metric, or what a filter finds",
     .response_type = "RunList",
     .query = {{"experiment", Type::kTexts, "only runs of it: number, title or name"},
               {"folder", Type::kText, "only runs of the experiments below this folder"},
               {"kind", Type::kText, "only runs of this kind: training, program"},
               {"status", Type::kText, "only runs in this status",
                "scheduled|running|finished|failed|killed"},
               {"job", Type::kText, "only runs of this job"},
               {"parent", Type::kText, "only runs below this one"},
               {"tag", Type::kTexts, "only runs with this tag: key:value"},
               {"filter", Type::kText,
                "metrics.auc > 0.9 AND (params.model = 'gbm' OR NOT tags.owner LIKE 'a%')"},
               {"sort", Type::kTexts, "metrics.auc DESC, best.loss, params.lr, start_time"},
               {"columns", Type::kTexts,
                "params, tags and metrics (also min., max., best.) to answer, instead of all"},
               kView,
               {"order_by", Type::kText, "a metric: the best first"},
               {"ascending", Type::kBool, "the order of that metric, instead of the best first"},
               kLimit,
               kPageToken}},
};

Result<std::map<std::string, std::string>> WantedTags(const net::Request& request) {
  std::map<std::string, std::string> tags;
  for (const std::string& value : request.QueryAll("tag")) {
    const std::size_t colon = value.find(':');
    if (colon == std::string::npos)
      return InvalidArgument("GY3412", "tag=`{}` has no colon", value).Fix("tag=team:blue");
    tags[value.substr(0, colon)] = value.substr(colon + 1);
  }
  return tags;
}

bool IsAscending(const net::Request& request, const std::string& metric) {
  const auto ascending = request.Query("ascending");
  return ascending ? *ascending == "true" : tracking::IsLowerBetter(metric);
}

// What only a search knows.
bool AsksForSearch(const net::Request& request) {
  return request.Query("filter") || request.Query("folder") || request.Query("view") ||
         !request.QueryAll("sort").empty() || request.QueryAll("experiment").size() > 1;
}

void Require(Comparison comparison, Filter* filter) {
  FilterNode node{.comparison = std::move(comparison)};
  if (filter->empty()) {
    filter->root.push_back(std::move(node));
    return;
  }
  FilterNode& root = filter->root.front();
  if (root.kind != FilterNode::Kind::kAnd) {
    FilterNode all{.kind = FilterNode::Kind::kAnd};
    all.children.push_back(std::move(root));
    root = std::move(all);
  }
  root.children.push_back(std::move(node));
}

Result<> ReadFilter(const net::Request& request, Filter* filter) {
  for (const char* name : {"kind", "job", "parent"}) {
    if (request.Query(name))
      return InvalidArgument("GY3412", "`{}` does not go with filter, sort, folder or view", name);
  }
  GYRE_TRY(*filter,
           tracking::ParseFilter(request.Query("filter").value_or(""), tracking::kRunFields));
  if (const auto status = request.Query("status"))
    Require({Entity::kAttribute, "status", tracking::Compare::kEqual, *status}, filter);
  GYRE_TRY(const auto tags, WantedTags(request));
  for (const auto& [key, value] : tags)
    Require({Entity::kTag, key, tracking::Compare::kEqual, value}, filter);
  return {};
}

Result<std::vector<OrderBy>> OrderOf(const net::Request& request) {
  GYRE_TRY(auto order, tracking::ParseOrder(request.QueryAll("sort"), tracking::kRunFields));
  if (const auto metric = request.Query("order_by"))
    order.insert(order.begin(), {Entity::kMetric, *metric, IsAscending(request, *metric)});
  return order;
}

// Every experiment of the project when none is named.
Result<std::vector<std::int64_t>> ExperimentsOf(tracking::Experiments& experiments,
                                                const net::Request& request) {
  const std::string& project = request.Param("project");
  std::vector<std::int64_t> numbers;
  for (const std::string& reference : request.QueryAll("experiment")) {
    GYRE_TRY(const tracking::Experiment one, experiments.Resolve(project, reference));
    numbers.push_back(one.number);
  }
  if (!numbers.empty()) return numbers;
  return experiments.Below(project, request.Query("folder").value_or(""));
}

// --- what a run shows ----------------------------------------------------------------------------
std::optional<Json> ValueOf(const tracking::Run& run, const OrderBy& column) {
  const auto text = [&](const std::map<std::string, std::string>& texts) -> std::optional<Json> {
    const auto found = texts.find(column.key);
    return found == texts.end() ? std::nullopt : std::optional(Json(found->second));
  };
  if (column.entity == Entity::kParam) return text(run.params);
  if (column.entity == Entity::kTag) return text(run.tags);
  const auto found = run.metrics.find(column.key);
  if (found == run.metrics.end()) return std::nullopt;
  const tracking::LatestMetric& metric = found->second;
  const bool least = column.entity == Entity::kMetricLeast ||
                     (column.entity == Entity::kMetricBest && tracking::IsLowerBetter(column.key));
  if (column.entity == Entity::kMetric) return Json(metric.value);
  return Json(least ? metric.least : metric.most);
}

std::string_view MemberOf(Entity entity) {
  switch (entity) {
    case Entity::kParam:
      return "params";
    case Entity::kTag:
      return "tags";
    case Entity::kMetricLeast:
      return "min";
    case Entity::kMetricMost:
      return "max";
    case Entity::kMetricBest:
      return "best";
    default:
      return "metrics";
  }
}

// Of many runs with many metrics a table shows a few.
Json ChosenJson(const tracking::Run& run, const std::vector<OrderBy>& columns) {
  constexpr std::string_view kAlways[] = {"id",         "project",    "experiment", "name",
                                          "kind",       "status",     "created_by", "error",
                                          "created_at", "started_at", "ended_at",   "deleted_at",
                                          "inputs",     "params",     "tags",       "metrics"};
  tracking::Run bare = run;
  bare.params.clear();
  bare.tags.clear();
  bare.metrics.clear();
  const Json whole = tracking::RunToJson(bare);
  Json chosen = Json::Obj();
  for (const std::string_view name : kAlways) chosen.Set(name, whole[name]);
  for (const OrderBy& column : columns) {
    const std::string_view member = MemberOf(column.entity);
    if (column.entity == Entity::kAttribute) continue;
    Json values = chosen.Has(member) ? chosen[member] : Json::Obj();
    if (const auto value = ValueOf(run, column)) values.Set(column.key, *value);
    chosen.Set(member, std::move(values));
  }
  return chosen;
}

class Shown {
 public:
  static Result<Shown> Of(const net::Request& request) {
    Shown shown;
    GYRE_TRY(shown.columns_,
             tracking::ParseOrder(request.QueryAll("columns"), tracking::kRunFields));
    return shown;
  }
  Json operator()(const tracking::Run& run) const {
    return columns_.empty() ? tracking::RunToJson(run) : ChosenJson(run, columns_);
  }

 private:
  std::vector<OrderBy> columns_;
};

Result<tracking::RunQuery> QueryOf(const net::Request& request) {
  tracking::RunQuery query;
  query.project = request.Param("project");
  query.kind = request.Query("kind").value_or("");
  query.job = request.Query("job").value_or("");
  query.parent = request.Query("parent").value_or("");
  query.order_by_metric = request.Query("order_by").value_or("");
  query.ascending = IsAscending(request, query.order_by_metric);
  query.page_token = request.Query("page_token").value_or("");
  GYRE_TRY(query.limit, ReadLimit(request));
  query.status = tracking::ParseRunStatus(request.Query("status").value_or(""));
  GYRE_TRY(query.tags, WantedTags(request));
  return query;
}

}  // namespace

net::RouteTable RunListApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> RunListApi::List(net::Request& request) {
  if (AsksForSearch(request)) return Search(request);
  GYRE_TRY(const Shown shown, Shown::Of(request));
  GYRE_TRY(tracking::RunQuery query, QueryOf(request));
  if (const auto experiments = request.QueryAll("experiment"); !experiments.empty()) {
    // One that nobody has made yet has no runs.
    const auto found = experiments_.Resolve(query.project, experiments.front());
    query.experiment = found ? found->name : experiments.front();
  }
  GYRE_TRY(const tracking::RunPage page, tracking_.ListRuns(query));
  Json answer = Json::Obj({{"items", ItemsOf(page.runs, shown)}});
  if (!page.next_page_token.empty()) answer.Set("next_page_token", page.next_page_token);
  return net::Response::JsonDoc(answer);
}

Result<net::Response> RunListApi::Search(net::Request& request) {
  tracking::LongRead place([&] { return request.client_gone(); });
  GYRE_DO(place.Take());
  tracking::RunSearch search{.project = request.Param("project"),
                             .view = ViewOf(request),
                             .page_token = request.Query("page_token").value_or("")};
  GYRE_TRY(const Shown shown, Shown::Of(request));
  GYRE_TRY(search.limit, ReadLimit(request));
  GYRE_DO(ReadFilter(request, &search.filter));
  GYRE_TRY(search.order, OrderOf(request));
  GYRE_TRY(search.experiments, ExperimentsOf(experiments_, request));
  GYRE_TRY(const tracking::FoundRuns found, searcher_.Find(search));
  GYRE_TRY(const auto runs, tracking_.GetRuns(found.ids));
  Json answer = Json::Obj({{"items", ItemsOf(runs, [&](const tracking::RunDetails& details) {
                              return shown(details.run);
                            })}});
  if (!found.next_page_token.empty()) answer.Set("next_page_token", found.next_page_token);
  return net::Response::JsonDoc(answer);
}

}  // namespace gyre::native
