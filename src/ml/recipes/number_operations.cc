// Numbers to numbers: pass, impute, flag, scale, log, clip.
#include <algorithm>
#include <cmath>

#include "ml/recipes/kernel.h"
#include "ml/statistics/exact_sum.h"

namespace gyre::recipes {
namespace {

using KernelResult = Result<std::unique_ptr<Kernel>>;

std::vector<double> FiniteValues(const FitInput& input) {
  std::vector<double> values;
  values.reserve(input.rows);
  ForNumbers(input.in, input.rows, [&](std::size_t, double x) {
    if (std::isfinite(x))
      values.push_back(x == 0 ? 0.0 : x);  // one zero, so that ties keep no trace of the order
  });
  return values;
}

double Mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  statistics::ExactSum sum;
  for (double x : values) sum.Add(x);
  const double total = sum.Value();
  const auto count = static_cast<double>(values.size());
  if (std::isfinite(total)) return total / count;
  sum.Clear();  // the sum overflows, the mean does not
  for (double x : values) sum.Add(x / count);
  return sum.Value();
}

// Linear interpolation between order statistics at (n - 1) q; exact selection, so the order of rows
// does not matter.
double SortedQuantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const double fraction = position - static_cast<double>(below);
  if (fraction == 0 || below + 1 >= sorted.size()) return sorted[below];
  return sorted[below] * (1 - fraction) + sorted[below + 1] * fraction;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const std::size_t middle = (values.size() - 1) / 2;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(middle);
  std::nth_element(values.begin(), at, values.end());
  const double low = *at;
  if (values.size() % 2 == 1) return low;
  const double high = *std::min_element(at + 1, values.end());
  return low * 0.5 + high * 0.5;
}

// --- number --------------------------------------------------------------------------------------
struct Pass {
  double Eval(double x) const { return x; }
};
KernelResult LoadPass(table::Type, const Json&, const Json&) {
  return std::make_unique<NumberKernel<Pass>>(Pass{});
}

// --- impute --------------------------------------------------------------------------------------
struct Fill {
  double value;
  double Eval(double x) const { return x != x ? value : x; }
};

class FillText final : public Kernel {
 public:
  explicit FillText(std::string value) : value_(std::move(value)) {}
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace&) const override {
    for (std::size_t i = 0; i < rows; ++i)
      out.texts[i] = in.texts[i].data() == nullptr ? std::string_view(value_) : in.texts[i];
  }

 private:
  std::string value_;
};

Json FillState(double value) { return Json::Obj({{"fill", DoubleToJson(value)}}); }
Result<Json> FitMean(const FitInput& input, std::vector<double>*) {
  return FillState(Mean(FiniteValues(input)));
}
Result<Json> FitMedian(const FitInput& input, std::vector<double>*) {
  return FillState(Median(FiniteValues(input)));
}

Result<Json> FitMode(const FitInput& input, std::vector<double>*) {
  const auto& counts = input.distinct.counts;
  Json keys = Json(Json::Array());
  if (!counts.empty()) {
    const auto most =
        static_cast<std::uint32_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
    keys = input.distinct.dictionary.Pick({most}).ToJson();
  }
  return Json::Obj({{"fill", keys}});
}

Result<Json> FitConstant(const FitInput& input, std::vector<double>*) {
  const Json& value = input.args["value"];
  if (input.type == table::Type::kText) {
    Json keys = Json(Json::Array());
    keys.Push(value);
    return Json::Obj({{"fill", keys}});
  }
  return FillState(value.is_bool() ? (value.AsBool() ? 1.0 : 0.0) : value.AsDouble());
}

Result<ValueType> ConstantResult(table::Type in, const Json& args) {
  const Json& value = args["value"];
  if (in == table::Type::kText ? !value.is_string() : !value.is_number() && !value.is_bool()) {
    return InvalidArgument("GY3103", "`value` must be a {} for a column of type {}",
                           in == table::Type::kText ? "text" : "number", table::TypeName(in));
  }
  return GivesSame(in, args);
}

KernelResult LoadFill(table::Type type, const Json&, const Json& state) {
  const Json& fill = state["fill"];
  if (fill.is_string()) {
    GYRE_TRY(const double value, DoubleFromJson(fill));
    return std::make_unique<NumberKernel<Fill>>(Fill{value});
  }
  GYRE_TRY(const Dictionary keys, Dictionary::FromJson(Dictionary::KindOf(type), fill));
  if (type == table::Type::kText)
    return std::make_unique<FillText>(keys.size() == 0 ? std::string() : std::string(keys.text(0)));
  double value = 0;
  if (keys.size() != 0 && type == table::Type::kDouble) {
    GYRE_TRY(value, DoubleFromJson(fill.items()[0]));
  } else if (keys.size() != 0) {
    value = static_cast<double>(fill.items()[0].AsInt());
  }
  return std::make_unique<NumberKernel<Fill>>(Fill{value});
}

