#include "api/native/usage_api.h"

#include <algorithm>
#include <array>
#include <map>

#include "api/native/focus.h"
#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "api/native/usage_json.h"
#include "base/time.h"
#include "ledger/usage/forecast.h"
#include "ledger/usage/usage.h"

namespace gyre::native {
namespace {

using usage::GroupBy;

struct Grouping {
  std::string_view name;
  GroupBy by;
};
constexpr Grouping kGroupings[] = {
    {"subject", GroupBy::kSubject},   {"project", GroupBy::kProject}, {"day", GroupBy::kDay},
    {"user", GroupBy::kUser},         {"run", GroupBy::kRun},         {"step", GroupBy::kStep},
    {"endpoint", GroupBy::kEndpoint}, {"dataset", GroupBy::kDataset}, {"kind", GroupBy::kKind}};

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/usage",
     .handler = Bind<&UsageApi::Sum>,
     .permission = Permission("usage.read"),
     .summary = "CPU, memory, bytes, requests and cost by subject or project, over a time",
     .response_type = "UsageReport",
     .per_project = true,
     .query = {kOfProject,
               {"kind", Type::kText, "only subjects of this kind: job, run, endpoint, dataset"},
               {"id", Type::kText, "only this subject"},
               {"run", Type::kText, "only this run, with all of its parts"},
               {"endpoint", Type::kText, "only this endpoint, with its variants"},
               {"user", Type::kText, "only what this one caused"},
               {"from", Type::kTime, "the earliest"},
               {"to", Type::kTime, "the end, not included"},
               {"group", Type::kText, "a line for each: subject when it is not given",
                "subject|project|day|user|run|step|endpoint|dataset|kind"}}},
    {.method = Method::kGet,
     .path = "/api/v1/usage/focus",
     .handler = Bind<&UsageApi::Focus>,
     .permission = Permission("usage.read"),
     .summary = "Every charge as FOCUS 1.0, in CSV: per day, subject, user and meter",
     .per_project = true,
     .query = {kOfProject,
               {"from", Type::kTime, "the earliest"},
               {"to", Type::kTime, "the end, not included"}}},
    {.method = Method::kGet,
     .path = "/api/v1/usage/forecast",
     .handler = Bind<&UsageApi::Forecast>,
     .permission = Permission("usage.read"),
     .summary = "Where each project's month will end, by the days so far",
     .response_type = "ForecastList",
     .per_project = true,
     .query = {kOfProject}},
    {.method = Method::kGet,
     .path = "/api/v1/usage/prices",
     .handler = Bind<&UsageApi::GetPrices>,
     .permission = Permission("usage.read"),
     .summary = "The price books, oldest first",
     .response_type = "PriceBookList",
     .per_project = true},
    {.method = Method::kPut,
     .path = "/api/v1/usage/prices",
     .handler = Bind<&UsageApi::SetPrices>,
     .permission = Permission("usage.admin"),
     .summary =
         "Prices from this hour on, in millionths of the currency; those that are not given stay, "
         "and what has passed keeps its price",
     .body = Body::kBuffer,
     .request_type = "PriceBook",
     .response_type = "PriceBookList",
     .members = {{"currency", Type::kText, "EUR"},
                 {"valid_from", Type::kTime, "another hour than this one"},
                 {"cpu_hour_micros", Type::kWhole, "of an hour of one core"},
                 {"gpu_hour_micros", Type::kWhole, "of an hour of one GPU"},
                 {"memory_gib_hour_micros", Type::kWhole, "of a GiB for an hour"},
                 {"gigabyte_micros", Type::kWhole, "of a GB read or written"},
                 {"storage_gigabyte_month_micros", Type::kWhole, "of a GB stored for 730 hours"},
                 {"egress_gigabyte_micros", Type::kWhole, "of a GB answered over the network"},
                 {"thousand_requests_micros", Type::kWhole, "of a thousand requests"}}},
};

Result<usage::PriceBook> BookFromJson(const Json& body, usage::PriceBook book) {
  for (const usage::Meter& meter : usage::kMeters) {
    const std::string key = fmt::format("{}_micros", meter.name);
    if (!body.Has(key)) continue;
    GYRE_TRY(book.*meter.price, body.GetInt(key));
  }
  if (body.Has("currency")) {
    GYRE_TRY(book.currency, body.GetString("currency"));
  }
  book.valid_from_us = 0;
  if (body.Has("valid_from")) {
    const std::string& text = body["valid_from"].AsString();
    const auto at_us = ParseTime(text);
    if (!at_us)
      return InvalidArgument("GY4152", "`{}` is no time: {}", "valid_from", text)
          .Fix("as in 2026-11-21 or 2026-11-21T08:30:00Z");
    book.valid_from_us = *at_us;
  }
  return book;
}

GroupBy GroupingOf(const net::Request& request) {
  const std::string name = request.Query("group").value_or("subject");
  return std::ranges::find(kGroupings, name, &Grouping::name)->by;
}

