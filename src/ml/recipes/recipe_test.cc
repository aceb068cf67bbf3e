// Fitting, applying, saving, loading, and what is refused on the way.
#include "ml/recipes/recipe.h"

#include <gtest/gtest.h>

#include <cmath>

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
    i == 2 ? age.PushNull() : age.PushDouble(10 * i);
    cities[i] == nullptr ? city.PushNull() : city.PushText(cities[i]);
  }
  frame.columns.push_back(std::move(age));
  frame.columns.push_back(std::move(city));
  return frame;
}

constexpr std::string_view kPeople = R"(
input: {schema: {age: double, city: text}}
steps:
  - {id: age_filled, op: impute.median, in: age}
  - {id: age_scaled, op: scale.standard, in: age_filled}
  - {id: age_again, op: number, in: age_filled}
  - {id: city_hot, op: encode.onehot, in: city, args: {max: 2}}
output: {vector: [age_scaled, city_hot, age_again]}
)";

Fitted FitPeople() {
  const auto spec = Spec::FromYaml(kPeople);
  EXPECT_TRUE(spec.has_value()) << spec.error().ToString();
  auto fitted = Fit(*spec, People(), {});
  EXPECT_TRUE(fitted.has_value()) << fitted.error().ToString();
  return *std::move(fitted);
}

TEST(Recipe, FitsAppliesSavesAndLoads) {
  const Fitted fitted = FitPeople();
  EXPECT_EQ(fitted.output_names(), (std::vector<std::string>{"age", "city=Oslo", "city=Paris",
                                                             "city=(other)", "age #age_again"}));
  const auto matrix = fitted.Apply(People());
  ASSERT_TRUE(matrix.has_value()) << matrix.error().ToString();
  EXPECT_EQ(matrix->row(0)[2], 1.0);
  EXPECT_EQ(matrix->row(1)[3], 1.0);
  EXPECT_EQ(matrix->row(2)[4], 30.0);  // the median of 0, 10, 30, 40, 50
  EXPECT_EQ(matrix->row(3)[1] + matrix->row(3)[2] + matrix->row(3)[3], 0.0);
  const std::string bytes = fitted.Save();
  const auto loaded = Fitted::Load(bytes);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().ToString();
  EXPECT_EQ(loaded->Save(), bytes);
}

TEST(Recipe, FindsColumnsByNameAndTakesWhatLosesNothing) {
  const Fitted fitted = FitPeople();
  Frame frame = People();
  std::swap(frame.columns[0], frame.columns[1]);
  Column extra{"extra", Type::kInt, {}, {}, {}, {}};
  for (int i = 0; i < 6; ++i) extra.PushInt(i);
  frame.columns.push_back(extra);
  ASSERT_TRUE(fitted.Apply(frame).has_value());
  Column whole{"age", Type::kInt, {}, {}, {}, {}}, nothing{"city", Type::kInt, {}, {}, {}, {}};
  for (int i = 0; i < 6; ++i) {
    whole.PushInt(i);
    nothing.PushNull();
  }
  frame.columns = {whole,
                   nothing};  // 12 for 12.0; a column without any value was read as some type
  const auto matrix = fitted.Apply(frame);
  ASSERT_TRUE(matrix.has_value()) << matrix.error().ToString();
  EXPECT_EQ(matrix->row(5)[4], 5.0);
  EXPECT_EQ(matrix->row(5)[3], 0.0);
}

TEST(Recipe, NamesTheColumnThatDoesNotFit) {
  const Fitted fitted = FitPeople();
  Frame frame = People();
  frame.columns[0].name = "agee";
  auto matrix = fitted.Apply(frame);
  ASSERT_FALSE(matrix.has_value());
  EXPECT_EQ(matrix.error().gy(), "GY3111");
  EXPECT_NE(matrix.error().message().find("`age`"), std::string::npos);
  EXPECT_NE(matrix.error().fixes()[0].find("agee"), std::string::npos);
  frame = People();
  frame.columns[0] = frame.columns[1];
  frame.columns[0].name = "age";  // text where numbers were
  matrix = fitted.Apply(frame);
  ASSERT_FALSE(matrix.has_value());
  EXPECT_EQ(matrix.error().gy(), "GY3111");
}

TEST(Recipe, RefusesToFitWithoutRowsOrLabel) {
  const auto spec = Spec::FromYaml(
      "input: {schema: {city: text}}\nsteps: [{id: c, op: encode.target, in: city}]\noutput: [c]");
  auto fitted = Fit(*spec, People(), {});
  ASSERT_FALSE(fitted.has_value());
  EXPECT_EQ(fitted.error().gy(), "GY3112");
  EXPECT_NE(fitted.error().message().find("`c`"), std::string::npos);
  const Column label{"y", Type::kInt, {}, {1, 0}, {}, {}};
  EXPECT_EQ(Fit(*spec, People(), {.target = &label}).error().gy(),
            "GY3112");  // two labels, six rows
  EXPECT_EQ(Fit(*spec, People().Select({}), {}).error().gy(), "GY3112");
  const auto wide = Spec::FromYaml(
      "input: {schema: {city: text}}\nsteps: [{id: w, op: text.ngrams, in: city, args: {min_rows: "
      "4}}]\noutput: [w]");
  EXPECT_EQ(Fit(*wide, People(), {}).error().gy(), "GY3112");
}

TEST(Recipe, GoldenVectorsCatchEveryChangeOfState) {
  const std::string bytes = FitPeople().Save();
  // Another mean, another category, another golden output: each is found, whatever it is.
  int data_loss = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    const bool hex =
        (changed[i] >= '0' && changed[i] <= '9') || (changed[i] >= 'a' && changed[i] <= 'f');
    if (!hex) continue;
    changed[i] = changed[i] == '1' ? '2' : '1';
    const auto loaded = Fitted::Load(changed);
    if (!loaded.has_value()) {
      data_loss += loaded.error().code() == Code::kDataLoss ? 1 : 0;
      continue;
    }
    // What still loads either computes the same or says another thing about itself only (names,
    // inputs of golden rows that saturate).
    const auto matrix = loaded->Apply(People());
    if (!matrix.has_value()) continue;
    const auto expected = Fitted::Load(bytes)->Apply(People());
    for (std::size_t v = 0; v < matrix->values.size(); ++v) {
      ASSERT_EQ(std::bit_cast<std::uint64_t>(matrix->values[v]),
                std::bit_cast<std::uint64_t>(expected->values[v]))
          << "byte " << i;
    }
  }
  EXPECT_GT(data_loss, 100);
}

TEST(Recipe, LoadRefusesBrokenArtefacts) {
  const std::string bytes = FitPeople().Save();
  for (std::string_view broken :
       {"", "{}", "[]", "null", "{\"format\":\"gyre.recipe\",\"version\":1}",
        "{\"format\":\"gyre.recipe\",\"version\":2}"}) {
    EXPECT_FALSE(Fitted::Load(broken).has_value()) << broken;
  }
  for (std::size_t length = 0; length < bytes.size(); length += 97)
    EXPECT_FALSE(Fitted::Load(bytes.substr(0, length)).has_value());
  auto json = Json::Parse(bytes);
  json->Set("golden", Json(Json::Array()));
  EXPECT_FALSE(Fitted::Load(json->Dump()).has_value());  // nothing to replay is not a pass
}

}  // namespace
}  // namespace gyre::recipes
