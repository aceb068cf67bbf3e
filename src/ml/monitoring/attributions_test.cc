#include "ml/monitoring/attributions.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gyre::monitoring {
namespace {

const Attributions kReference = {{"a", 0.7}, {"b", 0.5}, {"c", 0.05}};

// The order of the rows turned around, as in the definition: 0.6876.
TEST(Attributions, NdcgIsThatOfTheDefinition) {
  EXPECT_NEAR(AttributionNdcg(kReference, {{"a", 1}, {"b", 2}, {"c", 3}}),
              (0.05 + 0.5 / std::log2(3.0) + 0.7 / 2) / (0.7 + 0.5 / std::log2(3.0) + 0.05 / 2),
              1e-15);
  EXPECT_NEAR(AttributionNdcg(kReference, {{"a", 1}, {"b", 2}, {"c", 3}}), 0.6876, 5e-5);
  EXPECT_EQ(AttributionNdcg(kReference, {{"a", 9}, {"b", 2}, {"c", 1}}), 1);
  EXPECT_EQ(AttributionNdcg({{"a", 0}}, {{"a", 1}}), 1);
}

TEST(Attributions, SignalWhenTheModelLeansOnOtherColumns) {
  const Signal moved =
      AttributionSignal(kReference, {{"a", 1}, {"b", 2}, {"c", 3}}, 100, "on the rows held out");
  EXPECT_EQ(moved.level, Level::kBad);
  EXPECT_EQ(moved.what, "the model leans on c, b, a; on the rows held out it leaned on a, b, c");
  EXPECT_EQ(AttributionSignal(kReference, kReference, 100, "before").level, Level::kCalm);
  EXPECT_EQ(AttributionSignal(kReference, kReference, 5, "before").level, Level::kUnknown);
  EXPECT_EQ(AttributionSignal({}, kReference, 100, "before").level, Level::kUnknown);
}

TEST(Attributions, SurviveAsJson) {
  EXPECT_EQ(AttributionsFromJson(*Json::Parse(AttributionsToJson(kReference).Dump())), kReference);
}

TEST(Attributions, OfAModelThatIsNotThereAreNone) {
  Attributor attributor("/nowhere/package", "/nowhere/holdout", {});
  EXPECT_TRUE(attributor.Promised().empty());
  EXPECT_FALSE(attributor.Live({}));
}

}  // namespace
}  // namespace gyre::monitoring
