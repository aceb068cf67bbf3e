#include "ml/pipelines/spec.h"

#include <gtest/gtest.h>

#include "ml/pipelines/expression.h"
#include "ml/pipelines/programs.h"

namespace gyre::pipelines {
namespace {

Result<Spec> NoComponent(std::string_view reference) {
  return NotFound("GY4711", "there is no component `{}`", reference);
}

Result<Spec> Read(std::string_view text) {
  return ParseSpec(text, "p.yaml", ProgramKinds(), NoComponent);
}

TEST(SpecTest, ReadsEverythingAStepMaySay) {
  const auto spec = Read(R"(
name: nightly
params: {seeds: {type: list, default: [1, 2]}, url: text}
max_parallel: 3
steps:
  fetch:
    command: [curl, "${params.url}"]
    outputs: {rows: int, data: file}
    retries: {max: 2, backoff: 5s, factor: 3}
    timeout: 1m
    stall_timeout: 10
    resources: {cpus: 1, memory: 512MiB}
    cache: 2h
  train:
    shell: train "$GYRE_INPUT_DATA"
    inputs: {data: "${steps.fetch.outputs.data}"}
    for_each: ${params.seeds}
    max_parallel: 2
    when: ${steps.fetch.outputs.rows} > 10
    effects: external
  tell:
    command: [echo, done]
    always: true
outputs: {rows: "${steps.fetch.outputs.rows}"}
)");
  ASSERT_TRUE(spec) << spec.error().ToString() << spec.error().where();
  ASSERT_EQ(spec->steps.size(), 3u);
  const Step& fetch = spec->steps[0];
  EXPECT_EQ(fetch.kind, "command");
  EXPECT_EQ(fetch.retries.max, 2);
  EXPECT_EQ(fetch.retries.backoff_us, 5'000'000);
  EXPECT_EQ(fetch.timeout_us, 60'000'000);
  EXPECT_EQ(fetch.stall_us, 10'000'000);
  EXPECT_EQ(fetch.resources.memory_bytes, 512 << 20);
  EXPECT_EQ(fetch.cache_us, 7'200'000'000);
  EXPECT_EQ(spec->steps[1].needs, std::vector<std::string>{"fetch"});
  EXPECT_TRUE(spec->steps[1].effects_external);
  EXPECT_EQ(spec->steps[2].needs, (std::vector<std::string>{"fetch", "train"}));
  EXPECT_EQ(SpecToJson(SpecFromJson(SpecToJson(*spec))), SpecToJson(*spec));
}

struct Refusal {
  const char* text;
  const char* code;
  const char* where;
  const char* says;
};

TEST(SpecTest, EveryRefusalNamesFileLineKeyAndRemedy) {
  const Refusal refusals[] = {
      {"name: a\nsteps:\n  x:\n    comand: [a]\n", "GY4701", "p.yaml:4", "comand"},
      {"name: a\nsteps:\n  x:\n    needs: []\n", "GY4704", "p.yaml:3", "what it does"},
      {"name: a\nsteps:\n  x:\n    kind: shell\n    shel: a\n", "GY4701", "p.yaml:5", "shel"},
      {"name: a\nsteps:\n  x:\n    kind: comand\n", "GY4704", "p.yaml:4", "comand"},
      {"name: a\nsteps:\n  x:\n    command: [a]\n    retrys: 3\n", "GY4701", "p.yaml:5", "retrys"},
      {"name: a\nstep: {}\n", "GY4701", "p.yaml:2", "step"},
      {"name: a\n", "GY4702", "p.yaml:1", "no steps"},
      {"name: a\nsteps:\n  x: {command: [a], timeout: soon}\n", "GY4702", "p.yaml:3", "no time"},
      {"name: a\nsteps:\n  x: {command: [a], needs: [y]}\n", "GY4703", "p.yaml:3", "no other step"},
      {"name: a\nsteps:\n  x:\n    command: [a, '${params.p}']\n", "GY4703", "p.yaml:4",
       "parameter `p`"},
      {"name: a\nsteps:\n  x: {command: [a]}\n  y:\n    command: ['${steps.x.outputs.o}']\n",
       "GY4703", "p.yaml:5", "no output `o`"},
      {"name: a\nsteps:\n  x: {command: [a], needs: y}\n  y: {command: [a], needs: x}\n", "GY4703",
       "p.yaml:3", "wait for one another"},
      {"name: a\nsteps:\n  x:\n    shell: echo ${params.p}\n", "GY4703", "p.yaml:4", "is code"},
      {"name: a\nsteps:\n  x:\n    command: ['${item}']\n", "GY4703", "p.yaml:4", "no for_each"},
      {"name: a\nparams: {p: {type: int, default: x}}\nsteps: {x: {command: [a]}}\n", "GY4702",
       "p.yaml:2", "type is int"},
      {"name: a\nsteps:\n  x: {command: [a], when: 'a ='}\n", "GY4703", "p.yaml:3",
       "cannot be read"},
      {"name: a\nsteps:\n  x.y: {command: [a]}\n", "GY4702", "p.yaml:3", "holds a dot"},
      {"name: a\nsteps:\n  x: {use: other}\n", "GY4711", "p.yaml:3", "no component"},
  };
  for (const Refusal& refusal : refusals) {
    const auto spec = Read(refusal.text);
    ASSERT_FALSE(spec) << refusal.text;
    EXPECT_EQ(spec.error().gy(), refusal.code) << refusal.text;
    EXPECT_EQ(spec.error().where(), refusal.where) << refusal.text << spec.error().ToString();
    EXPECT_NE(spec.error().message().find(refusal.says), std::string::npos)
        << spec.error().ToString();
  }
}

TEST(SpecTest, AComponentIsPutInWithItsInputs) {
  const auto component = Read(R"(
component: greet
inputs: {who: text, times: {type: int, default: 2}}
command: [greet, "${inputs.who}", "${inputs.times}"]
outputs: {said: text}
)");
  ASSERT_TRUE(component) << component.error().ToString();
  EXPECT_TRUE(component->is_component);
  const FindComponent find = [&](std::string_view) -> Result<Spec> { return *component; };
  const auto spec = ParseSpec(
      "name: a\nsteps:\n  one: {use: greet, inputs: {who: Ann}}\n  two: {use: greet, inputs: {who: "
      "\"${steps.one.outputs.said}\", times: 3}, retries: 1}\n",
      "p.yaml", ProgramKinds(), find);
  ASSERT_TRUE(spec) << spec.error().ToString();
  EXPECT_EQ(spec->steps[0].inputs.Dump(), R"({"who":"Ann","times":2})");
  EXPECT_EQ(spec->steps[1].needs, std::vector<std::string>{"one"});
  EXPECT_EQ(spec->steps[1].retries.max, 1);
  const auto missing =
      ParseSpec("name: a\nsteps:\n  one: {use: greet}\n", "p.yaml", ProgramKinds(), find);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("needs the input `who`"), std::string::npos);
}

TEST(SpecTest, ReferencesLeadToWhatIsAskedFor) {
  const auto component = Read(
      "component: c\ninputs: {n: int, rows: {type: file, default: ''}, any: {type: json, default: "
      "1}}\n"
      "command: [c, '${inputs.n}']\n");
  ASSERT_TRUE(component) << component.error().ToString();
  const FindComponent find = [&](std::string_view) -> Result<Spec> { return *component; };
  const auto read = [&](std::string_view inputs, std::string_view more = "") {
    return ParseSpec(
        fmt::format("name: a\nparams: {{k: int, t: text, l: list}}\nsteps:\n"
                    "  one: {{command: [a], outputs: {{t: text, n: int, f: file, j: json}}}}\n"
                    "  many: {{command: [a], for_each: [1], outputs: {{n: int}}}}\n"
                    "  two:\n    use: c\n    inputs: {{{}}}\n{}",
                    inputs, more),
        "p.yaml", ProgramKinds(), find);
  };
  for (const char* fine :
       {"n: 3", "n: '${params.k}'", "n: '${steps.one.outputs.n}'", "n: '${steps.one.outputs.j}'",
        "n: 1, rows: '${steps.one.outputs.f}'", "n: 1, any: '${steps.many.outputs.n}'"}) {
    const auto spec = read(fine);
    EXPECT_TRUE(spec) << fine << spec.error().ToString();
  }
  for (const char* wrong :
       {"n: x", "n: '${params.t}'", "n: '${steps.one.outputs.t}'", "n: '${steps.many.outputs.n}'",
        "n: '${run.id}'", "n: '1${params.k}'", "n: 1, rows: '${steps.one.outputs.t}'"}) {
    const auto spec = read(wrong);
    ASSERT_FALSE(spec) << wrong;
    EXPECT_EQ(spec.error().gy(), "GY4728") << wrong;
    EXPECT_EQ(spec.error().where(), "p.yaml:8") << wrong;
  }
  EXPECT_EQ(read("n: 1", "    for_each: '${params.t}'\n").error().gy(), "GY4728");
  EXPECT_TRUE(read("n: 1", "    for_each: '${steps.many.outputs.n}'\n"));
  EXPECT_TRUE(read("n: 1", "    for_each: '${params.l}'\n"));
}

TEST(SpecTest, EveryStepMaySayTheTypesOfItsInputs) {
  const auto spec = Read(
      "name: a\nsteps:\n  x: {command: [a], outputs: {n: int}}\n"
      "  y: {command: [b], inputs: {n: {type: number, value: '${steps.x.outputs.n}'}, p: {a: "
      "1}}}\n");
  ASSERT_TRUE(spec) << spec.error().ToString();
  EXPECT_EQ(spec->steps[1].inputs.Dump(), R"({"n":"${steps.x.outputs.n}","p":{"a":1}})");
  ASSERT_EQ(spec->steps[1].input_types.size(), 1u);
  EXPECT_EQ(SpecToJson(SpecFromJson(SpecToJson(*spec))), SpecToJson(*spec));
  EXPECT_EQ(
      Read("name: a\nsteps:\n  x: {command: [a], outputs: {n: text}}\n"
           "  y: {command: [b], inputs: {n: {type: number, value: '${steps.x.outputs.n}'}}}\n")
          .error()
          .gy(),
      "GY4728");
}

TEST(SpecTest, TheKindIsSaidByItsKey) {
  const auto spec =
      Read("name: a\nsteps:\n  x: {git: /r, commit: main, command: [a]}\n  y: {command: [a]}\n");
  ASSERT_TRUE(spec) << spec.error().ToString();
  EXPECT_EQ(spec->steps[0].kind, "git");
  EXPECT_EQ(spec->steps[1].kind, "command");
}

TEST(SpecTest, ParametersAreTyped) {
  const auto spec = Read(
      "name: a\nparams: {n: int, b: {type: bool, default: false}, l: {type: list, default: []}}\n"
      "steps: {x: {command: [a]}}\n");
  ASSERT_TRUE(spec);
  const std::string texts[] = {"n=3", "b=true", "l=a,b,3"};
  EXPECT_EQ(ParamsFromTexts(*spec, texts)->Dump(), R"({"n":3,"b":true,"l":["a","b",3]})");
  const std::string wrong[] = {"n=x"};
  EXPECT_EQ(ParamsFromTexts(*spec, wrong).error().gy(), "GY4706");
  EXPECT_EQ(BindParams(*spec, Json::Obj()).error().gy(), "GY4705");
  EXPECT_EQ(BindParams(*spec, Json::Obj({{"n", 1}, {"m", 2}})).error().gy(), "GY4705");
  EXPECT_EQ(BindParams(*spec, Json::Obj({{"n", 1}}))->Dump(), R"({"n":1,"b":false,"l":[]})");
}

TEST(ExpressionTest, ConditionsAreTheSmallSubset) {
  const Lookup lookup = [](std::string_view path) -> std::optional<Json> {
    if (path == "params.n") return Json(5);
    if (path == "params.t") return Json("7");
    if (path == "params.s") return Json("full");
    return std::nullopt;
  };
  const std::pair<const char*, bool> conditions[] = {
      {"${params.n} > 3", true},
      {"params.n >= 5 && params.s == 'full'", true},
      {"!(params.n == 5) || params.s != \"full\"", false},
      {"int(params.t) == 7", true},
      {"params.n < 5.5", true},
      {"true", true},
      {"params.n == '5'", false},
  };
  for (const auto& [text, expected] : conditions) {
    const auto holds = Holds(text, lookup);
    ASSERT_TRUE(holds) << text << ": " << holds.error().ToString();
    EXPECT_EQ(*holds, expected) << text;
  }
  for (const char* bad : {"", "params.n", "params.n >", "params.n > 'a'", "a b", "(true", "x()"})
    EXPECT_FALSE(Holds(bad, lookup)) << bad;
  EXPECT_EQ(PathsInCondition("params.a == 1 || steps.x.outputs.y < 2").value(),
            (std::vector<std::string>{"params.a", "steps.x.outputs.y"}));
}

TEST(ExpressionTest, FillingKeepsTypesAndEscapes) {
  const Lookup lookup = [](std::string_view path) -> std::optional<Json> {
    return path == "params.n" ? std::optional<Json>(Json(5)) : std::nullopt;
  };
  EXPECT_EQ(Fill(Json::Arr({"${params.n}", "n=${params.n}", "$${x}"}), lookup)->Dump(),
            R"([5,"n=5","${x}"])");
  EXPECT_EQ(Fill(Json("${params.m}"), lookup).error().gy(), "GY4707");
}

}  // namespace
}  // namespace gyre::pipelines
