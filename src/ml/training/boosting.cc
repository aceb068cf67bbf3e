#include "ml/training/boosting.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/time.h"

namespace gyre::training {

namespace {

using predictors::LgbmBooster;
using predictors::LgbmDataset;
using predictors::LightGbmApi;

void DropLine(const char*) {}

struct DatasetCloser {
  const LightGbmApi* api = nullptr;
  void operator()(void* dataset) const { api->DatasetFree(dataset); }
};
using DatasetHandle = std::unique_ptr<void, DatasetCloser>;
struct BoosterCloser {
  const LightGbmApi* api = nullptr;
  void operator()(void* booster) const { api->BoosterFree(booster); }
};
using BoosterHandle = std::unique_ptr<void, BoosterCloser>;

std::string Number(double value) { return fmt::format("{}", value); }

Result<DatasetHandle> MakeDataset(const LightGbmApi* api, const BoostData& data,
                                  const std::string& parameters, LgbmDataset reference) {
  LgbmDataset raw = nullptr;
  if (api->DatasetCreateFromMat(data.values, predictors::kLgbmFloat64, data.rows, data.columns, 1,
                                parameters.c_str(), reference, &raw) != 0) {
    return api->ErrorOf("binning the features");
  }
  DatasetHandle dataset(raw, DatasetCloser{api});
  if (api->DatasetSetField(raw, "label", data.labels, data.rows, predictors::kLgbmFloat32) != 0)
    return api->ErrorOf("setting the labels");
  return dataset;
}

std::string BoosterParameters(const BoostParams& p, int outputs, const BoostLimits& limits) {
  std::string text =
      fmt::format("verbosity=-1 deterministic=true force_row_wise=true seed={} num_threads={}",
                  limits.seed % 2'000'000'000, limits.threads);
  for (const auto& [key, value] : p.ToList()) text += fmt::format(" {}={}", key, value);
  if (p.objective == "multiclass")
    text += fmt::format(" num_class={} metric=multi_logloss", outputs);
  if (p.objective == "binary") text += " metric=binary_logloss";
  if (p.objective == "regression" || p.objective == "poisson") text += " metric=l2";
  if (p.objective == "regression_l1") text += " metric=l1";
  if (p.bagging_fraction < 1) text += " bagging_freq=1";
  return text;
}

// The inverse of the link, so that scores of several fits can be averaged as the trees' own sums.
double ToRaw(const BoostParams& params, double answer) {
  constexpr double kTiny = 1e-15;
  if (params.objective == "binary") {
    const double p = std::clamp(answer, kTiny, 1 - kTiny);
    return std::log(p / (1 - p));
  }
  if (params.objective == "multiclass" || params.objective == "poisson")
    return std::log(std::max(answer, kTiny));
  if (params.square_root) return std::copysign(std::sqrt(std::abs(answer)), answer);
  return answer;
}

Result<std::string> ModelText(const LightGbmApi* api, LgbmBooster booster, int iterations) {
  constexpr int kGain = 1;
  std::int64_t length = 0;
  if (api->BoosterSaveModelToString(booster, 0, iterations, kGain, 0, &length, nullptr) != 0)
    return api->ErrorOf("saving the model");
  std::string text(static_cast<std::size_t>(length), '\0');
  if (api->BoosterSaveModelToString(booster, 0, iterations, kGain, length, &length, text.data()) !=
      0) {
    return api->ErrorOf("saving the model");
  }
  text.resize(static_cast<std::size_t>(length) - 1);  // without the final NUL
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> BoostParams::ToList() const {
  std::vector<std::pair<std::string, std::string>> list = {
      {"objective", objective},
      {"learning_rate", Number(learning_rate)},
      {"num_leaves", Number(leaves)},
      {"min_data_in_leaf", Number(leaf_rows_min)},
      {"feature_fraction", Number(feature_fraction)},
      {"bagging_fraction", Number(bagging_fraction)},
      {"lambda_l1", Number(lambda_l1)},
      {"lambda_l2", Number(lambda_l2)},
      {"path_smooth", Number(path_smooth)},
      {"max_depth", Number(depth_max)},
      {"extra_trees", extra_trees ? "true" : "false"}};
  if (square_root) list.emplace_back("reg_sqrt", "true");
  return list;
}

struct BoostFold::Handles {
  const LightGbmApi* api = nullptr;
  DatasetHandle train, valid;
  std::int32_t valid_rows = 0;
};

BoostFold::BoostFold(std::unique_ptr<Handles> handles) : handles_(std::move(handles)) {}
BoostFold::BoostFold(BoostFold&&) noexcept = default;
BoostFold& BoostFold::operator=(BoostFold&&) noexcept = default;
BoostFold::~BoostFold() = default;

Result<BoostFold> BoostFold::Bin(const BoostData& train, const BoostData& valid,
                                 const std::vector<int>& categorical, int threads) {
  auto handles = std::make_unique<Handles>();
  GYRE_TRY(handles->api, predictors::LoadLightGbm());
  handles->api->RegisterLogCallback(DropLine);
  std::string parameters = fmt::format(
      "verbosity=-1 max_bin=255 feature_pre_filter=false min_data_in_bin=3 force_row_wise=true "
      "num_threads={}",
      threads);
  if (!categorical.empty()) {
    parameters += " categorical_feature=";
    for (std::size_t i = 0; i < categorical.size(); ++i)
      parameters += fmt::format("{}{}", i == 0 ? "" : ",", categorical[i]);
  }
  GYRE_TRY(handles->train, MakeDataset(handles->api, train, parameters, nullptr));
  handles->valid_rows = valid.rows;
  if (valid.rows > 0) {
    GYRE_TRY(handles->valid, MakeDataset(handles->api, valid, parameters, handles->train.get()));
  }
  return BoostFold(std::move(handles));
}

namespace {

// The loop of one fit: a tree at a time, watching the validation score.
class FitLoop {
 public:
  FitLoop(const LightGbmApi* api, LgbmBooster booster, const BoostLimits& limits, bool validates,
          std::size_t answers)
      : api_(api), booster_(booster), limits_(limits), validates_(validates), answers_(answers) {}

  Result<> Run() {
    const int rounds = validates_ ? limits_.iterations_max : limits_.fixed_iterations;
    for (int round = 1; round <= rounds; ++round) {
      if (limits_.cancelled && limits_.cancelled())
        return MakeError(Code::kCancelled, "GY3312", "training was cancelled");
      int finished = 0;
      if (api_->BoosterUpdateOneIter(booster_, &finished) != 0)
        return api_->ErrorOf("growing a tree");
      if (finished != 0 && round > 1) break;
      if (validates_) {
        GYRE_TRY(const bool go_on, Watch(round));
        if (!go_on) break;
      } else {
        best_round_ = round;
      }
      if (finished != 0) break;
      if (limits_.deadline_us > 0 && SystemClock().MonotonicMicros() > limits_.deadline_us) {
        late_ = true;
        break;
      }
    }
    return {};
  }

  int best_round() const { return std::max(best_round_, 1); }
  double best_score() const { return best_score_; }
  bool late() const { return late_; }
  std::vector<double> TakeAnswers() { return std::move(best_answers_); }
  std::vector<std::pair<int, double>> TakeCurve() { return std::move(curve_); }

 private:
  Result<bool> Watch(int round) {
    constexpr int kValid = 1;
    int count = 0;
    double score = 0;
    if (api_->BoosterGetEval(booster_, kValid, &count, &score) != 0)
      return api_->ErrorOf("evaluating the validation rows");
    if (round <= 10 || round % 10 == 0) curve_.emplace_back(round, score);
    if (!std::isfinite(score)) return false;
    if (score < best_score_ - 1e-12 * std::abs(best_score_) || best_round_ == 0) {
      best_score_ = score;
      best_round_ = round;
      best_answers_.resize(answers_);
      std::int64_t got = 0;
      if (api_->BoosterGetPredict(booster_, kValid, &got, best_answers_.data()) != 0)
        return api_->ErrorOf("reading the validation scores");
    }
    return round - best_round_ < limits_.patience;
  }

  const LightGbmApi* api_;
  LgbmBooster booster_;
  const BoostLimits& limits_;
  const bool validates_;
  const std::size_t answers_;
  int best_round_ = 0;
  double best_score_ = std::numeric_limits<double>::infinity();
  bool late_ = false;
  std::vector<double> best_answers_;
  std::vector<std::pair<int, double>> curve_;
};

}  // namespace

Result<BoostFit> BoostFold::Fit(const BoostParams& params, int outputs,
                                const BoostLimits& limits) const {
  const LightGbmApi* api = handles_->api;
  api->RegisterLogCallback(DropLine);  // each thread has its own
  const std::string parameters = BoosterParameters(params, outputs, limits);
  LgbmBooster raw = nullptr;
  if (api->BoosterCreate(handles_->train.get(), parameters.c_str(), &raw) != 0)
    return api->ErrorOf("starting a booster");
  const BoosterHandle booster(raw, BoosterCloser{api});
  const bool validates = limits.fixed_iterations == 0 && handles_->valid_rows > 0;
  if (validates && api->BoosterAddValidData(raw, handles_->valid.get()) != 0)
    return api->ErrorOf("adding the validation rows");
  const auto rows = static_cast<std::size_t>(handles_->valid_rows);
  const auto width = static_cast<std::size_t>(outputs);
  FitLoop loop(api, raw, limits, validates, rows * width);
  GYRE_DO(loop.Run());
  BoostFit fit;
  fit.iterations = loop.best_round();
  fit.score = loop.best_score();
  fit.curve = loop.TakeCurve();
  fit.stopped_by_deadline = loop.late();
  GYRE_TRY(fit.text, ModelText(api, raw, fit.iterations));
  if (validates) {
    const std::vector<double> answers = loop.TakeAnswers();  // class-major
    fit.raw.resize(rows * width);
    for (std::size_t c = 0; c < width; ++c) {
      for (std::size_t i = 0; i < rows; ++i)
        fit.raw[i * width + c] = ToRaw(params, answers[c * rows + i]);
    }
  }
  return fit;
}

}  // namespace gyre::training
