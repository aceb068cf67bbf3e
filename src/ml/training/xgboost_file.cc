#include "ml/training/xgboost_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace gyre::training {
namespace {

constexpr std::int64_t kFeaturesMax = 1 << 24, kClassesMax = 100'000;

Error Broken(std::string_view what) {
  return InvalidArgument("GY3544", "the XGBoost model is broken: {}", what)
      .Fix("booster.save_model(\"model.ubj\")");
}
Error CannotRun(std::string what) {
  return Error(Code::kUnimplemented, "GY3545",
               fmt::format("XGBoost models with {} cannot be run here", what))
      .Fix("boosted trees on numbers, for a number, two classes or several");
}

// How an objective answers, and how it keeps its base score.
enum class Base : unsigned char { kAsIs, kLogit, kLog };
struct ObjectiveRow {
  std::string_view name, lightgbm;
  Base base;
};
constexpr ObjectiveRow kObjectives[] = {
    {"binary:logistic", "binary sigmoid:1", Base::kLogit},
    {"reg:logistic", "cross_entropy", Base::kLogit},
    {"multi:softprob", "multiclass", Base::kAsIs},
    {"multi:softmax", "multiclass", Base::kAsIs},
    {"reg:squarederror", "regression", Base::kAsIs},
    {"reg:linear", "regression", Base::kAsIs},
    {"reg:squaredlogerror", "regression", Base::kAsIs},
    {"reg:absoluteerror", "regression", Base::kAsIs},
    {"reg:quantileerror", "regression", Base::kAsIs},
    {"reg:pseudohubererror", "regression", Base::kAsIs},
    {"count:poisson", "poisson", Base::kLog},
    {"reg:gamma", "gamma", Base::kLog},
    {"reg:tweedie", "tweedie", Base::kLog},
};

// The largest double that, read as a float, is less than the threshold.
double BelowAsFloat(float threshold) {
  const float below = std::nextafter(threshold, -std::numeric_limits<float>::infinity());
  if (std::isinf(below)) return -std::numeric_limits<double>::infinity();
  const double middle = (double{below} + double{threshold}) / 2;
  // Halfway between two floats goes to the even one.
  return static_cast<float>(middle) < threshold
             ? middle
             : std::nextafter(middle, -std::numeric_limits<double>::infinity());
}

struct Column {
  const Json::Array& values;
  double At(std::size_t i) const { return values[i].AsDouble(); }
  std::int64_t IntAt(std::size_t i) const { return values[i].AsInt(); }
};

// One tree, split by split from the root: what was pruned away is not reached.
class TreeText {
 public:
  TreeText(const Json& tree, double scale, std::size_t features)
      : left_{tree["left_children"].items()},
        right_{tree["right_children"].items()},
        feature_{tree["split_indices"].items()},
        value_{tree["split_conditions"].items()},
        default_{tree["default_left"].items()},
        type_{tree["split_type"].items()},
        scale_(scale),
        features_(features) {}

  Result<std::string> Write(std::size_t number) {
    const std::size_t count = left_.values.size();
    for (const Column* column : {&right_, &feature_, &value_, &default_}) {
      if (column->values.size() != count || count == 0)
        return Broken("the lists of a tree differ in length");
    }
    GYRE_TRY([[maybe_unused]] const std::int64_t root, Visit(0));
    const auto line = [](std::string_view key, const std::string& text) {
      return fmt::format("{}={}\n", key, text);
    };
    std::string text = fmt::format("Tree={}\nnum_leaves={}\nnum_cat=0\n", number, leaf_count_);
    if (splits_ > 0) {
      std::string features, thresholds, decisions, lefts, rights;
      for (const Split& split : split_) {
        features += fmt::format("{} ", split.feature);
        thresholds += fmt::format("{} ", split.threshold);
        decisions += split.default_left ? "10 " : "8 ";  // missing is NaN
        lefts += fmt::format("{} ", split.left);
        rights += fmt::format("{} ", split.right);
      }
      text += line("split_feature", features) + line("threshold", thresholds) +
              line("decision_type", decisions) + line("left_child", lefts) +
              line("right_child", rights);
    }
    return text + line("leaf_value", leaves_) + "is_linear=0\nshrinkage=1\n\n\n";
  }

