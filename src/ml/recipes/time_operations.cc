// Dates and timestamps to numbers: calendar parts, and their place on a circle. UTC.
#include <cmath>
#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "ml/recipes/kernel.h"

namespace gyre::recipes {
namespace {

// Years 0001 to 9999; what lies outside counts as missing, which also keeps the arithmetic within
// 64 bits.
constexpr std::int64_t kDayMin = -719'162, kDayMax = 2'932'896;

std::optional<std::int64_t> Micros(table::Type type, std::int64_t value) {
  if (type == table::Type::kDate) {
    if (value < kDayMin || value > kDayMax) return std::nullopt;
    return value * kMicrosPerDay;
  }
  if (value < kDayMin * kMicrosPerDay || value >= (kDayMax + 1) * kMicrosPerDay)
    return std::nullopt;
  return value;
}

struct Part {
  std::string_view name;
  double (*read)(const CivilTime& civil, std::int64_t time_us);
  double period;  // of the cyclic form; 0 = has none
};
std::int64_t FloorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

constexpr Part kParts[] = {
    {"year", [](const CivilTime& c, std::int64_t) { return static_cast<double>(c.year); }, 0},
    {"month", [](const CivilTime& c, std::int64_t) { return static_cast<double>(c.month); }, 12},
    {"day", [](const CivilTime& c, std::int64_t) { return static_cast<double>(c.day); }, 31},
    {"weekday", [](const CivilTime& c, std::int64_t) { return static_cast<double>(c.weekday); }, 7},
    {"hour", [](const CivilTime& c, std::int64_t) { return static_cast<double>(c.hour); }, 24},
    {"minute", [](const CivilTime& c, std::int64_t) { return static_cast<double>(c.minute); }, 60},
    {"day_of_year",
     [](const CivilTime& c, std::int64_t) { return static_cast<double>(c.day_of_year); }, 366},
    {"is_weekend", [](const CivilTime& c, std::int64_t) { return c.weekday >= 5 ? 1.0 : 0.0; }, 0},
    {"epoch_days",
     [](const CivilTime&, std::int64_t t) {
       return static_cast<double>(FloorDivide(t, kMicrosPerDay));
     },
     0},
    {"epoch_seconds",
     [](const CivilTime&, std::int64_t t) {
       return static_cast<double>(FloorDivide(t, kMicrosPerSecond));
     },
     0},
};
const Part* FindPart(std::string_view name) {
  for (const Part& part : kParts) {
    if (part.name == name) return &part;
  }
  return nullptr;
}

class TimeKernel final : public Kernel {
 public:
  TimeKernel(table::Type type, std::vector<const Part*> parts, bool cyclic)
      : type_(type), parts_(std::move(parts)), cyclic_(cyclic) {}
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace&) const override {
    for (std::size_t i = 0; i < rows; ++i) {
      const bool valid = in.valid == nullptr || in.valid[i] != 0;
      Eval(valid ? Micros(type_, in.integers[i]) : std::nullopt, out.numbers + i * out.stride);
    }
  }
  std::size_t width() const override { return parts_.size() * (cyclic_ ? 2 : 1); }
  std::vector<std::string> Suffixes() const override {
    std::vector<std::string> suffixes;
    for (const Part* part : parts_) {
      if (cyclic_) {
        suffixes.push_back(fmt::format("~{}_sin", part->name));
        suffixes.push_back(fmt::format("~{}_cos", part->name));
      } else {
        suffixes.push_back(fmt::format("~{}", part->name));
      }
    }
    return suffixes;
  }

 private:
  void Eval(std::optional<std::int64_t> time_us, double* out) const {
    if (!time_us) {
      for (std::size_t i = 0; i < width(); ++i) out[i] = kNaN;
      return;
    }
    const CivilTime civil = ToCivil(*time_us);
    for (const Part* part : parts_) {
      const double value = part->read(civil, *time_us);
      if (cyclic_) {
        const double angle = 6.283185307179586 * (value / part->period);
        *out++ = std::sin(angle);
        *out++ = std::cos(angle);
      } else {
        *out++ = value;
      }
    }
  }
  table::Type type_;
  std::vector<const Part*> parts_;
  bool cyclic_;
};

constexpr Argument kPartsArguments[] = {
    {"parts", ArgumentKind::kList, R"(["year","month","day","weekday","day_of_year","epoch_days"])",
     1, 16, "year|month|day|weekday|hour|minute|day_of_year|is_weekend|epoch_days|epoch_seconds"},
};
constexpr Argument kCyclicArguments[] = {
    {"parts", ArgumentKind::kList, R"(["month","weekday"])", 1, 16,
     "month|day|weekday|hour|minute|day_of_year"},
};

template <bool kCyclic>
Result<std::unique_ptr<Kernel>> LoadTime(table::Type type, const Json& args, const Json&) {
  std::vector<const Part*> parts;
  for (const Json& name : args["parts"].items()) {
    const Part* part = FindPart(name.AsString());
    if (part == nullptr || (kCyclic && part->period == 0))
      return BrokenState("an unknown part of a date");
    parts.push_back(part);
  }
  return std::make_unique<TimeKernel>(type, std::move(parts), kCyclic);
}

// One part is a scalar, so that other steps can scale or encode it.
Result<ValueType> PartsResult(table::Type, const Json& args) {
  return ValueType{table::Type::kDouble, args["parts"].size() != 1};
}

constexpr Operation kOperations[] = {
    {"datetime.parts", kTemporal, kPartsArguments, PartsResult, FitsNothing, LoadTime<false>},
    {"datetime.cyclic", kTemporal, kCyclicArguments, GivesVector, FitsNothing, LoadTime<true>},
};

}  // namespace

std::span<const Operation> TimeOperations() { return kOperations; }

}  // namespace gyre::recipes
