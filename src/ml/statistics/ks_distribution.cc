// The Kolmogorov-Smirnov distribution. Exact for two samples by the lattice paths that leave a band
// (Viehmann 2021, Hodges 1958); for one sample by the branches of Simard and L'Ecuyer (2011), each
// of which is precise where the others cancel or cost too much.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <tuple>
#include <vector>

#include "ml/statistics/two_samples.h"

namespace gyre::statistics {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr std::size_t kExactMax = 10'000;
constexpr int kScaleBits = 128;  // of intermediate values that would leave a double
const double kScaleUp = std::ldexp(1.0, kScaleBits), kScaleDown = std::ldexp(1.0, -kScaleBits);

double Clip(double p) { return std::clamp(p, 0.0, 1.0); }

// Two samples of n values: paths that leave the band of half width h, as a product that does not
// cancel.
double OutsideSquare(std::int64_t n, std::int64_t h) {
  double p = 0;
  for (std::int64_t k = n / h; k >= 0; --k) {
    double share = 1;
    for (std::int64_t j = 0; j < h; ++j)
      share = static_cast<double>(n - k * h - j) * share / static_cast<double>(n + k * h + j + 1);
    p = share * (1 - p);
  }
  return 2 * p;
}

std::int64_t CeilDiv(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
std::int64_t FloorDiv(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -CeilDiv(-a, b); }

// m > n values: the share of all paths to (i, j) that touched |i/m - j/n| >= h/lcm, column by
// column; of a column only the window inside the band is kept, outside it is 1.
double OutsideBand(std::int64_t m, std::int64_t n, std::int64_t gcd, std::int64_t h) {
  const std::int64_t mg = m / gcd, ng = n / gcd;
  std::int64_t low = 0, high = std::min(CeilDiv(h, mg), n + 1);
  std::vector<double> share(static_cast<std::size_t>(std::min(2 * high + 2, n + 1)), 1.0);
  std::fill_n(share.begin(), high - low, 0.0);
  for (std::int64_t i = 1; i <= m; ++i) {
    const std::int64_t last_low = low, last_length = high - low;
    low = std::min(std::max(FloorDiv(ng * i - h, mg) + 1, std::int64_t{0}), n);
    high = std::min(CeilDiv(ng * i + h, mg), n + 1);
    if (high <= low) return 1;
    double value = low == 0 ? 0 : 1;
    for (std::int64_t j = low; j < high; ++j) {
      value = (share[static_cast<std::size_t>(j - last_low)] * static_cast<double>(i) +
               value * static_cast<double>(j)) /
              static_cast<double>(i + j);
      share[static_cast<std::size_t>(j - low)] = value;
    }
    for (std::int64_t at = high - low; at < last_length; ++at)
      share[static_cast<std::size_t>(at)] = 1;
  }
  return share[static_cast<std::size_t>(high - low - 1)];
}

// log(n!) = (n + 1/2) log n - n + log(2 pi) / 2 + this.
double StirlingError(double n) {
  if (n < 16) return std::lgamma(n + 1) - (n + 0.5) * std::log(n) + n - 0.5 * std::log(2 * kPi);
  const double r = 1 / (n * n);
  return (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / n;
}

// x log(x / m) + m - x, without cancellation where x is near m.
double Deviance(double x, double m) {
  if (std::abs(x - m) >= 0.1 * (x + m)) return x * std::log(x / m) + m - x;
  const double v = (x - m) / (x + m);
  double sum = (x - m) * v, term = 2 * x * v;
  for (int j = 1; j < 1000; ++j) {
    term *= v * v;
    const double next = sum + term / (2 * j + 1);
    if (next == sum) break;
    sum = next;
  }
  return sum;
}

// Binomial probability of j of n at p = d + j / n (Loader 2000: to the last digits).
double BinomialAt(double j, double n, double d) {
  if (j == 0) return std::exp(n * std::log1p(-d));
  const double rest = n - j, expected_rest = rest - n * d;
  if (expected_rest <= 0) return 0;
  return std::exp(StirlingError(n) - StirlingError(j) - StirlingError(rest) -
                  Deviance(j, j + n * d) - Deviance(rest, expected_rest)) *
         std::sqrt(n / (2 * kPi * j * rest));
}

// One-sided: d * sum over j of C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j).
double Smirnov(std::int64_t n, double d) {
  constexpr std::int64_t kTerms = 4096;
  const auto size = static_cast<double>(n);
  const auto last = static_cast<std::int64_t>(std::floor(size * (1 - d)));
  // Of many values the terms are a smooth curve that is flat 0 at both ends (n d^2 > 2 here), whose
  // sum the trapezoidal rule finds from few of them to the last digits.
  const std::int64_t stride = std::max(std::int64_t{1}, n / kTerms);
  double sum = 0;
  for (std::int64_t j = 0; j <= last; j += stride) {
    const auto at = static_cast<double>(j);
    sum += BinomialAt(at, size, d) / (d + at / size);
  }
  return Clip(d * sum * static_cast<double>(stride));
}

struct Square {
  std::size_t size;
  std::vector<double> cells;
  explicit Square(std::size_t n) : size(n), cells(n * n) {}
  double& At(std::size_t i, std::size_t j) { return cells[i * size + j]; }
  double At(std::size_t i, std::size_t j) const { return cells[i * size + j]; }
};
Square Product(const Square& a, const Square& b) {
  Square out(a.size);
  for (std::size_t i = 0; i < a.size; ++i) {
    for (std::size_t k = 0; k < a.size; ++k) {
      const double factor = a.At(i, k);
      for (std::size_t j = 0; j < a.size; ++j) out.At(i, j) += factor * b.At(k, j);
    }
  }
  return out;
}

Square DurbinMatrix(std::size_t m, double h) {
  std::vector<double> edge(m), inverse_factorial(m);
  double factor = 1;
  for (std::size_t j = 1; j <= m; ++j) {
    inverse_factorial[j - 1] = factor;
    factor /= static_cast<double>(j);
    edge[j - 1] = (1 - std::pow(h, static_cast<double>(j))) * factor;
  }
  const auto power = static_cast<double>(m);
  edge[m - 1] = (1 + std::pow(std::max(2 * h - 1, 0.0), power) - 2 * std::pow(h, power)) * factor;
  Square matrix(m);
  for (std::size_t j = 1; j < m; ++j) {
    for (std::size_t i = j - 1; i < m; ++i) matrix.At(i, j) = inverse_factorial[i - (j - 1)];
  }
  for (std::size_t i = 0; i < m; ++i) {
    matrix.At(i, 0) = edge[i];
    matrix.At(m - 1, i) = edge[m - 1 - i];
  }
  return matrix;
}

// P(D_n <= d) by the n-th power of a matrix: Durbin (1968), Marsaglia, Tsang and Wang (2003).
double DurbinCdf(std::int64_t n, double d) {
  const double nd = static_cast<double>(n) * d;
  const auto k = static_cast<std::size_t>(std::ceil(nd));
  Square base = DurbinMatrix(2 * k - 1, static_cast<double>(k) - nd);
  Square power(base.size);
  for (std::size_t i = 0; i < base.size; ++i) power.At(i, i) = 1;
  int exponent = 0, base_exponent = 0;
  for (std::int64_t left = n; left > 0; left /= 2) {
    if (left % 2 != 0) {
      power = Product(power, base);
      exponent += base_exponent;
    }
    if (left == 1) break;
    base = Product(base, base);
    base_exponent *= 2;
    if (std::abs(base.At(k - 1, k - 1)) > kScaleUp) {
      for (double& cell : base.cells) cell *= kScaleDown;
      base_exponent += kScaleBits;
    }
  }
  double p = power.At(k - 1, k - 1);
  for (std::int64_t i = 1; i <= n; ++i) {
    p = static_cast<double>(i) * p / static_cast<double>(n);
    if (std::abs(p) < kScaleDown) {
      p *= kScaleUp;
      exponent -= kScaleBits;
    }
  }
  return Clip(std::ldexp(p, exponent));
}

// First and last index of row i of Pomeranz's table.
struct PomeranzRows {
  std::int64_t n, whole, up, half;  // floor(nd); is the fraction above 0; above 1/2
  std::pair<std::int64_t, std::int64_t> At(std::int64_t i) const {
    std::int64_t first = -whole - up - 1, last = whole + up - 1;
    const std::int64_t middle = (i + 1) / 2;
    if (i > 0 && i % 2 == 0) {
      first = middle - 1 - whole - 1;
      last = middle + whole + half - 1;
    } else if (i > 0 && middle == n + 1) {
      first = n - whole - up - 1;
      last = n + whole + up - 1;
    } else if (i > 0) {
      first = middle - 1 - whole - half - 1;
      last = middle + whole - 1 + up - 1;
    }
    return {std::max(first + 2, std::int64_t{0}), std::min(last, n)};
  }
};

// step^m / m!
std::vector<double> PoissonPowers(double step, std::size_t count) {
  std::vector<double> powers(count);
  powers[0] = 1;
  for (std::size_t m = 1; m < count; ++m) powers[m] = powers[m - 1] * step / static_cast<double>(m);
  return powers;
}

// P(D_n <= d) by Pomeranz's recursion (1974).
double PomeranzCdf(std::int64_t n, double d) {
  const double nd = static_cast<double>(n) * d, whole = std::floor(nd), fraction = nd - whole;
  const double g = std::min(fraction, 1 - fraction), size = static_cast<double>(n);
  const PomeranzRows rows{n, static_cast<std::int64_t>(whole), fraction > 0, fraction > 0.5};
  const auto count = static_cast<std::size_t>(2 * (rows.whole + 1));
  const auto ends = PoissonPowers(g / size, count), odd = PoissonPowers(2 * g / size, count),
             even = PoissonPowers((1 - 2 * g) / size, count);
  std::vector<double> row(count), next(count);
  row[0] = 1;
  int exponent = 0;
  auto [first, last] = rows.At(0);
  for (std::int64_t i = 1; i <= 2 * n + 1; ++i) {
    const std::int64_t from = first;
    std::tie(first, last) = rows.At(i);
    const std::vector<double>& powers = i == 1 || i == 2 * n + 1 ? ends : i % 2 != 0 ? odd : even;
    std::fill(next.begin(), next.end(), 0.0);
    double largest = 0;
    for (std::int64_t j = first; j <= last; ++j) {
      double sum = 0;
      for (std::int64_t k = from; k <= j; ++k) {
        const auto at = static_cast<std::size_t>(k - from), gap = static_cast<std::size_t>(j - k);
        if (at < count && gap < count) sum += row[at] * powers[gap];
      }
      next[static_cast<std::size_t>(j - first)] = sum;
      largest = std::max(largest, sum);
    }
    if (largest > 0 && largest < kScaleDown) {
      for (double& value : next) value *= kScaleUp;
      exponent -= kScaleBits;
    }
    row.swap(next);
  }
  double p = row[static_cast<std::size_t>(n - first)];
  for (std::int64_t m = 1; m <= n; ++m) {
    if (std::abs(p) > kScaleUp) {
      p *= kScaleDown;
      exponent += kScaleBits;
    }
    p *= static_cast<double>(m);
  }
  return Clip(std::ldexp(p, exponent));
}

// P(D_n <= d) for large n: Pelz and Good (1976), K0 + K1/sqrt(n) + K2/n + K3/n^1.5.
double PelzGoodCdf(std::int64_t n, double d) {
  const double root = std::sqrt(static_cast<double>(n)), z = root * d;
  const double z2 = z * z, z3 = z2 * z, z4 = z2 * z2, z6 = z4 * z2, z7 = z6 * z, z8 = z4 * z4;
  const double pi2 = kPi * kPi, pi4 = pi2 * pi2, pi6 = pi4 * pi2;
  const double log_q = -pi2 / 8 / z2;
  if (log_q < -708) return 0;
  const double q = std::exp(log_q);
  double sums[4] = {0, 0, 0, 0};
  const int terms = static_cast<int>(std::ceil(16 * z / kPi));
  for (int k = terms; k > 0; --k) {
    const double m2 = (2.0 * k - 1) * (2.0 * k - 1), m4 = m2 * m2, m6 = m4 * m2;
    const double power = std::pow(q, 8 * k);
    const double next[4] = {
        1, -z2 + pi2 / 4 * m2,
        6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * pi2 / 4 * m2 + pi4 * (1 - 2 * z2) / 16 * m4,
        -30 * z6 - 90 * z8 + pi2 * (135 * z4 - 96 * z6) / 4 * m2 +
            pi4 * (-60 * z2 + 212 * z4) / 16 * m4 + pi6 * (5 - 30 * z2) / 64 * m6};
    for (int i = 0; i < 4; ++i) sums[i] = sums[i] * power + next[i];
  }
  const double scale = q * std::sqrt(2 * kPi);
  const double below[4] = {z, 6 * z4, 72 * z7, 6480 * z7 * z3};
  for (int i = 0; i < 4; ++i) sums[i] *= scale / below[i];
  const double q2 = std::exp(-pi2 / 2 / z2);
  double second = 0, third = 0;
  for (int k = terms; k > 0; --k) {
    const double kk = static_cast<double>(k) * k, power = std::pow(q2, kk);
    second += kk * power;
    third += (3 * z2 - pi2 * kk) * kk * power;
  }
  sums[2] += second * pi2 * std::sqrt(2 * kPi) / (-36 * z3);
  sums[3] += third * pi2 * std::sqrt(2 * kPi) / (216 * z6);
  return sums[0] + sums[1] / root + sums[2] / (root * root) + sums[3] / (root * root * root);
}

// nd <= 1: n! ((2nd - 1) / n)^n.
double RubenGambinoCdf(std::int64_t n, double nd) {
  if (nd <= 0.5) return 0;
  const auto size = static_cast<double>(n);
  return std::exp(0.5 * std::log(2 * kPi * size) - size + StirlingError(size) +
                  size * std::log(2 * nd - 1));
}

}  // namespace

double KsOneSampleP(double d, std::int64_t n) {
  const auto size = static_cast<double>(n);
  const double nd = size * d, ndd = nd * d;
  if (d >= 1) return 0;
  if (nd <= 0.5) return 1;
  if (nd <= 1) return Clip(1 - RubenGambinoCdf(n, nd));
  if (nd >= size - 1) return Clip(2 * std::pow(1 - d, size));
  if (d >= 0.5) return Clip(2 * Smirnov(n, d));
  if (n <= 140) {
    if (ndd <= 0.754693) return 1 - DurbinCdf(n, d);
    return ndd <= 4 ? 1 - PomeranzCdf(n, d) : Clip(2 * Smirnov(n, d));
  }
  if (ndd >= 370) return 0;
  if (ndd >= 2.2) return Clip(2 * Smirnov(n, d));
  const bool small = n <= 100'000 && size * std::pow(d, 1.5) <= 1.4;
  return Clip(1 - (small ? DurbinCdf(n, d) : PelzGoodCdf(n, d)));
}

double KsTwoSampleP(double d, std::size_t n1, std::size_t n2) {
  const auto m = static_cast<std::int64_t>(std::max(n1, n2)),
             n = static_cast<std::int64_t>(std::min(n1, n2));
  const double wide = static_cast<double>(m), narrow = static_cast<double>(n);
  if (std::max(n1, n2) <= kExactMax) {
    const std::int64_t gcd = std::gcd(m, n), lcm = m / gcd * n;
    const auto h = static_cast<std::int64_t>(std::nearbyint(d * static_cast<double>(lcm)));
    if (h == 0) return 1;
    const double p = m == n ? OutsideSquare(n, h) : OutsideBand(m, n, gcd, h);
    if (p >= 0 && p <= 1) return p;
  }
  // nearbyint rounds halves to even, as numpy does.
  const double together = std::nearbyint(wide * narrow / (wide + narrow));
  return KsOneSampleP(d, static_cast<std::int64_t>(together));
}

}  // namespace gyre::statistics
