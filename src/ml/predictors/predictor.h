// Executable models: numbers in, numbers out. Immutable and thread-safe once loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::predictors {

enum class Task : unsigned char { kBinary, kMulticlass, kRegression };
std::string_view TaskName(Task task);  // "binary", "multiclass", "regression"
Result<Task> ParseTask(std::string_view name);

class Predictor {
 public:
  virtual ~Predictor() = default;
  virtual std::string_view format() const = 0;  // "lightgbm.text", "gyre.linear", "gyre.constant"
  virtual std::size_t features() const = 0;     // width of x
  virtual std::size_t outputs() const = 0;      // binary 1 (probability of the second class),
                                                // multiclass K probabilities, regression 1
  // x: features() doubles, NaN = missing. out: outputs() doubles. Never allocates, never fails.
  virtual void Predict(const double* x, double* out) const = 0;
  // Row-major block; same bits as Predict row by row.
  virtual void PredictBatch(const double* x, std::size_t rows, double* out) const;
  virtual std::int64_t memory_bytes() const = 0;
};

// kExact promises the bits of LightGBM's own prediction; kFast may add in another order, <= 1e-12
// relative. The portable engine adds in LightGBM's order in both, because that turned out to cost
// nothing.
enum class Mode : unsigned char { kFast, kExact };
// Errors: kInvalidArgument GY3201 (unknown format), GY3202 (broken model text: says line and what).
Result<std::unique_ptr<Predictor>> LoadPredictor(std::string_view format, std::string_view bytes,
                                                 Mode mode = Mode::kFast);

}  // namespace gyre::predictors
