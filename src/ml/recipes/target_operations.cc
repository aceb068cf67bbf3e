// Encodings that learn from the label: the smoothed mean of the target per category, out of fold
// for the training rows themselves.
#include <algorithm>

#include "ml/recipes/kernel.h"
#include "ml/statistics/exact_sum.h"

namespace gyre::recipes {
namespace {

class TargetKernel final : public Kernel {
 public:
  TargetKernel(Dictionary dictionary, std::size_t outputs)
      : dictionary_(std::move(dictionary)), outputs_(outputs) {}
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace& work) const override {
    if (work.codes.size() < rows) work.codes.resize(rows);
    dictionary_.Encode(in, rows, work.codes.data());
    for (std::size_t i = 0; i < rows; ++i) Eval(work.codes[i], out.numbers + i * out.stride);
  }
  std::size_t width() const override { return outputs_; }
  std::vector<std::string> Suffixes() const override {
    if (classes.empty()) return {"~target"};
    std::vector<std::string> suffixes;
    for (const std::string& name : classes) suffixes.push_back("~target:" + name);
    return suffixes;
  }

  std::vector<double> values;           // categories x outputs
  std::vector<double> missing, unseen;  // outputs
  std::vector<std::string> classes;

 private:
  void Eval(std::int32_t code, double* out) const {
    const double* from = code >= 0 ? values.data() + static_cast<std::size_t>(code) * outputs_
                         : code == Dictionary::kMissing ? missing.data()
                                                        : unseen.data();
    std::copy(from, from + outputs_, out);
  }
  Dictionary dictionary_;
  std::size_t outputs_;
};

constexpr Argument kArguments[] = {
    {"smoothing", ArgumentKind::kNumber, "20", 0, 1e12},
    {"unseen", ArgumentKind::kText, "\"prior\"", 0, 0, "prior|missing"},
};

// Rows with a label, grouped by category (the last group: missing). Sums are exact, so their order
// does not matter.
struct Groups {
  std::vector<std::uint32_t> rows;
  std::vector<std::size_t> begin;  // of each group; one more at the end
};

Groups GroupRows(const FitInput& input) {
  const std::size_t groups = input.distinct.counts.size() + 1;
  const auto group_of = [&](std::size_t row) {
    const std::int32_t code = input.distinct.codes[row];
    return code < 0 ? groups - 1 : static_cast<std::size_t>(code);
  };
  const auto labelled = [&](std::size_t row) { return input.target->bins[row] >= 0; };
  Groups result;
  result.begin.assign(groups + 1, 0);
  for (std::size_t row = 0; row < input.rows; ++row)
    result.begin[group_of(row) + 1] += labelled(row) ? 1 : 0;
  for (std::size_t g = 0; g < groups; ++g) result.begin[g + 1] += result.begin[g];
  result.rows.resize(result.begin.back());
  std::vector<std::size_t> next(result.begin.begin(), result.begin.end() - 1);
  for (std::size_t row = 0; row < input.rows; ++row) {
    if (labelled(row)) result.rows[next[group_of(row)]++] = static_cast<std::uint32_t>(row);
  }
  return result;
}

// Sums of one output per fold. Indicators are counted, numbers are summed exactly.
class FoldSums {
 public:
  FoldSums(std::size_t folds, bool counts)
      : by_fold_(counts ? 0 : folds), counted_(folds, 0), counts_(counts) {}
  void Clear() {
    for (auto& sum : by_fold_) sum.Clear();
    std::fill(counted_.begin(), counted_.end(), 0.0);
  }
  void Add(std::size_t fold, double value) {
    if (counts_) {
      counted_[fold] += value;  // whole numbers below 2^53: exact
    } else {
      by_fold_[fold].Add(value);
    }
  }
  double AllBut(std::size_t left_out) const {  // folds() = none
    if (counts_) {
      double sum = 0;
      for (std::size_t f = 0; f < counted_.size(); ++f) sum += f == left_out ? 0 : counted_[f];
      return sum;
    }
    statistics::ExactSum sum;
    for (std::size_t f = 0; f < by_fold_.size(); ++f) {
      if (f != left_out) sum.Merge(by_fold_[f]);
    }
    return sum.Value();
  }

