#include "ml/training/model_text.h"

#include <array>
#include <vector>

#include "base/text.h"

namespace gyre::training {

namespace {

// Lines of a tree that only LightGBM's own continued training reads.
constexpr std::array kDropped = {"internal_value=", "internal_weight=", "leaf_weight="};

Error Broken(std::string_view what) {
  return Internal("GY3520", "LightGBM's model text has no {}", what);
}

Result<std::string> ScaledLeaves(std::string_view values, double weight) {
  std::string out;
  for (const std::string_view part : Split(values, ' ')) {
    const auto value = ParseDouble(part);
    if (!value) return Broken("number where a leaf value should be");
    if (!out.empty()) out += ' ';
    out += fmt::format("{}", *value * weight);
  }
  return out;
}

// One tree, from the line after "Tree=i" to its end, with scaled leaves.
Result<std::string> RewriteTree(std::string_view body, double weight) {
  constexpr std::string_view kLeaves = "leaf_value=";
  std::string out;
  for (const std::string_view line : Split(body, '\n')) {
    if (line.empty()) continue;
    bool dropped = false;
    for (const std::string_view prefix : kDropped) dropped = dropped || line.starts_with(prefix);
    if (dropped) continue;
    if (weight != 1 && line.starts_with(kLeaves)) {
      GYRE_TRY(const std::string scaled, ScaledLeaves(line.substr(kLeaves.size()), weight));
      out += fmt::format("{}{}\n", kLeaves, scaled);
    } else {
      out.append(line);
      out += '\n';
    }
  }
  return out;
}

struct Parts {
  std::string_view header, trees;  // trees: "Tree=0\n...Tree=1\n..."
};

Result<Parts> Cut(std::string_view text) {
  const std::size_t begin = text.find("Tree=0\n");
  const std::size_t end = text.find("end of trees");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin)
    return Broken("trees");
  return Parts{text.substr(0, begin), text.substr(begin, end - begin)};
}

Result<> AppendTrees(std::string_view trees, double weight, std::vector<std::string>* out) {
  std::size_t at = 0;
  while (at < trees.size()) {
    std::size_t next = trees.find("\nTree=", at);
    const std::size_t end = next == std::string_view::npos ? trees.size() : next + 1;
    const std::string_view block = trees.substr(at, end - at);
    const std::size_t line_end = block.find('\n');
    if (line_end == std::string_view::npos) return Broken("line end after the number of a tree");
    GYRE_TRY(std::string body, RewriteTree(block.substr(line_end + 1), weight));
    out->push_back(fmt::format("Tree={}\n{}\n\n", out->size(), body));
    at = end;
  }
  return {};
}

}  // namespace

Result<std::string> MergeModels(std::span<const WeightedText> models) {
  if (models.empty()) return Broken("models to merge");
  std::vector<std::string> trees;
  for (const WeightedText& model : models) {
    GYRE_TRY(const Parts parts, Cut(model.text));
    GYRE_DO(AppendTrees(parts.trees, model.weight, &trees));
  }
  GYRE_TRY(const Parts first, Cut(models[0].text));
  std::string out;
  for (const std::string_view line : Split(first.header, '\n')) {
    if (line.empty() || line.starts_with("tree_sizes=")) continue;
    out.append(line);
    out += '\n';
  }
  out += "tree_sizes=";
  for (std::size_t i = 0; i < trees.size(); ++i)
    out += fmt::format("{}{}", i == 0 ? "" : " ", trees[i].size());
  out += "\n\n";
  for (const std::string& tree : trees) out += tree;
  out += "end of trees\n";
  return out;
}

std::size_t CountLeaves(std::string_view text) {
  constexpr std::string_view kKey = "num_leaves=";
  std::size_t count = 0;
  for (std::size_t at = text.find(kKey); at != std::string_view::npos;
       at = text.find(kKey, at + 1)) {
    const std::size_t begin = at + kKey.size();
    count += static_cast<std::size_t>(
        ParseInt(text.substr(begin, text.find('\n', begin) - begin)).value_or(0));
  }
  return count;
}

}  // namespace gyre::training
