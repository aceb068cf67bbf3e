#include "ml/predictors/explainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "ml/predictors/forest.h"
#include "ml/predictors/linear.h"
#include "ml/predictors/row_explainer.h"
#include "ml/predictors/testing/lightgbm_test.h"
#include "ml/predictors/tree_shap.h"

namespace gyre::predictors {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// --- against the definition ----------------------------------------------------------------------

struct GrowOptions {
  std::size_t features = 6;
  int leaves = 20;
  bool empty_places = false;  // some leaves that no row of training came to
};

// A random tree of numeric and categorical splits with every treatment of missing values.
Tree Grow(const GrowOptions& options, Random& random) {
  Tree tree;
  tree.leaves.push_back(random.Normal());
  std::vector<std::int32_t*> ends;
  tree.splits.reserve(static_cast<std::size_t>(options.leaves));
  while (static_cast<int>(tree.leaves.size()) < options.leaves) {
    Split split;
    split.feature = static_cast<std::uint32_t>(random.Below(options.features));
    split.threshold = random.Normal();
    split.missing = static_cast<Missing>(random.Below(3));
    split.default_left = random.Below(2) == 0;
    split.categorical = random.Below(5) == 0;
    if (split.categorical) {
      split.bitset_begin = static_cast<std::uint32_t>(tree.bitsets.size());
      split.bitset_words = 1;
      tree.bitsets.push_back(static_cast<std::uint32_t>(random.Below(16)));
    }
    // A leaf becomes a split over itself and a new leaf.
    const auto number = static_cast<std::int32_t>(tree.splits.size());
    const std::size_t place = ends.empty() ? 0 : random.Below(ends.size());
    const std::int32_t old_leaf = ends.empty() ? ~0 : *ends[place];
    if (!ends.empty()) *ends[place] = number;
    split.left = old_leaf;
    split.right = ~static_cast<std::int32_t>(tree.leaves.size());
    tree.leaves.push_back(random.Normal());
    tree.splits.push_back(split);
    if (!ends.empty()) ends.erase(ends.begin() + static_cast<std::ptrdiff_t>(place));
    ends.push_back(&tree.splits.back().left);
    ends.push_back(&tree.splits.back().right);
  }
  for (std::size_t i = 0; i < tree.leaves.size(); ++i)
    tree.leaf_covers.push_back(options.empty_places && random.Below(3) == 0
                                   ? 0.0
                                   : 1.0 + static_cast<double>(random.Below(50)));
  tree.leaf_covers[0] = 7;  // never a tree that nobody came to
  tree.split_covers.assign(tree.splits.size(), 0.0);
  // Children stand behind their parents.
  for (std::size_t i = tree.splits.size(); i-- > 0;) {
    for (const std::int32_t child : {tree.splits[i].left, tree.splits[i].right}) {
      tree.split_covers[i] += child >= 0 ? tree.split_covers[static_cast<std::size_t>(child)]
                                         : tree.leaf_covers[static_cast<std::size_t>(~child)];
    }
  }
  return tree;
}

// A tree of one split, so that the plain walk says which way a row goes.
bool GoesLeft(const Tree& tree, const Split& split, const double* x) {
  Tree one{.splits = {split},
           .leaves = {1, 0},
           .bitsets = tree.bitsets,
           .split_covers = {},
           .leaf_covers = {}};
  one.splits[0].left = ~0;
  one.splits[0].right = ~1;
  return WalkTree(one, x) == 1;
}

// What is expected when only the features in `known` are: both ways of the other splits.
double Expected(const Tree& tree, std::int32_t node, const double* x, unsigned known) {
  if (node < 0) return tree.leaves[static_cast<std::size_t>(~node)];
  const Split& split = tree.splits[static_cast<std::size_t>(node)];
  if (((known >> split.feature) & 1U) != 0)
    return Expected(tree, GoesLeft(tree, split, x) ? split.left : split.right, x, known);
  const auto cover = [&](std::int32_t child) {
    return child >= 0 ? tree.split_covers[static_cast<std::size_t>(child)]
                      : tree.leaf_covers[static_cast<std::size_t>(~child)];
  };
  const double here = tree.split_covers[static_cast<std::size_t>(node)];
  const double left = here > 0 ? cover(split.left) / here : 0.5;
  const double right = here > 0 ? cover(split.right) / here : 0.5;
  return left * Expected(tree, split.left, x, known) +
         right * Expected(tree, split.right, x, known);
}

// Shapley's formula over all subsets.
std::vector<double> BruteForce(const Tree& tree, const double* x, std::size_t features) {
  std::vector<double> value(std::size_t{1} << features);
  for (unsigned known = 0; known < value.size(); ++known)
    value[known] = Expected(tree, 0, x, known);
  std::vector<double> share(features);  // |S|! (M - |S| - 1)! / M!
  for (std::size_t size = 0; size < features; ++size)
    share[size] = std::exp(std::lgamma(static_cast<double>(size) + 1) +
                           std::lgamma(static_cast<double>(features - size)) -
                           std::lgamma(static_cast<double>(features) + 1));
  std::vector<double> shapley(features);
  for (unsigned known = 0; known < value.size(); ++known) {
    for (std::size_t i = 0; i < features; ++i) {
      if (((known >> i) & 1U) != 0) continue;
      shapley[i] += share[static_cast<std::size_t>(std::popcount(known))] *
                    (value[known | (1U << i)] - value[known]);
    }
  }
  return shapley;
}

void CheckAgainstDefinition(const GrowOptions& options, std::uint64_t seed) {
  SCOPED_TRACE(seed);
  Random random(seed);
  TreeModel model;
  model.features = options.features;
  for (int i = 0; i < 3; ++i) model.trees.push_back(Grow(options, random));
  const auto explainer = CompileShap(model);
  constexpr std::size_t kRows = 37;  // a strip and a piece of one
  std::vector<double> x(kRows * options.features);
  for (double& value : x) {
    const std::uint64_t draw = random.Below(6);
    value = draw == 0   ? kNan
            : draw == 1 ? 0.0
            : draw == 2 ? static_cast<double>(random.Below(4))
                        : random.Normal();
  }
  const std::vector<std::uint32_t>& used = explainer->used();
  std::vector<double> values(kRows * used.size());
  explainer->Explain(x.data(), kRows, values.data());
  double base = 0;
  for (const Tree& tree : model.trees) base += Expected(tree, 0, x.data(), 0);
  EXPECT_NEAR(explainer->base()[0], base, 1e-12);
  for (std::size_t row = 0; row < kRows; ++row) {
    std::vector<double> expected(options.features), found(options.features);
    for (const Tree& tree : model.trees) {
      const auto part = BruteForce(tree, x.data() + row * options.features, options.features);
      for (std::size_t i = 0; i < part.size(); ++i) expected[i] += part[i];
    }
    for (std::size_t i = 0; i < used.size(); ++i) found[used[i]] = values[row * used.size() + i];
    for (std::size_t i = 0; i < options.features; ++i)
      ASSERT_NEAR(found[i], expected[i], 1e-12) << "row " << row << " feature " << i;
  }
}

TEST(TreeShap, IsShapleysFormula) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CheckAgainstDefinition({.features = 1 + seed % 8, .leaves = 2 + static_cast<int>(seed)}, seed);
  }
  CheckAgainstDefinition({.features = 10, .leaves = 60}, 99);
}

