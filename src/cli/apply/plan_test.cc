#include "cli/apply/plan.h"

#include <gtest/gtest.h>

#include "cli/apply/describe.h"
#include "cli/apply/export.h"

namespace gyre::cli::apply {
namespace {

Declaration Declared(const std::string& text) {
  std::vector<Error> also;
  auto declaration = ParseDeclaration(text, "gyre.yaml", "/tmp", &also);
  EXPECT_TRUE(declaration) << declaration.error().ToString();
  return declaration ? *std::move(declaration) : Declaration{};
}

Json Parsed(std::string_view text) { return *Json::Parse(text); }

constexpr char kMonitor[] = R"(
monitors:
  churn:
    window: {every: 1h, rows_min: 300}
    ignore: [id]
)";

TEST(ApplyPlan, OnlyWhatIsDeclaredIsCompared) {
  const Declaration declaration = Declared(kMonitor);
  Actual actual{.has_project = true};
  actual.specs[{"monitors", "churn"}] = Parsed(
      R"({"endpoint":"churn","enabled":false,"ignore":["id"],
          "window":{"every":3600,"rows_min":500,"few":"skip","lateness":0}})");
  const Plan plan = MakePlan(declaration, actual);
  ASSERT_EQ(plan.changes.size(), 1u);
  EXPECT_EQ(plan.changes[0].action, Action::kChange);
  ASSERT_EQ(plan.changes[0].fields.size(), 1u);
  EXPECT_EQ(plan.changes[0].fields[0].member, "window.rows_min");
  EXPECT_EQ(PlanText(plan, {}),
            "  ~ monitors.churn\n      window.rows_min   500 -> 300\n"
            "Plan: 0 to add, 1 to change, 0 to remove.\n");
}

TEST(ApplyPlan, ShowsNumbersAsPeopleWriteThem) {
  const Declaration declaration =
      Declared("endpoints:\n  e:\n    model: m:v1\n    capture: {retention_days: 14}\n");
  Actual actual{.has_project = true};
  actual.specs[{"endpoints", "e"}] =
      Parsed(R"({"model":"m:v1","capture":{"retention_days":30.0}})");
  const Plan plan = MakePlan(declaration, actual);
  EXPECT_NE(PlanText(plan, {}).find("capture.retention_days   30 -> 14\n"), std::string::npos)
      << PlanText(plan, {});
  EXPECT_NE(PlanText(plan, {.colour = true}).find("  \x1b[33m~\x1b[0m endpoints.e\n"),
            std::string::npos);
}

TEST(ApplyPlan, ComparesTheVariantsThatAreWritten) {
  const Declaration declaration = Declared(
      "endpoints:\n  e:\n    model: m:v1\n    variants:\n      canary: {model: m:v2, share: "
      "0.25}\n");
  Actual actual{.has_project = true};
  actual.specs[{"endpoints", "e"}] = Parsed(
      R"({"model":"m:v1","variants":{"canary":{"model":"m:v2","share":1.0,"shadow":false},
          "other":{"model":"m:v3","share":0.0,"shadow":true}}})");
  const Plan plan = MakePlan(declaration, actual);
  EXPECT_EQ(PlanText(plan, {}),
            "  ~ endpoints.e\n      variants.canary.share   1 -> 0.25\n"
            "Plan: 0 to add, 1 to change, 0 to remove.\n");
}

TEST(ApplyPlan, QueriesComeAfterWhatTheyReadAndFollowIt) {
  const Declaration declaration = Declared(
      "datasets:\n  a-top: {sql: select * from mid}\n  mid: {sql: \"select x from RAW\"}\n"
      "  other: {sql: select raw_x from elsewhere}\n  raw: {path: /tmp}\n");
  ASSERT_EQ(declaration.entries.size(), 4u);
  EXPECT_EQ(declaration.entries[0].name, "raw");
  EXPECT_EQ(declaration.entries[1].name, "mid");
  EXPECT_EQ(declaration.entries[2].name, "a-top");
  Actual actual{.has_project = true};
  for (const char* name : {"raw", "mid", "a-top", "other"})
    actual.specs[{"datasets", name}] = Json::Obj();
  EXPECT_TRUE(MakePlan(declaration, actual).changes.empty());
  actual.found["datasets.raw"] = {{"rows", "raw:v1", "new"}};
  const Plan plan = MakePlan(declaration, actual);
  ASSERT_EQ(plan.changes.size(), 3u);
  EXPECT_EQ(plan.changes[2].id(), "datasets.a-top");
}

