#include "ml/statistics/kpi.h"

#include <cmath>

#include "base/text.h"

namespace gyre::statistics {
namespace {

struct Spelling {
  std::string_view text;
  Comparison op;
};
// Longer spellings first.
constexpr Spelling kSpellings[] = {
    {">=", Comparison::kAtLeast},
    {"<=", Comparison::kAtMost},
    {"\xE2\x89\xA5", Comparison::kAtLeast},
    {"\xE2\x89\xA4", Comparison::kAtMost},
    {">", Comparison::kAbove},
    {"<", Comparison::kBelow},
};

Error Malformed(std::string_view text, std::string_view what) {
  return InvalidArgument("GY3010", "KPI '{}' {}", text, what)
      .Why("a KPI is a name, a comparison (>=, <=, >, <) and a number")
      .Fix("write for example 'auc >= 0.84' or 'cost per saved customer <= 12'");
}

std::string SingleSpaced(std::string_view text) {
  std::string out;
  for (const std::string_view word : Split(text, ' ')) {
    if (word.empty()) continue;
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

// What stands behind the number is a unit, and no second condition that nobody would look at.
bool HoldsACondition(std::string_view unit) {
  if (unit.find_first_of("<>=!&|,;") != std::string_view::npos) return true;
  for (const std::string_view word : Split(unit, ' ')) {
    if (EqualsIgnoreCase(word, "and") || EqualsIgnoreCase(word, "or")) return true;
  }
  return unit.find("\xE2\x89\xA5") != std::string_view::npos ||
         unit.find("\xE2\x89\xA4") != std::string_view::npos;
}

Result<> ReadNumber(std::string_view whole, std::string_view text, Kpi* kpi) {
  const std::size_t end = text.find_first_not_of("0123456789.eE+-");
  std::string_view number = text.substr(0, end);
  std::string_view rest = end == std::string_view::npos ? std::string_view() : text.substr(end);
  // "12 EUR" and "12EUR": the exponent letter belongs to the unit when no digits follow it.
  while (!number.empty() && (number.back() == 'e' || number.back() == 'E')) {
    rest = text.substr(number.size() - 1);
    number.remove_suffix(1);
  }
  const std::optional<double> value = ParseDouble(number);
  if (!value || !std::isfinite(*value))
    return Malformed(whole, "has no number after the comparison");
  kpi->value = *value;
  kpi->unit = SingleSpaced(Trim(rest));
  if (kpi->unit == "%") {
    kpi->value /= 100;
    kpi->unit.clear();
  }
  if (HoldsACondition(kpi->unit))
    return Malformed(whole, "holds more than one condition")
        .Fix("give each condition a --kpi of its own: all of them must hold");
  if (kpi->unit.size() > 32) return Malformed(whole, "has more after the number than a unit");
  return {};
}

}  // namespace

std::string_view ComparisonText(Comparison op) {
  switch (op) {
    case Comparison::kAtLeast:
      return ">=";
    case Comparison::kAtMost:
      return "<=";
    case Comparison::kAbove:
      return ">";
    case Comparison::kBelow:
      return "<";
  }
  return ">=";
}

std::optional<Comparison> ParseComparison(std::string_view text) {
  for (const Spelling& spelling : kSpellings) {
    if (spelling.text == text) return spelling.op;
  }
  return std::nullopt;
}

bool Holds(double value, Comparison op, double threshold) {
  switch (op) {
    case Comparison::kAtLeast:
      return value >= threshold;
    case Comparison::kAtMost:
      return value <= threshold;
    case Comparison::kAbove:
      return value > threshold;
    case Comparison::kBelow:
      return value < threshold;
  }
  return false;
}

std::string Kpi::ToString() const {
  return fmt::format("{} {} {}{}{}", name, ComparisonText(op), value, unit.empty() ? "" : " ",
                     unit);
}

namespace {

// Name, comparison and number; what the name means is not looked at.
Result<Kpi> ReadParts(std::string_view text) {
  if (text.size() > 300) return Malformed(text.substr(0, 40), "is longer than 300 characters");
  if (!IsValidUtf8(text)) return InvalidArgument("GY3010", "a KPI is not valid UTF-8");
  std::size_t at = std::string_view::npos;
  const Spelling* found = nullptr;
  for (const Spelling& spelling : kSpellings) {
    const std::size_t position = text.find(spelling.text);
    if (position < at) {
      at = position;
      found = &spelling;
    }
  }
  if (found == nullptr) return Malformed(text, "has no comparison");
  if (at > 0 && (text[at - 1] == '=' || text[at - 1] == '!'))
    return Malformed(
        text, fmt::format("holds `{}{}`, which is no comparison", text[at - 1], found->text));
  Kpi kpi;
  kpi.op = found->op;
  kpi.name = SingleSpaced(Trim(text.substr(0, at)));
  if (kpi.name.empty()) return Malformed(text, "has no name before the comparison");
  GYRE_DO(ReadNumber(text, Trim(text.substr(at + found->text.size())), &kpi));
  return kpi;
}

}  // namespace

KpiValue Measure(const Kpi& kpi, const std::function<KpiValue(const KpiName&)>& read) {
  if (kpi.metric != nullptr)
    return read({.member = std::string(kpi.metric->name), .text = kpi.name});
  if (kpi.expression == nullptr)
    return {.unknown = "a fact that somebody reports; gyre does not measure it"};
  return kpi.expression->Evaluate(read);
}

std::string_view KpiVerdictName(KpiVerdict verdict) {
  constexpr std::string_view kNames[] = {"unknown", "met", "missed"};
  return kNames[static_cast<std::size_t>(verdict)];
}

KpiVerdict Judge(const Kpi& kpi, const KpiValue& value) {
  if (!value.number) return KpiVerdict::kUnknown;
  return Holds(*value.number, kpi.op, kpi.value) ? KpiVerdict::kMet : KpiVerdict::kMissed;
}

Result<Kpi> ParseStoredKpi(std::string_view text) {
  if (auto kpi = ParseKpi(text)) return kpi;
  return ReadParts(text);
}

Result<Kpi> ParseKpi(std::string_view text) {
  GYRE_TRY(Kpi kpi, ReadParts(text));
  kpi.metric = FindMetric(kpi.name);
  if (kpi.metric != nullptr) {
    kpi.name = kpi.metric->name;
    return kpi;
  }
  if (KpiExpression::Meant(kpi.name)) {
    GYRE_TRY(KpiExpression expression, KpiExpression::Parse(kpi.name));
    kpi.expression = std::make_shared<const KpiExpression>(std::move(expression));
    return kpi;
  }
  if (kpi.name.find(' ') != std::string::npos) return kpi;
  std::vector<std::string> names;
  for (const MetricInfo& info : Metrics()) names.emplace_back(info.name);
  if (const auto close = ClosestMatch(ToLower(kpi.name), names)) {
    return InvalidArgument("GY3010", "KPI '{}' names no metric", text)
        .Fix(fmt::format("did you mean `{}`?", *close));
  }
  return kpi;
}

}  // namespace gyre::statistics
