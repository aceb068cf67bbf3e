// gyre usage, cost, budgets: what was used, what that costs, and how much of it there may be.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

using Format = ColumnSpec::Format;

constexpr int kFindings = 5;  // exit code
constexpr std::string_view kUsagePath = "/api/v1/usage";
constexpr std::string_view kPricesPath = "/api/v1/usage/prices";
constexpr std::string_view kBudgetsPath = "/api/v1/budgets";

void AddQuery(std::string_view name, std::string_view value, std::string* query) {
  if (value.empty()) return;
  *query += fmt::format("{}{}={}", query->empty() ? "?" : "&", name, PercentEncode(value));
}

// Of everything, unless somebody names a project.
std::string QueryOf(const Invocation& in) {
  std::string query;
  if (in.Has("project")) AddQuery("project", in.project(), &query);
  for (const std::string_view name : {"kind", "id", "user", "run", "from", "to"})
    AddQuery(name, in.Get(name), &query);
  return query;
}

// --- usage, cost ---------------------------------------------------------------------------------

// What tells the lines apart.
std::vector<ColumnSpec> HeadOf(std::string_view by) {
  if (by == "day") return {{"DAY", "day"}};
  if (by == "user") return {{"USER", "user"}};
  if (by == "project") return {{"PROJECT", "project"}};
  if (by == "kind") return {{"KIND", "kind"}};
  std::vector<ColumnSpec> head = {{"PROJECT", "project"}};
  if (by != "endpoint" && by != "dataset") head.push_back({"KIND", "kind"});
  head.push_back({"NAME", "label"});
  if (by == "step") head.push_back({"STEP", "step"});
  head.push_back({"ID", "id", Format::kText, true});
  return head;
}

std::string KeyOf(std::string_view by) {
  const bool plain = by == "day" || by == "user" || by == "project" || by == "kind";
  return plain ? std::string(by) : "id";
}

std::vector<ColumnSpec> QuantityColumns() {
  return {{"CPU", "cpu_seconds", Format::kSeconds},
          {"GPU", "gpu_seconds", Format::kSeconds, true},
          {"GIB-HOURS", "memory_gib_hours", Format::kNumber},
          {"GB-MONTHS", "storage_gb_months", Format::kNumber},
          {"IN AND OUT", "bytes", Format::kBytes},
          {"EGRESS", "egress_bytes", Format::kBytes},
          {"REQUESTS", "requests", Format::kCount}};
}

Result<int> ShowReport(Invocation& in, std::string_view by) {
  GYRE_TRY(Session* const session, in.session());
  std::string query = QueryOf(in);
  AddQuery("group", by, &query);
  GYRE_TRY(const Json answer, session->Get(std::string(kUsagePath) + query));
  std::vector<ColumnSpec> columns = HeadOf(by);
  for (const ColumnSpec& column : QuantityColumns()) columns.push_back(column);
  // Files are added up by others: to the last digit.
  const std::string format = in.Get("output");
  const bool for_files = format == "csv" || format == "tsv";
  columns.push_back({"COST", for_files ? "cost_decimal" : "cost_text"});
  if (by == "run" || by == "subject")
    columns.push_back({"EXPECTED", for_files ? "expected_decimal" : "expected_text"});
  in.out().Table(columns, answer["items"], KeyOf(by));
  const Json& total = answer["total"];
  in.out().Note(fmt::format("total: {} CPU, {} {}", HumanSeconds(total["cpu_seconds"].AsDouble()),
                            total["cost_text"].AsString(), answer["currency"].AsString()));
  if (total["cost_nanos"].AsInt() == 0 && answer["items"].size() > 0)
    in.out().Hint("gyre cost prices cpu_hour=0.04 memory_gib_hour=0.005");
  return 0;
}

Result<int> ShowUsage(Invocation& in) {
  return ShowReport(in, in.Has("by-project") ? "project" : "subject");
}

Result<int> ShowCost(Invocation& in) { return ShowReport(in, in.Get("by")); }

// --- prices --------------------------------------------------------------------------------------

constexpr std::string_view kPriceNames[] = {
    "cpu_hour",        "gpu_hour",         "memory_gib_hour", "gigabyte", "storage_gigabyte_month",
    "egress_gigabyte", "thousand_requests"};
