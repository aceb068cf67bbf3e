#include "ml/statistics/curves.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ml/statistics/metrics.h"
#include "ml/statistics/reference_data.h"

namespace gyre::statistics {
namespace {

struct Point {
  std::size_t index;
  double x, y, threshold;
};
void ExpectPoint(const Curve& curve, const Point& point) {
  EXPECT_NEAR(curve.x[point.index], point.x, 1e-15);
  EXPECT_NEAR(curve.y[point.index], point.y, 1e-15);
  EXPECT_NEAR(curve.threshold[point.index], point.threshold, 1e-15);
}

// Literals: scikit-learn 1.9.1 on the rows of reference_data.h: roc_curve(drop_intermediate=False),
// precision_recall_curve, calibration_curve.
TEST(Curves, RocEqualsScikitLearn) {
  const BinaryRows rows = MakeBinaryRows(300);
  const auto curve = RocCurve(rows.labels, rows.p);
  ASSERT_TRUE(curve);
  ASSERT_EQ(curve->x.size(), 48u);
  for (const Point& point :
       {Point{1, 0.0, 0.010869565217391304, 0.96}, Point{10, 0.0, 0.33695652173913043, 0.78},
        Point{24, 0.27884615384615385, 0.75, 0.48000000000000004}, Point{47, 1, 1, 0.02}}) {
    ExpectPoint(*curve, point);
  }
  EXPECT_TRUE(std::isinf(curve->threshold[0]));
  double area = 0;
  for (std::size_t i = 1; i < curve->x.size(); ++i)
    area += (curve->x[i] - curve->x[i - 1]) * (curve->y[i] + curve->y[i - 1]) / 2;
  EXPECT_NEAR(area, *BinaryMetrics(rows.labels, rows.p)->Find("auc"), 1e-14);
}

TEST(Curves, PrecisionRecallEqualsScikitLearn) {
  const BinaryRows rows = MakeBinaryRows(300);
  const auto curve = PrecisionRecallCurve(rows.labels, rows.p);
  ASSERT_TRUE(curve);
  ASSERT_EQ(curve->x.size(), 48u);
  for (const Point& point :
       {Point{0, 1, 0.30666666666666664, 0.02}, Point{10, 1, 0.39316239316239315, 0.22},
        Point{30, 0.5434782608695652, 0.7692307692307693, 0.62}}) {
    ExpectPoint(*curve, point);
  }
  EXPECT_EQ(curve->x.back(), 0);
  EXPECT_EQ(curve->y.back(), 1);
}

TEST(Curves, ReliabilityEqualsScikitLearn) {
  const BinaryRows rows = MakeBinaryRows(300);
  const auto quantile = Reliability(rows.labels, rows.p, 5, Binning::kQuantile);
  ASSERT_TRUE(quantile);
  const double observed[] = {0.0, 0.15, 0.32727272727272727, 0.27419354838709675,
                             0.8421052631578947};
  const double predicted[] = {0.10454545454545451, 0.29366666666666674, 0.4276363636363639,
                              0.5596774193548386, 0.774736842105263};
  ASSERT_EQ(quantile->size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR((*quantile)[i].observed, observed[i], 1e-14);
    EXPECT_NEAR((*quantile)[i].predicted, predicted[i], 1e-14);
  }
  const auto uniform = Reliability(rows.labels, rows.p, 10, Binning::kUniform);
  ASSERT_TRUE(uniform);
  EXPECT_NEAR((*uniform)[4].observed, 0.32608695652173914, 1e-14);
  EXPECT_NEAR((*uniform)[6].predicted, 0.6453846153846153, 1e-14);
  EXPECT_NEAR(ExpectedCalibrationError(*Reliability(rows.labels, rows.p, 15, Binning::kUniform)),
              0.16939999999999997, 1e-14);
}

TEST(Curves, ThinningKeepsEndsAndOrder) {
  const BinaryRows rows = MakeBinaryRows(5000);
  std::vector<double> p = rows.p;
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = p[i] * 0.9 + static_cast<double>(i) * 1e-6;
  const auto curve = RocCurve(rows.labels, p);
  ASSERT_TRUE(curve);
  ASSERT_GT(curve->x.size(), 1000u);
  for (const std::size_t points_max : {2u, 3u, 50u, 200u}) {
    const Curve thin = Thin(*curve, points_max);
    EXPECT_LE(thin.x.size(), points_max);
    EXPECT_GE(thin.x.size(), points_max / 2);
    EXPECT_EQ(thin.x.front(), 0);
    EXPECT_EQ(thin.y.back(), 1);
    for (std::size_t i = 1; i < thin.x.size(); ++i) {
      EXPECT_GE(thin.x[i], thin.x[i - 1]);
      EXPECT_GE(thin.y[i], thin.y[i - 1]);
    }
  }
}

TEST(Curves, ResidualPointsAreBoundedAndKeepTheWorst) {
  RegressionRows rows = MakeRegressionRows(3000);
  rows.predicted[1234] = rows.truth[1234] - 500;
  const auto residuals = MakeResiduals(rows.truth, rows.predicted, 200);
  ASSERT_TRUE(residuals);
  EXPECT_LE(residuals->predicted.size(), 200u);
  EXPECT_GE(residuals->predicted.size(), 150u);
  EXPECT_EQ(*std::ranges::max_element(residuals->residual), 500);
  EXPECT_TRUE(std::ranges::is_sorted(residuals->predicted));
  EXPECT_EQ(MakeResiduals(std::span(rows.truth).first(1), std::span(rows.predicted).first(1), 200)
                ->predicted.size(),
            1u);
}

TEST(Curves, OneClassIsAnError) {
  const std::uint8_t labels[] = {1, 1};
  const double p[] = {0.1, 0.2};
  EXPECT_EQ(RocCurve(labels, p).error().gy(), "GY3002");
  EXPECT_EQ(PrecisionRecallCurve(labels, p).error().gy(), "GY3002");
  EXPECT_EQ(Reliability(labels, p, 0, Binning::kUniform).error().gy(), "GY3005");
}

}  // namespace
}  // namespace gyre::statistics
