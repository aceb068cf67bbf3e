#include "ml/statistics/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ml/statistics/quantiles.h"
#include "ml/statistics/reference_data.h"
#include "ml/statistics/resampling.h"

namespace gyre::statistics {
namespace {

Scored Binary(const BinaryRows& rows) { return *Scored::Binary(rows.labels, rows.p); }

// Literals: numpy 2.4.6.
TEST(Resampling, EqualsNumpy) {
  Pcg64 random(7);
  for (const std::uint32_t expected : {283u, 187u, 205u, 269u, 173u, 232u, 250u, 67u})
    EXPECT_EQ(random.Below(300), expected);
  Pcg64 wide((std::uint64_t{1} << 40) + 5);
  for (const std::uint32_t expected : {30406389u, 10177911u, 966304139u})
    EXPECT_EQ(wide.Below(std::uint32_t{1} << 31), expected);
  Pcg64 unit(7);
  EXPECT_EQ(unit.Uniform(), 0.625095466604667);
}

TEST(Quantiles, EqualNumpy) {
  const double qs[] = {0, .1, .37, .5, .99, 1};
  const std::vector<double> expected = {0.08389880321919918, 0.12472031963989139,
                                        0.21122386772185564, 0.3086515162140131,
                                        0.9230882496573032,  0.9476279253140092};
  const std::vector<double> got = Quantiles(Lcg(1, 11), qs);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_DOUBLE_EQ(got[i], expected[i]);
  EXPECT_TRUE(std::isnan(Quantiles({}, qs)[0]));
}

// Literals: scipy 1.17.1 norm.ppf.
TEST(Normal, QuantileEqualsScipy) {
  EXPECT_DOUBLE_EQ(NormalQuantile(1e-300), -37.0470962993612);
  EXPECT_DOUBLE_EQ(NormalQuantile(1e-10), -6.361340902404056);
  EXPECT_DOUBLE_EQ(NormalQuantile(0.025), -1.9599639845400545);
  EXPECT_DOUBLE_EQ(NormalQuantile(0.3), -0.5244005127080409);
  EXPECT_NEAR(NormalQuantile(0.5), 0, 1e-16);
  EXPECT_DOUBLE_EQ(NormalQuantile(0.975), 1.959963984540054);
}

struct Expected {
  IntervalKind kind;
  const char* metric;
  double lower, upper;
};

// Literals: scipy.stats.bootstrap of scipy 1.17.1 over row numbers, 999 resamples, rng =
// numpy.random.default_rng(seed).
TEST(Bootstrap, EqualsScipy) {
  const Scored scored = Binary(MakeBinaryRows(300));
  for (const Expected& e :
       {Expected{IntervalKind::kPercentile, "auc", 0.8182063677537619, 0.9013757020562271},
        Expected{IntervalKind::kPercentile, "log_loss", 0.4237180666059393, 0.4895095491392151},
        Expected{IntervalKind::kBca, "auc", 0.8160230929458083, 0.8990772105339784},
        Expected{IntervalKind::kBca, "log_loss", 0.4231891810047738, 0.48931852793246156}}) {
    const auto set = Bootstrap(scored, {.resamples = 999, .seed = 7, .kind = e.kind});
    ASSERT_TRUE(set);
    EXPECT_NEAR(set->Find(e.metric)->lower, e.lower, 1e-12) << e.metric;
    EXPECT_NEAR(set->Find(e.metric)->upper, e.upper, 1e-12) << e.metric;
  }
}

TEST(Bootstrap, RegressionEqualsScipy) {
  const RegressionRows rows = MakeRegressionRows(151);
  const auto scored = Scored::Regression(rows.truth, rows.predicted);
  ASSERT_TRUE(scored);
  for (const Expected& e :
       {Expected{IntervalKind::kPercentile, "medae", 4.209766512736678, 5.442164909094572},
        Expected{IntervalKind::kPercentile, "r2", 0.9572706108150406, 0.9689671162438661},
        Expected{IntervalKind::kBca, "medae", 4.156789718195796, 5.442164909094572},
        Expected{IntervalKind::kBca, "r2", 0.9574358062316555, 0.9692153646791641}}) {
    const auto set =
        Bootstrap(*scored, {.resamples = 999, .confidence = 0.9, .seed = 0, .kind = e.kind});
    ASSERT_TRUE(set);
    EXPECT_NEAR(set->Find(e.metric)->lower, e.lower, 1e-12) << e.metric;
    EXPECT_NEAR(set->Find(e.metric)->upper, e.upper, 1e-12) << e.metric;
  }
}

TEST(PairedBootstrap, EqualsScipy) {
  const Scored a = Binary(MakeBinaryRows(300, 1, 2)), b = Binary(MakeBinaryRows(300, 1, 3));
  for (const Expected& e :
       {Expected{IntervalKind::kPercentile, "auc", -0.062090840505309414, 0.06694865240430692},
        Expected{IntervalKind::kBca, "auc", -0.0679999043279831, 0.06523938342875812}}) {
    const auto result = PairedBootstrap(a, b, {.resamples = 999, .seed = 7, .kind = e.kind});
    ASSERT_TRUE(result);
    EXPECT_NEAR(result->Find("auc")->gain, 0.0025344899665551424, 1e-12);
    EXPECT_NEAR(result->Find("auc")->lower, e.lower, 1e-12);
    EXPECT_NEAR(result->Find("auc")->upper, e.upper, 1e-12);
  }
}

TEST(PairedBootstrap, IdenticalModelsDifferByNothing) {
  const Scored scored = Binary(MakeBinaryRows(200));
  for (const IntervalKind kind : {IntervalKind::kPercentile, IntervalKind::kBca}) {
    const auto result = PairedBootstrap(scored, scored, {.resamples = 100, .kind = kind});
    ASSERT_TRUE(result);
    for (const MetricGain& gain : result->metrics) {
      EXPECT_EQ(gain.gain, 0) << gain.info->name;
      EXPECT_EQ(gain.lower, 0) << gain.info->name;
      EXPECT_EQ(gain.upper, 0) << gain.info->name;
    }
  }
}

TEST(PairedBootstrap, SwappingTheModelsMirrorsTheGain) {
  const Scored a = Binary(MakeBinaryRows(200, 1, 2)), b = Binary(MakeBinaryRows(200, 1, 3));
  const auto forth = PairedBootstrap(a, b, {.resamples = 101}),
             back = PairedBootstrap(b, a, {.resamples = 101});
  ASSERT_TRUE(forth && back);
  for (std::size_t i = 0; i < forth->metrics.size(); ++i) {
    EXPECT_DOUBLE_EQ(forth->metrics[i].gain, -back->metrics[i].gain);
    EXPECT_NEAR(forth->metrics[i].lower, -back->metrics[i].upper, 1e-14);
  }
}

TEST(Bootstrap, SameSeedSameBits) {
  const Scored scored = Binary(MakeBinaryRows(500));
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto once = Bootstrap(scored, {.resamples = 50, .seed = seed}),
               again = Bootstrap(scored, {.resamples = 50, .seed = seed});
    const auto other = Bootstrap(scored, {.resamples = 50, .seed = seed + 100});
    ASSERT_TRUE(once && again && other);
    bool all_same = true;
    for (std::size_t i = 0; i < once->metrics.size(); ++i) {
      EXPECT_EQ(once->metrics[i].lower, again->metrics[i].lower);
      EXPECT_EQ(once->metrics[i].upper, again->metrics[i].upper);
      EXPECT_LE(once->metrics[i].lower, once->metrics[i].upper);
      all_same = all_same && once->metrics[i].lower == other->metrics[i].lower;
    }
    EXPECT_FALSE(all_same);
  }
}

TEST(Bootstrap, RareClassLeavesTheIntervalUndefined) {
  std::vector<std::uint8_t> labels(50, 0);
  labels[3] = 1;
  std::vector<double> p(50, 0.1);
  p[3] = 0.9;
  const auto set = Bootstrap(*Scored::Binary(labels, p), {.resamples = 200});
  ASSERT_TRUE(set);
  EXPECT_EQ(set->Find("auc")->estimate, 1);
  EXPECT_TRUE(std::isnan(set->Find("auc")->lower))
      << "about a third of the resamples have no positive row";
  EXPECT_FALSE(std::isnan(set->Find("log_loss")->lower));
}

TEST(Bootstrap, OneRow) {
  const double truth[] = {1}, predicted[] = {3};
  const auto set = Bootstrap(*Scored::Regression(truth, predicted),
                             {.resamples = 10, .kind = IntervalKind::kBca});
  ASSERT_TRUE(set);
  EXPECT_EQ(set->Find("mae")->lower, 2);
  EXPECT_EQ(set->Find("r2"), nullptr);
}

TEST(Bootstrap, BadOptionsAreNamed) {
  const Scored scored = Binary(MakeBinaryRows(20));
  EXPECT_EQ(Bootstrap(scored, {.resamples = 1}).error().gy(), "GY3005");
  EXPECT_EQ(Bootstrap(scored, {.confidence = 1}).error().gy(), "GY3005");
  EXPECT_EQ(PairedBootstrap(scored, Binary(MakeBinaryRows(21)), {}).error().gy(), "GY3001");
}

}  // namespace
}  // namespace gyre::statistics
