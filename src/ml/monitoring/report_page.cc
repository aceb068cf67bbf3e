// A comparison as a page of its own: style and pictures stand in it, and it may load nothing.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "ml/monitoring/comparisons.h"
#include "ml/monitoring/report_picture.h"

namespace gyre::monitoring {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root{color-scheme:light dark;--bg:#f1f3f3;--panel:#fff;--line:#dde2e3;--ink:#14191c;--ink-2:#465057;--ink-3:#616b71;
--accent:#0b5d85;--ok-t:#0a6b49;--ok-s:#e1f2ea;--warn-t:#855400;--warn-s:#fbf0d8;--bad-t:#a3182a;--bad-s:#fae6e6;
--idle-t:#5c666c;--idle-s:#eceff0;--ref:#9aa4a9;--ref-s:#dfe4e5;--cur:#0b5d85;--axis:#9aa4a9}
@media (prefers-color-scheme:dark){:root{--bg:#0d1113;--panel:#151a1d;--line:#273034;--ink:#e5eaeb;--ink-2:#b0babf;
--ink-3:#8e999f;--accent:#6fb9df;--ok-t:#5cc79a;--ok-s:#11291f;--warn-t:#e2ad48;--warn-s:#2e2410;--bad-t:#ff938c;
--bad-s:#301618;--idle-t:#97a2a8;--idle-s:#1e2528;--ref:#6c787e;--ref-s:#2b3439;--cur:#6fb9df;--axis:#5c686e}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:13px/20px system-ui,"Segoe UI",Roboto,Arial,sans-serif}
main{max-width:1160px;margin:0 auto;padding:24px 16px 48px}
h1{font-size:18px;line-height:24px;margin:0 0 4px}h2{font-size:15px;margin:32px 0 8px}h3{font-size:15px;margin:0}
a{color:inherit}p{margin:0 0 4px;color:var(--ink-2)}
.panel{background:var(--panel);border:1px solid var(--line);border-radius:5px}
.wide{overflow-x:auto}
.figure{font-size:24px;line-height:28px;font-weight:600;color:var(--ink);margin:16px 0 4px}
table{border-collapse:collapse;width:100%}
th{font-weight:500;font-size:11px;color:var(--ink-3);text-align:left;padding:6px 12px;border-bottom:1px solid var(--line)}
td{padding:5px 12px;border-bottom:1px solid var(--line);vertical-align:middle;font-variant-numeric:tabular-nums}
tr:last-child td{border-bottom:0}
.n{text-align:right;white-space:nowrap}.name{font-weight:500;overflow-wrap:anywhere}td.name{min-width:150px}.why{min-width:280px}.dim{color:var(--ink-3)}
.chip{display:inline-block;padding:0 8px;border-radius:10px;font-size:12px;white-space:nowrap}
.bad{color:var(--bad-t);background:var(--bad-s)}.ok{color:var(--ok-t);background:var(--ok-s)}
.warn{color:var(--warn-t);background:var(--warn-s)}.idle{color:var(--idle-t);background:var(--idle-s)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,480px),1fr));gap:16px;align-items:start}
.card{padding:16px}.card header{display:flex;gap:8px;align-items:center;flex-wrap:wrap;margin-bottom:4px}
.card table{margin-top:8px;font-size:12px}.card td,.card th{padding:3px 8px}
svg{display:block;width:100%}.spark{width:120px;height:26px}.picture{margin-top:12px;height:auto}
svg text{font-size:11px;fill:var(--ink-2)}
.ref{fill:var(--ref-s);stroke:var(--ref);stroke-width:1}.cur{fill:none;stroke:var(--cur);stroke-width:1.8}
.refbar{fill:var(--ref)}.curbar{fill:var(--cur)}.axis{stroke:var(--axis);fill:none}
.key{display:inline-block;width:12px;height:12px;vertical-align:-1px;margin:0 4px 0 12px;border:1px solid var(--ref);background:var(--ref-s)}
.key+.key,.key.now{border-color:var(--cur);background:none;border-width:2px}
</style>
)";

