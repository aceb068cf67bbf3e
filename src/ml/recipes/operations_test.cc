// What each operation computes, with numbers worked out by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "base/time.h"
#include "ml/recipes/recipe.h"

namespace gyre::recipes {
namespace {

using table::Column;
using table::Frame;
using table::Type;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
Column Doubles(std::vector<double> values) {
  Column column{"x", Type::kDouble, {}, {}, {}, {}};
  for (double v : values) v == v ? column.PushDouble(v) : column.PushNull();
  return column;
}
Column Ints(std::vector<std::int64_t> values, Type type = Type::kInt) {
  Column column{"x", type, {}, {}, {}, {}};
  for (std::int64_t v : values) column.PushInt(v);
  return column;
}
// A null pointer is a missing text.
Column Texts(std::vector<const char*> values) {
  Column column{"x", Type::kText, {}, {}, {}, {}};
  for (const char* v : values) v != nullptr ? column.PushText(v) : column.PushNull();
  return column;
}
Frame FrameOf(Column column) {
  Frame frame;
  frame.columns.push_back(std::move(column));
  return frame;
}

// One step over column x: fits on `train`, applies to `test`.
struct Outcome {
  std::vector<std::string> names;
  std::vector<std::vector<double>> rows;
};
Outcome RunStep(const std::string& op_and_args, const Column& train, const Column& test,
                const FitOptions& options = {}) {
  const auto spec = Spec::FromYaml(
      fmt::format("input: {{schema: {{x: {}}}}}\nsteps:\n  - {{id: s, in: x, {}}}\noutput: [s]\n",
                  table::TypeName(train.type), op_and_args));
  EXPECT_TRUE(spec.has_value()) << spec.error().ToString();
  const auto fitted = Fit(*spec, FrameOf(train), options);
  EXPECT_TRUE(fitted.has_value()) << fitted.error().ToString();
  const auto matrix = fitted->Apply(FrameOf(test));
  EXPECT_TRUE(matrix.has_value()) << matrix.error().ToString();
  Outcome outcome{fitted->output_names(), {}};
  for (std::size_t i = 0; i < matrix->rows; ++i)
    outcome.rows.emplace_back(matrix->row(i), matrix->row(i) + matrix->columns);
  return outcome;
}
std::vector<double> First(const Outcome& outcome) {
  std::vector<double> values;
  for (const auto& row : outcome.rows) values.push_back(row[0]);
  return values;
}
using Values = std::vector<double>;
using Names = std::vector<std::string>;

TEST(Operations, Impute) {
  const Column train = Doubles({1, 2, kMissing, 4, 9}), test = Doubles({kMissing, 7});
  EXPECT_EQ(First(RunStep("op: impute.mean", train, test)), (Values{4, 7}));
  EXPECT_EQ(First(RunStep("op: impute.median", train, test)), (Values{3, 7}));
  EXPECT_EQ(First(RunStep("op: impute.mode", Doubles({5, 3, 5, 3}), test)),
            (Values{3, 7}));  // a tie: the smaller
  EXPECT_EQ(First(RunStep("op: impute.constant, args: {value: -1}", train, test)), (Values{-1, 7}));
  EXPECT_EQ(First(RunStep("op: missing.flag", train, test)), (Values{1, 0}));
  EXPECT_EQ(First(RunStep("op: impute.mean", Doubles({1e308, 1.6e308}), test))[0],
            1.3e308);  // the sum would overflow
  EXPECT_EQ(First(RunStep("op: impute.median", Doubles({kMissing}), test))[0], 0);
}

TEST(Operations, ScaleLogClip) {
  const Column train = Doubles({2, 4, 4, 4, 5, 5, 7, 9});  // mean 5, deviation 2
  EXPECT_EQ(First(RunStep("op: scale.standard", train, Doubles({5, 9, 1}))), (Values{0, 2, -2}));
  EXPECT_EQ(First(RunStep("op: scale.standard", Doubles({3, 3}), Doubles({3, 4}))),
            (Values{0, 1}));  // constant: deviation 1
  EXPECT_EQ(First(RunStep("op: scale.quantile, args: {to: uniform, knots: 5}",
                          Doubles({0, 1, 2, 3, 4}), Doubles({-1, 0, 1, 2.5, 4, 5}))),
            (Values{0, 0, 0.25, 0.625, 1, 1}));
  const auto normal = First(RunStep("op: scale.quantile, args: {knots: 5}",
                                    Doubles({0, 1, 2, 3, 4}), Doubles({2, 1, 3, -9, 99})));
  EXPECT_EQ(normal[0], 0);
  EXPECT_NEAR(normal[1], -0.6744897501960817, 1e-6);
  EXPECT_NEAR(normal[2], 0.6744897501960817, 1e-6);
  EXPECT_NEAR(normal[3], -5.199337582192817, 1e-5);
  EXPECT_NEAR(normal[4], 5.199337582192817, 1e-5);
  EXPECT_EQ(First(RunStep("op: log1p", train, Doubles({0, -3, 3}))),
            (Values{0, -std::log1p(3.0), std::log1p(3.0)}));
  EXPECT_TRUE(
      std::isnan(First(RunStep("op: log1p, args: {signed: false}", train, Doubles({-2})))[0]));
  EXPECT_EQ(
      First(RunStep("op: clip, args: {by: bounds, low: 0, high: 3}", train, Doubles({-1, 2, 5}))),
      (Values{0, 2, 3}));
  EXPECT_EQ(First(RunStep("op: clip, args: {low: 0.25, high: 0.75}", Doubles({0, 10, 20, 30, 40}),
                          Doubles({-5, 20, 100}))),
            (Values{10, 20, 30}));
}

TEST(Operations, OneHot) {
  const Column train = Texts({"b", "a", "b", "c", nullptr, "c"}),
               test = Texts({"a", "b", "zzz", nullptr});
  const Outcome plain = RunStep("op: encode.onehot, args: {max: 2}", train, test);
  EXPECT_EQ(plain.names, (Names{"x=b", "x=c", "x=(other)"}));
  EXPECT_EQ(plain.rows, (std::vector<Values>{{0, 0, 1}, {1, 0, 0}, {0, 0, 1}, {0, 0, 0}}));
  const Outcome other =
      RunStep("op: encode.onehot, args: {rare: zeros, missing: column, min_count: 2}", train, test);
  EXPECT_EQ(other.names, (Names{"x=b", "x=c", "x=(missing)"}));
  EXPECT_EQ(other.rows, (std::vector<Values>{{0, 0, 0}, {1, 0, 0}, {0, 0, 0}, {0, 0, 1}}));
  EXPECT_EQ(RunStep("op: encode.onehot", Doubles({0.5, -0.0, 0.0, 1}),
                    test.size() == 0 ? train : Doubles({0}))
                .names,
            (Names{"x=0", "x=0.5", "x=1", "x=(other)"}));  // -0 is 0
}

TEST(Operations, OrdinalFrequencyHash) {
  const Column train = Texts({"b", "a", "b", nullptr}), test = Texts({"a", "b", "zzz", nullptr});
  const auto sorted = First(RunStep("op: encode.ordinal", train, test));
  EXPECT_EQ(Values(sorted.begin(), sorted.begin() + 3), (Values{0, 1, -1}));
  EXPECT_TRUE(std::isnan(sorted[3]));
  EXPECT_EQ(
      First(RunStep("op: encode.ordinal, args: {order: [b, zzz, a], missing: 9}", train, test)),
      (Values{2, 0, 1, 9}));
  EXPECT_EQ(First(RunStep("op: encode.frequency", train, test)), (Values{0.25, 0.5, 0, 0.25}));
  const auto hashed = First(RunStep("op: hash, args: {buckets: 10, to: number}", train, test));
  EXPECT_TRUE(hashed[0] >= 0 && hashed[0] < 10 && std::isnan(hashed[3]));
  const Outcome columns = RunStep("op: hash, args: {buckets: 4}", train, test);
  EXPECT_EQ(columns.rows[0][0] + columns.rows[0][1] + columns.rows[0][2] + columns.rows[0][3], 1);
  EXPECT_EQ(columns.rows[3], (Values{0, 0, 0, 0}));
}

TEST(Operations, TargetEncoding) {
  const Column train = Texts({"a", "a", "a", "b", nullptr});
  const Column label = Texts({"yes", "yes", "no", "no", "yes"});  // yes = 1, prior 0.6
  const auto values = First(RunStep("op: encode.target, args: {smoothing: 2}", train,
                                    Texts({"a", "b", "new", nullptr}), {.target = &label}));
  EXPECT_EQ(values, (Values{(2 + 2 * 0.6) / 5, (0 + 2 * 0.6) / 3, 0.6, (1 + 2 * 0.6) / 3}));
  const Column classes = Texts({"r", "g", "b", "g", "g"});
  const Outcome many =
      RunStep("op: encode.target, args: {smoothing: 0}", train, Texts({"a"}), {.target = &classes});
  EXPECT_EQ(many.names, (Names{"x~target:b", "x~target:g", "x~target:r"}));
  EXPECT_EQ(many.rows[0], (Values{1 / 3.0, 1 / 3.0, 1 / 3.0}));
  const Column number = Ints({10, 20, 30, 7, 1});
  EXPECT_EQ(First(RunStep("op: encode.target, args: {smoothing: 0}", train, Texts({"a", "b"}),
                          {.target = &number})),
            (Values{20, 7}));
  EXPECT_EQ(RunStep("op: encode.target", train, Texts({"a"}),
                    {.target = &number, .target_is_classes = true})
                .names.size(),
            5u);
}

// A category that stands for itself alone must not learn its own label.
TEST(Operations, OutOfFoldEncodingHidesTheOwnLabel) {
  Column train{"x", Type::kText, {}, {}, {}, {}}, label{"y", Type::kInt, {}, {}, {}, {}};
  for (int i = 0; i < 400; ++i) {
    train.PushText("unique" + std::to_string(i));
    label.PushInt(i % 2);
  }
  const auto spec = Spec::FromYaml(
      "input: {schema: {x: text}}\nsteps: [{id: s, in: x, op: encode.target, args: {smoothing: "
      "0}}]\noutput: [s]");
  const auto result = FitTransform(*spec, FrameOf(train), {.target = &label, .seed = 3});
  ASSERT_TRUE(result.has_value()) << result.error().ToString();
  const auto applied = result->fitted.Apply(FrameOf(train));
  for (std::size_t i = 0; i < 400; ++i) {
    EXPECT_EQ(applied->row(i)[0], static_cast<double>(i % 2));  // Apply knows the label of each
    EXPECT_GT(result->matrix.row(i)[0],
              0.3);  // the training matrix only the prior of the other folds
    EXPECT_LT(result->matrix.row(i)[0], 0.7);
  }
  const auto again = FitTransform(*spec, FrameOf(train), {.target = &label, .seed = 3});
  EXPECT_EQ(again->matrix.values, result->matrix.values);
}

TEST(Operations, DateParts) {
  const auto day = [](int y, int m, int d) { return DaysFromCivil(y, m, d); };
  const Column dates =
      Ints({day(2024, 2, 29), day(1900, 1, 1), day(2023, 12, 31), INT64_MAX}, Type::kDate);
  const Outcome parts = RunStep("op: datetime.parts", dates, dates);
  EXPECT_EQ(parts.names,
            (Names{"x~year", "x~month", "x~day", "x~weekday", "x~day_of_year", "x~epoch_days"}));
  EXPECT_EQ(parts.rows[0], (Values{2024, 2, 29, 3, 60, 19782}));
  EXPECT_EQ(parts.rows[1], (Values{1900, 1, 1, 0, 1, -25567}));
  EXPECT_EQ(parts.rows[2], (Values{2023, 12, 31, 6, 365, 19722}));
  EXPECT_TRUE(std::isnan(parts.rows[3][0]));
  const Column times =
      Ints({(day(1969, 12, 31) * 86'400 + 23 * 3600 + 59 * 60) * kMicrosPerSecond + 1},
           Type::kTimestamp);
  EXPECT_EQ(RunStep("op: datetime.parts, args: {parts: [hour, minute, is_weekend, epoch_seconds]}",
                    times, times)
                .rows[0],
            (Values{23, 59, 0, -60}));
  const Outcome round = RunStep("op: datetime.cyclic, args: {parts: [month]}", dates, dates);
  EXPECT_EQ(round.names, (Names{"x~month_sin", "x~month_cos"}));
  EXPECT_NEAR(round.rows[0][0], std::sqrt(3.0) / 2, 1e-15);
  EXPECT_NEAR(round.rows[0][1], 0.5, 1e-15);
}

TEST(Operations, TextGrams) {
  const Column train = Texts({"Good film", "good, GOOD plot!", "bad film", nullptr, "bad plot"});
  const Outcome counts = RunStep("op: text.ngrams, args: {weight: count, norm: none, max: 1}",
                                 train, Texts({"good good bad", "", nullptr, "new"}));
  EXPECT_EQ(counts.names, (Names{"x~word:bad", "x~word:film", "x~word:good", "x~word:plot"}));
  EXPECT_EQ(counts.rows,
            (std::vector<Values>{{1, 0, 2, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}));
  const Outcome pairs =
      RunStep("op: text.ngrams, args: {weight: binary, norm: none, min: 2, min_rows: 1}", train,
              Texts({"a good film"}));
  EXPECT_EQ(pairs.names, (Names{"x~word:bad film", "x~word:bad plot", "x~word:good film",
                                "x~word:good good", "x~word:good plot"}));
  EXPECT_EQ(pairs.rows[0], (Values{0, 0, 1, 0, 0}));
  const auto tfidf =
      RunStep("op: text.ngrams, args: {max: 1}", train, Texts({"good film"})).rows[0];
  EXPECT_NEAR(tfidf[1], 1 / std::sqrt(2.0),
              1e-15);  // both words stand in two rows: equal weights, unit length
  EXPECT_NEAR(tfidf[2], 1 / std::sqrt(2.0), 1e-15);
  const Outcome hashed =
      RunStep("op: text.ngrams, args: {to: hash, columns: 16, weight: count, norm: none}", train,
              Texts({"good film"}));
  double sum = 0;
  for (double v : hashed.rows[0]) sum += v;
  EXPECT_EQ(sum, 3);  // two words, one pair
  // Chi-square: `good` tells the label, `the` does not although it is more frequent.
  const Column told = Texts({"the good", "the good", "the bad", "the bad"}),
               label = Texts({"1", "1", "0", "0"});
  EXPECT_EQ(
      RunStep("op: text.ngrams, args: {max: 1, columns: 2}", told, told, {.target = &label}).names,
      (Names{"x~word:bad", "x~word:good"}));
}

TEST(Operations, TextBayesAndLength) {
  const Column train = Texts({"good", "good", "bad", "bad"}), label = Texts({"1", "1", "0", "0"});
  const auto score =
      First(RunStep("op: text.bayes", train, Texts({"good", "bad", "good bad", "unknown", nullptr}),
                    {.target = &label}));
  EXPECT_NEAR(score[0], std::log(3.0), 1e-15);  // (2 + 1) / (2 + 2) against (0 + 1) / (2 + 2)
  EXPECT_NEAR(score[1], -std::log(3.0), 1e-15);
  EXPECT_NEAR(score[2], 0, 1e-15);
  EXPECT_EQ(score[3], 0);
  EXPECT_EQ(score[4], 0);
  const Outcome length = RunStep("op: text.length", train, Texts({"Ab 12 \xc3\xbc", ""}));
  EXPECT_EQ(length.names,
            (Names{"x~chars", "x~words", "x~word_length", "x~upper_share", "x~digit_share"}));
  EXPECT_EQ(length.rows[0], (Values{7, 3, 2, 1 / 7.0, 2 / 7.0}));
  EXPECT_EQ(length.rows[1], (Values{0, 0, 0, 0, 0}));
}

TEST(Operations, Cast) {
  const auto values = First(RunStep("op: cast, args: {to: double}", Texts({"1"}),
                                    Texts({" 2.5 ", "x", nullptr, "-inf"})));
  EXPECT_EQ(values[0], 2.5);
  EXPECT_TRUE(std::isnan(values[1]) && std::isnan(values[2]));
  EXPECT_EQ(values[3], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(First(RunStep("op: cast, args: {to: int}", Doubles({1}), Doubles({-2.9, 3e9}))),
            (Values{-2, 3e9}));
  EXPECT_TRUE(
      std::isnan(First(RunStep("op: cast, args: {to: int}", Doubles({1}), Doubles({1e19})))[0]));
  const auto as_text = [](const Column& column) {
    const auto spec = Spec::FromYaml(fmt::format(
        "input: {{schema: {{x: {}}}}}\nsteps: [{{id: c, op: cast, in: x, args: {{to: text}}}}, "
        "{{id: s, op: encode.onehot, in: c, args: {{rare: zeros}}}}]\noutput: [s]",
        table::TypeName(column.type)));
    return Fit(*spec, FrameOf(column), {})->output_names();
  };
  EXPECT_EQ(as_text(Ints({19782}, Type::kDate)), (Names{"x=2024-02-29"}));
  EXPECT_EQ(as_text(Ints({0, 1'709'251'199'000'007}, Type::kTimestamp)),
            (Names{"x=1970-01-01T00:00:00Z", "x=2024-02-29T23:59:59.000007Z"}));
  EXPECT_EQ(as_text(Doubles({-0.0, 1e-7})), (Names{"x=0", "x=1e-07"}));
  EXPECT_EQ(
      First(RunStep("op: cast, args: {to: bool}", Texts({"yes"}), Texts({"YES", "0", "False"}))),
      (Values{1, 0, 0}));
}

}  // namespace
}  // namespace gyre::recipes
