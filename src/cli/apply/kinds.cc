#include "cli/apply/kinds.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"

namespace gyre::cli::apply {
namespace {

constexpr Member kProblemMembers[] = {
    {"statement", Shape::kText, "what is to be solved, and for whom", "\"\""},
    {"target", Shape::kText, "the column that is predicted", "\"\""},
    {"owner", Shape::kText, "who answers for it", "\"\""},
    {"kpis", Shape::kTexts, "goals: `auc >= 0.84`", "[]"},
};
constexpr Member kChannelMembers[] = {
    {"webhook", Shape::kText, "an address, or secret:NAME"},
    {"format", Shape::kText, "of the webhook's body", "\"json\"", "json|slack|teams"},
    {"secret", Shape::kText, "secret:NAME that the webhook is signed with"},
    {"smtp", Shape::kText, "a mail server: mail.example.org:587"},
    {"tls", Shape::kText, "with the mail server", {}, "starttls|from-start|none"},
    {"from", Shape::kText, "the sender's address"},
    {"to", Shape::kTexts, "the recipients' addresses"},
    {"user", Shape::kText, "of the mail server"},
    {"password", Shape::kText, "secret:NAME"},
    {"min_severity", Shape::kText, "of notices that name no channel", "\"info\"",
     "info|warning|critical"},
};
constexpr Member kSourceMembers[] = {
    {.name = "path", .doc = "a file or a folder of tables, from the folder of gyre.yaml"},
    {.name = "url", .doc = "else a file on the web: https://..."},
    {.name = "description", .doc = "what the rows are, and who makes them", .fallback = "\"\""},
};
constexpr Member kDatasetMembers[] = {
    {.name = "source",
     .doc = "the source that its rows come from",
     .refers = "sources",
     .seen = Seen::kLocal},
    {.name = "path",
     .doc = "else the file or folder itself, from the folder of gyre.yaml",
     .seen = Seen::kLocal},
    {.name = "url", .doc = "else a file on the web: https://...", .seen = Seen::kLocal},
    {.name = "sql",
     .doc = "else one SELECT over other datasets, which are its tables",
     .seen = Seen::kLocal},
    {.name = "types",
     .shape = Shape::kTextMap,
     .doc = "column: type, where the rows do not say it (int, double, text, bool, date, "
            "timestamp)"},
    {.name = "bad",
     .doc = "what becomes of cells that are not of their type when a file is read",
     .allowed = "error|null|quarantine",
     .seen = Seen::kLocal},
    {.name = "expectations",
     .shape = Shape::kObjects,
     .doc = "what its rows must be like: the words of `gyre datasets expectations`",
     .actual = "expectations"},
};
constexpr Member kRecipeMembers[] = {
    {.name = "file",
     .doc = "a recipe, from the folder of gyre.yaml: `gyre recipes suggest` prints one",
     .seen = Seen::kLocal},
    {.name = "recipe", .shape = Shape::kFree, .doc = "else the recipe itself"},
};
constexpr Member kTrainingMembers[] = {
    {.name = "dataset",
     .doc = "that it learns from: NAME, or NAME:vN",
     .required = true,
     .refers = "datasets"},
    {.name = "target", .doc = "the column to predict; else that of the problem"},
    {.name = "recipe",
     .doc = "how columns become numbers; else one is made to suit",
     .refers = "recipes"},
    {.name = "metric", .doc = "that candidates are judged by; else by the task"},
    {.name = "task",
     .doc = "else by the target's values",
     .allowed = "binary|multiclass|regression"},
    {.name = "positive", .doc = "of two classes the one to find"},
    {.name = "budget",
     .shape = Shape::kSeconds,
     .doc = "time for the search",
     .actual = "budget_seconds"},
    {.name = "trials",
     .shape = Shape::kWhole,
     .doc = "so many settings instead of a time: repeatable to the byte",
     .fallback = "0"},
    {.name = "seed", .shape = Shape::kWhole, .doc = "of splits and searches", .fallback = "0"},
    {.name = "split",
     .doc = "random looks for no column of time or of people",
     .fallback = "\"auto\"",
     .allowed = "auto|random"},
    {.name = "time_column", .doc = "the newest rows test", .fallback = "\"\""},
    {.name = "group_column", .doc = "rows of one group stay together", .fallback = "\"\""},
    {.name = "keep_leaks",
     .shape = Shape::kBool,
     .doc = "train with columns that give the target away",
     .fallback = "false"},
    {.name = "test_share",
     .shape = Shape::kNumber,
     .doc = "of the rows, that no candidate sees; 0 = by size",
     .fallback = "0.0"},
    {.name = "gate",
     .doc = "kpi: the project's KPIs bind too; judge: @champion stays; none: only register",
     .fallback = "\"default\"",
     .allowed = "default|kpi|judge|none"},
    {.name = "retrain",
     .doc = "whether a newer version of the dataset trains a new version of the model",
     .fallback = "\"never\"",
     .allowed = "never|on_new_data",
     .seen = Seen::kLocal},
};
constexpr Member kGateMembers[] = {
    {"approvals_min", Shape::kWhole, "people who must agree before the alias moves", "0"},
    {"author_may_approve", Shape::kBool, "whether who trained it may be one of them", "true"},
    {"rules", Shape::kObjects, "that a version must meet; else those of @champion", "null"},
    {"metric", Shape::kText, "that versions are compared by; else the task's own", "\"\""},
    {.name = "dataset",
     .doc = "the rows that judge; else those that training held out",
     .fallback = "\"\"",
     .refers = "datasets"},
};
constexpr Member kCaptureMembers[] = {
    {"on", Shape::kBool, "whether anything is kept", "true"},
    {"sample", Shape::kNumber, "share of the rows: above 0, at most 1", "1.0"},
    {"columns", Shape::kTextMap, "column: keep, hash or drop", "{}", "keep|hash|drop"},
    {"key_column", Shape::kText, "labels may come by its value", "\"\""},
    {"retention_days", Shape::kNumber, "rows and labels go after so many days", "90.0"},
    {"lateness_days", Shape::kNumber, "labels count as late after so many days", "30.0"},
};
constexpr Member kVariantMembers[] = {
    {.name = "model",
     .doc = "that it runs: NAME:v3, or NAME@challenger as that is when apply looks",
     .required = true,
     .refers = "training"},
    {.name = "share",
     .shape = Shape::kNumber,
     .doc = "of the requests: 0 to 1; the champion has the rest",
     .fallback = "0.0"},
    {.name = "shadow",
     .shape = Shape::kBool,
     .doc = "it scores what others have answered, and answers nobody",
     .fallback = "false"},
};
constexpr Member kEndpointMembers[] = {
    {.name = "model",
     .doc = "that answers: NAME@champion follows the alias, NAME:v3 stays",
     .required = true,
     .refers = "training"},
    {.name = "variants",
     .shape = Shape::kObjectMap,
     .doc = "what stands beside the champion: canaries and shadows",
     .fallback = "{}",
     .members = kVariantMembers},
    {.name = "sticky",
     .doc = "a column: who has its value stays on one variant",
     .fallback = "\"\""},
    {.name = "park_after",
     .shape = Shape::kSeconds,
     .doc = "without a request the model leaves memory; 0 = never",
     .fallback = "0",
     .actual = "park_after_seconds"},
    {.name = "capture",
     .shape = Shape::kObject,
     .doc = "what is kept of its answers, and for how long",
     .members = kCaptureMembers},
};
constexpr Member kWindowMembers[] = {
    {"rows", Shape::kWhole, "judge every so many rows, or else"},
    {"every", Shape::kSeconds, "judge every hour, day, ... of event time", "3600"},
    {"lateness", Shape::kSeconds, "how long a window by time waits for late rows", "0"},
    {"rows_min", Shape::kWhole, "of a window by time", "500"},
    {"few", Shape::kText, "what becomes of a window with fewer", "\"append\"", "keep|append|skip"},
};
constexpr Member kAlertMembers[] = {
    {"bad", Shape::kWhole, "bad windows that an alert takes", "2"},
    {"of", Shape::kWhole, "of the last so many", "3"},
    {"calm", Shape::kWhole, "calm windows in a row that end it", "2"},
    {"renotify", Shape::kSeconds, "tell of a firing alert again after so long", "86400"},
    {"flap_changes", Shape::kWhole, "so many changes ...", "4"},
    {"flap_windows", Shape::kWhole, "... within so many windows are told once", "12"},
};
constexpr Member kMonitorMembers[] = {
    {.name = "endpoint",
     .doc = "that it watches; else the one of its own name",
     .refers = "endpoints"},
    {.name = "enabled",
     .shape = Shape::kBool,
     .doc = "whether it looks at all",
     .fallback = "true"},
    {.name = "window",
     .shape = Shape::kObject,
     .doc = "which answers are judged together",
     .members = kWindowMembers,
     .actual = "spec.window"},
    {.name = "alert",
     .shape = Shape::kObject,
     .doc = "when somebody is told",
     .members = kAlertMembers,
     .actual = "spec.alert"},
    {.name = "against",
     .doc = "what drift is measured from",
     .fallback = "\"training\"",
     .allowed = "training|previous",
     .actual = "spec.against"},
    {.name = "effect_min",
     .shape = Shape::kNumber,
     .doc = "smaller drift is no signal",
     .fallback = "0.1",
     .actual = "spec.effect_min"},
    {.name = "method",
     .doc = "of drift, for all columns that it fits: one of gyre report",
     .fallback = "\"calibrated\"",
     .actual = "spec.method"},
    {.name = "threshold",
     .shape = Shape::kNumber,
     .doc = "of the method; else its own",
     .fallback = "null",
     .actual = "spec.threshold"},
    {.name = "methods",
     .shape = Shape::kTextMap,
     .doc = "column: method in the place of that of all",
     .fallback = "{}",
     .actual = "spec.methods"},
    {.name = "thresholds",
     .shape = Shape::kFreeMap,
     .doc = "column: threshold of its method",
     .fallback = "{}",
     .actual = "spec.thresholds"},
    {.name = "coverage_min",
     .shape = Shape::kNumber,
     .doc = "share of labels before performance is judged",
     .fallback = "0.5",
     .actual = "spec.coverage_min"},
    {.name = "label_wait",
     .shape = Shape::kSeconds,
     .doc = "then a window is final",
     .fallback = "2592000",
     .actual = "spec.label_wait"},
    {.name = "ignore",
     .shape = Shape::kTexts,
     .doc = "columns that are not watched",
     .fallback = "[]",
     .actual = "spec.ignore"},
    {.name = "quiet",
     .shape = Shape::kTexts,
     .doc = "signals that raise no alert",
     .fallback = "[]",
     .actual = "spec.quiet"},
};
constexpr Member kPipelineMembers[] = {
    {.name = "file",
     .doc = "its YAML, from the folder of gyre.yaml; its name is that of the entry",
     .seen = Seen::kLocal},
    {.name = "definition", .shape = Shape::kFree, .doc = "else the pipeline itself"},
};
constexpr Member kOnMembers[] = {
    {.name = "kind",
     .doc = "what it listens for",
     .allowed = "drift|performance|kpi|quality|schedule|dataset|file|push|registry|webhook|hand",
     .required = true},
    {.name = "endpoint",
     .doc = "drift, performance, kpi, quality: of this one",
     .refers = "endpoints"},
    {.name = "columns", .doc = "drift: only when one of these has drifted: a,b"},
    {.name = "at", .doc = "schedule: '0 3 * * *', or 'every 6h'"},
    {.name = "zone", .doc = "schedule: time zone", .fallback = "\"UTC\""},
    {.name = "dataset", .doc = "dataset: whose new versions", .refers = "datasets"},
    {.name = "folder", .doc = "file: that is watched, on the server"},
    {.name = "pattern", .doc = "file: only such names: '*.csv'"},
    {.name = "repository", .doc = "push: only of this one"},
    {.name = "branch", .doc = "push: only to this one"},
    {.name = "model", .doc = "registry: only of this one", .refers = "training"},
    {.name = "alias", .doc = "registry: only moves of this one"},
};
constexpr Member kTriggerRunMembers[] = {
    {.name = "pipeline",
     .doc = "that it starts: `retrain`, or one of the project's",
     .required = true,
     .refers = "pipelines"},
    {.name = "params", .shape = Shape::kFreeMap, .doc = "of the pipeline", .fallback = "{}"},
};
constexpr Member kQuietMembers[] = {
    {.name = "from", .shape = Shape::kClock, .doc = "22:00", .required = true},
    {.name = "to", .shape = Shape::kClock, .doc = "06:00", .required = true},
    {.name = "zone", .doc = "time zone", .fallback = "\"UTC\""},
};
constexpr Member kGuardMembers[] = {
    {"cooldown_s", Shape::kSeconds, "between two runs", "21600"},
    {"runs_per_day_max", Shape::kWhole, "in the last 24 hours; 0 = no limit", "4"},
    {"cpu_seconds_per_month", Shape::kSeconds, "of all its runs in 30 days; 0 = no limit", "0.0"},
    {"one_at_a_time", Shape::kBool, "not while a run of the same lock goes on", "true"},
    {"quality_first", Shape::kBool, "not while data quality fires and input values are lost",
     "true"},
    {"failures_max", Shape::kWhole, "one after another; then a person is asked", "3"},
    {"labels_wait_s", Shape::kWhole,
     "how long a retraining waits for rows with labels since an alert's trouble began", "604800"},
    {.name = "quiet_hours",
     .shape = Shape::kObject,
     .doc = "hours in which nothing starts",
     .members = kQuietMembers},
};
constexpr Member kTriggerMembers[] = {
    {.name = "on",
     .shape = Shape::kObject,
     .doc = "what it listens for",
     .required = true,
     .members = kOnMembers},
    {.name = "run",
     .shape = Shape::kObject,
     .doc = "what it starts",
     .required = true,
     .members = kTriggerRunMembers},
    {.name = "guards",
     .shape = Shape::kObject,
     .doc = "what must hold before it does",
     .members = kGuardMembers},
    {.name = "approval", .doc = "role that must agree first", .fallback = "\"\""},
    {.name = "enabled", .shape = Shape::kBool, .doc = "whether it hears", .fallback = "true"},
};

constexpr Kind kKinds[] = {
    {kProblem, "problem", "What is to be solved, and when it counts as solved.",
     "problem:\n  statement: who leaves within a month?\n  target: churned\n  owner: ana\n"
     "  kpis:\n    - auc >= 0.84\n",
     kProblemMembers},
    {"channels", "channel", "Where notices go: a webhook or a mail server.",
     "channels:\n  ops:\n    webhook: https://example.org/hooks/gyre\n    secret: "
     "secret:ops-key\n",
     kChannelMembers},
    {"sources", "source", "Named places that rows come from.",
     "sources:\n  crm:\n    path: data/customers.csv\n  weather:\n    url: "
     "https://example.org/weather.csv\n",
     kSourceMembers},
    {"datasets", "dataset", "Tables: which rows, of what types, and what they must be like.",
     "datasets:\n  customers:\n    source: crm\n    types:\n      postcode: text\n"
     "    expectations:\n      - kind: not_missing\n        column: churned\n"
     "  leavers:\n    sql: select * from customers where churned\n",
     kDatasetMembers},
    {"recipes", "recipe", "How raw columns become numbers.",
     "recipes:\n  plain:\n    file: recipes/plain.yaml\n", kRecipeMembers},
    {"training", "training",
     "Models, each with how it is trained. The model has such a version, or one is trained.",
     "training:\n  churn:\n    dataset: customers\n    target: churned\n    budget: 60s\n",
     kTrainingMembers},
    {"gates", "gate", "What a version must meet before an alias moves: MODEL, or MODEL@ALIAS.",
     "gates:\n  churn:\n    approvals_min: 1\n", kGateMembers},
    {"endpoints", "endpoint", "Names that answer predictions.",
     "endpoints:\n  churn:\n    model: churn@champion\n    capture:\n      key_column: "
     "customer_id\n    variants:\n      canary:\n        model: churn:v4\n        share: 0.1\n",
     kEndpointMembers},
    {"monitors", "monitor", "What watches the answers of an endpoint.",
     "monitors:\n  churn:\n    window:\n      every: 1h\n      rows_min: 500\n", kMonitorMembers},
    {"pipelines", "pipeline", "Graphs of steps.",
     "pipelines:\n  nightly:\n    file: pipelines/nightly.yaml\n", kPipelineMembers},
    {"triggers", "trigger", "What happens in the world and starts a run.",
     "triggers:\n  churn-drift:\n    on:\n      kind: drift\n      endpoint: churn\n    run:\n"
     "      pipeline: retrain\n      params:\n        endpoint: churn\n",
     kTriggerMembers},
};

const Json& At(const Json& document, std::string_view path) {
  const Json* at = &document;
  for (const std::string_view part : Split(path, '.')) at = &(*at)[part];
  return *at;
}

bool Holds(const Member& member, const Json& value) {
  if (member.fallback.empty()) return false;
  const auto fallback = Json::Parse(member.fallback);
  if (!fallback) return false;
  if (fallback->is_number() && value.is_number()) return fallback->AsDouble() == value.AsDouble();
  return *fallback == value;
}

bool IsEmpty(const Json& value) {
  return value.is_null() || (value.is_string() && value.AsString().empty()) ||
         ((value.is_object() || value.is_array()) && value.size() == 0);
}

// 30.0 -> 30
Json WholeWhereItIs(const Json& value) {
  const double number = value.AsDouble();
  const bool whole = value.is_number() && number == std::floor(number) && std::abs(number) < 1e15;
  return whole ? Json(static_cast<std::int64_t>(number)) : value;
}

template <typename Change>
Json ForEachOf(const Json& map, Change change) {
  Json changed = Json::Obj();
  for (const auto& [name, value] : map.members()) changed.Set(name, change(value));
  return changed;
}

Json SecondsText(const Json& value) {
  const double seconds = value.AsDouble();
  if (seconds <= 0 || seconds != std::floor(seconds)) return WholeWhereItIs(value);
  const auto whole = static_cast<std::int64_t>(seconds);
  for (const auto& [unit, size] :
       {std::pair{"d", 86400}, std::pair{"h", 3600}, std::pair{"m", 60}}) {
    if (whole % size == 0) return fmt::format("{}{}", whole / size, unit);
  }
  return fmt::format("{}s", whole);
}

}  // namespace

std::span<const Kind> Kinds() { return kKinds; }

const Kind* FindKind(std::string_view noun) {
  const auto found = std::ranges::find(kKinds, noun, &Kind::noun);
  return found == std::end(kKinds) ? nullptr : found;
}

const Member* FindMember(std::span<const Member> members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found == members.end() ? nullptr : &*found;
}

Json InFileWords(std::span<const Member> members, const Json& document) {
  Json spec = Json::Obj();
  for (const Member& member : members) {
    if (member.seen == Seen::kLocal) continue;
    const Json& value = At(document, member.actual.empty() ? member.name : member.actual);
    if (value.is_null()) continue;
    if (member.shape == Shape::kObject) {
      spec.Set(member.name, InFileWords(member.members, value));
    } else if (member.shape == Shape::kObjectMap) {
      Json named = Json::Obj();
      for (const Json& one : value.items())
        named.Set(one["name"].AsString(), InFileWords(member.members, one));
      spec.Set(member.name, std::move(named));
    } else {
      spec.Set(member.name, value);
    }
  }
  return spec;
}

Json WithoutDefaults(std::span<const Member> members, const Json& spec) {
  Json kept = Json::Obj();
  for (const Member& member : members) {
    const Json* const value = spec.Find(member.name);
    if (value == nullptr || Holds(member, *value)) continue;
    Json shown = member.shape == Shape::kObject ? WithoutDefaults(member.members, *value) : *value;
    if (member.shape == Shape::kObjectMap)
      shown =
          ForEachOf(*value, [&](const Json& one) { return WithoutDefaults(member.members, one); });
    if (IsEmpty(shown) && !member.required) continue;
    kept.Set(member.name, std::move(shown));
  }
  return kept;
}

Json ForPeople(std::span<const Member> members, const Json& spec) {
  Json shown = Json::Obj();
  for (const auto& [name, value] : spec.members()) {
    const Member* const member = FindMember(members, name);
    if (member != nullptr && member->shape == Shape::kObject)
      shown.Set(name, ForPeople(member->members, value));
    else if (member != nullptr && member->shape == Shape::kObjectMap)
      shown.Set(name,
                ForEachOf(value, [&](const Json& one) { return ForPeople(member->members, one); }));
    else if (member != nullptr && member->shape == Shape::kSeconds)
      shown.Set(name, SecondsText(value));
    else if (member != nullptr && member->shape == Shape::kNumber)
      shown.Set(name, WholeWhereItIs(value));
    else
      shown.Set(name, value);
  }
  return shown;
}

}  // namespace gyre::cli::apply