TEST(TreeShap, PlacesThatNobodyCameTo) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    CheckAgainstDefinition({.features = 5, .leaves = 24, .empty_places = true}, seed);
}

// A chain as deep as it has features asks for more nodes than there are special walks.
TEST(TreeShap, DeepTreesStayExact) {
  constexpr std::size_t kDepth = 40;
  Tree tree;
  for (std::size_t i = 0; i < kDepth; ++i) {
    Split split;
    split.feature = static_cast<std::uint32_t>(i);
    split.left = ~static_cast<std::int32_t>(i);
    split.right =
        i + 1 < kDepth ? static_cast<std::int32_t>(i + 1) : ~static_cast<std::int32_t>(kDepth);
    tree.splits.push_back(split);
  }
  for (std::size_t i = 0; i <= kDepth; ++i) {
    tree.leaves.push_back(i == kDepth ? 1.0 : 0.0);
    tree.leaf_covers.push_back(1);
  }
  for (std::size_t i = 0; i < kDepth; ++i)
    tree.split_covers.push_back(static_cast<double>(kDepth + 1 - i));
  TreeModel model;
  model.features = kDepth;
  model.trees.push_back(tree);
  const auto explainer = CompileShap(model);
  const std::vector<double> x(kDepth, 1.0);  // follows every edge
  std::vector<double> values(kDepth);
  explainer->Explain(x.data(), 1, values.data());
  double sum = explainer->base()[0];
  for (const double value : values) sum += value;
  EXPECT_NEAR(sum, 1.0, 1e-13);
  EXPECT_NEAR(explainer->base()[0], 1.0 / (kDepth + 1), 1e-15);
  // The more rows an edge turns away, the more following it tells; here each further one more.
  EXPECT_TRUE(std::ranges::is_sorted(values)) << values[0] << " " << values[1];
}

