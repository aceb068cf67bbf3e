#include "ml/training/linear_fit.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <utility>

#include "ml/training/lbfgs.h"

namespace gyre::training {

namespace {

using predictors::LinearModel;
using predictors::Task;

constexpr std::size_t kNormalEquationsColumnsMax = 600;

std::size_t Outputs(const Target& target) {
  return target.task == Task::kMulticlass ? target.classes.size() : 1;
}

void RawOf(const SparseRows::Row& row, const double* w, std::size_t columns, std::size_t outputs,
           double* raw) {
  for (std::size_t k = 0; k < outputs; ++k) {
    const double* wk = w + k * (columns + 1);
    double sum = wk[columns];
    for (std::size_t j = 0; j < row.size; ++j) sum += wk[row.index[j]] * row.value[j];
    raw[k] = sum;
  }
}

// Loss of one row; `slope` becomes its derivative by each raw score.
double RowLoss(const Target& target, std::uint32_t row, std::size_t outputs, double* raw,
               double* slope) {
  switch (target.task) {
    case Task::kRegression: {
      const double error = raw[0] - target.values[row];
      slope[0] = error;
      return error * error / 2;
    }
    case Task::kBinary: {
      const double y = target.labels[row] == 1 ? 1 : 0;
      const double p = 1 / (1 + std::exp(-raw[0]));
      slope[0] = p - y;
      const double margin = y == 1 ? raw[0] : -raw[0];
      return margin > 0 ? std::log1p(std::exp(-margin)) : std::log1p(std::exp(margin)) - margin;
    }
    case Task::kMulticlass:
      break;
  }
  const double top = *std::max_element(raw, raw + outputs);
  double sum = 0;
  for (std::size_t k = 0; k < outputs; ++k) sum += slope[k] = std::exp(raw[k] - top);
  const std::uint32_t label = target.labels[row];
  const double loss = std::log(sum) + top - raw[label];
  for (std::size_t k = 0; k < outputs; ++k) slope[k] = slope[k] / sum - (k == label ? 1 : 0);
  return loss;
}

// The mean loss plus the L2 penalty. w: per output the coefficients and then the intercept.
class MeanLoss {
 public:
  MeanLoss(const LinearData& data, double l2)
      : data_(data), l2_(l2), columns_(data.x->columns()), outputs_(Outputs(*data.target)) {}

  double operator()(const std::vector<double>& w, std::vector<double>* gradient) const {
    std::ranges::fill(*gradient, 0.0);
    std::vector<double> raw(outputs_), slope(outputs_);
    double loss = 0;
    for (const std::uint32_t i : data_.rows) {
      const SparseRows::Row row = data_.x->row(i);
      RawOf(row, w.data(), columns_, outputs_, raw.data());
      loss += RowLoss(*data_.target, i, outputs_, raw.data(), slope.data());
      for (std::size_t k = 0; k < outputs_; ++k) {
        double* g = gradient->data() + k * (columns_ + 1);
        for (std::size_t j = 0; j < row.size; ++j) g[row.index[j]] += slope[k] * row.value[j];
        g[columns_] += slope[k];
      }
    }
    const double scale = 1 / static_cast<double>(data_.rows.size());
    loss *= scale;
    for (double& g : *gradient) g *= scale;
    if (l2_ <= 0) return loss;
    for (std::size_t k = 0; k < outputs_; ++k) {
      for (std::size_t j = 0; j < columns_; ++j) {
        const double v = w[k * (columns_ + 1) + j];
        loss += l2_ / 2 * v * v;
        (*gradient)[k * (columns_ + 1) + j] += l2_ * v;
      }
    }
    return loss;
  }

