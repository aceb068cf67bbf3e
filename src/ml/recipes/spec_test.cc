// What a recipe may say, and how it is refused.
#include <gtest/gtest.h>

#include "base/text.h"
#include "ml/recipes/recipe.h"

namespace gyre::recipes {
namespace {

constexpr std::string_view kGood = R"(
recipe: churn
input:
  schema:
    amount: f64?
    country: str?
    ts: timestamp
  key: [customer_id]
  label: churned
steps:
  - {id: amt,  op: impute.median,  in: amount}
  - {id: amtz, op: scale.standard, in: [amt]}
  - {id: ctry, op: encode.target,  in: country, args: {smoothing: 20}}
  - {id: hour, op: datetime.cyclic, in: ts, args: {parts: [hour]}}
  - {id: dead, op: number, in: amount}
output: {vector: [amtz, ctry.*, hour.*]}
)";

TEST(Spec, ReadsTheDocumentedForm) {
  const auto spec = Spec::FromYaml(kGood);
  ASSERT_TRUE(spec.has_value()) << spec.error().ToString();
  EXPECT_EQ(spec->step_count(), 4u);  // `dead` feeds nothing
  EXPECT_EQ(spec->output_step_count(), 3u);
  ASSERT_EQ(spec->input().size(), 3u);
  EXPECT_EQ(spec->input()[1].name, "country");
  EXPECT_EQ(spec->input()[1].type, table::Type::kText);
  const auto again = Spec::FromJson(spec->ToJson());
  ASSERT_TRUE(again.has_value()) << again.error().ToString();
  EXPECT_EQ(again->ToJson().DumpCanonical(), spec->ToJson().DumpCanonical());
  EXPECT_EQ(again->hash(), spec->hash());
}

Result<Spec> WithInput(std::string_view input) {
  return Spec::FromYaml(
      fmt::format("input: {{schema: {{a: double}}, {}}}\n"
                  "steps: [{{id: x, op: number, in: a}}]\noutput: [x]\n",
                  input));
}

TEST(Spec, RolesOfColumnsAreKeptAndChecked) {
  const auto spec = WithInput("key: [who], label: y, time: ts");
  ASSERT_TRUE(spec) << spec.error().ToString();
  EXPECT_EQ(spec->roles().key, "who");
  EXPECT_EQ(spec->roles().label, "y");
  EXPECT_EQ(spec->roles().time, "ts");
  EXPECT_EQ(Spec::FromJson(spec->ToJson())->hash(), spec->hash());
  EXPECT_NE(WithInput("label: y")->hash(), spec->hash());
  EXPECT_TRUE(CheckRoles(*spec, "y"));
  EXPECT_TRUE(CheckRoles(*spec, ""));
  EXPECT_EQ(CheckRoles(*spec, "z").error().gy(), "GY3118");
  EXPECT_EQ(CheckRoles(*WithInput("key: a"), "y").error().gy(), "GY3116");
  EXPECT_EQ(CheckRoles(*WithInput("label: a"), "").error().gy(), "GY3116");
  using enum table::Type;
  EXPECT_TRUE(CheckAgainst(*spec, {{"a", kInt}, {"who", kText}, {"y", kInt}, {"ts", kDate}}, "y"));
  const auto absent =
      CheckAgainst(*spec, {{"a", kInt}, {"whom", kText}, {"y", kInt}, {"ts", kDate}}, "y");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().fixes(), std::vector<std::string>{"did you mean `whom`?"});
  for (const char* wrong : {"key: [a, b]", "label: 3", "time: ''", "label: y, time: y"})
    EXPECT_EQ(WithInput(wrong).error().gy(), "GY3101") << wrong;
}

// Every line that the format knows, and steps named after the columns that they read.
TEST(Spec, ReadsAllThatTheFormatCanSay) {
  const auto spec = Spec::FromYaml(R"(
recipe: churn_v3
input: {schema: {amount: 'f64?', country: str, ts: timestamp, plan: str},
        key: [customer_id], label: churned, time: ts}
steps:
  - {id: amount, op: impute.median,   in: amount}
  - {id: amtz,   op: scale.standard,  in: amount}
  - {id: ctry,   op: encode.target,   in: country, args: {smoothing: 20, unseen: prior}}
  - {id: plan,   op: encode.onehot,   in: plan, args: {max: 20, rare: other}}
  - {id: hour,   op: datetime.cyclic, in: ts, args: {parts: [hour]}}
output: {vector: [amtz, ctry, plan.*, hour.*], dtype: f64, names: kept}
fit: {scope: train, sample: none}
)");
  ASSERT_TRUE(spec.has_value()) << spec.error().ToString();
  const Json json = spec->ToJson();
  EXPECT_EQ(json["steps"].items()[1]["in"].AsString(), "amount");
  const auto again = Spec::FromJson(json);
  ASSERT_TRUE(again.has_value()) << again.error().ToString();
  EXPECT_EQ(again->hash(), spec->hash());
  EXPECT_EQ(again->step_count(), 5u);
}

