#include "ml/recipes/recipe.h"

#include <gtest/gtest.h>

namespace gyre::recipes {
namespace {

using table::Column;
using table::Frame;
using table::Type;

Frame People() {
  Frame frame;
  Column age{"age", Type::kDouble, {}, {}, {}, {}}, city{"city", Type::kText, {}, {}, {}, {}};
  const char* cities[] = {"Paris", "Rome", "Paris", nullptr, "Oslo", "Paris"};
  for (int i = 0; i < 6; ++i) {
    if (i == 2) {
      age.PushNull();
    } else {
      age.PushDouble(10 * i);
    }
    if (cities[i] == nullptr) {
      city.PushNull();
    } else {
      city.PushText(cities[i]);
    }
  }
  frame.columns.push_back(std::move(age));
  frame.columns.push_back(std::move(city));
  return frame;
}

constexpr std::string_view kPeople = R"(
recipe: people
input: {schema: {age: double, city: text, unused: int}}
steps:
  - {id: age_filled, op: impute.median, in: age}
  - {id: age_scaled, op: scale.standard, in: age_filled}
  - {id: city_hot, op: encode.onehot, in: city, args: {max: 2}}
output: {vector: [age_scaled, city_hot.*]}
)";

TEST(Recipe, FitsAppliesSavesAndLoads) {
  const auto spec = Spec::FromYaml(kPeople);
  ASSERT_TRUE(spec.has_value()) << spec.error().ToString();
  const Frame frame = People();
  const auto fitted = Fit(*spec, frame, {});
  ASSERT_TRUE(fitted.has_value()) << fitted.error().ToString();
  EXPECT_EQ(fitted->output_names(), (std::vector<std::string>{"age", "city=Oslo", "city=Paris", "city=(other)"}));
  const auto matrix = fitted->Apply(frame);
  ASSERT_TRUE(matrix.has_value()) << matrix.error().ToString();
  EXPECT_EQ(matrix->rows, 6u);
  EXPECT_EQ(matrix->row(0)[2], 1.0);
  EXPECT_EQ(matrix->row(1)[3], 1.0);
  EXPECT_EQ(matrix->row(3)[1] + matrix->row(3)[2] + matrix->row(3)[3], 0.0);
  const std::string bytes = fitted->Save();
  const auto loaded = Fitted::Load(bytes);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().ToString();
  EXPECT_EQ(loaded->Save(), bytes);
}

}  // namespace
}  // namespace gyre::recipes
