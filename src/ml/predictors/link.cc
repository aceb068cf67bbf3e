#include <algorithm>
#include <cmath>

#include "ml/predictors/tree_model.h"

namespace gyre::predictors {

std::string_view ScaleName(Link link) {
  switch (link) {
    case Link::kIdentity:
      return "the value itself";
    case Link::kSquare:
      return "the square root of the value";
    case Link::kExp:
      return "the logarithm of the value";
    case Link::kSigmoid:
      return "log-odds";
    case Link::kSoftmax:
      return "log-odds between the classes";
    case Link::kLog1pExp:
      return "log(exp(value) - 1)";
  }
  return "";
}

// The order of operations is LightGBM's, so that the bits are.
void ApplyLink(Link link, double sigmoid, double* values, std::size_t count) {
  switch (link) {
    case Link::kIdentity:
      return;
    case Link::kSquare:
      for (std::size_t i = 0; i < count; ++i) {
        const double sign = static_cast<double>((values[i] > 0) - (values[i] < 0));
        values[i] = sign * values[i] * values[i];
      }
      return;
    case Link::kExp:
      for (std::size_t i = 0; i < count; ++i) values[i] = std::exp(values[i]);
      return;
    case Link::kSigmoid:
      for (std::size_t i = 0; i < count; ++i)
        values[i] = 1.0 / (1.0 + std::exp(-sigmoid * values[i]));
      return;
    case Link::kLog1pExp:
      for (std::size_t i = 0; i < count; ++i) values[i] = std::log1p(std::exp(values[i]));
      return;
    case Link::kSoftmax: {
      double largest = values[0];
      for (std::size_t i = 1; i < count; ++i) largest = std::max(values[i], largest);
      double sum = 0;
      for (std::size_t i = 0; i < count; ++i) {
        values[i] = std::exp(values[i] - largest);
        sum += values[i];
      }
      for (std::size_t i = 0; i < count; ++i) values[i] /= sum;
      return;
    }
  }
}

}  // namespace gyre::predictors