TEST(Spec, EqualMeaningGivesAnEqualHash) {
  const auto a = Spec::FromYaml(
      "input: {schema: {x: text}}\nsteps: [{id: s, op: encode.onehot, in: x}]\noutput: [s]");
  const auto b = Spec::FromYaml(
      "input: {schema: [{name: y, type: int}, {name: x, type: string}]}\n"
      "steps: [{id: s, op: encode.onehot, in: x, args: {rare: other, max: 20}}]\noutput: {vector: "
      "[s]}");
  const auto c = Spec::FromYaml(
      "input: {schema: {x: text}}\nsteps: [{id: s, op: encode.onehot, in: x, args: {max: "
      "21}}]\noutput: [s]");
  ASSERT_TRUE(a.has_value() && b.has_value() && c.has_value());
  EXPECT_EQ(a->hash(), b->hash());
  EXPECT_NE(a->hash(), c->hash());
}

struct Bad {
  const char* text;
  const char* code;
  const char* says;  // stands in the message or a fix
};

// One step over x (double), t (text), d (date).
std::string OneStep(std::string_view step) {
  return fmt::format("input: {{schema: {{x: double, t: text, d: date}}}}\nsteps: [{}]\noutput: [s]",
                     step);
}

void ExpectRefused(const std::string& text, const Bad& bad) {
  const auto spec = Spec::FromYaml(text);
  ASSERT_FALSE(spec.has_value()) << text;
  EXPECT_EQ(spec.error().gy(), bad.code) << text << "\n" << spec.error().ToString();
  EXPECT_EQ(spec.error().code(), Code::kInvalidArgument);
  const std::string all = spec.error().message() + Join(spec.error().fixes(), " ");
  EXPECT_NE(all.find(bad.says), std::string::npos) << text << "\n" << all;
}

