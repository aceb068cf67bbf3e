#include "api/native/usage_api.h"

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "base/time.h"
#include "ledger/usage/usage.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/usage",
     .handler = Bind<&UsageApi::Sum>,
     .permission = Permission("usage.read"),
     .summary = "CPU, memory, bytes, requests and cost by subject or project, over a time",
     .response_type = "UsageReport",
     .per_project = true,
     .query = {kOfProject,
               {"kind", Type::kText, "only subjects of this kind: job, run, endpoint"},
               {"id", Type::kText, "only this subject"},
               {"from", Type::kTime, "the earliest"},
               {"to", Type::kTime, "the end, not included"},
               {"group", Type::kText, "a line for each: subject when it is not given",
                "subject|project"}}},
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
     .permission = Permission("access.admin"),
     .summary =
         "Prices from now on, in millionths of the currency; what has passed keeps its price",
     .body = Body::kBuffer,
     .request_type = "PriceBook",
     .response_type = "PriceBookList",
     .members = {{"currency", Type::kText, "EUR"},
                 {"cpu_hour_micros", Type::kWhole, "of an hour of one core"},
                 {"memory_gib_hour_micros", Type::kWhole, "of a GiB for an hour"},
                 {"gigabyte_micros", Type::kWhole, "of a GB read or written"},
                 {"thousand_requests_micros", Type::kWhole, "of a thousand requests"}}},
};

void AddQuantities(const usage::Quantities& quantities, Json* document) {
  document->Set("cpu_us", quantities.cpu_us)
      .Set("cpu_seconds", static_cast<double>(quantities.cpu_us) / 1e6)
      .Set("memory_mib_ms", quantities.memory_mib_ms)
      .Set("memory_gib_hours",
           static_cast<double>(quantities.memory_mib_ms) / (1024.0 * 3600 * 1000))
      .Set("bytes", quantities.bytes)
      .Set("requests", quantities.requests);
}

void AddCost(std::int64_t micros, Json* document) {
  document->Set("cost_micros", micros).Set("cost", static_cast<double>(micros) / 1e6);
}

Json BookToJson(const usage::PriceBook& book) {
  return Json::Obj({{"currency", book.currency},
                    {"cpu_hour_micros", book.cpu_hour_micros},
                    {"memory_gib_hour_micros", book.memory_gib_hour_micros},
                    {"gigabyte_micros", book.gigabyte_micros},
                    {"thousand_requests_micros", book.thousand_requests_micros},
                    {"valid_from", FormatTime(book.valid_from_us)}});
}

Result<usage::PriceBook> BookFromJson(const Json& body) {
  usage::PriceBook book;
  const std::pair<std::string_view, std::int64_t*> prices[] = {
      {"cpu_hour_micros", &book.cpu_hour_micros},
      {"memory_gib_hour_micros", &book.memory_gib_hour_micros},
      {"gigabyte_micros", &book.gigabyte_micros},
      {"thousand_requests_micros", &book.thousand_requests_micros}};
  for (const auto& [key, price] : prices) {
    if (!body.Has(key)) continue;
    GYRE_TRY(*price, body.GetInt(key));
  }
  if (body.Has("currency")) {
    GYRE_TRY(book.currency, body.GetString("currency"));
  }
  return book;
}

}  // namespace

net::RouteTable UsageApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> UsageApi::Sum(net::Request& request) {
  usage::ReportFilter filter;
  filter.projects = VisibleProjects(request);
  filter.subject_kind = request.Query("kind").value_or("");
  filter.subject_id = request.Query("id").value_or("");
  GYRE_TRY(filter.from_us, ReadTime(request, "from"));
  GYRE_TRY(filter.to_us, ReadTime(request, "to"));
  filter.group_by =
      request.Query("group") == "project" ? usage::GroupBy::kProject : usage::GroupBy::kSubject;
  GYRE_TRY(const usage::Report report, usage_.Sum(filter));
  Json items = Json::Arr();
  for (const usage::Line& line : report.lines) {
    Json item = Json::Obj({{"project", line.project}});
    if (filter.group_by == usage::GroupBy::kSubject) {
      item.Set("kind", line.subject_kind)
          .Set("id", line.subject_id)
          .Set("label", line.subject_label);
    }
    AddQuantities(line.quantities, &item);
    AddCost(line.cost_micros, &item);
    items.Push(std::move(item));
  }
  Json total = Json::Obj();
  AddQuantities(report.total, &total);
  AddCost(report.cost_micros, &total);
  return net::Response::JsonDoc(Json::Obj(
      {{"items", std::move(items)}, {"total", std::move(total)}, {"currency", report.currency}}));
}

Result<net::Response> UsageApi::GetPrices(net::Request&) {
  GYRE_TRY(const auto books, usage_.Prices());
  return WholeList(books, BookToJson);
}

Result<net::Response> UsageApi::SetPrices(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(usage::PriceBook book, BookFromJson(body));
  GYRE_DO(usage_.SetPrices(std::move(book)));
  return GetPrices(request);
}

}  // namespace gyre::native
