#include "ml/training/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

namespace gyre::training {

namespace {

constexpr std::size_t kMemory = 10;

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

struct Pair {
  std::vector<double> s, y;
  double rho = 0;
};

class Minimizer {
 public:
  Minimizer(const Objective& objective, const LbfgsOptions& options, std::vector<double>* w)
      : objective_(objective), options_(options), w_(*w), n_(w->size()) {}

  double Run() {
    std::vector<double> gradient(n_);
    double value = objective_(w_, &gradient) + Penalty(w_);
    std::deque<double> recent;
    for (int i = 0; i < options_.iterations_max; ++i) {
      if (options_.cancelled && options_.cancelled()) break;
      const std::vector<double> pseudo = PseudoGradient(gradient);
      if (Dot(pseudo, pseudo) == 0) break;
      std::vector<double> direction = Direction(pseudo);
      if (!Step(pseudo, direction, &gradient, &value)) {
        if (pairs_.empty()) break;
        pairs_.clear();  // once more along the plain gradient
        continue;
      }
      recent.push_back(value);
      if (recent.size() > 5) {
        const double gain = recent.front() - value;
        recent.pop_front();
        if (gain <= options_.tolerance * std::max(1.0, std::abs(value))) break;
      }
    }
    return value;
  }

 private:
  bool Punished(std::size_t i) const {
    return options_.punished != nullptr && (*options_.punished)[i] != 0;
  }

  double Penalty(const std::vector<double>& w) const {
    if (options_.l1 <= 0) return 0;
    double sum = 0;
    for (std::size_t i = 0; i < n_; ++i) sum += Punished(i) ? std::abs(w[i]) : 0;
    return options_.l1 * sum;
  }

  // The steepest one-sided derivative where |w| has its corner.
  std::vector<double> PseudoGradient(const std::vector<double>& gradient) const {
    if (options_.l1 <= 0) return gradient;
    std::vector<double> pseudo = gradient;
    for (std::size_t i = 0; i < n_; ++i) {
      if (!Punished(i)) continue;
      if (w_[i] != 0) {
        pseudo[i] += std::copysign(options_.l1, w_[i]);
      } else if (gradient[i] + options_.l1 < 0) {
        pseudo[i] += options_.l1;
      } else if (gradient[i] - options_.l1 > 0) {
        pseudo[i] -= options_.l1;
      } else {
        pseudo[i] = 0;
      }
    }
    return pseudo;
  }

  std::vector<double> Direction(const std::vector<double>& pseudo) const {
    std::vector<double> q = pseudo;
    std::vector<double> alpha(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      alpha[i] = pairs_[i].rho * Dot(pairs_[i].s, q);
      for (std::size_t j = 0; j < n_; ++j) q[j] -= alpha[i] * pairs_[i].y[j];
    }
    if (!pairs_.empty()) {
      const Pair& last = pairs_.back();
      const double scale = 1 / (last.rho * Dot(last.y, last.y));
      for (double& v : q) v *= scale;
    }
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const double beta = pairs_[i].rho * Dot(pairs_[i].y, q);
      for (std::size_t j = 0; j < n_; ++j) q[j] += (alpha[i] - beta) * pairs_[i].s[j];
    }
    for (std::size_t j = 0; j < n_; ++j) {
      q[j] = -q[j];
      if (options_.l1 > 0 && q[j] * pseudo[j] >= 0) q[j] = 0;  // never away from descent
    }
    return q;
  }

  // Backtracks along `direction`; with an L1 weight, what crosses zero stays there.
  bool Step(const std::vector<double>& pseudo, const std::vector<double>& direction,
            std::vector<double>* gradient, double* value) {
    constexpr double kSufficient = 1e-4;
    constexpr int kHalvingsMax = 40;
    double step = pairs_.empty() ? 1 / std::max(1.0, std::sqrt(Dot(pseudo, pseudo))) : 1;
    std::vector<double> next(n_), next_gradient(n_);
    for (int k = 0; k < kHalvingsMax; ++k, step /= 2) {
      double promise = 0;
      for (std::size_t j = 0; j < n_; ++j) {
        next[j] = w_[j] + step * direction[j];
        if (options_.l1 > 0 && Punished(j)) {
          const double side = w_[j] != 0 ? w_[j] : -pseudo[j];
          if (next[j] * side < 0) next[j] = 0;
        }
        promise += pseudo[j] * (next[j] - w_[j]);
      }
      const double next_value = objective_(next, &next_gradient) + Penalty(next);
      if (std::isfinite(next_value) && next_value <= *value + kSufficient * promise) {
        Remember(next, next_gradient, *gradient);
        w_ = next;
        *gradient = next_gradient;
        *value = next_value;
        return true;
      }
    }
    return false;
  }

  void Remember(const std::vector<double>& next, const std::vector<double>& next_gradient,
                const std::vector<double>& gradient) {
    Pair pair;
    pair.s.resize(n_);
    pair.y.resize(n_);
    for (std::size_t j = 0; j < n_; ++j) {
      pair.s[j] = next[j] - w_[j];
      pair.y[j] = next_gradient[j] - gradient[j];
    }
    const double curvature = Dot(pair.s, pair.y);
    if (curvature <= 1e-12 * Dot(pair.y, pair.y)) return;
    pair.rho = 1 / curvature;
    pairs_.push_back(std::move(pair));
    if (pairs_.size() > kMemory) pairs_.pop_front();
  }

  const Objective& objective_;
  const LbfgsOptions& options_;
  std::vector<double>& w_;
  const std::size_t n_;
  std::deque<Pair> pairs_;
};

}  // namespace

double Minimize(const Objective& objective, const LbfgsOptions& options, std::vector<double>* w) {
  return Minimizer(objective, options, w).Run();
}

}  // namespace gyre::training
