#include "cli/datasets_text.h"

#include <algorithm>

#include "base/text.h"
#include "cli/output.h"
#include "cli/table_text.h"

namespace gyre::cli {

namespace {
constexpr std::size_t kTextMax = 28;

// Characters, not bytes.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string Cut(const std::string& value, std::size_t width) {
  std::string text = OneLineText(value);
  if (Width(text) <= width) return text;
  std::size_t bytes = 0;
  for (std::size_t seen = 0; bytes < text.size(); ++bytes) {
    if ((static_cast<unsigned char>(text[bytes]) & 0xC0) != 0x80 && seen++ == width - 2) break;
  }
  return text.substr(0, bytes) + "..";
}

std::string NumberText(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return OneLineText(value.AsString());
  if (value.is_int()) return GroupDigits(value.AsInt());
  return fmt::format("{:.5g}", value.AsDouble());
}

using Row = std::vector<std::string>;
std::string Columns(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - Width(row[i]) + 2, ' ');
    }
    text += "  " + line + "\n";
  }
  return text;
}

double AssociationOf(const Json& profile, const std::string& name) {
  for (const Json& item : profile["associations"].items()) {
    if (item["column"].AsString() == name) return item["score"].AsDouble();
  }
  return -1;
}

// min..max of numbers and dates, the most frequent values of text.
std::string Summary(const Json& column) {
  if (column["type"].AsString() != "text") {
    if (column["min"].is_null()) return "";
    std::string text =
        fmt::format("{} .. {}", NumberText(column["min"]), NumberText(column["max"]));
    if (column["mean"].is_number()) text += fmt::format("  mean {}", NumberText(column["mean"]));
    return text;
  }
  std::string text;
  if (const std::int64_t empty = column["empty"].AsInt(); empty > 0)
    text = GroupDigits(empty) + " empty";
  for (const Json& value : column["top"].items()) {
    if (text.size() > 40) break;
    if (value["value"].AsString().empty()) continue;
    text +=
        fmt::format("{}{} ({})", text.empty() ? "" : ", ", Cut(value["value"].AsString(), kTextMax),
                    GroupDigits(value["count"].AsInt()));
  }
  return text;
}

std::string WarningsText(const Json& warnings, const Output& out) {
  std::string text;
  for (const Json& warning : warnings.items()) {
    text += fmt::format(
        "  {} {}\n",
        warning["severity"].AsString() == "high" ? std::string_view("!") : out.Mark("dot"),
        OneLineText(warning["message"].AsString()));
  }
  return text;
}
}  // namespace

std::string DatasetNameOf(std::string_view file) {
  std::string name(file.substr(file.rfind('/') + 1));
  for (const std::string_view suffix :
       {".gz", ".zst", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".tar"}) {
    if (name.size() > suffix.size() && ToLower(name).ends_with(suffix))
      name.resize(name.size() - suffix.size());
  }
  std::string out;
  for (const char c : name) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
    if (fine) out += c;
    if (!fine && !out.empty() && out.back() != '-') out += '-';
  }
  while (!out.empty() && (out.back() == '-' || out.back() == '.')) out.pop_back();
  while (!out.empty() && (out.front() == '-' || out.front() == '.' || out.front() == '_'))
    out.erase(0, 1);
  return out.empty() ? "data" : out.substr(0, 128);
}

std::string ProfileText(const Json& profile, const Output& out) {
  const bool targeted = profile["associations"].is_array();
  std::vector<Row> rows = {{"COLUMN", "TYPE", "MISSING", "DISTINCT"}};
  if (targeted) rows[0].push_back("TELLS");
  rows[0].push_back("VALUES");
  for (const Json& column : profile["columns"].items()) {
    const double missing = column["missing_fraction"].AsDouble();
    const std::string about = column["distinct_method"].AsString() == "distinct.exact" ? "" : "~";
    Row row = {Cut(column["name"].AsString(), kTextMax), column["type"].AsString(),
               missing == 0 ? "" : fmt::format("{:.1f} %", 100 * missing),
               about + GroupDigits(column["distinct"].AsInt())};
    if (targeted) {
      const double score = AssociationOf(profile, column["name"].AsString());
      row.push_back(score < 0 ? "target" : fmt::format("{:.2f}", score));
    }
    row.push_back(Summary(column));
    rows.push_back(std::move(row));
  }
  return fmt::format("{}:{}   {} rows\n", profile["dataset"].AsString(),
                     profile["version"].AsString(), GroupDigits(profile["rows"].AsInt())) +
         Columns(rows) + WarningsText(profile["warnings"], out);
}

