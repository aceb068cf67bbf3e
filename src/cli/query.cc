// gyre query: one SELECT over datasets.
#include "base/shell.h"
#include "base/text.h"
#include "cli/cell_rows.h"
#include "cli/command.h"
#include "cli/dataset_name.h"
#include "cli/nouns.h"
#include "cli/out_file.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

Result<int> Query(Invocation& in) {
  Json body = Json::Obj({{"sql", in.Get("SQL")}});
  const bool to_file = in.Has("out") || in.Has("format");
  GYRE_TRY(const std::string file, OutFile(in));
  if (to_file) body.Set("format", TableFormatOf(in, file));
  if (!to_file || in.Has("limit")) {
    GYRE_TRY(const std::int64_t limit, in.GetInt("limit"));
    body.Set("limit", limit);
  }
  GYRE_TRY(Session* const session, in.session());
  const std::string path = "/api/v1/projects/" + PercentEncode(in.project()) + "/query";
  GYRE_TRY(const Json job, session->Post(path + "?wait=false", body));
  const std::string& id = job["id"].AsString();
  const auto ended = session->WaitJob(job, in.out());
  if (!ended && ended.error().gy() == "GY4026") {
    return Error(ended.error())
        .Fix(session->Repeatable(
                 fmt::format("gyre jobs output {} --out {}", id.substr(0, 8), ShellWord(file))) +
             "   (fetch its answer, within a day)");
  }
  if (!ended) return ended.error();
  const std::string answer_path = path + "/" + PercentEncode(id);
  if (to_file) {
    GYRE_DO(session->Download(answer_path, file, in.out()));
    if (file != "-")
      in.out().Done(fmt::format("wrote {} rows into {}",
                                GroupDigits((*ended)["result"]["rows"].AsInt()), file));
    return 0;
  }
  GYRE_TRY(const Json answer, session->Get(answer_path));
  ShowRows(answer, in.out());
  return 0;
}

constexpr Positional kSql[] = {
    {"SQL", "one SELECT; datasets are tables, \"name:v2\" an older version"}};
constexpr Option kQuery[] = {
    {"-n,--limit", "N", "rows at most, up to 10,000; default: 1000, and all with --out", "1000"},
    {"--out", "FILE", "all rows into a file; - = standard output", {}, false, "file"},
    {"--format", "FORMAT",
     "of --out: csv, jsonl or parquet; default: by the file's name, else csv"},
    kForceOut};

constexpr Command kCommands[] = {
    {"query", "Run one SELECT over datasets",
     "gyre query 'select plan, avg(age) from customers group by plan'\ngyre query 'select * from "
     "\"sales:v1\"' -o csv\ngyre query 'select * from sales where region = 3' --out region.parquet",
     kSql, kQuery, Query, false, true},
    {"datasets query", "Run one SELECT over datasets",
     "gyre datasets query 'select count(*) from sales'", kSql, kQuery, Query, false, true},
};

}  // namespace

std::span<const Command> QueryCommands() { return kCommands; }

}  // namespace gyre::cli