TEST(ApplyPlan, NumbersAreEqualByValue) {
  const Declaration declaration =
      Declared("endpoints:\n  e:\n    model: m:v1\n    capture: {sample: 1, columns: {a: hash}}\n");
  Actual actual{.has_project = true};
  actual.specs[{"endpoints", "e"}] =
      Parsed(R"({"model":"m:v1","capture":{"sample":1.0,"columns":{"a":"hash","b":"drop"}}})");
  const Plan plan = MakePlan(declaration, actual);
  EXPECT_TRUE(plan.changes.empty()) << PlanText(plan, {});
  EXPECT_EQ(plan.unchanged, 1u);
}

TEST(ApplyPlan, WhatIsMissingIsAddedInTheOrderOfReferences) {
  const Declaration declaration = Declared(
      "triggers:\n  t: {on: {kind: hand}, run: {pipeline: p}}\n"
      "endpoints:\n  e: {model: m}\n"
      "training:\n  m: {dataset: d}\n"
      "datasets:\n  d: {}\n"
      "pipelines:\n  p: {definition: {steps: {a: {command: [x]}}}}\n");
  const Plan plan = MakePlan(declaration, {});
  std::string order;
  for (const Change& change : plan.changes) order += change.id() + " ";
  EXPECT_EQ(order, "datasets.d training.m endpoints.e pipelines.p triggers.t ");
  EXPECT_EQ(plan.Count(Action::kAdd), 5u);
  EXPECT_EQ(declaration.Find("endpoints", "e")->spec["model"].AsString(), "m@champion");
  EXPECT_EQ(declaration.Find("pipelines", "p")->spec["definition"]["name"].AsString(), "p");
}

TEST(ApplyPlan, AGateOfAModelThatIsThereHoldsBeforeItIsTrainedAnew) {
  const Declaration declaration =
      Declared("training:\n  m: {dataset: d, seed: 2}\ngates:\n  m: {approvals_min: 1}\n");
  Actual actual{.has_project = true};
  EXPECT_EQ(MakePlan(declaration, actual).changes[0].id(), "training.m");
  actual.specs[{"training", "m"}] = Parsed(R"({"dataset":"d","seed":1})");
  actual.specs[{"gates", "m"}] = Parsed(R"({"approvals_min":0})");
  const Plan plan = MakePlan(declaration, actual);
  ASSERT_EQ(plan.changes.size(), 2u);
  EXPECT_EQ(plan.changes[0].id(), "gates.m");
}

TEST(ApplyPlan, NewRowsTrainOnlyWhereTheEntrySaysSo) {
  const auto plan_of = [](const std::string& retrain) {
    static Declaration declaration;
    declaration = Declared("datasets:\n  d: {}\ntraining:\n  m: {dataset: d" + retrain + "}\n");
    Actual actual{.has_project = true};
    actual.specs[{"datasets", "d"}] = Json::Obj();
    actual.specs[{"training", "m"}] = Parsed(R"({"dataset":"d"})");
    actual.found["datasets.d"] = {{"rows", "d:v1 from a.csv", "a.csv (12345678)"}};
    return MakePlan(declaration, actual);
  };
  EXPECT_EQ(plan_of("").changes.size(), 1u);
  const Plan again = plan_of(", retrain: on_new_data");
  ASSERT_EQ(again.changes.size(), 2u);
  EXPECT_EQ(again.changes[1].id(), "training.m");
}

TEST(ApplyPlan, ATriggerFollowsThePipelineThatChanges) {
  const Declaration declaration = Declared(
      "pipelines:\n  p: {definition: {steps: {a: {command: [y]}}}}\n"
      "triggers:\n  t: {on: {kind: hand}, run: {pipeline: p}}\n");
  Actual actual{.has_project = true};
  actual.specs[{"pipelines", "p"}] =
      Parsed(R"({"definition":{"name":"p","steps":{"a":{"command":["x"]}}}})");
  actual.specs[{"triggers", "t"}] = Parsed(R"({"on":{"kind":"hand"},"run":{"pipeline":"p"}})");
  const Plan plan = MakePlan(declaration, actual);
  ASSERT_EQ(plan.changes.size(), 2u);
  EXPECT_EQ(plan.changes[1].id(), "triggers.t");
  EXPECT_EQ(PlanText(plan, {}),
            "  ~ pipelines.p\n      definition   "
            "{\"name\":\"p\",\"steps\":{\"a\":{\"command\":[\"x\"]}}} "
            "-> {\"name\":\"p\",\"steps\":{\"a\":{\"command\":[\"y\"]}}}\n"
            "  ~ triggers.t\n      run.pipeline   p -> its new version\n"
            "Plan: 0 to add, 2 to change, 0 to remove.\n");
}

