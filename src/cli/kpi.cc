// gyre kpi: whether the goals of a project are met, since when, and where they go.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table_text.h"

namespace gyre::cli {
namespace {

std::string KpisPath(const Invocation& in) {
  return "/api/v1/projects/" + PercentEncode(in.project()) + "/kpis";
}

std::string ValueText(const Json& value) {
  return value.is_number() ? fmt::format("{:.4g}", value.AsDouble()) : "-";
}

std::string TrendText(const Json& trend) {
  return trend.is_object() ? fmt::format("{:+.3g}", trend["change"].AsDouble()) : "";
}

Result<int> List(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Post(KpisPath(in) + "/measure", Json::Obj()));
  Json rows = Json::Arr();
  for (const Json& item : answer["items"].items()) {
    Json row = item;
    row.Set("now", ValueText(item["value"])).Set("change", TrendText(item["trend"]));
    rows.Push(std::move(row));
  }
  in.out().Table({{"KPI", "kpi"},
                  {"STATE", "state"},
                  {"NOW", "now"},
                  {"SINCE", "since", ColumnSpec::Format::kTime},
                  {"7 DAYS", "change"},
                  {"WHY", "reason"}},
                 rows, "kpi");
  if (rows.size() == 0)
    in.out().Hint(fmt::format("gyre projects edit {} --kpi 'auc >= 0.84'", in.project()));
  return 0;
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY([[maybe_unused]] const Json measured,
           session->Post(KpisPath(in) + "/measure", Json::Obj()));
  GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
  GYRE_TRY(const Json kpi, session->Get(fmt::format("{}/history?limit={}&kpi={}", KpisPath(in),
                                                    limit, PercentEncode(in.Get("KPI")))));
  Output& out = in.out();
  if (out.json()) {
    out.Document(kpi, "");
    return 0;
  }
  std::string text =
      fmt::format("kpi        {}\nstate      {} since {}\nnow        {}\n", kpi["kpi"].AsString(),
                  kpi["state"].AsString(), kpi["since"].AsString(), ValueText(kpi["value"]));
  if (const std::string& why = kpi["reason"].AsString(); !why.empty())
    text += fmt::format("why        {}\n", why);
  if (kpi["trend"].is_object())
    text += fmt::format("trend      {} since {}\n", TrendText(kpi["trend"]),
                        kpi["trend"]["since"].AsString());
  out.Print(text);
  if (!in.Has("history")) return 0;
  out.Print("\n");
  Json rows = Json::Arr();
  for (const Json& item : kpi["items"].items())
    rows.Push(Json(item).Set("now", ValueText(item["value"])));
  out.Table({{"AT", "at", ColumnSpec::Format::kTime},
             {"STATE", "state"},
             {"VALUE", "now"},
             {"WHY", "reason"}},
            rows, "at");
  return 0;
}

constexpr Positional kKpi[] = {{"KPI", "its text, a part that only one has, or its place: 1"}};
constexpr Option kShow[] = {{"--history", "", "what it was, newest first"},
                            {"--limit", "N", "rows of the history", "50"}};
constexpr Command kCommands[] = {
    {"kpi ls",
     "the goals of the project: met, missed or unknown, now",
     "gyre kpi\ngyre kpi -o json",
     {},
     {},
     List},
    {"kpi show", "one goal, and what it was",
     "gyre kpi show 1 --history\ngyre kpi show live.auc --history", kKpi, kShow, Show},
};

}  // namespace

std::span<const Command> KpiCommands() { return kCommands; }

}  // namespace gyre::cli