TEST(TreeShap, EveryWidthGivesTheSameBits) {
  Random random(3);
  constexpr std::size_t kNodes = 3, kSlots = 4;
  // Down to the left, two leaves below, up again, a leaf to the right.
  const std::vector<ShapStep> steps = {
      {.kind = ShapStep::kDown, .slot = 0},
      {.kind = ShapStep::kLeaf, .slot = 1, .feature = 1, .depth = 1, .key = 1},
      {.kind = ShapStep::kLeaf, .right = true, .slot = 2, .before = 0, .depth = 1},
      {.kind = ShapStep::kUp},
      {.kind = ShapStep::kLeaf, .right = true, .slot = 3},
  };
  std::vector<double> constants(2 * kNodes + 1 + 3 * (3 * kNodes + 3) + 2 * kNodes);
  for (double& value : constants) value = random.Normal();
  std::vector<MaskStrip> keys(2 * kSlots);
  for (MaskStrip& strip : keys) {
    for (std::int64_t& key : strip.at) key = static_cast<std::int64_t>(random.Below(4)) - 1;
  }
  std::vector<std::vector<double>> answers;
  for (const ShapWalk walk : ShapWalks()) {
    std::vector<Strip> values(2 * 2), products(3 * kNodes), sums(3 * kNodes);
    std::vector<MaskStrip> followed(3);
    walk({.steps = steps.data(),
          .step_count = steps.size(),
          .constants = constants.data(),
          .nodes = kNodes},
         {.keys = keys.data(), .values = values.data(), .strips = 2, .slots = kSlots, .used = 2},
         {.products = products.data(), .sums = sums.data(), .followed = followed.data()});
    answers.emplace_back();
    for (const Strip& strip : values)
      answers.back().insert(answers.back().end(), strip.at, strip.at + kShapLanes);
    EXPECT_EQ(answers.back(), answers.front());
  }
  EXPECT_NE(answers[0][0], 0.0);
}

// --- against LightGBM ----------------------------------------------------------------------------

class ExplainerTest : public LightGbmTest {
 protected:
  // LightGBM's pred_contrib: rows x outputs x (features + 1), the base last.
  std::vector<double> Reference(const std::string& text, const Generated& data,
                                std::size_t outputs) {
    return Answers(text, data, kLgbmPredictContribution, outputs * (data.columns + 1));
  }

