// For tests: the same generated rows that the reference program saw, from a 31-bit linear
// congruential generator.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace gyre::statistics {

inline std::vector<double> Lcg(std::uint64_t seed, std::size_t count) {
  std::vector<double> values(count);
  for (double& value : values) {
    seed = (1103515245 * seed + 12345) % 2147483648;
    value = static_cast<double>(seed) / 2147483648.0;
  }
  return values;
}

struct BinaryRows {
  std::vector<std::uint8_t> labels;
  std::vector<double> p;
};
// y = u < 0.3; p = floor((0.3 y + 0.65 v) 50) / 50 + 0.02: many ties.
inline BinaryRows MakeBinaryRows(std::size_t count, std::uint64_t label_seed = 1,
                                 std::uint64_t score_seed = 2) {
  const std::vector<double> u = Lcg(label_seed, count), v = Lcg(score_seed, count);
  BinaryRows rows{std::vector<std::uint8_t>(count), std::vector<double>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    rows.labels[i] = u[i] < 0.3;
    rows.p[i] = std::floor((0.3 * rows.labels[i] + 0.65 * v[i]) * 50) / 50 + 0.02;
  }
  return rows;
}

struct MulticlassRows {
  std::vector<std::uint32_t> labels;
  std::vector<double> p;  // rows x 3
};
inline MulticlassRows MakeMulticlassRows(std::size_t count) {
  const std::vector<double> u = Lcg(4, count);
  const std::vector<double> scores[3] = {Lcg(5, count), Lcg(6, count), Lcg(7, count)};
  MulticlassRows rows{std::vector<std::uint32_t>(count), std::vector<double>(count * 3)};
  for (std::size_t i = 0; i < count; ++i) {
    rows.labels[i] = std::min(static_cast<std::uint32_t>(u[i] * 4), 2u);
    double a[3], sum = 0;
    for (std::uint32_t k = 0; k < 3; ++k) {
      a[k] = std::floor(scores[k][i] * 20) / 20 + 0.05 + 0.6 * (rows.labels[i] == k);
      sum += a[k];
    }
    for (std::size_t k = 0; k < 3; ++k) rows.p[i * 3 + k] = a[k] / sum;
  }
  return rows;
}

struct RegressionRows {
  std::vector<double> truth, predicted;
};
inline RegressionRows MakeRegressionRows(std::size_t count) {
  const std::vector<double> u = Lcg(8, count), v = Lcg(9, count);
  RegressionRows rows{std::vector<double>(count), std::vector<double>(count)};
  for (std::size_t i = 0; i < count; ++i) {
    rows.truth[i] = 100 * u[i] - 30;
    rows.predicted[i] = rows.truth[i] + 20 * (v[i] - 0.45);
  }
  return rows;
}

}  // namespace gyre::statistics
