#include "api/mlflow/run_search_api.h"

#include <algorithm>
#include <span>

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/named.h"
#include "api/mlflow/run_words.h"
#include "ml/tracking/long_read.h"

namespace gyre::mlflow {
namespace {

using net::Type;

constexpr std::int64_t kResultsStandard = 1'000;

constexpr Endpoint kEndpoints[] = {
    {.method = net::Method::kPost,
     .path = "/mlflow/runs/search",
     .handler = Serve<&RunSearchApi::Search>,
     .permission = net::Permission("run.read"),
     .summary = "Find runs by a filter, in an order",
     .fields = {{"experiment_ids", Type::kTexts, "of the experiments to look in"},
                {"filter", Type::kText, "metrics.auc > 0.9 AND params.model = 'gbm'"},
                {"run_view_type", Type::kAny, "ACTIVE_ONLY, DELETED_ONLY or ALL"},
                {"max_results", Type::kWhole, "1,000 when it is not given, at most 50,000"},
                {"order_by", Type::kTexts, "metrics.auc DESC"},
                {"page_token", Type::kText, "of the page before"}},
     .audited = false},
};

}  // namespace

net::RouteTable RunSearchApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<net::Response> RunSearchApi::Search(Call& call) {
  tracking::LongRead place([&] { return call.request.client_gone(); });
  GYRE_DO(place.Take());
  const Arguments& arguments = call.arguments;
  const std::int64_t results = arguments.Whole("max_results", kResultsStandard);
  if (results > tracking::kRunSearchMax)
    return WrongType("max_results", arguments.Value("max_results"));
  if (results < 1)
    return InvalidParameter(fmt::format(
        "Invalid value {} for parameter 'max_results' supplied. It must be a positive integer",
        results));
  tracking::RunSearch search{.project = call.project, .experiments = {}};
  search.limit = static_cast<int>(results);
  GYRE_TRY(search.experiments,
           ExperimentsOf(experiments_, call, arguments.Texts("experiment_ids")));
  GYRE_TRY(search.view, ViewOf(arguments.Text("run_view_type")));
  GYRE_TRY(search.filter, tracking::ParseFilter(arguments.Text("filter"), tracking::kRunFields));
  GYRE_TRY(search.order, tracking::ParseOrder(arguments.Texts("order_by"), tracking::kRunFields));
  search.page_token = arguments.Text("page_token");
  GYRE_TRY(tracking::FoundRuns found, searcher_.Find(search));
  GYRE_TRY(const auto texts, TextsOf(search, &found));
  return AnswerOf([&](AnswerWriter& out) {
    if (!texts.empty()) {
      out.List("runs");
      for (const RunPages::Text& text : texts) out.Raw({}, *text);
      out.End();
    }
    out.TextUnlessEmpty("next_page_token", found.next_page_token);
  });
}

Result<std::vector<RunPages::Text>> RunSearchApi::TextsOf(const tracking::RunSearch& search,
                                                          tracking::FoundRuns* found) {
  constexpr std::size_t kAtOnce = 20;
  std::vector<RunPages::Text> texts;
  std::size_t bytes = 0, taken = 0;
  while (taken < found->ids.size() && bytes < kRunPageBytesMax) {
    const std::size_t count = std::min(kAtOnce, found->ids.size() - taken);
    GYRE_TRY(const auto more,
             pages_.Render(search.project, std::span(found->ids).subspan(taken, count)));
    for (const RunPages::Text& text : more) bytes += text->size();
    texts.insert(texts.end(), more.begin(), more.end());
    taken += count;
  }
  if (taken == found->ids.size()) return texts;
  tracking::RunSearch shorter = search;  // knows where the next page begins
  shorter.limit = static_cast<int>(taken);
  GYRE_TRY(*found, searcher_.Find(shorter));
  return texts;
}

}  // namespace gyre::mlflow