TEST(ApplyPlan, OnlyWhatAnApplyMadeIsRemoved) {
  const Declaration declaration = Declared("project: churn\n");
  Actual actual{.has_project = true};
  actual.specs[{"endpoints", "made"}] = actual.specs[{"endpoints", "found"}] = Json::Obj();
  actual.specs[{"datasets", "rows"}] = Json::Obj();
  actual.specs[{"endpoints", "by-hand"}] = Json::Obj();  // nobody declared it
  actual.records = {{"datasets", "rows", true, {}},
                    {"endpoints", "made", true, {}},
                    {"endpoints", "found", false, {}},
                    {"monitors", "gone", true, {}}};
  EXPECT_TRUE(MakePlan(declaration, actual).changes.empty()) << "not without --prune";
  const Plan plan = MakePlan(declaration, actual, {.prune = true});
  std::string order;
  for (const Change& change : plan.changes)
    order += fmt::format("{}{} ", change.id(), change.made ? "!" : "");
  EXPECT_EQ(order, "monitors.gone endpoints.made! endpoints.found datasets.rows! ");
}

TEST(ApplyPlan, AGateGoesAfterItsModelAndARefusalIsShown) {
  const Declaration declaration = Declared("project: churn\n");
  Actual actual{.has_project = true};
  for (const std::string kind : {"gates", "training", "datasets"}) {
    actual.specs[{kind, "m"}] = Json::Obj();
    actual.records.push_back({.kind = kind, .name = "m", .made = true});
  }
  Plan plan = MakePlan(declaration, actual, {.prune = true});
  plan.changes[0].needed_by = "endpoint live";
  EXPECT_EQ(PlanText(plan, {}),
            "  - training.m   (refused: endpoint live needs it)\n"
            "  - gates.m   (made by an earlier apply)\n"
            "  - datasets.m   (made by an earlier apply)\n"
            "Plan: 0 to add, 0 to change, 3 to remove.\n");
  EXPECT_EQ(PlanJson(plan)["changes"].items()[0]["needed_by"].AsString(), "endpoint live");
}

TEST(ApplyDeclaration, TimesOfTheDayReadAsTheServerKeepsThem) {
  const Declaration declaration = Declared(
      "triggers:\n  t: {on: {kind: hand}, run: {pipeline: p}, guards: {quiet_hours: "
      "{from: \"7:00\", to: \"09:5\"}}}\n");
  EXPECT_EQ(declaration.Find("triggers", "t")->spec["guards"]["quiet_hours"].Dump(),
            R"({"from":"07:00","to":"09:05"})");
}

TEST(ApplyPlan, ThePlanIsDataToo) {
  const Declaration declaration = Declared(kMonitor);
  const Json json = PlanJson(MakePlan(declaration, {}));
  EXPECT_EQ(json["add"].AsInt(), 1);
  const Json& change = json["changes"].items()[0];
  EXPECT_EQ(change["action"].AsString(), "add");
  EXPECT_EQ(change["name"].AsString(), "churn");
  EXPECT_EQ(change["line"].AsInt(), 3);
}

// --- malformed files -----------------------------------------------------------------------------

struct Malformed {
  const char* text;
  const char* where;
  const char* code;
  const char* says;
  const char* fix;
};