// --- missing.flag --------------------------------------------------------------------------------
class MissingFlag final : public Kernel {
 public:
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace&) const override {
    ForMissing(in, rows,
               [&](std::size_t i, bool missing) { out.numbers[i * out.stride] = missing ? 1 : 0; });
  }
  std::vector<std::string> Suffixes() const override { return {"_missing"}; }
};
KernelResult LoadFlag(table::Type, const Json&, const Json&) {
  return std::make_unique<MissingFlag>();
}

// --- scale.standard ------------------------------------------------------------------------------
struct Standard {
  double mean, deviation;
  double Eval(double x) const { return (x - mean) / deviation; }
};

Result<Json> FitStandard(const FitInput& input, std::vector<double>*) {
  const std::vector<double> values = FiniteValues(input);
  const double mean = Mean(values);
  statistics::ExactSum squares;
  for (double x : values) squares.Add((x - mean) * (x - mean));
  double deviation =
      values.empty() ? 1 : std::sqrt(squares.Value() / static_cast<double>(values.size()));
  if (!(deviation > 0) || !std::isfinite(deviation)) deviation = 1;
  return Json::Obj({{"mean", DoubleToJson(mean)}, {"deviation", DoubleToJson(deviation)}});
}

KernelResult LoadStandard(table::Type, const Json&, const Json& state) {
  GYRE_TRY(const double mean, DoubleFromJson(state["mean"]));
  GYRE_TRY(const double deviation, DoubleFromJson(state["deviation"]));
  if (!(deviation > 0)) return BrokenState("a deviation is not positive");
  return std::make_unique<NumberKernel<Standard>>(Standard{mean, deviation});
}

// --- scale.quantile ------------------------------------------------------------------------------
// Inverse of the normal distribution function: Wichura, "Algorithm AS 241", Applied Statistics 37
// (1988), PPND7 (about 1e-7), for p in (0, 1).
double NormalQuantile(double p) {
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179) /
           (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0);
  }
  double r = std::sqrt(-std::log(q < 0 ? p : 1 - p));
  double z = 0;
  if (r <= 5) {
    r -= 1.6;
    z = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) /
        ((0.12021132975 * r + 0.73700164250) * r + 1.0);
  } else {
    r -= 5;
    z = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150) /
        ((0.012258202635 * r + 0.24197894225) * r + 1.0);
  }
  return q < 0 ? -z : z;
}

struct Quantile {
  std::vector<double> knots;  // ascending
  bool normal;
  double Eval(double x) const {
    if (x != x) return kNaN;
    const double p = Rank(x);
    return normal ? NormalQuantile(std::clamp(p, 1e-7, 1 - 1e-7)) : p;
  }
  // Position among the knots in [0, 1]; in a run of equal knots, its middle.
  double Rank(double x) const {
    const auto low = std::lower_bound(knots.begin(), knots.end(), x);
    if (low == knots.end()) return 1;
    const auto last = static_cast<double>(knots.size() - 1);
    const auto index = static_cast<double>(low - knots.begin());
    if (*low == x) {
      const auto high = std::upper_bound(low, knots.end(), x);
      if (low == knots.begin() && high != knots.end()) return 0;
      if (high == knots.end() && low != knots.begin()) return 1;
      return (index + static_cast<double>(high - 1 - knots.begin())) / 2 / last;
    }
    if (low == knots.begin()) return 0;
    const double below = *(low - 1);
    return (index - 1 + (x - below) / (*low - below)) / last;
  }
};

