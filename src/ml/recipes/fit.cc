// Fitting: one pass over the steps in order, on whole columns. Whatever is learnt from rows is
// exact and independent of their order.
#include <algorithm>
#include <map>
#include <optional>

#include "ml/recipes/fitted.h"

namespace gyre::recipes {
namespace {

using table::Type;

constexpr std::size_t kTargetClassesMax = 64;

std::uint64_t Mix(std::uint64_t x) {  // SplitMix64
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

// A full-length lane of a raw column and the storage that it may need.
Lane WholeLane(const table::Column& column, Type wanted, Register& storage) {
  storage.Prepare(wanted, column.size(), column.type != wanted);
  return ReadColumn(column, wanted, 0, column.size(), storage);
}

// --- target --------------------------------------------------------------------------------------
// Two values: 0 and 1. More: one indicator per class; rare classes beyond the limit count as none
// of them.
Target ClassTarget(const Distinct& distinct, std::size_t rows) {
  Target target;
  target.is_indicator = true;
  const std::size_t all = distinct.counts.size();
  std::vector<std::uint32_t> kept(all);
  for (std::size_t i = 0; i < all; ++i) kept[i] = static_cast<std::uint32_t>(i);
  if (all > kTargetClassesMax) {
    std::stable_sort(kept.begin(), kept.end(),
                     [&](auto a, auto b) { return distinct.counts[a] > distinct.counts[b]; });
    kept.resize(kTargetClassesMax);
    std::sort(kept.begin(), kept.end());
  }
  if (all > 2) {
    for (std::uint32_t code : kept) target.classes.push_back(distinct.dictionary.Name(code));
  }
  target.outputs = all > 2 ? kept.size() : 1;
  target.bin_count = std::max<std::size_t>(2, kept.size());
  target.values.assign(rows * target.outputs, 0);
  target.bins.assign(rows, -1);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int32_t code = distinct.codes[row];
    const auto at =
        code < 0 ? kept.end()
                 : std::lower_bound(kept.begin(), kept.end(), static_cast<std::uint32_t>(code));
    if (at == kept.end() || *at != static_cast<std::uint32_t>(code)) continue;
    const auto position = static_cast<std::size_t>(at - kept.begin());
    target.bins[row] = static_cast<std::int32_t>(position);
    if (all > 2) {
      target.values[row * target.outputs + position] = 1;
    } else {
      target.values[row] = static_cast<double>(position);
    }
  }
  return target;
}

Target NumberTarget(const Lane& lane, std::size_t rows) {
  Target target;
  target.bin_count = 2;
  target.values.assign(rows, kNaN);
  target.bins.assign(rows, -1);
  std::vector<double> finite;
  ForNumbers(lane, rows, [&](std::size_t row, double y) {
    if (!std::isfinite(y)) return;
    target.values[row] = y;
    finite.push_back(y);
  });
  if (finite.empty()) return target;
  const auto middle = finite.begin() + static_cast<std::ptrdiff_t>(finite.size() / 2);
  std::nth_element(finite.begin(), middle, finite.end());
  for (std::size_t row = 0; row < rows; ++row) {
    if (target.values[row] == target.values[row])
      target.bins[row] = target.values[row] > *middle ? 1 : 0;
  }
  return target;
}

Result<std::optional<Target>> ReadTarget(const FitOptions& options, std::size_t rows) {
  if (options.target == nullptr) return std::optional<Target>();
  const table::Column& column = *options.target;
  if (column.size() != rows)
    return InvalidArgument("GY3112", "the target `{}` has {} rows, the data {}", column.name,
                           column.size(), rows);
  Register storage;
  const Lane lane = WholeLane(column, column.type, storage);
  const Distinct distinct = CountDistinct(lane, column.type, rows);
  const bool numeric = column.type == Type::kInt || column.type == Type::kDouble;
  if (!numeric || options.target_is_classes || distinct.counts.size() <= 2)
    return std::optional<Target>(ClassTarget(distinct, rows));
  return std::optional<Target>(NumberTarget(lane, rows));
}

// --- steps ---------------------------------------------------------------------------------------
class Fitter {
 public:
  Fitter(const Spec& spec, const table::Frame& frame, const FitOptions& options, bool out_of_fold)
      : spec_(spec),
        frame_(frame),
        options_(options),
        out_of_fold_(out_of_fold),
        body_(std::make_shared<Fitted::Body>(spec)) {}