std::string Shown(const Json& number) {
  return number.is_number() ? fmt::format("{:.4g}", number.AsDouble()) : std::string("–");
}
std::string ShownP(const Json& p) {
  constexpr double kShownMin = 1e-12;
  if (!p.is_number()) return "–";
  return p.AsDouble() < kShownMin ? "&lt; 1e-12" : fmt::format("{:.2g}", p.AsDouble());
}

// How far beyond (from 1 on) or below its threshold a column is.
double Severity(const Json& column) {
  constexpr double kTiny = 1e-300;
  if (const Json& effect = column["effect"]; effect.is_object())
    return effect["value"].AsDouble() / effect["threshold"].AsDouble(1);
  const double threshold = std::max(column["threshold"].AsDouble(), kTiny);
  if (!column["p_value"].is_number()) return column["statistic"].AsDouble() / threshold;
  const double p = std::max(column["p_value"].AsDouble(), kTiny);
  return std::log(p) / std::min(std::log(threshold), -kTiny);
}

bool IsCompared(const Json& column) { return column["status"].AsString() == "compared"; }

std::vector<const Json*> ByDrift(const Json& comparison) {
  std::vector<const Json*> columns;
  for (const Json& column : comparison["columns"].items()) {
    if (IsCompared(column)) columns.push_back(&column);
  }
  std::ranges::stable_sort(columns, [](const Json* a, const Json* b) {
    const bool drifted_a = (*a)["drifted"].AsBool(), drifted_b = (*b)["drifted"].AsBool();
    return drifted_a != drifted_b ? drifted_a : Severity(*a) > Severity(*b);
  });
  return columns;
}

std::string Chip(std::string_view kind, std::string_view text) {
  return fmt::format(R"(<span class="chip {}">{}</span>)", kind, EscapeHtml(text));
}
std::string Verdict(const Json& column) {
  return column["drifted"].AsBool() ? Chip("bad", "▲ drifted") : Chip("ok", "● stable");
}

std::string Anchor(std::size_t rank) { return fmt::format("c{}", rank + 1); }

std::string Head(const Json& comparison) {
  const auto side = [&](const char* which) {
    const Json& table = comparison[which];
    return fmt::format("<b>{}</b>, {} rows", EscapeHtml(table["name"].AsString()),
                       GroupDigits(table["rows"].AsInt()));
  };
  const std::int64_t drifted = comparison["drifted_columns"].AsInt(),
                     compared = comparison["compared_columns"].AsInt();
  const std::string& method = comparison["method"].AsString();
  std::string html = fmt::format(
      "<title>Drift: {} against {}</title>\n</head>\n<body>\n<main>\n<h1>Has the data "
      "moved?</h1>\n",
      EscapeHtml(comparison["current"]["name"].AsString()),
      EscapeHtml(comparison["reference"]["name"].AsString()));
  html += fmt::format(
      R"(<p>reference<span class="key"></span>{}<br>current<span class="key now"></span>{}</p>)",
      side("reference"), side("current"));
  html += fmt::format("\n<p class=\"figure\">{} of {} column{} drifted</p>\n", drifted, compared,
                      compared == 1 ? "" : "s");
  if (method == "calibrated") {
    html +=
        "<p>A column has drifted when the difference is no chance (5 % false discoveries over all "
        "columns) and large enough to matter (an effect of 0.1).</p>\n";
  } else {
    html += fmt::format("<p>Method where it applies: {}.</p>\n", EscapeHtml(method));
  }
  return html;
}

std::string Overview(const std::vector<const Json*>& columns) {
  std::string html =
      "<h2>Columns by drift</h2>\n<div class=\"panel wide\"><table>\n<tr><th>column</th>"
      "<th>type</th><th></th><th>verdict</th><th class=\"n\">statistic</th><th class=\"n\" "
      "title=\"corrected for the number of columns (Benjamini and Hochberg)\">p corrected</th>"
      "<th class=\"n\">effect</th><th>why</th></tr>\n";
  for (std::size_t rank = 0; rank < columns.size(); ++rank) {
    const Json& column = *columns[rank];
    const Json& p = column.Has("p_corrected") ? column["p_corrected"] : column["p_value"];
    html += fmt::format(
        "<tr><td class=\"name\"><a href=\"#{}\">{}</a></td><td class=\"dim\">{}</td><td>{}</td>"
        "<td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"dim why\">{}</td></tr>\n",
        Anchor(rank), EscapeHtml(column["name"].AsString()), EscapeHtml(column["type"].AsString()),
        ColumnSpark(column), Verdict(column), Shown(column["statistic"]), ShownP(p),
        Shown(column["effect"]["value"]), EscapeHtml(column["reason"].AsString()));
  }
  return html + "</table></div>\n";
}