Json LineToJson(const usage::Line& line, GroupBy by) {
  Json item = Json::Obj();
  const bool subjects = by == GroupBy::kSubject || by == GroupBy::kRun || by == GroupBy::kStep ||
                        by == GroupBy::kEndpoint || by == GroupBy::kDataset;
  if (by == GroupBy::kDay) item.Set("day", FormatTime(line.day_us).substr(0, 10));
  if (by == GroupBy::kUser) item.Set("user", line.user);
  if (by == GroupBy::kProject || subjects) item.Set("project", line.project);
  if (by == GroupBy::kKind || subjects) item.Set("kind", line.subject_kind);
  if (subjects) item.Set("id", line.subject_id).Set("label", line.subject_label);
  if (by == GroupBy::kStep) item.Set("step", line.step);
  AddQuantities(line.quantities, &item);
  AddCost(line.cost_nanos, &item);
  if (line.expected)
    item.Set("expected_cpu_seconds", static_cast<double>(line.expected->quantities.cpu_us) / 1e6)
        .Set("expected_nanos", line.expected_nanos)
        .Set("expected_decimal", usage::DecimalText(line.expected_nanos))
        .Set("expected_text", usage::MoneyText(line.expected_nanos))
        .Set("expected_how", line.expected->how);
  return item;
}

Result<usage::ReportFilter> FilterOf(const net::Request& request) {
  usage::ReportFilter filter;
  filter.projects = VisibleProjects(request);
  GYRE_TRY(filter.from_us, ReadTime(request, "from"));
  GYRE_TRY(filter.to_us, ReadTime(request, "to"));
  return filter;
}

Json ForecastToJson(const std::string& project, const usage::Forecast& forecast,
                    const std::string& currency) {
  const auto amount = [](std::int64_t nanos) { return static_cast<double>(nanos) / 1e9; };
  return Json::Obj({{"project", project},
                    {"month", FormatTime(forecast.month_us).substr(0, 7)},
                    {"so_far", amount(forecast.so_far_nanos)},
                    {"expected", amount(forecast.expected_nanos)},
                    {"low", amount(forecast.low_nanos)},
                    {"high", amount(forecast.high_nanos)},
                    {"so_far_text", usage::MoneyText(forecast.so_far_nanos)},
                    {"expected_text", usage::MoneyText(forecast.expected_nanos)},
                    {"range_text", fmt::format("{} to {}", usage::MoneyText(forecast.low_nanos),
                                               usage::MoneyText(forecast.high_nanos))},
                    {"currency", currency},
                    {"days", forecast.days_seen},
                    {"how", forecast.how}});
}

}  // namespace

net::RouteTable UsageApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> UsageApi::Sum(net::Request& request) {
  GYRE_TRY(usage::ReportFilter filter, FilterOf(request));
  filter.subject_kind = request.Query("kind").value_or("");
  filter.subject_id = request.Query("id").value_or("");
  filter.run = request.Query("run").value_or("");
  filter.endpoint = request.Query("endpoint").value_or("");
  filter.user = request.Query("user").value_or("");
  filter.group_by = GroupingOf(request);
  GYRE_TRY(const usage::Report report, usage_.Sum(filter));
  Json items = Json::Arr();
  for (const usage::Line& line : report.lines) items.Push(LineToJson(line, filter.group_by));
  Json total = Json::Obj();
  AddQuantities(report.total, &total);
  AddCost(report.cost_nanos, &total);
  return net::Response::JsonDoc(Json::Obj(
      {{"items", std::move(items)}, {"total", std::move(total)}, {"currency", report.currency}}));
}

Result<net::Response> UsageApi::Focus(net::Request& request) {
  GYRE_TRY(const usage::ReportFilter filter, FilterOf(request));
  GYRE_TRY(const std::vector<usage::Charge> charges, usage_.Charges(filter));
  GYRE_TRY(const usage::PriceBook prices, usage_.PricesNow());
  return net::Response::Text(FocusCsv(charges, prices.currency), 200, "text/csv; charset=utf-8");
}

// Days of 28 before the month began too: its first days are forecast by them.
Result<net::Response> UsageApi::Forecast(net::Request& request) {
  constexpr std::int64_t kLookBackMicros = 62 * 24 * usage::kMicrosPerHour;
  const std::int64_t now_us = SystemClock().NowMicros();
  usage::ReportFilter filter;
  filter.projects = VisibleProjects(request);
  filter.from_us = now_us - kLookBackMicros;
  GYRE_TRY(const auto charges, usage_.Charges(filter));
  GYRE_TRY(const usage::PriceBook prices, usage_.PricesNow());
  std::map<std::string, std::map<std::int64_t, std::int64_t>> days;
  for (const usage::Charge& charge : charges)
    days[charge.project][charge.day_us] += charge.cost_nanos;
  Json items = Json::Arr();
  for (const auto& [project, costs] : days)
    items.Push(ForecastToJson(project, usage::ForecastMonth(costs, now_us), prices.currency));
  return net::Response::JsonDoc(Json::Obj({{"items", std::move(items)}}));
}

Result<net::Response> UsageApi::GetPrices(net::Request&) {
  GYRE_TRY(const auto books, usage_.Prices());
  return WholeList(books, BookToJson);
}

Result<net::Response> UsageApi::SetPrices(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const auto books, usage_.Prices());
  GYRE_TRY(usage::PriceBook book, BookFromJson(body, books.back()));
  book.set_by = request.principal.name;
  GYRE_DO(usage_.SetPrices(std::move(book)));
  return GetPrices(request);
}

}  // namespace gyre::native
