#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "ml/predictors/tree_model.h"

namespace gyre::predictors {

namespace {

constexpr std::int64_t kClassesMax = 100'000;
constexpr std::int64_t kFeaturesMax = std::int64_t{1} << 24;

constexpr int kCategoricalBit = 1;
constexpr int kDefaultLeftBit = 2;
constexpr int kMissingShift = 2;

struct Line {
  std::size_t number = 0;  // from 1
  std::string_view key, value;
  bool has_value = false;
};

// Hands out non-empty lines, split at the first '='.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  bool Next(Line* line) {
    while (!rest_.empty()) {
      const std::size_t end = rest_.find('\n');
      std::string_view content = rest_.substr(0, end);
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      ++number_;
      if (content.ends_with('\r')) content.remove_suffix(1);
      if (content.empty()) continue;
      const std::size_t equals = content.find('=');
      line->number = number_;
      line->key = content.substr(0, equals);
      line->has_value = equals != std::string_view::npos;
      line->value = line->has_value ? content.substr(equals + 1) : std::string_view();
      return true;
    }
    return false;
  }
  std::size_t number() const { return number_; }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

template <class... Args>
Error Broken(std::size_t line, fmt::format_string<Args...> format, Args&&... args) {
  return InvalidArgument("GY3202", "LightGBM model text, line {}: {}", line,
                         fmt::format(format, std::forward<Args>(args)...))
      .Fix("save the model again with Booster.save_model");
}

Result<std::int64_t> WholeNumber(const Line& line, std::int64_t min, std::int64_t max) {
  const auto value = ParseInt(line.value);
  if (!value || *value < min || *value > max) {
    return Broken(line.number, "`{}` must be a whole number from {} to {}", line.key, min, max);
  }
  return *value;
}

// Calls `take` per space-separated word; false from it stops.
template <class Take>
bool ForEachWord(std::string_view text, Take take) {
  while (true) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return true;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find(' '), text.size());
    if (!take(text.substr(0, end))) return false;
    text.remove_prefix(end);
  }
}

Result<std::vector<std::int64_t>> WholeNumbers(const Line& line, std::size_t count,
                                               std::int64_t min, std::int64_t max) {
  std::vector<std::int64_t> values;
  const bool fine = ForEachWord(line.value, [&](std::string_view word) {
    const auto value = ParseInt(word);
    if (!value || *value < min || *value > max || values.size() == count) return false;
    values.push_back(*value);
    return true;
  });
  if (!fine || values.size() != count) {
    return Broken(line.number, "`{}` must be {} whole numbers from {} to {}", line.key, count, min,
                  max);
  }
  return values;
}

Result<std::vector<double>> Numbers(const Line& line, std::size_t count) {
  std::vector<double> values;
  const bool fine = ForEachWord(line.value, [&](std::string_view word) {
    const auto value = ParseDouble(word);
    if (!value || std::isnan(*value) || values.size() == count) return false;
    values.push_back(*value);
    return true;
  });
  if (!fine || values.size() != count)
    return Broken(line.number, "`{}` must be {} numbers", line.key, count);
  return values;
}

struct Objective {
  std::string_view name;
  std::int64_t classes = 0;
  bool square = false;
};

// "multiclassova num_class:3 sigmoid:1"
Result<Objective> ReadObjectiveWords(const Line& line, TreeModel* model) {
  Objective objective;
  std::optional<std::string_view> bad;
  ForEachWord(line.value, [&](std::string_view word) {
    if (objective.name.empty()) {
      objective.name = word;
      return true;
    }
    const std::size_t colon = word.find(':');
    const std::string_view key = word.substr(0, colon);
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view() : word.substr(colon + 1);
    if (key == "sigmoid") {
      const auto number = ParseDouble(value);
      if (!number || !std::isfinite(*number) || *number <= 0)
        bad = word;
      else
        model->sigmoid = *number;
    } else if (key == "num_class") {
      objective.classes = ParseInt(value).value_or(-1);
    } else if (key == "sqrt" && colon == std::string_view::npos) {
      objective.square = true;
    }
    return !bad;
  });
  if (bad) return Broken(line.number, "the objective's `{}` cannot be read", *bad);
  return objective;
}