std::string NotCompared(const Json& comparison) {
  std::string rows;
  for (const Json& column : comparison["columns"].items()) {
    if (IsCompared(column)) continue;
    std::string status = column["status"].AsString();
    std::ranges::replace(status, '_', ' ');
    rows += fmt::format(
        "<tr><td class=\"name\">{}</td><td class=\"dim\">{}</td><td>{}</td><td "
        "class=\"dim\">{}</td></tr>\n",
        EscapeHtml(column["name"].AsString()), EscapeHtml(column["type"].AsString()),
        Chip(status == "not comparable" || status == "both empty" ? "idle" : "warn", status),
        EscapeHtml(column["reason"].AsString()));
  }
  if (rows.empty()) return {};
  return "<h2>Not compared</h2>\n<div class=\"panel wide\"><table>\n<tr><th>column</th>"
         "<th>type</th><th></th><th>why</th></tr>\n" +
         rows + "</table></div>\n";
}

std::string SummaryCell(const Json& value) {
  constexpr std::size_t kToTheMinute = 16;  // of "2011-12-31T10:00:00Z"
  if (value.is_number()) return ShownNumber("double", value.AsDouble());
  return value.is_string() ? EscapeHtml(value.AsString().substr(0, kToTheMinute)) : "–";
}

// Both sides in numbers.
std::string Numbers(const Json& column) {
  const Json& summary = column["summary"];
  const bool numbers = summary["reference"].is_object() && column["kind"].AsString() == "number";
  std::string head, rows[2];
  if (numbers) {
    for (const char* name : {"mean", "min", "q25", "median", "q75", "max"})
      head += fmt::format("<th class=\"n\">{}</th>", name);
  }
  const char* const sides[] = {"reference", "current"};
  for (int i = 0; i < 2; ++i) {
    rows[i] = fmt::format("<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1f} %</td>",
                          sides[i], GroupDigits(column["rows"][sides[i]].AsInt()),
                          100 * column["missing"][sides[i]].AsDouble());
    if (numbers) {
      for (const char* name : {"mean", "min", "q25", "median", "q75", "max"})
        rows[i] += fmt::format("<td class=\"n\">{}</td>", SummaryCell(summary[sides[i]][name]));
    }
    rows[i] += "</tr>\n";
  }
  return fmt::format(
      "<div class=\"wide\"><table>\n<tr><th></th><th class=\"n\">rows</th><th "
      "class=\"n\">missing</th>{}</tr>\n{}{}</table></div>\n",
      head, rows[0], rows[1]);
}

std::string Card(const Json& column, std::size_t rank) {
  std::string method = column["method"].AsString();
  if (const Json& effect = column["effect"]; effect.is_object())
    method += " + " + effect["method"].AsString();
  return fmt::format(
      "<article class=\"panel card\" id=\"{}\"><header><h3 class=\"name\">{}</h3>{}</header>"
      "<p>{}</p><p class=\"dim\">{}</p>\n{}\n{}</article>\n",
      Anchor(rank), EscapeHtml(column["name"].AsString()), Verdict(column),
      EscapeHtml(column["reason"].AsString()), EscapeHtml(method), ColumnPicture(column),
      Numbers(column));
}

}  // namespace

std::string ReportPage(const Json& comparison) {
  const std::vector<const Json*> columns = ByDrift(comparison);
  std::string html(kHead);
  html += Head(comparison);
  html += Overview(columns);
  html += NotCompared(comparison);
  html += "<h2>Each column</h2>\n<div class=\"cards\">\n";
  for (std::size_t rank = 0; rank < columns.size(); ++rank) html += Card(*columns[rank], rank);
  return html + "</div>\n</main>\n</body>\n</html>\n";
}

}  // namespace gyre::monitoring