TEST(ApplyDeclaration, SaysWhatIsWrongAndWhere) {
  const Malformed kCases[] = {
      {"project: churn\ndatsets:\n  a: {}\n", "gyre.yaml:2", "GY4902", "no `datsets`",
       "did you mean `datasets`?"},
      {"- a\n- b\n", "gyre.yaml:1", "GY4903", "not a list", "project: churn"},
      {"project: 7\n", "gyre.yaml:1", "GY4903", "`project` must be a text", "project: churn"},
      {"project: a/b\n", "gyre.yaml:1", "GY1200", "a/b", ""},
      {"datasets: [a]\n", "gyre.yaml:1", "GY4903", "`datasets` must hold names", ""},
      {"datasets:\n  a b: {}\n", "gyre.yaml:2", "GY1200", "a b", ""},
      {"datasets:\n  a: data.csv\n", "gyre.yaml:2", "GY4903", "dataset `a` must hold", ""},
      {"training:\n  m:\n    dataset: d\n    tragets: x\n", "gyre.yaml:4", "GY4902",
       "`training.m` has no `tragets`", "did you mean `target`?"},
      {"training:\n  m:\n    target: x\n", "gyre.yaml:2", "GY4904", "lacks `dataset`",
       "dataset: ..."},
      {"training:\n  m:\n    dataset: d\n    trials: many\n", "gyre.yaml:4", "GY4903",
       "`training.m.trials` must be a whole number, not a text", ""},
      {"training:\n  m:\n    dataset: d\n    budget: soon\n", "gyre.yaml:4", "GY4903",
       "must be a time", ""},
      {"training:\n  m:\n    dataset: d\n    gate: kpis\n", "gyre.yaml:4", "GY4905",
       "cannot be `kpis`", "did you mean `kpi`?"},
      {"training:\n  m:\n    dataset: d\n    keep_leaks: 'yes'\n", "gyre.yaml:4", "GY4903",
       "true or false", ""},
      {"monitors:\n  m:\n    window: 500\n", "gyre.yaml:3", "GY4903",
       "`monitors.m.window` must be names and values, not a number", ""},
      {"monitors:\n  m:\n    window:\n      row: 500\n", "gyre.yaml:4", "GY4902",
       "`monitors.m.window` has no `row`", "did you mean `rows`?"},
      {"monitors:\n  m:\n    ignore: id\n", "gyre.yaml:3", "GY4903", "a list of texts", ""},
      {"endpoints:\n  e: {model: m, capture: {columns: {a: hide}}}\n", "gyre.yaml:2", "GY4905",
       "`endpoints.e.capture.columns.a` cannot be `hide`", "one of keep, hash, drop"},
      {"datasets:\n  a:\n    source: crn\nsources:\n  crm: {path: /}\n", "gyre.yaml:3", "GY4908",
       "no source `crn`", "did you mean `crm`?"},
      {"recipes:\n  a:\n    file: nowhere.yaml\n", "gyre.yaml:3", "GY4906", "nowhere.yaml", ""},
      {"datasets:\n  a:\n    path: /\n    source: crm\nsources:\n  crm: {path: /}\n", "gyre.yaml:3",
       "GY4907", "both `source` and `path`", ""},
      {"datasets:\n  a:\n    url: https://x.org/a\n    sql: select 1\n", "gyre.yaml:4", "GY4907",
       "both `url` and `sql`", ""},
      {"datasets:\n  a:\n    url: ftp://x.org/a\n", "gyre.yaml:3", "GY4905", "cannot be `ftp:", ""},
      {"sources:\n  a: {description: b}\n", "gyre.yaml:2", "GY4907", "either `path` or `url`", ""},
      {"endpoints:\n  e:\n    model: m\n    variants: {champion: {model: m:v2}}\n", "gyre.yaml:4",
       "GY4905", "cannot be `champion`", ""},
      {"endpoints:\n  e:\n    model: m\n    variants: {c: {model: m:v2, share: 10}}\n",
       "gyre.yaml:4", "GY4905", "share` cannot be `10`", "share: 0.1"},
      {"endpoints:\n  e:\n    model: m\n    variants: {c: {share: 0.1}}\n", "gyre.yaml:4", "GY4904",
       "`endpoints.e.variants.c` lacks `model`", ""},
      {"recipes:\n  r: {}\n", "gyre.yaml:2", "GY4907", "either `file` or `recipe`", ""},
      {"pipelines:\n  p:\n    definition: {name: q, steps: {}}\n", "gyre.yaml:2", "GY4909",
       "has the name `q`", "name: p"},
      {"channels:\n  ops: {format: slack}\n", "gyre.yaml:2", "GY4907", "either `webhook` or `smtp`",
       ""},
      {"triggers:\n  t:\n    on: {kind: drift}\n", "gyre.yaml:2", "GY4904", "lacks `run`", ""},
      {"problem:\n  kpis: auc >= 0.8\n", "gyre.yaml:2", "GY4903", "a list of texts", ""},
      {"a: 1\na: 2\n", "gyre.yaml:2:1", "GY1810", "twice", ""},
      {"datasets:\n  - x\n y\n", "gyre.yaml:3:2", "GY1810", "not valid YAML", ""},
  };
  for (const Malformed& one : kCases) {
    std::vector<Error> also;
    const auto read = ParseDeclaration(one.text, "gyre.yaml", "/tmp", &also);
    ASSERT_FALSE(read) << one.text;
    const Error& error = read.error();
    EXPECT_EQ(error.gy(), one.code) << one.text << error.ToString();
    EXPECT_EQ(error.where(), one.where) << one.text << error.ToString();
    EXPECT_NE(error.message().find(one.says), std::string::npos) << error.message();
    EXPECT_TRUE(also.empty()) << one.text << also[0].ToString();
    if (*one.fix == '\0') continue;
    ASSERT_FALSE(error.fixes().empty()) << one.text;
    EXPECT_EQ(error.fixes()[0], one.fix);
  }
}

