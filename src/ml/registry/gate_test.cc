#include "ml/registry/gate.h"

#include <gtest/gtest.h>

#include <limits>

namespace gyre::registry {
namespace {

std::vector<Rule> Rules(std::string_view text) {
  const auto json = Json::Parse(text);
  EXPECT_TRUE(json) << text;
  auto rules = ParseRules(*json);
  EXPECT_TRUE(rules) << rules.error().ToString();
  return rules ? *rules : std::vector<Rule>();
}

GateNumbers Sample() {
  GateNumbers numbers;
  numbers.primary = "auc";
  numbers.metrics["auc"] = {0.861, 0.85, 0.872};
  numbers.metrics["log_loss"] = {0.30, 0.28, 0.33};
  numbers.gains["baseline"]["auc"] = {0.361, 0.35, 0.372};
  numbers.gains["champion"]["auc"] = {-0.002, -0.006, 0.002};
  numbers.gains["champion"]["log_loss"] = {-0.001, -0.004, 0.002};
  numbers.others["champion"]["log_loss"] = {0.29, {}, {}};
  numbers.champion = "churn:v1";
  return numbers;
}

TEST(Gate, ThresholdsAndBounds) {
  EXPECT_TRUE(Judge(Rules(R"([{"metric":"auc","op":">=","value":0.86}])"), Sample()).pass);
  EXPECT_FALSE(
      Judge(Rules(R"([{"metric":"auc","op":">=","value":0.86,"bound":"lower"}])"), Sample()).pass);
  EXPECT_FALSE(
      Judge(Rules(R"([{"metric":"log_loss","op":"<=","value":0.3,"bound":"pessimistic"}])"),
            Sample())
          .pass);
  EXPECT_TRUE(
      Judge(Rules(R"([{"metric":"log_loss","op":"<=","value":0.34,"bound":"pessimistic"}])"),
            Sample())
          .pass);
  const Verdict missing = Judge(Rules(R"([{"metric":"f1","op":">=","value":0}])"), Sample());
  EXPECT_FALSE(missing.pass);
  EXPECT_EQ(missing.reasons.at(0).text, "f1 was not measured");
}

TEST(Gate, ComparisonsUseTheInterval) {
  EXPECT_TRUE(Judge(Rules(R"([{"better_than":"baseline"}])"), Sample()).pass);
  EXPECT_FALSE(Judge(Rules(R"([{"better_than":"champion"}])"), Sample()).pass);
  EXPECT_TRUE(Judge(Rules(R"([{"non_inferior_to":"champion","margin":0.006}])"), Sample()).pass);
  EXPECT_FALSE(Judge(Rules(R"([{"non_inferior_to":"champion","margin":0.0059}])"), Sample()).pass);
  // Errors have a relative margin by default: 2 % of 0.29 is 0.0058.
  EXPECT_TRUE(
      Judge(Rules(R"([{"non_inferior_to":"champion","metric":"log_loss"}])"), Sample()).pass);
  EXPECT_FALSE(
      Judge(Rules(R"([{"non_inferior_to":"champion","metric":"log_loss","margin_relative":0.01}])"),
            Sample())
          .pass);
}

TEST(Gate, WithoutChampion) {
  GateNumbers numbers = Sample();
  numbers.champion.clear();
  numbers.gains.erase("champion");
  EXPECT_TRUE(Judge(Rules(R"([{"non_inferior_to":"champion"}])"), numbers).pass);
  EXPECT_EQ(DefaultRules(false).at(0).other, "baseline");
  EXPECT_EQ(DefaultRules(true).at(0).kind, Rule::Kind::kNonInferiorTo);
  numbers.gains.clear();
  EXPECT_FALSE(Judge(DefaultRules(false), numbers).pass) << "what was not compared is not better";
}

TEST(Gate, KpisAndFacts) {
  const auto rules =
      Rules(R"([{"kpi":"AUC >= 0.84"},{"kpi":"cost per saved customer <= 12 EUR"}])");
  GateNumbers numbers = Sample();
  EXPECT_FALSE(Judge(rules, numbers).pass);
  numbers.facts["cost per saved customer"] = 11.5;
  EXPECT_TRUE(Judge(rules, numbers).pass);
}

TEST(Gate, AllRulesMustPassAndEachSaysWhy) {
  const Verdict verdict =
      Judge(Rules(R"([{"metric":"auc","value":0.99},{"better_than":"baseline"}])"), Sample());
  EXPECT_FALSE(verdict.pass);
  ASSERT_EQ(verdict.reasons.size(), 2u);
  EXPECT_FALSE(verdict.reasons[0].pass);
  EXPECT_TRUE(verdict.reasons[1].pass);
  EXPECT_EQ(verdict.reasons[0].text, "auc is 0.861, needed >= 0.99");
  EXPECT_TRUE(Judge({}, Sample()).pass);
  EXPECT_EQ(Judge({}, Sample()).reasons.size(), 1u);
}

TEST(Gate, NaNNeverPasses) {
  GateNumbers numbers = Sample();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  numbers.metrics["auc"] = {nan, nan, nan};
  numbers.gains["baseline"]["auc"] = {nan, nan, nan};
  EXPECT_FALSE(Judge(Rules(R"([{"metric":"auc","value":0}])"), numbers).pass);
  EXPECT_FALSE(Judge(DefaultRules(false), numbers).pass);
}

TEST(Gate, DocumentsReadBackTheSame) {
  const auto rules = Rules(
      R"([{"metric":"auc","op":">","value":0.5,"bound":"lower"},{"better_than":"baseline","metric":"auc"},
                               {"non_inferior_to":"champion","margin":0.01}])");
  EXPECT_EQ(RulesToJson(rules), RulesToJson(*ParseRules(RulesToJson(rules))));
  const auto numbers = GateNumbers::FromJson(Sample().ToJson());
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->ToJson(), Sample().ToJson());
}

TEST(Gate, BadRulesAreNamed) {
  for (const char* text :
       {R"({})", R"([1])", R"([{}])", R"([{"metric":"auc"}])", R"([{"metric":"auc","value":"x"}])",
        R"([{"metric":"auc","value":1,"op":"=="}])",
        R"([{"metric":"auc","value":1,"bound":"middle"}])", R"([{"better_than":"me"}])",
        R"([{"non_inferior_to":"champion","margin":-1}])",
        R"([{"better_than":"baseline","metric":"beauty"}])", R"([{"kpi":3}])",
        R"([{"metric":"auc","value":1,"x":2}])"}) {
    const auto rules = ParseRules(*Json::Parse(text));
    ASSERT_FALSE(rules) << text;
    EXPECT_EQ(rules.error().gy(), "GY3608") << text;
  }
}

}  // namespace
}  // namespace gyre::registry