 private:
  struct Split {
    std::int64_t feature = 0, left = 0, right = 0;
    double threshold = 0;
    bool default_left = false;
  };

  // The number of the split, or ~leaf. Without recursion: a broken file may be deep.
  Result<std::int64_t> Visit(std::int64_t root) {
    struct Waiting {
      std::int64_t node, parent;
      bool is_left;
    };
    std::vector<Waiting> waiting = {{root, -1, false}};
    std::vector<bool> seen(left_.values.size(), false);
    while (!waiting.empty()) {
      const Waiting next = waiting.back();
      waiting.pop_back();
      if (next.node < 0 || next.node >= static_cast<std::int64_t>(seen.size()))
        return Broken("a child is not there");
      const auto node = static_cast<std::size_t>(next.node);
      if (seen[node]) return Broken("its children do not form a tree");
      seen[node] = true;
      const bool is_leaf = left_.IntAt(node) == -1;
      const std::int64_t here = is_leaf ? ~leaf_count_ : splits_;
      if (next.parent >= 0) {
        Split& parent = split_[static_cast<std::size_t>(next.parent)];
        (next.is_left ? parent.left : parent.right) = here;
      }
      if (is_leaf) {
        ++leaf_count_;
        leaves_ += fmt::format("{} ", value_.At(node) * scale_);
        continue;
      }
      GYRE_DO(AddSplit(node));
      waiting.push_back({right_.IntAt(node), here, false});
      waiting.push_back({left_.IntAt(node), here, true});
    }
    return 0;
  }
  Result<> AddSplit(std::size_t node) {
    if (node < type_.values.size() && type_.IntAt(node) != 0)
      return CannotRun("categorical splits");
    const std::int64_t feature = feature_.IntAt(node);
    if (feature < 0 || feature >= static_cast<std::int64_t>(features_))
      return Broken("a split reads a feature that is not there");
    split_.push_back({feature, 0, 0, BelowAsFloat(static_cast<float>(value_.At(node))),
                      default_.values[node].is_bool() ? default_.values[node].AsBool()
                                                      : default_.IntAt(node) != 0});
    ++splits_;
    return {};
  }

  Column left_, right_, feature_, value_, default_, type_;
  double scale_;
  std::size_t features_;
  std::vector<Split> split_;
  std::string leaves_;
  std::int64_t leaf_count_ = 0, splits_ = 0;
};

// "5E-1", "[5E-1]", "[1E-1,2E-1]", or a number.
std::vector<double> BaseScores(const Json& said) {
  std::vector<double> scores;
  if (said.is_number()) return {said.AsDouble()};
  std::string text = said.AsString();
  std::erase_if(text, [](char c) { return c == '[' || c == ']' || c == ' '; });
  for (const std::string_view part : Split(text, ','))
    scores.push_back(ParseDouble(part).value_or(std::nan("")));
  return scores;
}

Result<double> Margin(double score, Base base) {
  const bool fits = base == Base::kLogit ? score > 0 && score < 1
                    : base == Base::kLog ? score > 0
                                         : std::isfinite(score);
  if (!fits) return Broken("its base score does not go with its objective");
  if (base == Base::kLogit) return -std::log(1 / score - 1);
  return base == Base::kLog ? std::log(score) : score;
}

std::int64_t NumberOf(const Json& said) {
  return said.is_number() ? said.AsInt() : ParseInt(said.AsString()).value_or(0);
}

Result<std::vector<std::string>> FeaturesOf(const Json& learner) {
  const std::int64_t count = NumberOf(learner["learner_model_param"]["num_feature"]);
  if (count < 1 || count > kFeaturesMax) return Broken("it does not say how many features it has");
  std::vector<std::string> names;
  for (const Json& name : learner["feature_names"].items()) names.push_back(name.AsString());
  if (names.empty()) {
    for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("f{}", i));
  }
  if (static_cast<std::int64_t>(names.size()) != count)
    return Broken("its features and their names differ in number");
  for (const Json& type : learner["feature_types"].items()) {
    if (type.AsString() == "c") return CannotRun("categorical features");
  }
  return names;
}

