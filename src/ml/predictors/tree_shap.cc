#include "ml/predictors/tree_shap.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <utility>

#include "ml/predictors/forest.h"
#include "ml/predictors/forest_slots.h"

namespace gyre::predictors {

namespace {

// Rows whose keys and values stand in memory together: many, since a tree's constants are made
// once for all of them.
constexpr std::size_t kRowsMax = 4096;
constexpr std::size_t kCellsMax = std::size_t{4} << 20;

struct Quadrature {
  std::vector<double> node, weight;  // on [0, 1]
};

// Gauss-Legendre, by Newton's steps on the Legendre polynomial.
Quadrature MakeQuadrature(std::size_t count) {
  Quadrature rule;
  const auto n = static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) {
    double x = std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) / (n + 0.5));
    double slope = 1;
    for (int step = 0; step < 100; ++step) {
      double p = 1, before = 0;
      for (std::size_t k = 0; k < count; ++k) {
        const auto degree = static_cast<double>(k);
        const double next = ((2 * degree + 1) * x * p - degree * before) / (degree + 1);
        before = std::exchange(p, next);
      }
      slope = n * (x * p - before) / (x * x - 1);
      const double moved = p / slope;
      x -= moved;
      if (std::fabs(moved) < 1e-16) break;
    }
    rule.node.push_back((1 - x) / 2);
    rule.weight.push_back(1 / ((1 - x * x) * slope * slope));
  }
  return rule;
}

// An edge of a tree: the product of its feature's cover fractions above it and with it. A split
// between two leaves is one step: the edge to the left leaf, with what the right one adds.
struct Edge {
  double above = 1, with = 1, other_with = 0;
  double leaf = 0, other_leaf = 0;
};

// A tree at rest: what the constants of a walk are made of.
struct Plan {
  std::vector<ShapStep> steps;
  std::vector<Edge> edges;  // by step
  std::size_t depth = 0;
  std::size_t nodes = 1;
  std::size_t number = 0;  // of the tree
};

class Planner {
 public:
  Planner(const Tree& tree, const SlotBook& book, const std::vector<std::uint32_t>& place,
          double scale)
      : tree_(tree), book_(book), place_(place), scale_(scale) {}

  // Without recursion: a tree may be as deep as it has leaves.
  Plan Make(double* base) {
    Visit(0, 0, 1);
    while (!open_.empty()) {
      Open& here = open_.back();
      if (here.side == 2) {
        Leave();
        continue;
      }
      const bool right = here.side++ == 1;
      Follow(here, right, base);
    }
    plan_.nodes = std::max<std::size_t>(1, (distinct_max_ + 1) / 2);
    return std::move(plan_);
  }

 private:
  // A split on the way down, and what its feature was like above it.
  struct Open {
    const Split* split;
    std::size_t index;
    std::size_t depth;
    int side = 0;
    double reach;  // product of all cover fractions down to here
    double above;
    std::int32_t before;
    bool has_parent = false;
    std::size_t parent_step = 0;
  };
  struct OnPath {
    double fraction = 1;
    std::int32_t depth = -1;
  };

  void Visit(std::size_t index, std::size_t depth, double reach) {
    const Split& split = tree_.splits[index];
    OnPath& path = path_of_[split.feature];
    if (path.depth < 0) distinct_max_ = std::max(distinct_max_, ++distinct_);
    open_.push_back({.split = &split,
                     .index = index,
                     .depth = depth,
                     .reach = reach,
                     .above = path.fraction,
                     .before = path.depth});
    plan_.depth = std::max(plan_.depth, depth + 1);
  }

  double CoverOf(std::int32_t node) const {
    return node >= 0 ? tree_.split_covers[static_cast<std::size_t>(node)]
                     : tree_.leaf_covers[static_cast<std::size_t>(~node)];
  }

  // Where no row of training came, either way is as likely.
  double FractionOf(const Open& here, std::int32_t child) const {
    const double cover = tree_.split_covers[here.index];
    return cover > 0 ? CoverOf(child) / cover : 0.5;
  }
  double LeafOf(std::int32_t child) const {
    return tree_.leaves[static_cast<std::size_t>(~child)] * scale_;
  }

