// Limited-memory BFGS with a backtracking line search, and its orthant-wise form for an L1 penalty
// (OWL-QN: Andrew and Gao 2007).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace gyre::training {

struct LbfgsOptions {
  int iterations_max = 300;
  double tolerance = 1e-7;  // relative change of the objective over five iterations
  double l1 = 0;            // weight of sum |w_i| over the punished
  const std::vector<char>* punished =
      nullptr;  // which coordinates the L1 weight falls on; null = none
  std::function<bool()> cancelled;
};

// Sets `gradient` and answers the value of the smooth part.
using Objective =
    std::function<double(const std::vector<double>& w, std::vector<double>* gradient)>;
// Improves `w` in place; answers the objective with its penalty.
double Minimize(const Objective& objective, const LbfgsOptions& options, std::vector<double>* w);

}  // namespace gyre::training