TEST(ApplyDeclaration, FindsEverythingThatIsWrong) {
  std::vector<Error> also;
  const auto read =
      ParseDeclaration("projct: a\ntraining:\n  m: {datset: d}\n", "gyre.yaml", "/tmp", &also);
  ASSERT_FALSE(read);
  EXPECT_EQ(also.size(), 2u);
}

TEST(ApplyDeclaration, GoalsReadAsTheServerKeepsThem) {
  EXPECT_EQ(GoalText("auc>=0.840"), "auc >= 0.84");
  EXPECT_EQ(GoalText(" recall  >= 90%"), "recall >= 0.9");
  EXPECT_EQ(GoalText("cost per saved <= 12 EUR"), "cost per saved <= 12 EUR");
  EXPECT_EQ(GoalText("what?"), "what?");
}

// --- tables --------------------------------------------------------------------------------------

void CheckMembers(std::span<const Member> members, const std::string& of) {
  for (const Member& member : members) {
    const std::string name = fmt::format("{}.{}", of, member.name);
    EXPECT_FALSE(member.doc.empty()) << name;
    EXPECT_TRUE(member.fallback.empty() || Json::Parse(member.fallback)) << name;
    EXPECT_EQ(member.shape == Shape::kObject || member.shape == Shape::kObjectMap,
              !member.members.empty())
        << name;
    if (!member.refers.empty()) EXPECT_NE(FindKind(member.refers), nullptr) << name;
    CheckMembers(member.members, name);
  }
}

TEST(ApplyKinds, EveryMemberIsDescribed) {
  for (const Kind& kind : Kinds()) CheckMembers(kind.members, std::string(kind.noun));
}

TEST(ApplyKinds, ExamplesAreWhatTheyTeach) {
  std::string whole;
  for (const Kind& kind : Kinds()) whole += kind.example;
  std::vector<Error> problems;
  const auto read = ParseDeclaration(whole, "gyre.yaml", "/nowhere", &problems);
  ASSERT_FALSE(read);
  problems.push_back(read.error());
  // Only the files that they name are not there.
  for (const Error& error : problems) EXPECT_EQ(error.gy(), "GY4906") << error.ToString();
  EXPECT_EQ(problems.size(), 2u);
}

TEST(ApplyKinds, TheSchemaKnowsEveryKind) {
  const Json schema = EditorSchema();
  for (const Kind& kind : Kinds()) EXPECT_TRUE(schema["properties"].Has(kind.noun)) << kind.noun;
  const Json& model = schema["properties"]["endpoints"]["additionalProperties"];
  EXPECT_EQ(model["required"].items()[0].AsString(), "model");
  EXPECT_EQ(model["properties"]["park_after"]["default"].AsInt(-1), 0);
  EXPECT_NE(ReferencePage().find("| `window.rows_min` | whole number |"), std::string::npos);
}

TEST(ApplyKinds, DefaultsAreNotWritten) {
  const Kind& kind = *FindKind("triggers");
  const Json spec = Parsed(
      R"({"on":{"kind":"drift","endpoint":"e"},"run":{"pipeline":"retrain","params":{}},
          "guards":{"cooldown_s":3600,"runs_per_day_max":4,"one_at_a_time":true},
          "approval":"","enabled":true})");
  const Json written = ForPeople(kind.members, WithoutDefaults(kind.members, spec));
  EXPECT_EQ(written.Dump(), R"({"on":{"kind":"drift","endpoint":"e"},"run":{"pipeline":"retrain"},)"
                            R"("guards":{"cooldown_s":"1h"}})");
  Json section = Json::Obj();
  section.Set("t", written);
  const Declaration read =
      Declared(FileText(Json::Obj({{"project", "churn"}, {"triggers", section}})));
  EXPECT_EQ(read.entries[0].spec["guards"]["cooldown_s"].AsInt(), 3600);
}

}  // namespace
}  // namespace gyre::cli::apply