std::string Leaf(std::size_t number, double value) {
  return fmt::format(
      "Tree={}\nnum_leaves=1\nnum_cat=0\nleaf_value={}\nis_linear=0\nshrinkage=1\n\n\n", number,
      value);
}

// Trees by the class that they add to, first the base scores as trees of one leaf. LightGBM's text
// deals them out in turn, so that each class gets as many.
Result<std::string> TreesOf(const Json& booster, std::size_t classes, std::size_t features,
                            const std::vector<double>& bases) {
  const bool is_dart = booster["name"].AsString() == "dart";
  const Json& model = is_dart ? booster["gbtree"]["model"] : booster["model"];
  const Json::Array &trees = model["trees"].items(), &info = model["tree_info"].items(),
                    &drop = booster["weight_drop"].items();
  if (info.size() != trees.size() || (is_dart && drop.size() != trees.size()))
    return Broken("its trees and what is said of them differ in number");
  std::vector<std::vector<std::size_t>> by_class(classes);
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const std::int64_t of = info[i].AsInt();
    if (of < 0 || of >= static_cast<std::int64_t>(classes)) return Broken("a tree is of no class");
    by_class[static_cast<std::size_t>(of)].push_back(i);
  }
  std::size_t rounds = 0, number = 0;
  for (const auto& list : by_class) rounds = std::max(rounds, list.size());
  std::string text;
  for (const double base : bases) text += Leaf(number++, base);
  for (std::size_t round = 0; round < rounds; ++round) {
    for (const auto& list : by_class) {
      if (round >= list.size()) {
        text += Leaf(number++, 0);
        continue;
      }
      const std::size_t tree = list[round];
      GYRE_TRY(
          const std::string one,
          TreeText(trees[tree], is_dart ? drop[tree].AsDouble() : 1, features).Write(number++));
      text += one;
    }
  }
  return text;
}

}  // namespace

Result<XgboostModel> ReadXgboost(const Json& document) {
  const Json& learner = document["learner"];
  const Json &param = learner["learner_model_param"], &booster = learner["gradient_booster"];
  if (const std::string& kind = booster["name"].AsString(); kind != "gbtree" && kind != "dart")
    return CannotRun(fmt::format("the booster `{}`", kind));
  const std::string& name = learner["objective"]["name"].AsString();
  const auto* const objective = std::ranges::find(kObjectives, name, &ObjectiveRow::name);
  if (objective == std::end(kObjectives)) return CannotRun(fmt::format("the objective `{}`", name));
  if (NumberOf(param["num_target"]) > 1) return CannotRun("several targets");
  const std::int64_t classes = std::max<std::int64_t>(1, NumberOf(param["num_class"]));
  if (classes > kClassesMax) return Broken("it has too many classes");
  XgboostModel model;
  GYRE_TRY(model.features, FeaturesOf(learner));
  std::vector<double> bases = BaseScores(param["base_score"]);
  if (bases.size() == 1) bases.resize(static_cast<std::size_t>(classes), bases[0]);
  if (bases.size() != static_cast<std::size_t>(classes))
    return Broken("its base scores and its classes differ in number");
  for (double& base : bases) {
    GYRE_TRY(base, Margin(base, objective->base));
  }
  GYRE_TRY(const std::string trees,
           TreesOf(booster, static_cast<std::size_t>(classes), model.features.size(), bases));
  std::string names;
  for (std::size_t i = 0; i < model.features.size(); ++i) names += fmt::format("f{} ", i);
  const std::string many = classes > 1 ? fmt::format(" num_class:{}", classes) : "";
  model.text = fmt::format(
      "tree\nversion=v4\nnum_class={0}\nnum_tree_per_iteration={0}\nlabel_index=0\n"
      "max_feature_idx={1}\nobjective={2}{3}\nfeature_names={4}\n\n{5}end of trees\n\n",
      classes, model.features.size() - 1, objective->lightgbm, many, names, trees);
  return model;
}

}  // namespace gyre::training