struct ObjectiveRow {
  std::string_view name;
  Link link;
  bool many;
};
constexpr std::array kObjectives = {
    ObjectiveRow{"binary", Link::kSigmoid, false},
    ObjectiveRow{"multiclass", Link::kSoftmax, true},
    ObjectiveRow{"multiclassova", Link::kSigmoid, true},
    ObjectiveRow{"regression", Link::kIdentity, false},
    ObjectiveRow{"regression_l1", Link::kIdentity, false},
    ObjectiveRow{"huber", Link::kIdentity, false},
    ObjectiveRow{"fair", Link::kIdentity, false},
    ObjectiveRow{"quantile", Link::kIdentity, false},
    ObjectiveRow{"mape", Link::kIdentity, false},
    ObjectiveRow{"poisson", Link::kExp, false},
    ObjectiveRow{"gamma", Link::kExp, false},
    ObjectiveRow{"tweedie", Link::kExp, false},
    ObjectiveRow{"cross_entropy", Link::kSigmoid, false},
    ObjectiveRow{"cross_entropy_lambda", Link::kLog1pExp, false},
    ObjectiveRow{"custom", Link::kIdentity, true},
};
Result<> ReadObjective(const Line& line, TreeModel* model) {
  GYRE_TRY(const Objective objective, ReadObjectiveWords(line, model));
  const auto& [name, classes, square] = objective;
  for (const ObjectiveRow& row : kObjectives) {
    if (row.name != name) continue;
    if (row.many != (model->outputs > 1) && name != "custom") {
      return Broken(line.number, "objective `{}` does not go with {} trees per iteration", name,
                    model->outputs);
    }
    if (classes != 0 && classes != static_cast<std::int64_t>(model->outputs)) {
      return Broken(line.number, "the objective says {} classes, the header {}", classes,
                    model->outputs);
    }
    model->link = square && row.link == Link::kIdentity ? Link::kSquare : row.link;
    return {};
  }
  return MakeError(Code::kUnimplemented, "GY3204",
                   "LightGBM models with objective `{}` cannot be served", name)
      .Fix("train with a binary, multiclass or regression objective");
}

struct Header {
  bool saw_classes = false, saw_features = false;
  std::int64_t classes = 1;
  std::optional<Line> objective;
  std::size_t tree_count = 0;
  bool saw_sizes = false;
};

// Reads up to and with the first "Tree=0" (or "end of trees"); *line is left on it.
Result<Header> ReadHeader(Lines* lines, Line* line, TreeModel* model) {
  if (!lines->Next(line) || line->key != "tree" || line->has_value) {
    return Broken(lines->number(), "the first line must be `tree`");
  }
  Header header;
  while (true) {
    if (!lines->Next(line)) return Broken(lines->number(), "the text ends before the first tree");
    if (line->key == "Tree" || line->key == "end of trees") break;
    if (line->key == "version") {
      if (line->value != "v2" && line->value != "v3" && line->value != "v4") {
        return Broken(line->number, "version `{}` is not known (v2, v3 and v4 are)",
                      line->value.substr(0, 40));
      }
    } else if (line->key == "num_class") {
      GYRE_TRY(header.classes, WholeNumber(*line, 1, kClassesMax));
      header.saw_classes = true;
    } else if (line->key == "num_tree_per_iteration") {
      GYRE_TRY(const std::int64_t outputs, WholeNumber(*line, 1, kClassesMax));
      model->outputs = static_cast<std::size_t>(outputs);
    } else if (line->key == "max_feature_idx") {
      GYRE_TRY(const std::int64_t last, WholeNumber(*line, 0, kFeaturesMax - 1));
      model->features = static_cast<std::size_t>(last) + 1;
      header.saw_features = true;
    } else if (line->key == "objective") {
      header.objective = *line;
    } else if (line->key == "average_output") {
      model->average = true;
    } else if (line->key == "tree_sizes") {
      header.saw_sizes = true;
      ForEachWord(line->value, [&](std::string_view) { return ++header.tree_count, true; });
    }
  }
  if (!header.saw_features) return Broken(line->number, "`max_feature_idx` is missing");
  if (!header.saw_classes) return Broken(line->number, "`num_class` is missing");
  if (header.classes != static_cast<std::int64_t>(model->outputs)) {
    return Broken(line->number, "{} classes do not go with {} trees per iteration", header.classes,
                  model->outputs);
  }
  if (header.objective) GYRE_DO(ReadObjective(*header.objective, model));
  return header;
}

// One tree as it stands in the text.
struct TreeText {
  std::size_t line = 0;
  std::int64_t leaves = 0, categorical = 0;
  std::optional<Line> split_feature, threshold, decision_type, left_child, right_child, leaf_value,
      cat_boundaries, cat_threshold, leaf_count, internal_count;
};