 private:
  std::vector<statistics::ExactSum> by_fold_;
  std::vector<double> counted_;
  bool counts_;
};

// The prior without each fold, and the whole prior last.
std::vector<double> Priors(const FitInput& input, const Groups& groups, std::size_t folds,
                           std::size_t output) {
  const Target& target = *input.target;
  FoldSums sums(folds, target.is_indicator);
  std::vector<double> counts(folds, 0);
  for (std::uint32_t row : groups.rows) {
    const std::size_t fold = input.folds != nullptr ? (*input.folds)[row] : 0;
    sums.Add(fold, target.values[row * target.outputs + output]);
    counts[fold] += 1;
  }
  std::vector<double> priors;
  for (std::size_t left_out = 0; left_out <= folds; ++left_out) {
    double count = 0;
    for (std::size_t f = 0; f < folds; ++f) count += f == left_out ? 0 : counts[f];
    priors.push_back(count == 0 ? 0 : sums.AllBut(left_out) / count);
  }
  return priors;
}

Result<Json> FitTarget(const FitInput& input, std::vector<double>* out_of_fold) {
  const Target& target = *input.target;
  const std::size_t folds = input.folds != nullptr ? static_cast<std::size_t>(input.fold_count) : 1;
  const Groups groups = GroupRows(input);
  const std::size_t group_count = groups.begin.size() - 1;
  const double smoothing = input.args["smoothing"].AsDouble();
  std::vector<double> values(group_count * target.outputs), prior(target.outputs);
  if (out_of_fold != nullptr) out_of_fold->assign(input.rows * target.outputs, kNaN);
  std::vector<double> encoded(folds + 1), counts(folds);
  for (std::size_t output = 0; output < target.outputs; ++output) {
    const std::vector<double> priors = Priors(input, groups, folds, output);
    prior[output] = priors[folds];
    FoldSums sums(folds, target.is_indicator);
    for (std::size_t g = 0; g < group_count; ++g) {
      sums.Clear();
      std::fill(counts.begin(), counts.end(), 0.0);
      for (std::size_t at = groups.begin[g]; at < groups.begin[g + 1]; ++at) {
        const std::uint32_t row = groups.rows[at];
        const std::size_t fold = input.folds != nullptr ? (*input.folds)[row] : 0;
        sums.Add(fold, target.values[row * target.outputs + output]);
        counts[fold] += 1;
      }
      for (std::size_t left_out = out_of_fold != nullptr ? 0 : folds; left_out <= folds;
           ++left_out) {
        double count = 0;
        for (std::size_t f = 0; f < folds; ++f) count += f == left_out ? 0 : counts[f];
        const double weight = count + smoothing;
        encoded[left_out] = weight == 0
                                ? priors[left_out]
                                : (sums.AllBut(left_out) + smoothing * priors[left_out]) / weight;
      }
      values[g * target.outputs + output] = encoded[folds];
      if (out_of_fold == nullptr) continue;
      for (std::size_t at = groups.begin[g]; at < groups.begin[g + 1]; ++at) {
        const std::uint32_t row = groups.rows[at];
        (*out_of_fold)[row * target.outputs + output] = encoded[(*input.folds)[row]];
      }
    }
  }
  const auto split =
      values.begin() + static_cast<std::ptrdiff_t>((group_count - 1) * target.outputs);
  Json classes = Json(Json::Array());
  for (const std::string& name : target.classes) classes.Push(name);
  return Json::Obj({{"categories", input.distinct.dictionary.ToJson()},
                    {"classes", std::move(classes)},
                    {"missing", DoublesToJson(std::span<const double>(split, values.end()))},
                    {"prior", DoublesToJson(prior)},
                    {"values", DoublesToJson(std::span<const double>(values.begin(), split))}});
}

Result<std::unique_ptr<Kernel>> LoadTarget(table::Type type, const Json& args, const Json& state) {
  GYRE_TRY(Dictionary dictionary,
           Dictionary::FromJson(Dictionary::KindOf(type), state["categories"]));
  GYRE_TRY(auto prior, DoublesFromJson(state["prior"]));
  GYRE_TRY(auto missing, DoublesFromJson(state["missing"]));
  GYRE_TRY(auto values, DoublesFromJson(state["values"]));
  const std::size_t outputs = prior.size(), classes = state["classes"].size();
  if (outputs == 0 || missing.size() != outputs || values.size() != dictionary.size() * outputs ||
      (classes == 0 ? outputs != 1 : classes != outputs)) {
    return BrokenState("the values of encode.target do not fit its categories");
  }
  auto kernel = std::make_unique<TargetKernel>(std::move(dictionary), outputs);
  kernel->values = std::move(values);
  kernel->missing = std::move(missing);
  kernel->unseen =
      args["unseen"].AsString() == "prior" ? prior : std::vector<double>(outputs, kNaN);
  for (const Json& name : state["classes"].items()) kernel->classes.push_back(name.AsString());
  return kernel;
}

constexpr Operation kOperations[] = {
    {"encode.target", kCategorical, kArguments, GivesVector, FitTarget, LoadTarget, true, true},
};

}  // namespace

std::span<const Operation> TargetOperations() { return kOperations; }

}  // namespace gyre::recipes