  void Check(const GenerateOptions& options, const std::string& parameters, int iterations) {
    SCOPED_TRACE(parameters);
    const Generated data = Generate(options);
    const std::string text = TrainText(*api_, data, parameters, iterations);
    ASSERT_FALSE(text.empty()) << api_->LastError();
    const auto explainer = LoadExplainer("lightgbm.text", text);
    ASSERT_TRUE(explainer) << explainer.error().ToString();
    const std::size_t outputs = (*explainer)->outputs(), used = (*explainer)->used().size();
    std::vector<double> values(data.rows * outputs * used), raw(data.rows * outputs);
    (*explainer)->Explain(data.x.data(), data.rows, values.data());
    (*explainer)->RawAnswers(data.x.data(), data.rows, raw.data());
    const std::vector<double> reference = Reference(text, data, outputs);
    // LightGBM explains the sum of a random forest, although it answers with the mean.
    const double average = text.find("average_output") == std::string::npos ? 1 : iterations;
    double worst = 0, worst_gap = 0;
    for (std::size_t i = 0; i < data.rows * outputs; ++i) {
      std::vector<double> row(data.columns + 1);
      for (std::size_t j = 0; j < used; ++j) row[(*explainer)->used()[j]] = values[i * used + j];
      row.back() = (*explainer)->base()[i % outputs];
      double sum = 0;
      for (std::size_t j = 0; j < row.size(); ++j) {
        sum += row[j];
        worst = std::max(worst, std::fabs(row[j] - reference[i * row.size() + j] / average));
      }
      worst_gap = std::max(worst_gap, std::fabs(sum - raw[i]));
    }
    EXPECT_LE(worst, 1e-9);
    EXPECT_LE(worst_gap, 1e-10);
  }
};

TEST_F(ExplainerTest, EqualsLightGbm) {
  const GenerateOptions two{.rows = 600, .classes = 2};
  Check(two, "objective=binary num_leaves=31", 30);
  Check({.rows = 600}, "objective=regression num_leaves=200 min_data_in_leaf=2", 8);
  Check({.rows = 500, .classes = 3}, "objective=multiclass num_class=3 num_leaves=15", 12);
  Check({.rows = 600, .nan_share = 0.2, .classes = 2}, "objective=binary num_leaves=31", 20);
  Check({.rows = 600, .zero_share = 0.4, .classes = 2},
        "objective=binary num_leaves=31 zero_as_missing=true", 20);
  Check({.rows = 600, .nan_share = 0.1, .classes = 2}, "objective=binary use_missing=false", 10);
  Check({.rows = 600, .nan_share = 0.05, .categorical = 4, .classes = 2},
        "objective=binary categorical_feature=0,1,2,3 num_leaves=31", 20);
  Check(two, "boosting=dart objective=binary num_leaves=31", 20);
  Check(two, "boosting=rf objective=binary bagging_freq=1 bagging_fraction=0.7", 10);
  Check({.rows = 500, .columns = 300}, "objective=regression num_leaves=31", 20);
  Check({.rows = 30, .classes = 2}, "objective=binary", 3);
}

TEST_F(ExplainerTest, ManyRowsAreExplainedAsFew) {
  const Generated data = Generate({.rows = 9000, .columns = 6, .nan_share = 0.1});
  const std::string text = TrainText(*api_, data, "objective=regression num_leaves=15", 4);
  const auto explainer = LoadExplainer("lightgbm.text", text);
  ASSERT_TRUE(explainer);
  const std::size_t used = (*explainer)->used().size();
  std::vector<double> all(data.rows * used), one(used);
  (*explainer)->Explain(data.x.data(), data.rows, all.data());
  for (const std::size_t row : {0UL, 31UL, 32UL, 4095UL, 4096UL, 8999UL}) {
    (*explainer)->Explain(data.row(row), 1, one.data());
    for (std::size_t j = 0; j < used; ++j) EXPECT_EQ(one[j], all[row * used + j]) << row;
  }
}

TEST_F(ExplainerTest, ModelsWithoutCountsAreRefused) {
  std::string text =
      TrainText(*api_, Generate({.rows = 400, .classes = 2}), "objective=binary num_leaves=4", 2);
  const auto drop = [&](const std::string& key) {
    const std::size_t at = text.find("\n" + key) + 1;
    text.erase(at, text.find('\n', at) + 1 - at);
  };
  drop("internal_count=");
  ASSERT_TRUE(LoadPredictor("lightgbm.text", text));
  const auto explainer = LoadExplainer("lightgbm.text", text);
  ASSERT_FALSE(explainer);
  EXPECT_EQ(explainer.error().gy(), "GY3206");
}