constexpr Argument kQuantileArguments[] = {
    {"knots", ArgumentKind::kInteger, "256", 2, 10'000},
    {"to", ArgumentKind::kText, "\"normal\"", 0, 0, "normal|uniform"},
};

Result<Json> FitQuantile(const FitInput& input, std::vector<double>*) {
  std::vector<double> values = FiniteValues(input);
  std::sort(values.begin(), values.end());
  const auto count = static_cast<std::size_t>(input.args["knots"].AsInt());
  std::vector<double> knots(count);
  for (std::size_t i = 0; i < count; ++i)
    knots[i] = SortedQuantile(values, static_cast<double>(i) / static_cast<double>(count - 1));
  // Interpolation may round a step down by one unit.
  for (std::size_t i = 1; i < count; ++i) knots[i] = std::max(knots[i], knots[i - 1]);
  return Json::Obj({{"knots", DoublesToJson(knots)}});
}

KernelResult LoadQuantile(table::Type, const Json& args, const Json& state) {
  GYRE_TRY(auto knots, DoublesFromJson(state["knots"]));
  if (knots.size() < 2 || !std::is_sorted(knots.begin(), knots.end()))
    return BrokenState("the knots of scale.quantile do not ascend");
  return std::make_unique<NumberKernel<Quantile>>(
      Quantile{std::move(knots), args["to"].AsString() == "normal"});
}

// --- log1p ---------------------------------------------------------------------------------------
struct Log1p {
  bool is_signed;
  double Eval(double x) const {
    if (is_signed) return std::copysign(std::log1p(std::fabs(x)), x);
    return x > -1 ? std::log1p(x) : kNaN;
  }
};
constexpr Argument kLogArguments[] = {{"signed", ArgumentKind::kBool, "true"}};
KernelResult LoadLog(table::Type, const Json& args, const Json&) {
  struct Clean {
    Log1p log;
    double Eval(double x) const { return x != x ? kNaN : log.Eval(x); }
  };
  return std::make_unique<NumberKernel<Clean>>(Clean{Log1p{args["signed"].AsBool()}});
}

// --- clip ----------------------------------------------------------------------------------------
struct Clip {
  double low, high;
  double Eval(double x) const { return x != x ? kNaN : x < low ? low : x > high ? high : x; }
};
constexpr Argument kClipArguments[] = {
    {"by", ArgumentKind::kText, "\"quantile\"", 0, 0, "quantile|bounds"},
    {"high", ArgumentKind::kNumber, "0.99"},
    {"low", ArgumentKind::kNumber, "0.01"},
};

Result<ValueType> ClipResult(table::Type in, const Json& args) {
  const double low = args["low"].AsDouble(), high = args["high"].AsDouble();
  if (!(low < high)) return InvalidArgument("GY3103", "`low` must be below `high`");
  if (args["by"].AsString() == "quantile" && (low < 0 || high > 1)) {
    return InvalidArgument("GY3103",
                           "`low` and `high` of a clip by quantile must lie between 0 and 1")
        .Fix("say `by: bounds` for values");
  }
  return GivesNumber(in, args);
}

Result<Json> FitClip(const FitInput& input, std::vector<double>*) {
  double low = input.args["low"].AsDouble(), high = input.args["high"].AsDouble();
  if (input.args["by"].AsString() == "quantile") {
    std::vector<double> values = FiniteValues(input);
    std::sort(values.begin(), values.end());
    low = SortedQuantile(values, low);
    high = values.empty() ? 0 : SortedQuantile(values, high);
  }
  return Json::Obj({{"low", DoubleToJson(low)}, {"high", DoubleToJson(high)}});
}

KernelResult LoadClip(table::Type, const Json&, const Json& state) {
  GYRE_TRY(const double low, DoubleFromJson(state["low"]));
  GYRE_TRY(const double high, DoubleFromJson(state["high"]));
  if (!(low <= high)) return BrokenState("the bounds of clip are in the wrong order");
  return std::make_unique<NumberKernel<Clip>>(Clip{low, high});
}

constexpr Argument kConstantArguments[] = {{"value", ArgumentKind::kAny}};
constexpr unsigned kNumericOrText = kNumeric | Accepts(table::Type::kText);

constexpr Operation kOperations[] = {
    {"number", kNumeric, {}, GivesNumber, FitsNothing, LoadPass},
    {"impute.mean", kNumeric, {}, GivesNumber, FitMean, LoadFill},
    {"impute.median", kNumeric, {}, GivesNumber, FitMedian, LoadFill},
    {"impute.mode", kNumericOrText, {}, GivesSame, FitMode, LoadFill, true},
    {"impute.constant", kNumericOrText, kConstantArguments, ConstantResult, FitConstant, LoadFill},
    {"missing.flag", kAnyType, {}, GivesNumber, FitsNothing, LoadFlag},
    {"scale.standard", kNumeric, {}, GivesNumber, FitStandard, LoadStandard},
    {"scale.quantile", kNumeric, kQuantileArguments, GivesNumber, FitQuantile, LoadQuantile},
    {"log1p", kNumeric, kLogArguments, GivesNumber, FitsNothing, LoadLog},
    {"clip", kNumeric, kClipArguments, ClipResult, FitClip, LoadClip},
};

}  // namespace

std::span<const Operation> NumberOperations() { return kOperations; }

}  // namespace gyre::recipes
