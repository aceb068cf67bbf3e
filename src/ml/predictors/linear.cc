#include "ml/predictors/linear.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/json.h"
#include "ml/predictors/tree_model.h"

namespace gyre::predictors {

namespace {

constexpr int kHexDigits = 16;
constexpr std::size_t kOutputsMax = 100'000;

Json HexDoubles(const std::vector<double>& values) {
  std::string text;
  text.reserve(values.size() * kHexDigits);
  for (const double value : values)
    text += fmt::format("{:016x}", std::bit_cast<std::uint64_t>(value));
  return Json(std::move(text));
}

// All numbers back to back, 16 hexadecimal digits each.
Result<std::vector<double>> ReadHexDoubles(const Json& json, std::string_view what) {
  const std::string& text = json.AsString();
  if (!json.is_string() || text.size() % kHexDigits != 0) {
    return InvalidArgument(
        "GY3202", "the model's `{}` must be a text of 16 hexadecimal digits per number", what);
  }
  std::vector<double> values;
  values.reserve(text.size() / kHexDigits);
  for (std::size_t i = 0; i < text.size(); i += kHexDigits) {
    std::uint64_t bits = 0;
    const char* end = text.data() + i + kHexDigits;
    const auto [stop, problem] = std::from_chars(text.data() + i, end, bits, 16);
    if (problem != std::errc() || stop != end) {
      return InvalidArgument("GY3202", "number {} of the model's `{}` is not hexadecimal",
                             values.size() + 1, what);
    }
    values.push_back(std::bit_cast<double>(bits));
    if (!std::isfinite(values.back())) {
      return InvalidArgument("GY3202", "number {} of the model's `{}` is not finite", values.size(),
                             what);
    }
  }
  return values;
}

struct Head {
  Json document;
  Task task = Task::kRegression;
  std::size_t features = 0;
};

Result<Head> ReadHead(std::string_view bytes, std::string_view format) {
  auto document = Json::Parse(bytes);
  if (!document)
    return InvalidArgument("GY3202", "the {} model is no JSON", format)
        .Why(document.error().message());
  Head head;
  head.document = *std::move(document);
  if (head.document["format"].AsString() != format || head.document["version"].AsInt() != 1) {
    return InvalidArgument("GY3202", "the model is no `{}` of version 1", format);
  }
  GYRE_TRY(head.task, ParseTask(head.document["task"].AsString()));
  const std::int64_t features = head.document["features"].AsInt(-1);
  if (features < 0 || features > (std::int64_t{1} << 24))
    return InvalidArgument("GY3202", "the model's `features` is wrong");
  head.features = static_cast<std::size_t>(features);
  return head;
}

Result<> CheckOutputs(Task task, std::size_t outputs) {
  const bool fine =
      task == Task::kMulticlass ? outputs >= 2 && outputs <= kOutputsMax : outputs == 1;
  if (!fine)
    return InvalidArgument("GY3202", "a {} model cannot have {} outputs", TaskName(task), outputs);
  return {};
}

Result<LinearModel> ReadLinear(std::string_view bytes) {
  GYRE_TRY(const Head head, ReadHead(bytes, "gyre.linear"));
  LinearModel model{
      .task = head.task, .features = head.features, .coefficients = {}, .intercepts = {}};
  GYRE_TRY(model.coefficients, ReadHexDoubles(head.document["coefficients"], "coefficients"));
  GYRE_TRY(model.intercepts, ReadHexDoubles(head.document["intercepts"], "intercepts"));
  GYRE_DO(CheckOutputs(model.task, model.intercepts.size()));
  if (model.coefficients.size() != model.features * model.intercepts.size()) {
    return InvalidArgument("GY3202", "the model has {} coefficients for {} features and {} outputs",
                           model.coefficients.size(), model.features, model.intercepts.size());
  }
  return model;
}

Result<ConstantModel> ReadConstant(std::string_view bytes) {
  GYRE_TRY(const Head head, ReadHead(bytes, "gyre.constant"));
  ConstantModel model{.task = head.task, .features = head.features, .values = {}};
  GYRE_TRY(model.values, ReadHexDoubles(head.document["values"], "values"));
  GYRE_DO(CheckOutputs(model.task, model.values.size()));
  return model;
}

Link LinkOf(Task task) {
  return task == Task::kBinary       ? Link::kSigmoid
         : task == Task::kMulticlass ? Link::kSoftmax
                                     : Link::kIdentity;
}

// The raw answer for one row.
void Sums(const LinearModel& model, const double* x, double* out) {
  const double* row = model.coefficients.data();
  for (std::size_t k = 0; k < model.intercepts.size(); ++k, row += model.features) {
    double sum = model.intercepts[k];
    for (std::size_t i = 0; i < model.features; ++i) {
      if (!std::isnan(x[i])) sum += row[i] * x[i];
    }
    out[k] = sum;
  }
}

class Linear final : public Predictor {
 public:
  explicit Linear(LinearModel model) : model_(std::move(model)) {}
  std::string_view format() const override { return "gyre.linear"; }
  std::size_t features() const override { return model_.features; }
  std::size_t outputs() const override { return model_.intercepts.size(); }
  void Predict(const double* x, double* out) const override {
    Sums(model_, x, out);
    ApplyLink(LinkOf(model_.task), 1.0, out, model_.intercepts.size());
  }
  std::int64_t memory_bytes() const override {
    return static_cast<std::int64_t>(
        sizeof *this + (model_.coefficients.size() + model_.intercepts.size()) * sizeof(double));
  }