// --- linear and constant -------------------------------------------------------------------------

TEST(Explainer, LinearModelsAddTheirProducts) {
  const LinearModel model{.task = Task::kMulticlass,
                          .features = 2,
                          .coefficients = {1, 2, 3, 4},
                          .intercepts = {0.5, -0.5}};
  const auto explainer = LoadExplainer("gyre.linear", SaveLinear(model));
  ASSERT_TRUE(explainer) << explainer.error().ToString();
  const double x[] = {10, kNan};
  double out[4], raw[2];
  (*explainer)->Explain(x, 1, out);
  (*explainer)->RawAnswers(x, 1, raw);
  EXPECT_EQ(std::vector<double>(out, out + 4), (std::vector<double>{10, 0, 30, 0}));
  EXPECT_EQ((*explainer)->base(), (std::vector<double>{0.5, -0.5}));
  EXPECT_EQ(raw[0], 10.5);
  EXPECT_EQ(raw[1], 29.5);
}

TEST(Explainer, ConstantsHaveOnlyABase) {
  const auto explainer = LoadExplainer(
      "gyre.constant", SaveConstant({.task = Task::kRegression, .features = 3, .values = {7}}));
  ASSERT_TRUE(explainer);
  EXPECT_TRUE((*explainer)->used().empty());
  EXPECT_EQ((*explainer)->base()[0], 7);
  EXPECT_EQ(LoadExplainer("onnx", "").error().gy(), "GY3201");
}

// --- rows of a package ---------------------------------------------------------------------------

TEST(RowExplainer, ColumnsGetTheSumOfWhatWasMadeOfThem) {
  auto spec = recipes::Spec::FromYaml(R"(
input: {schema: {age: double, country: text}}
steps:
  - {id: a, op: number, in: age}
  - {id: b, op: missing.flag, in: age}
  - {id: c, op: encode.onehot, in: country}
output: {vector: [c, a, b]}
)");
  ASSERT_TRUE(spec) << spec.error().ToString();
  table::Frame frame;
  frame.columns.resize(2);
  frame.columns[0].name = "age";
  frame.columns[0].type = table::Type::kDouble;
  frame.columns[1].name = "country";
  frame.columns[1].type = table::Type::kText;
  for (const char* country : {"NL", "DE", "NL"}) {
    frame.columns[0].PushDouble(4);
    frame.columns[1].PushText(country);
  }
  frame.columns[0].PushNull();
  frame.columns[1].PushText("DE");
  auto fitted = recipes::Fit(*spec, frame, {});
  ASSERT_TRUE(fitted) << fitted.error().ToString();
  LinearModel model{.task = Task::kRegression,
                    .features = fitted->width(),
                    .coefficients = std::vector<double>(fitted->width()),
                    .intercepts = {100}};
  for (std::size_t i = 0; i < fitted->width(); ++i) {
    const std::string& name = fitted->output_names()[i];
    model.coefficients[i] = name == "age"           ? 2
                            : name == "age_missing" ? 5
                            : name == "country=DE"  ? -3
                                                    : 1;
  }
  ModelPackage package;
  package.task = Task::kRegression;
  package.target = "price";
  package.recipe = fitted->Save();
  package.predictor_format = "gyre.linear";
  package.predictor = SaveLinear(model);
  const auto explainer = RowExplainer::Load(package.Save());
  ASSERT_TRUE(explainer) << explainer.error().ToString();
  EXPECT_EQ((*explainer)->outputs(), std::vector<std::string>{"price"});
  EXPECT_EQ((*explainer)->base()[0], 100);
  const auto explained = (*explainer)->Explain(frame);
  ASSERT_TRUE(explained) << explained.error().ToString();
  EXPECT_EQ(explained->contributions, (std::vector<double>{8, 1, 8, -3, 8, 1, 5, -3}));
  EXPECT_EQ(explained->raw, (std::vector<double>{109, 105, 109, 102}));
  frame.columns.pop_back();
  EXPECT_EQ((*explainer)->Explain(frame).error().gy(), "GY3111");
}

}  // namespace
}  // namespace gyre::predictors