std::string VersionText(const Json& version, const Json& profile, const Output& out) {
  std::string text;
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<10} {}\n", label, value);
  };
  line("dataset", version["reference"].AsString());
  line("rows", GroupDigits(version["rows"].AsInt()));
  line("columns", GroupDigits(version["columns"].AsInt()));
  line("size", fmt::format("{} in {} part{}", HumanBytes(version["bytes"].AsInt()),
                           version["parts"].size(), version["parts"].size() == 1 ? "" : "s"));
  line("source",
       fmt::format("{} ({}, {})", version["source_name"].AsString(), version["format"].AsString(),
                   HumanBytes(version["source_bytes"].AsInt())));
  line("sha256", version["source_sha256"].AsString());
  line("content", version["content_hash"].AsString().substr(0, 16));
  line("added",
       fmt::format("{} by {}", version["created_at"].AsString(), version["created_by"].AsString()));
  for (const auto& [name, value] : version["tags"].members())
    line("tag", name + "=" + value.AsString());
  if (version["rows_quarantined"].AsInt() > 0)
    line("set aside", GroupDigits(version["rows_quarantined"].AsInt()) +
                          " rows: gyre datasets quarantine " + version["reference"].AsString());
  for (const Json& note : version["notes"].items()) line("note", note.AsString());
  return text + ProfileText(profile, out);
}

std::string DiffText(const Json& diff) {
  if (diff["same"].AsBool())
    return fmt::format("{} and {} have the same content\n", diff["from"].AsString(),
                       diff["to"].AsString());
  std::string text = fmt::format("{} -> {}   rows {} -> {}\n", diff["from"].AsString(),
                                 diff["to"].AsString(), GroupDigits(diff["rows"]["from"].AsInt()),
                                 GroupDigits(diff["rows"]["to"].AsInt()));
  for (const Json& column : diff["schema"]["added"].items())
    text += fmt::format("  + {} ({})\n", OneLineText(column["name"].AsString()),
                        column["type"].AsString());
  for (const Json& column : diff["schema"]["removed"].items())
    text += fmt::format("  - {} ({})\n", OneLineText(column["name"].AsString()),
                        column["type"].AsString());
  std::vector<Row> rows;
  for (const Json& column : diff["columns"].items()) {
    std::string name = OneLineText(column["name"].AsString());
    for (const auto& [key, change] : column["changes"].members()) {
      if (key == "missing" && column["changes"].Has("missing_fraction")) continue;
      const std::string what =
          change.is_array()
              ? change.Dump()
              : fmt::format("{} -> {}", NumberText(change["from"]), NumberText(change["to"]));
      rows.push_back({std::exchange(name, ""), key, what});
    }
  }
  return text + Columns(rows);
}

std::string CheckText(const Json& result, const Output& out) {
  std::string text;
  std::int64_t passed = 0;
  for (const Json& item : result["results"].items()) {
    if (item["success"].AsBool()) {
      ++passed;
      continue;
    }
    std::string what = item["column"].is_string()
                           ? fmt::format("{} `{}`", item["kind"].AsString(),
                                         OneLineText(item["column"].AsString()))
                           : item["kind"].AsString();
    for (const std::string_view key : {"type", "fraction", "min", "max"}) {
      if (item.Has(key)) what += fmt::format(" {} {}", key, NumberText(item[key]));
    }
    text += fmt::format("{} {}", out.Mark("fail"), what);
    if (item.Has("observed"))
      text +=
          fmt::format("   observed {}", item["observed"].is_array() ? item["observed"].Dump()
                                                                    : NumberText(item["observed"]));
    if (item["bad_rows"].AsInt() > 0) {
      text += fmt::format("   {} rows, such as", GroupDigits(item["bad_rows"].AsInt()));
      for (const Json& example : item["examples"].items())
        text += fmt::format(" \"{}\" (row {})", Cut(example["value"].AsString(), kTextMax),
                            example["row"].AsInt() + 1);
    }
    text += "\n";
  }
  const std::int64_t failed = result["failed"].AsInt();
  text += fmt::format("{} {}   {} of {} expectations hold   ({})\n",
                      out.Mark(failed == 0 ? "ok" : "fail"), result["reference"].AsString(), passed,
                      passed + failed, result["origin"].AsString());
  return text;
}

}  // namespace gyre::cli