TEST(Spec, RefusesBrokenDocuments) {
  const Bad kBad[] = {
      {"", "GY3101", "mapping"},
      {"[1, 2]", "GY3101", "mapping"},
      {"just words", "GY3101", "mapping"},
      {"a: [", "GY3101", "YAML"},
      {"input: {schema: {x: f64?, y: str?}}", "GY3101", "leave out the `?`"},
      {"{a: 1, a: 2}", "GY3101", "twice"},
      {"\xff\xfe: 1", "GY3101", "UTF-8"},
      {"input: {schema: {x: int}}", "GY3101", "steps"},
      {"steps: [{id: s, op: number, in: x}]\noutput: [s]", "GY3101", "input"},
      {"input: {schema: {}}\nsteps: [{id: s, op: number, in: x}]\noutput: [s]", "GY3101", "schema"},
      {"input: {schema: {x: integr}}\nsteps: [{id: s, op: number, in: x}]\noutput: [s]", "GY3101",
       "integr"},
      {"input: {schema: {x: [int]}}\nsteps: [{id: s, op: number, in: x}]\noutput: [s]", "GY3101",
       "unknown type"},
      {"input: {schema: [{name: x, type: int}, {name: x, type: int}]}\nsteps: [{id: s, op: number, "
       "in: x}]\noutput: [s]",
       "GY3101", "twice"},
      {"input: {schema: {'': int}}\nsteps: [{id: s, op: number, in: x}]\noutput: [s]", "GY3101",
       "empty name"},
      {"input: {schema: {x: int}, rows: 3}\nsteps: [{id: s, op: number, in: x}]\noutput: [s]",
       "GY3101", "rows"},
      {"input: {schema: {x: int}}\nsteps: []\noutput: [s]", "GY3101", "steps"},
      {"input: {schema: {x: int}}\nsteps: {id: s}\noutput: [s]", "GY3101", "steps"},
      {"input: {schema: {x: int}}\nsteps: [5]\noutput: [s]", "GY3101", "step 1"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]", "GY3101", "output"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: []", "GY3101",
       "output"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: {vektor: [s]}",
       "GY3101", "vektor"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: [s, s]", "GY3103",
       "twice"},
      {"input: {schema: {x: int}}\nsteps: [{id: sum, op: number, in: x}]\noutput: [som]", "GY3103",
       "did you mean `sum`"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: [x]", "GY3103",
       "not the id"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}, {id: s, op: number, in: "
       "x}]\noutput: [s]",
       "GY3101", "two steps"},
      {"input: {schema: {x: int, y: int}}\nsteps: [{id: y, op: number, in: x}]\noutput: [y]",
       "GY3101", "name of a column that it does not read"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: {vector: [s], "
       "dtype: "
       "f32}",
       "GY3101", "`output.dtype` must be f64, not \"f32\""},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: {vector: [s], "
       "names: "
       "[a]}",
       "GY3101", "`output.names` must be kept"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: [s]\nfit: {sample: "
       "1000}",
       "GY3101", "`fit.sample` must be none"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: [s]\nfit: {rows: "
       "5}",
       "GY3101", "`fit` has no `rows`"},
      {"input: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: [s]\nfit: all",
       "GY3101", "`fit` must be a mapping"},
      {"input: {schema: {x: int}}\nsteps: [{id: a, op: number, in: b}, {id: b, op: number, in: "
       "a}]\noutput: [a]",
       "GY3103", "neither a column nor an earlier step"},
      {"input: {schema: {x: int}}\nstep: [{id: s, op: number, in: x}]\noutput: [s]", "GY3101",
       "did you mean `steps`"},
      {"recipe: [1]\ninput: {schema: {x: int}}\nsteps: [{id: s, op: number, in: x}]\noutput: [s]",
       "GY3101", "name"},
  };
  for (const Bad& bad : kBad) ExpectRefused(bad.text, bad);
}

TEST(Spec, RefusesWrongSteps) {
  const Bad kBad[] = {
      {"{op: number, in: x}", "GY3101", "id"},
      {"{id: s, in: x}", "GY3102", "no operation"},
      {"{id: s, op: 5, in: x}", "GY3102", "no operation"},
      {"{id: s, op: impute.medain, in: x}", "GY3102", "did you mean `impute.median`"},
      {"{id: s, op: number}", "GY3101", "in"},
      {"{id: s, op: number, in: [x, t]}", "GY3101", "one column"},
      {"{id: s, op: number, in: xx}", "GY3103", "did you mean `x`"},
      {"{id: s, op: number, in: s}", "GY3103", "neither"},
      {"{id: s, op: number, in: t}", "GY3103", "cast"},
      {"{id: s, op: number, in: d}", "GY3103", "date"},
      {"{id: s, op: text.ngrams, in: x}", "GY3103", "takes only text"},
      {"{id: s, op: datetime.parts, in: x}", "GY3103", "date"},
      {"{id: s, op: number, in: x, argz: {}}", "GY3101", "did you mean `args`"},
      {"{id: s, op: number, in: x, args: [1]}", "GY3103", "mapping"},
      {"{id: s, op: number, in: x, args: {a: 1}}", "GY3103", "no arguments"},
      {"{id: s, op: encode.onehot, in: t, args: {mx: 3}}", "GY3103", "did you mean `max`"},
      {"{id: s, op: encode.onehot, in: t, args: {max: 0}}", "GY3103", "between"},
      {"{id: s, op: encode.onehot, in: t, args: {max: 2.5}}", "GY3103", "whole number"},
      {"{id: s, op: encode.onehot, in: t, args: {max: 99999999999999999999}}", "GY3103",
       "whole number"},
      {"{id: s, op: encode.onehot, in: t, args: {rare: keep}}", "GY3103", "other|zeros"},
      {"{id: s, op: encode.target, in: t, args: {smoothing: .nan}}", "GY3103", "between"},
      {"{id: s, op: encode.target, in: t, args: {smoothing: -1}}", "GY3103", "between"},
      {"{id: s, op: encode.ordinal, in: t, args: {order: [1]}}", "GY3103", "type"},
      {"{id: s, op: encode.ordinal, in: t, args: {order: [a, a]}}", "GY3103", "twice"},
      {"{id: s, op: encode.ordinal, in: t, args: {unseen: x}}", "GY3103", "unseen"},
      {"{id: s, op: impute.constant, in: x}", "GY3103", "value"},
      {"{id: s, op: impute.constant, in: x, args: {value: abc}}", "GY3103", "number"},
      {"{id: s, op: clip, in: x, args: {low: 0.9, high: 0.1}}", "GY3103", "below"},
      {"{id: s, op: clip, in: x, args: {low: 0, high: 5}}", "GY3103", "bounds"},
      {"{id: s, op: scale.quantile, in: x, args: {knots: 1}}", "GY3103", "between"},
      {"{id: s, op: hash, in: t, args: {buckets: 100000000}}", "GY3103", "between"},
      {"{id: s, op: text.ngrams, in: t, args: {min: 3, max: 2}}", "GY3103", "min"},
      {"{id: s, op: datetime.parts, in: d, args: {parts: []}}", "GY3103", "one or more"},
      {"{id: s, op: datetime.parts, in: d, args: {parts: [yeer]}}", "GY3103", "year"},
      {"{id: s, op: datetime.parts, in: d, args: {parts: [year, year]}}", "GY3103", "repeats"},
      {"{id: s, op: cast, in: x}", "GY3103", "to"},
      {"{id: s, op: cast, in: x, args: {to: date}}", "GY3103", "cannot be cast"},
      {"{id: s, op: cast, in: d, args: {to: int}}", "GY3103", "datetime.parts"},
      {"{id: s, op: cast, in: x, args: {to: text}}", "GY3103", "outputs are numbers"},
      {"{id: s, op: cast, in: t, args: {to: date}}", "GY3103", "datetime.parts"},
      {"{id: h, op: encode.onehot, in: t}, {id: s, op: number, in: h}", "GY3103", "many columns"},
  };
  for (const Bad& bad : kBad) ExpectRefused(OneStep(bad.text), bad);
}

TEST(Spec, SaysInWhichLineAStepIsWrong) {
  const auto spec = Spec::FromYaml(
      "input: {schema: {x: double}}\n"
      "steps:\n"
      "  - {id: a, op: number, in: x}\n"
      "  - id: b\n"
      "    op: nmber\n"
      "    in: x\n"
      "output: {vector: [a]}\n");
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().where(), "recipe:4") << spec.error().ToString();
}

TEST(Spec, ReadsTextAndObjectsAlike) {
  const std::string text = OneStep("{id: s, op: number, in: x}");
  const auto from_text = Spec::FromTextOrObject(Json(text));
  ASSERT_TRUE(from_text) << from_text.error().ToString();
  const auto from_object = Spec::FromTextOrObject(from_text->ToJson());
  ASSERT_TRUE(from_object);
  EXPECT_EQ(from_text->hash(), from_object->hash());
  for (const Json& neither : {Json(), Json(7), Json::Arr()})
    EXPECT_EQ(Spec::FromTextOrObject(neither).error().gy(), "GY3101");
}

TEST(Spec, IsCheckedAgainstTheColumnsOfTheData) {
  const auto spec = *Spec::FromYaml(
      "input: {schema: {age: double}}\nsteps: [{id: s, op: number, in: age}]\noutput: [s]");
  using enum table::Type;
  EXPECT_TRUE(CheckAgainst(spec, {{"y", kText}, {"age", kDouble}}, "y"));
  EXPECT_TRUE(CheckAgainst(spec, {{"age", kInt}}, "")) << "a whole number stands for a number";
  const auto missing = CheckAgainst(spec, {{"ages", kDouble}, {"y", kText}}, "y");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().gy(), "GY3111");
  EXPECT_EQ(Join(missing.error().fixes(), " "), "did you mean `ages`?");
  const auto other = CheckAgainst(spec, {{"age", kText}}, "");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().gy(), "GY3111");
  const auto target = CheckAgainst(spec, {{"age", kDouble}}, "age");
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().gy(), "GY3116");
}

TEST(Spec, SurvivesHostileYaml) {
  std::string deep = "input: ";
  for (int i = 0; i < 5000; ++i) deep += "[";
  EXPECT_FALSE(Spec::FromYaml(deep).has_value());
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format(
        "a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i,
        i - 1);
  }
  EXPECT_FALSE(Spec::FromYaml(bomb).has_value());
  EXPECT_FALSE(Spec::FromYaml("&a [*a]").has_value());
  EXPECT_FALSE(Spec::FromYaml(std::string(5 << 20, ' ')).has_value());
}

}  // namespace
}  // namespace gyre::recipes