  void Follow(Open& here, bool right, double* base) {
    const std::int32_t child = right ? here.split->right : here.split->left;
    const double fraction = FractionOf(here, child);
    Edge edge{.above = here.above, .with = here.above * fraction};
    ShapStep step{.kind = child < 0 ? ShapStep::kLeaf : ShapStep::kDown,
                  .right = right,
                  .slot = book_.Find(tree_, *here.split),
                  .feature = place_[here.split->feature],
                  .before = here.before,
                  .depth = static_cast<std::uint32_t>(here.depth),
                  .key = NodeKey(*here.split)};
    if (child < 0) {
      edge.leaf = LeafOf(child);
      *base += edge.leaf * here.reach * fraction;
      if (!right && here.split->right < 0) {
        const double other = FractionOf(here, here.split->right);
        edge.other_with = here.above * other;
        edge.other_leaf = LeafOf(here.split->right);
        *base += edge.other_leaf * here.reach * other;
        here.side = 2;
      }
    }
    plan_.steps.push_back(step);
    plan_.edges.push_back(edge);
    if (child < 0) return;
    path_of_[here.split->feature] = {edge.with, static_cast<std::int32_t>(here.depth)};
    Visit(static_cast<std::size_t>(child), here.depth + 1, here.reach * fraction);
    open_.back().has_parent = true;
    open_.back().parent_step = plan_.steps.size() - 1;
  }

  void Leave() {
    const Open here = open_.back();
    open_.pop_back();
    if (here.before < 0) --distinct_;
    path_of_[here.split->feature] = {here.above, here.before};
    if (!here.has_parent) return;
    ShapStep up = plan_.steps[here.parent_step];
    up.kind = ShapStep::kUp;
    plan_.steps.push_back(up);
    const Edge edge = plan_.edges[here.parent_step];
    plan_.edges.push_back(edge);
    // The parent goes on with its other side: its feature is again as above it.
    const Open& parent = open_.back();
    path_of_[parent.split->feature] = {parent.above, parent.before};
  }

  const Tree& tree_;
  const SlotBook& book_;
  const std::vector<std::uint32_t>& place_;
  const double scale_;
  Plan plan_;
  std::vector<Open> open_;
  std::map<std::uint32_t, OnPath> path_of_;
  std::size_t distinct_ = 0, distinct_max_ = 0;
};

// As ShapTree has them.
void AddConstants(const ShapStep& step, const Edge& edge, const Quadrature& rule,
                  std::vector<double>* out) {
  const auto each = [&](auto value) {
    for (std::size_t q = 0; q < rule.node.size(); ++q) {
      const double t = rule.node[q];
      out->push_back(value(t, rule.weight[q], (1 - t) * edge.above + t));
    }
  };
  const double z0 = edge.above, z1 = edge.with, z2 = edge.other_with;
  if (step.kind == ShapStep::kUp) {
    each([&](double t, double w, double f0) { return w * (z0 - z1) / (f0 * ((1 - t) * z1 + t)); });
    each([](double t, double w, double f0) { return -w / ((1 - t) * f0); });
    return;
  }
  const bool is_leaf = step.kind == ShapStep::kLeaf;
  const double v1 = is_leaf ? edge.leaf : 1, v2 = edge.other_leaf;
  each([&](double t, double, double f0) {
    return (v1 * ((1 - t) * z1 + t) + v2 * ((1 - t) * z2)) / f0;
  });
  each([&](double t, double, double f0) {
    return (v1 * ((1 - t) * z1) + v2 * ((1 - t) * z2 + t)) / f0;
  });
  if (is_leaf) each([](double, double w, double f0) { return w / (f0 * f0); });
  out->push_back(z0 > 0 ? (v1 * z1 + v2 * z2) / z0 : 0);
  if (!is_leaf) return;
  out->push_back(v1 * (z0 - z1) - v2 * z2);
  out->push_back(v2 * (z0 - z2) - v1 * z1);
}

class ForestExplainer final : public Explainer {
 public:
  explicit ForestExplainer(TreeModel model) : model_(std::move(model)) {
    SlotBook book;
    for (const Tree& tree : model_.trees) book.Note(tree);
    slots_ = book.Number();
    std::vector<std::uint32_t> place(model_.features, 0);
    for (const std::uint32_t feature : slots_.feature) place[feature] = 1;
    for (std::uint32_t feature = 0; feature < place.size(); ++feature) {
      if (std::exchange(place[feature], static_cast<std::uint32_t>(used_.size())) != 0)
        used_.push_back(feature);
    }
    const std::size_t iterations = model_.trees.size() / model_.outputs;
    scale_ = model_.average && iterations != 0 ? 1 / static_cast<double>(iterations) : 1;
    base_.assign(model_.outputs, 0.0);
    for (std::size_t i = 0; i < model_.trees.size(); ++i) {
      const Tree& tree = model_.trees[i];
      if (tree.splits.empty()) {
        base_[i % model_.outputs] += tree.leaves[0] * scale_;
        continue;
      }
      plans_.push_back(Planner(tree, book, place, scale_).Make(&base_[i % model_.outputs]));
      plans_.back().number = i;
      nodes_max_ = std::max(nodes_max_, plans_.back().nodes);
    }
    std::size_t room = 0, depth = 0;
    for (const Plan& plan : plans_) {
      room = std::max(room, (plan.depth + 1) * plan.nodes);
      depth = std::max(depth, plan.depth + 1);
    }
    room_ = room;
    depth_ = depth;
    for (std::size_t nodes = 0; nodes <= nodes_max_; ++nodes)
      rules_.push_back(MakeQuadrature(nodes));
  }

