// gyre report: has the data moved from one table to another?
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"
#include "platform/table/import.h"

namespace gyre::cli {
namespace {

constexpr int kFindingsExit = 5;

// A dataset version is called "sales", "sales:v3" or "shop/sales:v3"; a file is there, or ends as
// files of tables do.
bool IsFile(const std::string& name) {
  if (exec::FileExists(name)) return true;
  std::string_view stem = name;
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (stem.ends_with(packed)) stem.remove_suffix(packed.size());
  }
  const std::size_t dot = stem.rfind('.');
  return dot != std::string_view::npos && table::ParseFileFormat(stem.substr(dot + 1));
}

Result<> CheckThere(const std::string& file) {
  if (exec::FileExists(file)) return {};
  return NotFound("GY4061", "there is no file {}", file)
      .Fix("gyre report FILE_OR_DATASET FILE_OR_DATASET");
}

// What does not depend on where the tables are.
Result<std::string> Question(const Invocation& in) {
  std::string query;
  for (const char* name : {"method", "threshold", "format"}) {
    if (in.Has(name)) query += fmt::format("&{}={}", name, PercentEncode(in.Get(name)));
  }
  if (in.Has("threshold")) {
    GYRE_TRY([[maybe_unused]] const double threshold, in.GetDouble("threshold"));
  }
  for (const std::string& column : in.List("column")) query += "&column=" + PercentEncode(column);
  return query;
}

struct Asked {
  Session* session = nullptr;
  std::string path;  // of the comparison
  Json job;          // that has ended
};

// Two files need no server, and stay where they are: a directory of our own that goes with the
// command compares them. A dataset version is compared where it lies, and a file is sent there.
Result<Asked> Ask(Invocation& in) {
  const std::string reference = in.Get("REFERENCE"), current = in.Get("CURRENT");
  const bool reference_is_file = IsFile(reference), current_is_file = IsFile(current);
  if (reference_is_file) GYRE_DO(CheckThere(reference));
  if (current_is_file) GYRE_DO(CheckThere(current));
  GYRE_TRY(const std::string question, Question(in));
  const bool own = reference_is_file && current_is_file;
  Asked asked;
  GYRE_TRY(asked.session, own ? in.scratch_session() : in.session());
  std::string project = own ? "default" : in.project();
  const std::string& dataset = reference_is_file ? current : reference;
  // "shop/sales:v3" says where it lies.
  if (const std::size_t slash = dataset.find('/'); !own && slash != std::string::npos)
    project = dataset.substr(0, slash);
  const std::string base = fmt::format("/api/v1/projects/{}/comparisons", PercentEncode(project));
  std::string query = "?", upload;
  const auto add = [&](std::string_view side, const std::string& name, bool is_file) {
    if (own) {
      query += fmt::format("{}_file={}&", side, PercentEncode(config::AbsolutePath(name)));
    } else if (is_file) {
      upload = name;
      query += fmt::format("filename={}&", PercentEncode(name.substr(name.rfind('/') + 1)));
    } else {
      query += fmt::format("{}={}&", side, PercentEncode(name));
    }
  };
  add("reference", reference, reference_is_file);
  add("current", current, current_is_file);
  query.pop_back();
  const std::string path = base + query + question;
  GYRE_TRY(const Json job, upload.empty() ? asked.session->Post(path, Json())
                                          : asked.session->Upload(path, upload, in.out()));
  GYRE_TRY(asked.job, asked.session->WaitJob(job, in.out()));
  asked.path = base + "/" + asked.job["id"].AsString();
  return asked;
}

double EffectOf(const Json& column) {
  return column["effect"].is_object() ? column["effect"]["value"].AsDouble()
                                      : column["statistic"].AsDouble();
}

std::string ShownNumber(const Json& number) {
  return number.is_number() ? fmt::format("{:.4g}", number.AsDouble()) : std::string();
}

std::string ShownP(const Json& p) {
  constexpr double kShownMin = 1e-12;
  if (!p.is_number()) return {};
  return p.AsDouble() < kShownMin ? "< 1e-12" : fmt::format("{:.2g}", p.AsDouble());
}

// What drifted first, then what could not be compared, then the rest.
Json Rows(const Json& comparison) {
  std::vector<Json> columns(comparison["columns"].items());
  const auto rank = [](const Json& column) {
    if (column["drifted"].is_null()) return 1;
    return column["drifted"].AsBool() ? 0 : 2;
  };
  std::ranges::stable_sort(columns, [&](const Json& a, const Json& b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : EffectOf(a) > EffectOf(b);
  });
  Json rows = Json::Arr();
  for (Json& column : columns) {
    std::string verdict = column["drifted"].AsBool() ? "drifted" : "stable";
    if (column["drifted"].is_null()) {
      verdict = column["status"].AsString();
      std::ranges::replace(verdict, '_', ' ');
    }
    const Json& p = column.Has("p_corrected") ? column["p_corrected"] : column["p_value"];
    column.Set("verdict", verdict)
        .Set("shown_statistic", ShownNumber(column["statistic"]))
        .Set("shown_p", ShownP(p))
        .Set("shown_effect", ShownNumber(column["effect"]["value"]));
    rows.Push(std::move(column));
  }
  return rows;
}

void Show(const Json& comparison, Output& out) {
  const auto side = [&](const char* which) {
    return fmt::format("{} ({} rows)", comparison[which]["name"].AsString(),
                       GroupDigits(comparison[which]["rows"].AsInt()));
  };
  const std::int64_t compared = comparison["compared_columns"].AsInt();
  out.Print(fmt::format("{} against {}: {} of {} column{} drifted\n\n", side("current"),
                        side("reference"), comparison["drifted_columns"].AsInt(), compared,
                        compared == 1 ? "" : "s"));
  out.Table({{"COLUMN", "name"},
             {"TYPE", "type"},
             {"VERDICT", "verdict"},
             {"STATISTIC", "shown_statistic"},
             {"P CORRECTED", "shown_p"},
             {"EFFECT", "shown_effect"},
             {"WHY", "reason"},
             {"METHOD", "method", ColumnSpec::Format::kText, true}},
            Rows(comparison));
}

Result<int> Report(Invocation& in) {
  GYRE_TRY(const std::string file, OutFile(in));
  GYRE_TRY(const Asked asked, Ask(in));
  Output& out = in.out();
  for (const Json& note : asked.job["result"]["notes"].items()) out.Note("  " + note.AsString());
  GYRE_TRY(const Json comparison, asked.session->Get(asked.path));
  if (out.json())
    out.Document(comparison, "");
  else
    Show(comparison, out);
  if (in.Has("out")) {
    GYRE_DO(asked.session->Download(asked.path + "?format=html", file, out));
    if (file != "-") out.Done(fmt::format("wrote {}", file));
  } else {
    out.Hint("gyre report ... --out report.html   (pictures of each column)");
  }
  return in.Has("check") && comparison["drifted"].AsBool() ? kFindingsExit : 0;
}

constexpr Positional kTables[] = {
    {"REFERENCE", "what the data was like: a file (CSV, JSON lines, Parquet) or a dataset version",
     true, false, "datasets"},
    {"CURRENT", "what it is like now, likewise", true, false, "datasets"}};
constexpr Option kOptions[] = {
    {"--out", "FILE.html", "write a page with pictures that needs nothing else", {}, false, "file"},
    kForceOut,
    {"--method", "METHOD",
     "ks, wasserstein, psi, js, linf, chi2 or chi2-goodness where it applies; default: a test and "
     "an effect, calibrated over all columns"},
    {"--threshold", "NUMBER", "of the method; default: its usual one"},
    {"--column", "COLUMN", "only this column; may be repeated", {}, true},
    {"--format", "FORMAT", "of the files: csv, tsv, json, jsonl or parquet; default: by content"},
    {"--check", "", "exit code 5 when a column has drifted"},
};
constexpr Command kCommands[] = {
    {"report", "has the data moved from one table to another",
     "gyre report train.csv today.csv --out drift.html\ngyre report churn:v1 churn:v2\ngyre report "
     "churn:v1 today.parquet --method psi --threshold 0.2 -o json",
     kTables, kOptions, Report},
};

}  // namespace

std::span<const Command> ReportCommands() { return kCommands; }

}  // namespace gyre::cli