constexpr double kLeastPrice = 1e-6;  // the book is in millionths

Result<> CheckPriceName(const std::string& name) {
  const std::vector<std::string> names(std::begin(kPriceNames), std::end(kPriceNames));
  if (std::ranges::find(names, name) != names.end()) return {};
  Error error = InvalidArgument("GY4161", "there is no price `{}`", name);
  if (const auto close = ClosestMatch(name, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
  return std::move(error).Fix("one of " + Join(names, ", "));
}

Result<> ReadPrice(std::string_view text, Json* book) {
  const std::size_t at = text.find('=');
  const std::string name(text.substr(0, at));
  if (at == std::string_view::npos || name.empty())
    return InvalidArgument("GY4161", "`{}` sets no price", text)
        .Fix("gyre cost prices cpu_hour=0.04");
  const std::string value(text.substr(at + 1));
  if (name == "currency" || name == "valid_from") {
    book->Set(name, value);
    return {};
  }
  GYRE_DO(CheckPriceName(name));
  const auto price = ParseDouble(value);
  if (!price || !(*price >= 0 && *price < 1e9))
    return InvalidArgument("GY4161", "{} is no price: {}", name, value)
        .Fix("an amount of 0 or more, as in 0.04");
  if (*price > 0 && *price < kLeastPrice)
    return InvalidArgument("GY4161", "{} is no price: {}", name, value)
        .Why("prices are kept in millionths")
        .Fix("0, or 0.000001 and more");
  book->Set(name + "_micros", static_cast<std::int64_t>(std::llround(*price * 1e6)));
  return {};
}

Result<int> Prices(Invocation& in) {
  Json book = Json::Obj();
  const std::vector<std::string> words = in.List("PRICE");
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i == 0 && words[i] == "set") continue;
    GYRE_DO(ReadPrice(words[i], &book));
  }
  GYRE_TRY(Session* const session, in.session());
  const std::string path(kPricesPath);
  GYRE_TRY(const Json answer,
           book.members().empty() ? session->Get(path) : session->Put(path, book));
  Json rows = Json::Arr();
  for (const Json& one : answer["items"].items()) {
    Json row = one;
    for (const auto& [name, value] : one.members()) {
      if (name.ends_with("_micros"))
        row.Set(name.substr(0, name.size() - 7), static_cast<double>(value.AsInt()) / 1e6);
    }
    rows.Push(std::move(row));
  }
  in.out().Table({{"FROM", "valid_from", Format::kTime},
                  {"CURRENCY", "currency"},
                  {"CPU_HOUR", "cpu_hour", Format::kNumber},
                  {"GPU_HOUR", "gpu_hour", Format::kNumber},
                  {"MEMORY_GIB_HOUR", "memory_gib_hour", Format::kNumber},
                  {"GIGABYTE", "gigabyte", Format::kNumber},
                  {"STORAGE_GIGABYTE_MONTH", "storage_gigabyte_month", Format::kNumber},
                  {"EGRESS_GIGABYTE", "egress_gigabyte", Format::kNumber},
                  {"THOUSAND_REQUESTS", "thousand_requests", Format::kNumber},
                  {"BY", "set_by", Format::kText, true}},
                 rows, "valid_from");
  return 0;
}

// --- forecast, export ----------------------------------------------------------------------------

Result<int> ShowForecast(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  std::string query;
  if (in.Has("project")) AddQuery("project", in.project(), &query);
  GYRE_TRY(const Json answer, session->Get(std::string(kUsagePath) + "/forecast" + query));
  in.out().Table({{"PROJECT", "project"},
                  {"MONTH", "month"},
                  {"SO FAR", "so_far_text"},
                  {"AT ITS END", "expected_text"},
                  {"19 OF 20", "range_text"},
                  {"CURRENCY", "currency"},
                  {"BY", "how"}},
                 answer["items"], "project");
  return 0;
}

Result<int> Export(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  const std::string file = in.Get("FILE");
  GYRE_DO(session->Download(std::string(kUsagePath) + "/focus" + QueryOf(in), file, in.out()));
  if (file != "-") in.out().Done(fmt::format("FOCUS 1.0 in {}", file));
  return 0;
}

// --- budgets -------------------------------------------------------------------------------------