  Result<FitTransformResult> Run() {
    rows_ = frame_.rows();
    if (rows_ == 0) return InvalidArgument("GY3112", "a recipe cannot be fitted on no rows");
    GYRE_TRY(columns_, BindColumns(spec_.input(), frame_));
    GYRE_TRY(target_, ReadTarget(options_, rows_));
    if (out_of_fold_) {
      if (options_.folds < 2 || options_.folds > 255)
        return InvalidArgument("GY3112", "folds must be between 2 and 255");
      folds_.resize(rows_);
      for (std::size_t row = 0; row < rows_; ++row) {
        folds_[row] = static_cast<std::uint8_t>(Mix(Mix(options_.seed) ^ row) %
                                                static_cast<std::uint64_t>(options_.folds));
      }
    }
    const Spec::Body& program = spec_.body();
    column_registers_.resize(program.input.size());
    step_registers_.resize(program.steps.size());
    overrides_.resize(program.steps.size());
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      column_lanes_.push_back(WholeLane(*columns_[c], program.input[c].type, column_registers_[c]));
    }
    for (std::size_t s = 0; s < program.steps.size(); ++s) GYRE_DO(FitStep(s));
    body_->trained_rows = static_cast<std::int64_t>(rows_);
    GYRE_DO(FinishBody(*body_));
    body_->golden = MakeGolden(Fitted(body_), columns_, rows_);
    FitTransformResult result{Fitted(body_), {}};
    if (out_of_fold_) result.matrix = RunAll(*body_, columns_, rows_, &overrides_);
    return result;
  }

 private:
  Lane LaneOf(const Step& step) const {
    return step.from.is_column ? column_lanes_[step.from.index]
                               : step_registers_[step.from.index].lane(step.input_type);
  }

  const Distinct& DistinctOf(const Step& step) {
    const auto key = std::make_pair(step.from.is_column, step.from.index);
    const auto found = distinct_.find(key);
    if (found != distinct_.end()) return found->second;
    return distinct_.emplace(key, CountDistinct(LaneOf(step), step.input_type, rows_))
        .first->second;
  }

  Result<> FitStep(std::size_t s) {
    const Step& step = spec_.body().steps[s];
    const Operation& operation = *step.operation;
    const auto context = [&] { return fmt::format("step `{}` ({})", step.id, operation.name); };
    if (operation.needs_target && !target_) {
      return InvalidArgument("GY3112", "{} learns from the label, but none was given", context())
          .Fix("give the target column");
    }
    const Distinct none;
    const FitInput input{LaneOf(step),
                         rows_,
                         step.input_type,
                         step.args,
                         operation.needs_distinct ? DistinctOf(step) : none,
                         target_ ? &*target_ : nullptr,
                         out_of_fold_ ? &folds_ : nullptr,
                         options_.folds};
    FittedStep fitted;
    auto state = operation.fit(input, out_of_fold_ ? &overrides_[s] : nullptr);
    if (!state) return std::move(state.error()).Context(context());
    fitted.state = *std::move(state);
    auto kernel = operation.load(step.input_type, step.args, fitted.state);
    if (!kernel) return std::move(kernel.error()).Context(context());
    fitted.kernel = *std::move(kernel);
    if (!step.gives.vector && IsRead(s)) {
      step_registers_[s].Prepare(step.gives.type, rows_, true);
      fitted.kernel->Run(input.in, rows_, step_registers_[s].sink(), work_);
    }
    body_->steps.push_back(std::move(fitted));
    return {};
  }

  bool IsRead(std::size_t s) const {
    const auto& steps = spec_.body().steps;
    return std::any_of(
        steps.begin() + static_cast<std::ptrdiff_t>(s) + 1, steps.end(),
        [s](const Step& later) { return !later.from.is_column && later.from.index == s; });
  }

  const Spec& spec_;
  const table::Frame& frame_;
  const FitOptions& options_;
  const bool out_of_fold_;
  std::shared_ptr<Fitted::Body> body_;
  std::size_t rows_ = 0;
  std::vector<const table::Column*> columns_;
  std::optional<Target> target_;
  std::vector<std::uint8_t> folds_;
  std::vector<Register> column_registers_, step_registers_;
  std::vector<Lane> column_lanes_;
  std::map<std::pair<bool, std::size_t>, Distinct> distinct_;
  Overrides overrides_;
  Workspace work_;
};

}  // namespace

Result<Fitted> Fit(const Spec& spec, const table::Frame& train, const FitOptions& options) {
  GYRE_TRY(FitTransformResult result, Fitter(spec, train, options, false).Run());
  return std::move(result.fitted);
}

Result<FitTransformResult> FitTransform(const Spec& spec, const table::Frame& train,
                                        const FitOptions& options) {
  return Fitter(spec, train, options, true).Run();
}

}  // namespace gyre::recipes
