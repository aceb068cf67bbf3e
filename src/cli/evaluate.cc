// gyre evaluate, gyre compare: how good is a model, and is another one better.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

std::string WithInterval(const Json& number, std::string_view key) {
  std::string text = fmt::format("{:.4g}", number[key].AsDouble());
  if (number["lower"].is_number() && number["upper"].is_number()) {
    text += fmt::format("   ({:.4g} to {:.4g})", number["lower"].AsDouble(),
                        number["upper"].AsDouble());
  }
  return text;
}

Result<Json> Options(const Invocation& in) {
  Json options = Json::Obj();
  if (in.Has("seed")) {
    GYRE_TRY(const std::int64_t seed, in.GetInt("seed"));
    options.Set("seed", seed);
  }
  if (in.Has("resamples")) {
    GYRE_TRY(const std::int64_t resamples, in.GetInt("resamples"));
    options.Set("resamples", resamples);
  }
  if (in.Has("bca")) options.Set("interval", "bca");
  return options;
}

Result<Json> Run(Invocation& in, std::string_view verb, Json body) {
  if (in.Has("on")) body.Set("dataset", in.Get("on"));
  if (in.Has("metric")) body.Set("primary", in.Get("metric"));
  if (in.Has("rules")) {
    GYRE_TRY(Json rules, Json::Parse(in.Get("rules")));
    body.Set("rules", std::move(rules));
  }
  GYRE_TRY(Json options, Options(in));
  body.Set("options", std::move(options));
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json job,
           session->Post(fmt::format("/api/v1/projects/{}/{}", PercentEncode(in.project()), verb),
                         body));
  return session->WaitJob(job, in.out());
}

std::string GateText(const Json& result, const Output& out) {
  const Json& verdict = result["verdict"];
  std::string text =
      fmt::format("{} gate of @{}: {}\n", out.Mark(verdict["pass"].AsBool() ? "ok" : "fail"),
                  result["alias"].AsString(), verdict["pass"].AsBool() ? "yes" : "no");
  for (const Json& reason : verdict["reasons"].items()) {
    text += fmt::format("  {} {}   {}\n", out.Mark(reason["pass"].AsBool() ? "ok" : "fail"),
                        reason["rule"].AsString(), reason["text"].AsString());
  }
  std::string trial;
  for (const Json& term : result["trial"].items())
    trial += fmt::format("{}{}", trial.empty() ? "" : "; ", term.AsString());
  if (!trial.empty()) text += fmt::format("  a trial ({}): no alias moves by it\n", trial);
  return text;
}

std::string Head(const Json& result) {
  const bool held_out = result["rows_used"].AsString() == "held out";
  const std::string& positive = result["positive"].AsString();
  return fmt::format("{} on {}   {} rows{}{}\n", result["model"].AsString(),
                     result["dataset"].AsString(), GroupDigits(result["rows"].AsInt()),
                     held_out ? ", held out in training" : "",
                     positive.empty() ? "" : ", positive class " + positive);
}

Result<int> Evaluate(Invocation& in) {
  GYRE_TRY(const Json job, Run(in, "evaluate", Json::Obj({{"model", in.Get("MODEL")}})));
  const Json& result = job["result"];
  Output& out = in.out();
  std::string text = Head(result);
  for (const auto& [name, metric] : result["metrics"].members()) {
    text += fmt::format("  {:<20} {}{}\n", name, WithInterval(metric, "estimate"),
                        name == result["primary"].AsString() ? "   primary" : "");
  }
  if (result.Has("against"))
    text += fmt::format("compared with {}\n", result["against"].AsString());
  text += GateText(result, out);
  for (const Json& warning : result["warnings"].items()) out.Warn(warning.AsString());
  out.Document(result, text);
  const bool pass = result["verdict"]["pass"].AsBool();
  out.Hint(fmt::format("gyre models {} {}",
                       pass && result["verdict_recorded"].AsBool() ? "promote" : "card",
                       result["model"].AsString()));
  return in.Has("gate") && !pass ? 5 : 0;
}

Result<int> Compare(Invocation& in) {
  GYRE_TRY(const Json job,
           Run(in, "compare", Json::Obj({{"model", in.Get("A")}, {"against", in.Get("B")}})));
  const Json& result = job["result"];
  Output& out = in.out();
  std::string text = Head(result);
  text += fmt::format("  {:<20} {:>12} {:>12}   gain of {}\n", "", result["model"].AsString(),
                      result["against"].AsString(), result["model"].AsString());
  for (const auto& [name, metric] : result["comparison"]["metrics"].members()) {
    text += fmt::format("  {:<20} {:>12.4g} {:>12.4g}   {}\n", name, metric["a"].AsDouble(),
                        metric["b"].AsDouble(), WithInterval(metric, "gain"));
  }
  text += GateText(result, out);
  for (const Json& warning : result["warnings"].items()) out.Warn(warning.AsString());
  out.Document(result, text);
  return result["verdict"]["pass"].AsBool() ? 0 : 5;
}

constexpr Positional kModel[] = {{"MODEL", "name, name:vN or name@alias", true, false, "models"}};
constexpr Positional kModels[] = {{"A", "the challenger", true, false, "models"},
                                  {"B", "the model to beat", true, false, "models"}};
constexpr Option kEvaluate[] = {
    {"--on",
     "DATASET",
     "rows to judge on; default: those of the policy, else held-out ones",
     {},
     false,
     "datasets"},
    {"--metric", "NAME", "the metric that decides"},
    {"--rules", "JSON", "rules of the gate, a list; default: the policy of @champion"},
    {"--gate", "", "exit with 5 when the gate says no"},
    {"--resamples", "N", "of the bootstrap; default 1000"},
    {"--bca", "", "bias-corrected and accelerated intervals"},
    {"--seed", "N", "of the bootstrap; default 0"},
};
constexpr Option kCompare[] = {
    {"--on",
     "DATASET",
     "rows to judge on; default: those of the policy, else held out from A",
     {},
     false,
     "datasets"},
    {"--metric", "NAME", "the metric that decides"},
    {"--rules", "JSON", "rules of the gate, a list; default: not inferior to B"},
    {"--resamples", "N", "of the bootstrap; default 1000"},
    {"--bca", "", "bias-corrected and accelerated intervals"},
    {"--seed", "N", "of the bootstrap; default 0"},
};
constexpr Command kCommands[] = {
    {"evaluate", "how good a model is, with intervals; a verdict on the policy's terms is kept",
     "gyre evaluate churn:v3 --gate\ngyre evaluate churn --on customers:v2", kModel, kEvaluate,
     Evaluate, false, true},
    {"compare", "two models on the same rows; exit code 5 when the gate would say no",
     "gyre compare churn:v2 churn@champion", kModels, kCompare, Compare, false, true},
};

}  // namespace

std::span<const Command> EvaluateCommands() { return kCommands; }

}  // namespace gyre::cli