const std::vector<ColumnSpec>& BudgetColumns() {
  static const std::vector<ColumnSpec> columns = {{"NAME", "name"},
                                                  {"PROJECT", "project"},
                                                  {"USER", "user"},
                                                  {"KIND", "kind"},
                                                  {"PER", "per"},
                                                  {"SPENT", "spent_text"},
                                                  {"LIMIT", "limit_text"},
                                                  {"PERCENT", "percent", Format::kNumber},
                                                  {"STOPS", "stop"},
                                                  {"STATE", "state"},
                                                  {"UNTIL", "to", Format::kTime, true}};
  return columns;
}

Result<int> ListBudgets(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get(kBudgetsPath));
  in.out().Table(BudgetColumns(), answer["items"]);
  if (answer["items"].size() == 0) in.out().Hint("gyre budgets create NAME --limit 50");
  return 0;
}

std::string BudgetText(const Json& budget) {
  const auto or_all = [&](std::string_view key) {
    return budget[key].is_null() ? std::string("all") : budget[key].AsString();
  };
  return fmt::format(
      "budget   {}\nof       project {}, user {}, kind {}\nspent    {} of {} {} per {} ({:.1f} "
      "%)\nwarns    at {} %\nstops    {}\nstate    {}\n",
      budget["name"].AsString(), or_all("project"), or_all("user"), or_all("kind"),
      budget["spent_text"].AsString(), budget["limit_text"].AsString(),
      budget["currency"].AsString(), budget["per"].AsString(), budget["percent"].AsDouble(),
      budget["warn_percent"].AsInt(),
      !budget["stop"].AsBool()          ? "nothing"
      : budget["stop_running"].AsBool() ? "new work, and what runs"
                                        : "new work",
      budget["state"].AsString());
}

std::string BudgetPath(const Invocation& in) {
  return fmt::format("{}/{}", kBudgetsPath, PercentEncode(in.Get("BUDGET")));
}

Result<int> ShowBudget(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json budget, session->Get(BudgetPath(in)));
  in.out().Document(budget, BudgetText(budget));
  return budget["state"].AsString() == "spent" ? kFindings : 0;
}

Result<> ReadLimits(const Invocation& in, Json* body) {
  if (in.Has("limit")) {
    GYRE_TRY(const double limit, in.GetDouble("limit"));
    body->Set("limit", limit);
  }
  if (in.Has("warn")) {
    std::string text = in.Get("warn");
    if (text.ends_with('%')) text.pop_back();
    const auto percent = ParseDouble(text);
    if (!percent || *percent != std::floor(*percent) || std::abs(*percent) > 1000)
      return InvalidArgument("GY4162", "`{}` is no share of a limit", in.Get("warn"))
          .Fix("--warn 80%");
    body->Set("warn_percent", static_cast<std::int64_t>(*percent));
  }
  if (in.Has("stop")) body->Set("stop", true);
  if (in.Has("stop-running")) body->Set("stop_running", true);
  return {};
}

Result<int> CreateBudget(Invocation& in) {
  Json body = Json::Obj({{"name", in.Get("BUDGET")}, {"per", in.Get("per")}});
  if (in.Has("project")) body.Set("project", in.project());
  for (const std::string_view key : {"user", "kind"}) {
    if (in.Has(key)) body.Set(key, in.Get(key));
  }
  GYRE_DO(ReadLimits(in, &body));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json budget, session->Post(kBudgetsPath, body));
  in.out().Document(budget, BudgetText(budget));
  return 0;
}

Result<int> SetBudget(Invocation& in) {
  Json body = Json::Obj();
  GYRE_DO(ReadLimits(in, &body));
  if (in.Has("no-stop")) body.Set("stop", false).Set("stop_running", false);
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json budget, session->Patch(BudgetPath(in), body));
  in.out().Document(budget, BudgetText(budget));
  return 0;
}

Result<int> RemoveBudget(Invocation& in) {
  GYRE_DO(in.Confirm("remove budget " + in.Get("BUDGET"), in.Get("BUDGET")));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json done, session->Delete(BudgetPath(in)));
  in.out().Done(fmt::format("budget {} is gone", in.Get("BUDGET")));
  return 0;
}

