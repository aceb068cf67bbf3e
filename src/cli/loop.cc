// gyre loop: a project at a glance, and how mature it is.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table_text.h"

namespace gyre::cli {
namespace {

std::string PathOf(const Invocation& in, std::string_view what) {
  std::string path = fmt::format("/api/v1/projects/{}/{}", PercentEncode(in.project()), what);
  if (in.Has("model")) path += "?model=" + PercentEncode(in.Get("model"));
  return path;
}

// "google 1 of 2; next: A push runs the pipeline (gyre triggers add ...)"
std::string LevelText(const Json& scale) {
  std::string text = fmt::format("{:<7} {} of {}", scale["scale"].AsString(),
                                 scale["level"].AsInt(), scale["of"].AsInt());
  if (const Json& next = scale["next"]; next.is_object())
    text += fmt::format("   next: {} ({}): {}", next["claim"].AsString(),
                        next["missing"].AsString(), next["act"]["command"].AsString());
  return text + "\n";
}

std::string HeadText(const Json& loop) {
  std::string text = loop["project"].AsString();
  if (const std::string& statement = loop["statement"].AsString(); !statement.empty())
    text += ": " + statement;
  text += "\n";
  if (const std::int64_t laps =
          static_cast<std::int64_t>(loop["laps"].size()) + loop["laps_before"].AsInt();
      laps > 0)
    text += fmt::format("{} lap{} of {}", laps, laps == 1 ? "" : "s", loop["model"].AsString());
  if (const Json& running = loop["running"]; running.is_object())
    text +=
        fmt::format("{}now: {}", loop["laps"].size() > 0 ? "; " : "", running["text"].AsString());
  return text + "\n\n";
}

void PrintStages(const Json& stages, Output& out) {
  Json rows = Json::Arr();
  for (const Json& stage : stages.items())
    rows.Push(Json(stage).Set("do", stage["next"]["command"]));
  out.Table({{"", "number"},
             {"STAGE", "stage"},
             {"STATE", "state"},
             {"NOW", "figure"},
             {"FACT", "fact"},
             {"SINCE", "at", ColumnSpec::Format::kTime},
             {"NEXT", "do"}},
            rows, "stage");
}

Result<int> Show(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json loop, session->Get(PathOf(in, "loop")));
  Output& out = in.out();
  if (out.json()) {
    out.Document(loop, "");
    return 0;
  }
  out.Print(HeadText(loop));
  PrintStages(loop["stages"], out);
  std::string levels = "\nmaturity\n";
  for (const Json& scale : loop["maturity"].items()) levels += "  " + LevelText(scale);
  out.Print(levels);
  return 0;
}

Result<int> Maturity(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json maturity, session->Get(PathOf(in, "maturity")));
  Output& out = in.out();
  if (out.json()) {
    out.Document(maturity, "");
    return 0;
  }
  Json rows = Json::Arr();
  for (const Json& scale : maturity["scales"].items())
    for (const Json& row : scale["rows"].items())
      rows.Push(Json(row)
                    .Set("scale", scale["scale"])
                    .Set("met", row["met"].AsBool() ? "yes" : "no")
                    .Set("do", row["act"]["command"]));
  out.Table({{"SCALE", "scale"},
             {"LEVEL", "level"},
             {"ASKS", "claim"},
             {"MET", "met"},
             {"BECAUSE", "evidence"},
             {"NEXT", "do"}},
            rows, "claim");
  std::string levels = "\n";
  for (const Json& scale : maturity["scales"].items()) levels += LevelText(scale);
  out.Print(levels);
  return 0;
}

constexpr Option kOptions[] = {{"--model", "MODEL", "whose laps; else what answers now"}};
constexpr Command kCommands[] = {
    {"loop",
     "the project at a glance: its eight stages, what is next, how mature it is",
     "gyre loop\ngyre loop -p churn -o json",
     {},
     kOptions,
     Show},
    {"maturity",
     "Google's levels 0 to 2 and Azure's 0 to 4, with evidence and what is missing",
     "gyre maturity\ngyre maturity -o json",
     {},
     kOptions,
     Maturity},
};

}  // namespace

std::span<const Command> LoopCommands() { return kCommands; }

}  // namespace gyre::cli