 private:
  const LinearData& data_;
  const double l2_;
  const std::size_t columns_, outputs_;
};

// Ridge of few columns, directly.
std::vector<double> SolveRidge(const LinearData& data, double l2) {
  const auto n = static_cast<Eigen::Index>(data.x->columns() + 1);
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(n, n);
  Eigen::VectorXd right = Eigen::VectorXd::Zero(n);
  for (const std::uint32_t i : data.rows) {
    const SparseRows::Row row = data.x->row(i);
    const double y = data.target->values[i];
    for (std::size_t a = 0; a < row.size; ++a) {
      for (std::size_t b = 0; b <= a; ++b)
        gram(row.index[a], row.index[b]) += row.value[a] * row.value[b];
      gram(n - 1, row.index[a]) += row.value[a];
      right(row.index[a]) += row.value[a] * y;
    }
    gram(n - 1, n - 1) += 1;
    right(n - 1) += y;
  }
  const auto rows = static_cast<double>(data.rows.size());
  for (Eigen::Index j = 0; j + 1 < n; ++j) gram(j, j) += std::max(l2, 1e-9) * rows;
  const Eigen::VectorXd w = gram.selfadjointView<Eigen::Lower>().ldlt().solve(right);
  return {w.data(), w.data() + n};
}

LinearModel ToModel(const std::vector<double>& w, Task task, std::size_t columns,
                    std::size_t outputs) {
  LinearModel model;
  model.task = task;
  model.features = columns;
  for (std::size_t k = 0; k < outputs; ++k) {
    const auto begin = w.begin() + static_cast<std::ptrdiff_t>(k * (columns + 1));
    model.coefficients.insert(model.coefficients.end(), begin,
                              begin + static_cast<std::ptrdiff_t>(columns));
    model.intercepts.push_back(*(begin + static_cast<std::ptrdiff_t>(columns)));
  }
  return model;
}

std::vector<double> FromModel(const LinearModel& model) {
  std::vector<double> w;
  for (std::size_t k = 0; k < model.intercepts.size(); ++k) {
    const auto begin = model.coefficients.begin() + static_cast<std::ptrdiff_t>(k * model.features);
    w.insert(w.end(), begin, begin + static_cast<std::ptrdiff_t>(model.features));
    w.push_back(model.intercepts[k]);
  }
  return w;
}

// Where the model begins: the mean, or the log-odds, with no feature.
std::vector<double> StartingPoint(const LinearData& data, std::size_t columns,
                                  std::size_t outputs) {
  std::vector<double> w(outputs * (columns + 1), 0.0);
  const auto rows = static_cast<double>(data.rows.size());
  if (data.target->task == Task::kRegression) {
    for (const std::uint32_t i : data.rows) w[columns] += data.target->values[i] / rows;
    return w;
  }
  std::vector<double> count(std::max<std::size_t>(outputs, 2), 1.0);
  for (const std::uint32_t i : data.rows) ++count[data.target->labels[i]];
  if (outputs == 1) {
    w[columns] = std::log(count[1] / count[0]);
  } else {
    for (std::size_t k = 0; k < outputs; ++k)
      w[k * (columns + 1) + columns] = std::log(count[k] / rows);
  }
  return w;
}

}  // namespace

std::size_t SparseRows::AddPlace(std::size_t column, double value) {
  index_.push_back(static_cast<std::uint32_t>(column));
  values_.push_back(value);
  return values_.size() - 1;
}

void SparseRows::Append(const recipes::Matrix& matrix) {
  for (std::size_t i = 0; i < matrix.rows; ++i) {
    for (std::size_t j = 0; j < matrix.columns; ++j) {
      const double value = matrix.row(i)[j];
      if (value != 0 && std::isfinite(value)) AddPlace(j, value);
    }
    EndRow();
  }
}

Result<LinearModel> FitLinear(const LinearData& data, const LinearParams& params,
                              const LinearModel* start, const std::function<bool()>& cancelled) {
  const std::size_t columns = data.x->columns(), outputs = Outputs(*data.target);
  const bool l1 = params.penalty == LinearParams::Penalty::kL1;
  if (data.target->task == Task::kRegression && !l1 && columns <= kNormalEquationsColumnsMax) {
    return ToModel(SolveRidge(data, params.strength), data.target->task, columns, outputs);
  }
  std::vector<double> w =
      start != nullptr ? FromModel(*start) : StartingPoint(data, columns, outputs);
  std::vector<char> punished(w.size(), 1);
  for (std::size_t k = 0; k < outputs; ++k) punished[k * (columns + 1) + columns] = 0;
  LbfgsOptions options;
  options.iterations_max = params.iterations_max;
  options.cancelled = cancelled;
  if (l1) {
    options.l1 = params.strength;
    options.punished = &punished;
  }
  const MeanLoss loss(data, l1 ? 0 : params.strength);
  Minimize([&](const std::vector<double>& at,
               std::vector<double>* gradient) { return loss(at, gradient); },
           options, &w);
  if (cancelled && cancelled())
    return MakeError(Code::kCancelled, "GY3312", "training was cancelled");
  for (const double v : w) {
    if (!std::isfinite(v)) return Internal("GY3521", "the linear fit did not converge");
  }
  return ToModel(w, data.target->task, columns, outputs);
}

std::vector<double> LinearRaw(const LinearModel& model, const SparseRows& x,
                              const std::vector<std::uint32_t>& rows) {
  const std::size_t outputs = model.intercepts.size();
  const std::vector<double> w = FromModel(model);
  std::vector<double> raw(rows.size() * outputs);
  for (std::size_t i = 0; i < rows.size(); ++i)
    RawOf(x.row(rows[i]), w.data(), model.features, outputs, raw.data() + i * outputs);
  return raw;
}

}  // namespace gyre::training