constexpr Option kKind = {"--kind", "KIND", "run, job, pipeline_run, endpoint, dataset, ..."};
constexpr Option kId = {"--id", "ID", "of one of them: churn, or churn/canary beside it"};
constexpr Option kFrom = {"--from", "TIME", "ISO 8601"}, kTo = {"--to", "TIME", "ISO 8601"};
constexpr Option kUser = {"--user", "NAME", "only what this one caused"};
constexpr Option kRun = {"--run", "ID", "only this run, with all of its parts"};
constexpr Option kUsageOptions[] = {
    {"--by-project", "", "one line per project"}, kKind, kId, kUser, kRun, kFrom, kTo};
constexpr Option kCostOptions[] = {
    {"--by", "WHAT", "subject, project, day, user, run, step, endpoint, dataset or kind",
     "subject"},
    kKind,
    kId,
    kUser,
    kRun,
    kFrom,
    kTo};
constexpr Option kSpan[] = {kFrom, kTo};
constexpr Positional kPrices[] = {
    {"PRICE",
     "cpu_hour=0.04, gpu_hour, memory_gib_hour, gigabyte, storage_gigabyte_month, "
     "egress_gigabyte, thousand_requests, currency=EUR, valid_from=TIME",
     false, true}};
constexpr Positional kFile[] = {
    {"FILE", "where it goes; - is standard output", true, false, "file"}};
constexpr Positional kBudget[] = {{"BUDGET", "its name", true, false, "budgets"}};
constexpr Option kLimit = {"--limit", "AMOUNT", "in the currency of the prices"};
constexpr Option kWarn = {"--warn", "PERCENT", "of the limit: who is told, and when", "80%"};
constexpr Option kStop = {"--stop", "", "no new runs, jobs and pipelines once it is spent"};
constexpr Option kStopRunning = {"--stop-running", "", "cancel what runs then, too"};
constexpr Option kCreateOptions[] = {
    kLimit,      {"--per", "PERIOD", "day, week, month, year or total", "month"},
    kWarn,       {"--user", "NAME", "only what this one causes"},
    kKind,       kStop,
    kStopRunning};
constexpr Option kSetOptions[] = {kLimit,
                                  {"--warn", "PERCENT", "of the limit: who is told, and when"},
                                  kStop,
                                  kStopRunning,
                                  {"--no-stop", "", "warn only"}};

constexpr Command kCommands[] = {
    {"usage",
     "CPU, memory, storage, bytes and requests of every run, job, endpoint and store",
     "gyre usage\ngyre usage --kind endpoint --id churn\ngyre usage --by-project --from 2026-11-01",
     {},
     kUsageOptions,
     ShowUsage},
    {"cost",
     "what that costs, by the price book; the lines add up to the same total however they are cut",
     "gyre cost --by day --from 2026-11-01\ngyre cost --by run -p churn -o csv",
     {},
     kCostOptions,
     ShowCost},
    {"cost prices",
     "the price book and its history; NAME=PRICE sets prices from this hour on",
     "gyre cost prices\ngyre cost prices set cpu_hour=0.04 storage_gigabyte_month=0.02",
     kPrices,
     {},
     Prices},
    {"cost forecast",
     "where each project's month will end",
     "gyre cost forecast\ngyre cost forecast -p churn",
     {},
     {},
     ShowForecast},
    {"cost export", "every charge as FOCUS 1.0 in CSV",
     "gyre cost export focus.csv --from 2026-11-01 --to 2026-12-01", kFile, kSpan, Export},
    {"budgets ls", "budgets, and how far each is spent", "gyre budgets", {}, {}, ListBudgets},
    {"budgets show",
     "one budget (exit 5 when it is spent)",
     "gyre budgets show churn",
     kBudget,
     {},
     ShowBudget},
    {"budgets create", "limit what may be spent: it warns, and stops where it is told to",
     "gyre budgets create churn -p churn --limit 50 --per month --warn 80% --stop", kBudget,
     kCreateOptions, CreateBudget},
    {"budgets set", "another limit, other thresholds; what is not given stays",
     "gyre budgets set churn --limit 80", kBudget, kSetOptions, SetBudget},
    {"budgets rm",
     "remove a budget; what was spent stays in the books",
     "gyre budgets rm churn --yes",
     kBudget,
     {},
     RemoveBudget},
};

}  // namespace

std::span<const Command> CostCommands() { return kCommands; }

}  // namespace gyre::cli