  std::size_t features() const override { return model_.features; }
  std::size_t outputs() const override { return model_.outputs; }
  const std::vector<std::uint32_t>& used() const override { return used_; }
  const std::vector<double>& base() const override { return base_; }
  std::string_view scale() const override { return ScaleName(model_.link); }

  void Explain(const double* x, std::size_t rows, double* out) const override {
    const std::size_t widest = std::max(used_.size() * outputs(), slots_.size()) + 1;
    const std::size_t piece = std::clamp(kCellsMax / widest, std::size_t{64}, kRowsMax);
    for (std::size_t begin = 0; begin < rows; begin += piece) {
      ExplainPiece(x + begin * features(), std::min(piece, rows - begin),
                   out + begin * outputs() * used_.size());
    }
  }

  void RawAnswers(const double* x, std::size_t rows, double* out) const override {
    std::fill(out, out + rows * outputs(), 0.0);
    for (std::size_t row = 0; row < rows; ++row) {
      double* raw = out + row * outputs();
      for (std::size_t i = 0; i < model_.trees.size(); ++i)
        raw[i % outputs()] += WalkTree(model_.trees[i], x + row * features());
      for (std::size_t k = 0; k < outputs(); ++k) raw[k] *= scale_;
    }
  }

 private:
  // The last row stands for those that fill up its strip.
  std::vector<MaskStrip> KeysOf(const double* x, std::size_t rows, std::size_t strips) const {
    std::vector<MaskStrip> keys(strips * slots_.size());
    std::vector<std::int64_t> of_row(slots_.size() + 1);
    for (std::size_t row = 0; row < strips * kShapLanes; ++row) {
      FillKeys(slots_, x + std::min(row, rows - 1) * features(), of_row.data());
      MaskStrip* strip = keys.data() + row / kShapLanes * slots_.size();
      for (std::size_t slot = 0; slot < slots_.size(); ++slot)
        strip[slot].at[row % kShapLanes] = of_row[slot];
    }
    return keys;
  }

  void ExplainPiece(const double* x, std::size_t rows, double* out) const {
    const std::size_t strips = (rows + kShapLanes - 1) / kShapLanes;
    const std::vector<MaskStrip> keys = KeysOf(x, rows, strips);
    std::vector<Strip> values(outputs() * strips * used_.size()), products(room_), sums(room_);
    std::vector<MaskStrip> followed(depth_);
    std::vector<double> constants;
    for (const Plan& plan : plans_) {
      constants.clear();
      for (std::size_t i = 0; i < plan.steps.size(); ++i)
        AddConstants(plan.steps[i], plan.edges[i], rules_[plan.nodes], &constants);
      WalkShap({.steps = plan.steps.data(),
                .step_count = plan.steps.size(),
                .constants = constants.data(),
                .nodes = plan.nodes},
               {.keys = keys.data(),
                .values = values.data() + plan.number % outputs() * strips * used_.size(),
                .strips = strips,
                .slots = slots_.size(),
                .used = used_.size()},
               {.products = products.data(), .sums = sums.data(), .followed = followed.data()});
    }
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t k = 0; k < outputs(); ++k) {
        const Strip* from = values.data() + (k * strips + row / kShapLanes) * used_.size();
        for (std::size_t i = 0; i < used_.size(); ++i) *out++ = from[i].at[row % kShapLanes];
      }
    }
  }

  TreeModel model_;
  Slots slots_;
  std::vector<std::uint32_t> used_;
  std::vector<double> base_;
  std::vector<Plan> plans_;
  std::vector<Quadrature> rules_;     // by number of nodes
  std::size_t room_ = 0, depth_ = 0;  // what the largest walk needs
  std::size_t nodes_max_ = 0;
  double scale_ = 1;
};

}  // namespace

std::unique_ptr<Explainer> CompileShap(TreeModel model) {
  return std::make_unique<ForestExplainer>(std::move(model));
}

}  // namespace gyre::predictors