 private:
  LinearModel model_;
};

class Constant final : public Predictor {
 public:
  explicit Constant(ConstantModel model) : model_(std::move(model)) {}
  std::string_view format() const override { return "gyre.constant"; }
  std::size_t features() const override { return model_.features; }
  std::size_t outputs() const override { return model_.values.size(); }
  void Predict(const double* /*x*/, double* out) const override {
    std::copy(model_.values.begin(), model_.values.end(), out);
  }
  std::int64_t memory_bytes() const override {
    return static_cast<std::int64_t>(sizeof *this + model_.values.size() * sizeof(double));
  }

 private:
  ConstantModel model_;
};

// A missing feature adds nothing, so a row of which nothing is known gets the intercept, and each
// feature that is known adds its product whatever else is.
class LinearExplainer final : public Explainer {
 public:
  explicit LinearExplainer(LinearModel model) : model_(std::move(model)), used_(model_.features) {
    std::iota(used_.begin(), used_.end(), 0U);
  }
  std::size_t features() const override { return model_.features; }
  std::size_t outputs() const override { return model_.intercepts.size(); }
  const std::vector<std::uint32_t>& used() const override { return used_; }
  const std::vector<double>& base() const override { return model_.intercepts; }
  std::string_view scale() const override { return ScaleName(LinkOf(model_.task)); }
  void Explain(const double* x, std::size_t rows, double* out) const override {
    for (std::size_t row = 0; row < rows; ++row, x += model_.features) {
      for (std::size_t k = 0; k < model_.coefficients.size(); ++k) {
        const double value = x[k % model_.features];
        *out++ = std::isnan(value) ? 0.0 : model_.coefficients[k] * value;
      }
    }
  }
  void RawAnswers(const double* x, std::size_t rows, double* out) const override {
    for (std::size_t row = 0; row < rows; ++row)
      Sums(model_, x + row * model_.features, out + row * outputs());
  }

 private:
  LinearModel model_;
  std::vector<std::uint32_t> used_;
};

class ConstantExplainer final : public Explainer {
 public:
  explicit ConstantExplainer(ConstantModel model) : model_(std::move(model)) {}
  std::size_t features() const override { return model_.features; }
  std::size_t outputs() const override { return model_.values.size(); }
  const std::vector<std::uint32_t>& used() const override { return used_; }
  const std::vector<double>& base() const override { return model_.values; }
  std::string_view scale() const override { return ScaleName(Link::kIdentity); }
  void Explain(const double* /*x*/, std::size_t /*rows*/, double* /*out*/) const override {}
  void RawAnswers(const double* /*x*/, std::size_t rows, double* out) const override {
    for (std::size_t row = 0; row < rows; ++row)
      out = std::copy(model_.values.begin(), model_.values.end(), out);
  }

 private:
  ConstantModel model_;
  const std::vector<std::uint32_t> used_;
};

}  // namespace

std::string SaveLinear(const LinearModel& model) {
  return Json::Obj({{"format", "gyre.linear"},
                    {"version", 1},
                    {"task", TaskName(model.task)},
                    {"features", model.features},
                    {"coefficients", HexDoubles(model.coefficients)},
                    {"intercepts", HexDoubles(model.intercepts)}})
      .DumpCanonical();
}

std::string SaveConstant(const ConstantModel& model) {
  return Json::Obj({{"format", "gyre.constant"},
                    {"version", 1},
                    {"task", TaskName(model.task)},
                    {"features", model.features},
                    {"values", HexDoubles(model.values)}})
      .DumpCanonical();
}

Result<std::unique_ptr<Predictor>> LoadLinear(std::string_view bytes) {
  GYRE_TRY(LinearModel model, ReadLinear(bytes));
  return std::make_unique<Linear>(std::move(model));
}

Result<std::unique_ptr<Predictor>> LoadConstant(std::string_view bytes) {
  GYRE_TRY(ConstantModel model, ReadConstant(bytes));
  return std::make_unique<Constant>(std::move(model));
}

Result<std::unique_ptr<Explainer>> ExplainLinear(std::string_view bytes) {
  GYRE_TRY(LinearModel model, ReadLinear(bytes));
  return std::make_unique<LinearExplainer>(std::move(model));
}

Result<std::unique_ptr<Explainer>> ExplainConstant(std::string_view bytes) {
  GYRE_TRY(ConstantModel model, ReadConstant(bytes));
  return std::make_unique<ConstantExplainer>(std::move(model));
}

}  // namespace gyre::predictors