Result<> TakeTreeLine(const Line& line, TreeText* tree) {
  struct Slot {
    std::string_view key;
    std::optional<Line> TreeText::* member;
  };
  static constexpr std::array kRead = {
      Slot{"split_feature", &TreeText::split_feature},
      Slot{"threshold", &TreeText::threshold},
      Slot{"decision_type", &TreeText::decision_type},
      Slot{"left_child", &TreeText::left_child},
      Slot{"right_child", &TreeText::right_child},
      Slot{"leaf_value", &TreeText::leaf_value},
      Slot{"cat_boundaries", &TreeText::cat_boundaries},
      Slot{"cat_threshold", &TreeText::cat_threshold},
      Slot{"leaf_count", &TreeText::leaf_count},
      Slot{"internal_count", &TreeText::internal_count},
  };
  static constexpr std::array<std::string_view, 6> kStatistics = {
      "split_gain", "leaf_weight", "internal_value", "internal_weight", "shrinkage", "leaf_parent"};
  if (!line.has_value) return Broken(line.number, "`key=value` was expected");
  for (const Slot& slot : kRead) {
    if (line.key != slot.key) continue;
    if (tree->*slot.member) return Broken(line.number, "`{}` stands twice in one tree", line.key);
    tree->*slot.member = line;
    return {};
  }
  if (line.key == "num_leaves") {
    GYRE_TRY(tree->leaves, WholeNumber(line, 1, std::int64_t{1} << 30));
    return {};
  }
  if (line.key == "num_cat") {
    GYRE_TRY(tree->categorical, WholeNumber(line, 0, std::int64_t{1} << 30));
    return {};
  }
  if (line.key == "is_linear") {
    if (line.value == "0") return {};
    return MakeError(Code::kUnimplemented, "GY3204",
                     "LightGBM models with linear trees cannot be served")
        .Where(fmt::format("line {}", line.number))
        .Fix("train with linear_tree=false");
  }
  for (const std::string_view key : kStatistics) {
    if (line.key == key) return {};
  }
  return Broken(line.number, "a tree has no `{}` in the versions that gyre knows",
                line.key.substr(0, 40));
}

// Each split and each leaf must be reached exactly once from the root.
Result<> CheckShape(const Tree& tree, std::size_t line) {
  std::vector<unsigned char> leaf_seen(tree.leaves.size(), 0), split_seen(tree.splits.size(), 0);
  std::vector<std::int32_t> waiting = {0};
  std::size_t reached = 0;
  while (!waiting.empty()) {
    const std::int32_t node = waiting.back();
    waiting.pop_back();
    unsigned char& seen = node >= 0 ? split_seen[static_cast<std::size_t>(node)]
                                    : leaf_seen[static_cast<std::size_t>(~node)];
    if (seen != 0) return Broken(line, "the children of this tree do not form a tree");
    seen = 1;
    ++reached;
    if (node < 0) continue;
    waiting.push_back(tree.splits[static_cast<std::size_t>(node)].left);
    waiting.push_back(tree.splits[static_cast<std::size_t>(node)].right);
  }
  if (reached != tree.leaves.size() + tree.splits.size())
    return Broken(line, "some leaves of this tree cannot be reached");
  return {};
}

Result<> ReadBitsets(const TreeText& text, Tree* tree, std::vector<std::int64_t>* boundaries) {
  if (text.categorical == 0) return {};
  if (!text.cat_boundaries || !text.cat_threshold) {
    return Broken(text.line,
                  "a tree with categorical splits needs `cat_boundaries` and `cat_threshold`");
  }
  // The text itself bounds both: each number takes at least two characters.
  if (static_cast<std::size_t>(text.categorical) > text.cat_boundaries->value.size()) {
    return Broken(text.cat_boundaries->number, "`cat_boundaries` is too short");
  }
  GYRE_TRY(*boundaries,
           WholeNumbers(*text.cat_boundaries, static_cast<std::size_t>(text.categorical) + 1, 0,
                        static_cast<std::int64_t>(text.cat_threshold->value.size())));
  if (boundaries->front() != 0 || !std::is_sorted(boundaries->begin(), boundaries->end())) {
    return Broken(text.cat_boundaries->number, "`cat_boundaries` must rise from 0");
  }
  GYRE_TRY(const auto words,
           WholeNumbers(*text.cat_threshold, static_cast<std::size_t>(boundaries->back()), 0,
                        UINT32_MAX));
  tree->bitsets.assign(words.begin(), words.end());
  return {};
}

Result<> ReadSplits(const TreeText& text, const TreeModel& model, Tree* tree) {
  const std::size_t count = tree->leaves.size() - 1;
  for (const auto* line : {&text.split_feature, &text.threshold, &text.decision_type,
                           &text.left_child, &text.right_child}) {
    if (!*line)
      return Broken(
          text.line,
          "this tree lacks `split_feature`, `threshold`, `decision_type` or a child list");
  }
  std::vector<std::int64_t> boundaries;
  GYRE_DO(ReadBitsets(text, tree, &boundaries));
  const auto last = static_cast<std::int64_t>(count);
  GYRE_TRY(const auto feature, WholeNumbers(*text.split_feature, count, 0,
                                            static_cast<std::int64_t>(model.features) - 1));
  GYRE_TRY(const auto threshold, Numbers(*text.threshold, count));
  GYRE_TRY(const auto decision, WholeNumbers(*text.decision_type, count, 0, 255));
  GYRE_TRY(const auto left, WholeNumbers(*text.left_child, count, -last - 1, last - 1));
  GYRE_TRY(const auto right, WholeNumbers(*text.right_child, count, -last - 1, last - 1));
  tree->splits.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    Split& split = tree->splits[i];
    const auto bits = static_cast<int>(decision[i]);
    const int missing = bits >> kMissingShift;
    if (missing > 2)
      return Broken(text.decision_type->number, "decision type {} is not known", bits);
    split.feature = static_cast<std::uint32_t>(feature[i]);
    split.left = static_cast<std::int32_t>(left[i]);
    split.right = static_cast<std::int32_t>(right[i]);
    split.threshold = threshold[i];
    split.missing = static_cast<Missing>(missing);
    split.default_left = (bits & kDefaultLeftBit) != 0;
    split.categorical = (bits & kCategoricalBit) != 0;
    if (!split.categorical) continue;
    if (!(threshold[i] >= 0 && threshold[i] < static_cast<double>(text.categorical))) {
      return Broken(text.threshold->number,
                    "a categorical split names bitset {}, which does not exist", threshold[i]);
    }
    const auto set = static_cast<std::size_t>(threshold[i]);
    split.bitset_begin = static_cast<std::uint32_t>(boundaries[set]);
    split.bitset_words = static_cast<std::uint32_t>(boundaries[set + 1] - boundaries[set]);
  }
  return CheckShape(*tree, text.line);
}

Result<> ReadCovers(const TreeText& text, Tree* tree) {
  if (!text.leaf_count || !text.internal_count) {
    return FailedPrecondition("GY3206",
                              "the model cannot be explained: it does not say how many rows came "
                              "to each leaf (`leaf_count` and `internal_count`)")
        .Where(fmt::format("line {}", text.line))
        .Fix("train it again: gyre train");
  }
  GYRE_TRY(tree->leaf_covers, Numbers(*text.leaf_count, tree->leaves.size()));
  GYRE_TRY(tree->split_covers, Numbers(*text.internal_count, tree->splits.size()));
  for (const auto* covers : {&tree->leaf_covers, &tree->split_covers}) {
    for (const double cover : *covers) {
      if (!(cover >= 0 && std::isfinite(cover)))
        return Broken(text.line, "this tree counts {} rows at a place", cover);
    }
  }
  if (tree->split_covers[0] > 0) return {};
  return FailedPrecondition("GY3206", "the model cannot be explained: no row came to its tree")
      .Where(fmt::format("line {}", text.line));
}

Result<Tree> FinishTree(const TreeText& text, const TreeModel& model, Covers covers) {
  if (text.leaves == 0) return Broken(text.line, "this tree lacks `num_leaves`");
  if (!text.leaf_value) return Broken(text.line, "this tree lacks `leaf_value`");
  Tree tree;
  GYRE_TRY(tree.leaves, Numbers(*text.leaf_value, static_cast<std::size_t>(text.leaves)));
  if (text.leaves == 1) return tree;
  GYRE_DO(ReadSplits(text, model, &tree));
  if (covers == Covers::kRead) GYRE_DO(ReadCovers(text, &tree));
  return tree;
}

}  // namespace

Result<TreeModel> ParseLightGbmText(std::string_view text, Covers covers) {
  TreeModel model;
  Lines lines(text);
  Line line;
  GYRE_TRY(const Header header, ReadHeader(&lines, &line, &model));
  while (line.key != "end of trees") {
    const auto number = ParseInt(line.value);
    if (line.key != "Tree" || !number || *number != static_cast<std::int64_t>(model.trees.size())) {
      return Broken(line.number, "`Tree={}` was expected", model.trees.size());
    }
    TreeText tree;
    tree.line = line.number;
    while (true) {
      if (!lines.Next(&line))
        return Broken(lines.number(), "the text is cut off: `end of trees` is missing");
      if (line.key == "Tree" || line.key == "end of trees") break;
      GYRE_DO(TakeTreeLine(line, &tree));
    }
    GYRE_TRY(Tree finished, FinishTree(tree, model, covers));
    model.trees.push_back(std::move(finished));
  }
  if (header.saw_sizes && header.tree_count != model.trees.size()) {
    return Broken(line.number, "the header announces {} trees, {} are there", header.tree_count,
                  model.trees.size());
  }
  if (model.trees.size() % model.outputs != 0) {
    return Broken(line.number, "{} trees are no multiple of {} per iteration", model.trees.size(),
                  model.outputs);
  }
  return model;
}

}  // namespace gyre::predictors
