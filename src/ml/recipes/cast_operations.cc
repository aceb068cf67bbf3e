// One type to another, cell by cell. What cannot be converted is missing; whoever wants an error
// checks expectations first.
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "ml/recipes/kernel.h"

namespace gyre::recipes {
namespace {

using table::Type;

struct Scalar {
  bool valid = false;
  double number = 0;
  std::int64_t integer = 0;
  std::string_view text;
};

std::optional<std::int64_t> WholeNumber(double x) {
  if (!(x >= -9223372036854775808.0 && x < 9223372036854775808.0)) return std::nullopt;
  return static_cast<std::int64_t>(x);  // toward zero
}

std::optional<bool> ParseTruth(std::string_view text) {
  for (std::string_view word : {"true", "yes", "y", "t", "1"}) {
    if (EqualsIgnoreCase(text, word)) return true;
  }
  for (std::string_view word : {"false", "no", "n", "f", "0"}) {
    if (EqualsIgnoreCase(text, word)) return false;
  }
  return std::nullopt;
}

std::int64_t FloorDivide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
// Years 0001 to 9999, what ISO 8601 text can say.
constexpr std::int64_t kDayMin = -719'162, kDayMax = 2'932'896;

double ToNumber(Type from, const Scalar& in) {
  switch (from) {
    case Type::kDouble:
      return in.number;
    case Type::kText:
      return Canonical(ParseDouble(Trim(in.text)).value_or(kNaN));
    default:
      return static_cast<double>(in.integer);
  }
}

std::optional<std::int64_t> ToInteger(Type from, Type to, const Scalar& in) {
  if (from == Type::kText) {
    const std::string_view text = Trim(in.text);
    if (to == Type::kBool) {
      const auto truth = ParseTruth(text);
      return truth ? std::optional<std::int64_t>(*truth ? 1 : 0) : std::nullopt;
    }
    if (to == Type::kInt) return ParseInt(text);
    const auto time_us = ParseTime(text);
    if (!time_us) return std::nullopt;
    return to == Type::kDate ? FloorDivide(*time_us, kMicrosPerDay) : *time_us;
  }
  if (to == Type::kBool) return (from == Type::kDouble ? in.number != 0 : in.integer != 0) ? 1 : 0;
  if (from == Type::kDouble) return WholeNumber(in.number);
  if (from == Type::kDate && to == Type::kTimestamp) {
    if (in.integer < kDayMin || in.integer > kDayMax) return std::nullopt;
    return in.integer * kMicrosPerDay;
  }
  if (from == Type::kTimestamp && to == Type::kDate) return FloorDivide(in.integer, kMicrosPerDay);
  return in.integer;
}

// `width` digits and one more character.
char* Digits(char* out, int value, int width, char after) {
  for (int i = width; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
  out[width] = after;
  return out + width + 1;
}

// Writes at most kTextSlotBytes; empty when it has no text form (a date outside the calendar).
std::string_view ToText(Type from, const Scalar& in, char* slot) {
  if (from == Type::kBool) return in.integer != 0 ? "true" : "false";
  if (from == Type::kDouble || from == Type::kInt) {
    const auto end =
        from == Type::kDouble
            ? std::to_chars(slot, slot + kTextSlotBytes, in.number == 0 ? 0.0 : in.number).ptr
            : std::to_chars(slot, slot + kTextSlotBytes, in.integer).ptr;
    return {slot, static_cast<std::size_t>(end - slot)};
  }
  const std::int64_t days =
      from == Type::kDate ? in.integer : FloorDivide(in.integer, kMicrosPerDay);
  if (days < kDayMin || days > kDayMax) return {};
  const std::int64_t time_us = from == Type::kDate ? days * kMicrosPerDay : in.integer;
  const CivilTime c = ToCivil(time_us);
  char* end = Digits(slot, c.year, 4, '-');
  end = Digits(end, c.month, 2, '-');
  end = Digits(end, c.day, 2, 'T');
  if (from == Type::kDate) return {slot, static_cast<std::size_t>(end - 1 - slot)};
  end = Digits(end, c.hour, 2, ':');
  end = Digits(end, c.minute, 2, ':');
  end = Digits(end, c.second, 2, c.microsecond != 0 ? '.' : 'Z');
  if (c.microsecond != 0) end = Digits(end, c.microsecond, 6, 'Z');
  return {slot, static_cast<std::size_t>(end - slot)};
}

class CastKernel final : public Kernel {
 public:
  CastKernel(Type from, Type to) : from_(from), to_(to) {}
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace&) const override {
    for (std::size_t i = 0; i < rows; ++i) Eval(Read(in, i), i, out);
  }

 private:
  static Scalar Read(const Lane& in, std::size_t i) {
    Scalar s;
    if (in.numbers != nullptr) {
      s.number = Canonical(in.numbers[i]);
      s.valid = s.number == s.number;
    } else if (in.texts != nullptr) {
      s.text = in.texts[i];
      s.valid = s.text.data() != nullptr;
    } else {
      s.integer = in.integers[i];
      s.valid = in.valid == nullptr || in.valid[i] != 0;
    }
    return s;
  }
  void Eval(const Scalar& in, std::size_t i, const Sink& out) const {
    if (to_ == Type::kDouble) {
      out.numbers[i * out.stride] = in.valid ? ToNumber(from_, in) : kNaN;
    } else if (to_ == Type::kText) {
      if (from_ == Type::kText || !in.valid) {
        out.texts[i] = in.valid ? in.text : std::string_view();
      } else {
        const std::string_view text = ToText(from_, in, out.chars + i * kTextSlotBytes);
        out.texts[i] = text.empty() ? std::string_view() : text;
      }
    } else {
      const auto integer = in.valid ? ToInteger(from_, to_, in) : std::nullopt;
      out.integers[i] = integer.value_or(0);
      out.valid[i] = integer ? 1 : 0;
    }
  }
  Type from_, to_;
};

constexpr Argument kArguments[] = {
    {"to", ArgumentKind::kText, {}, 0, 0, "bool|int|double|text|date|timestamp"}};

Result<ValueType> CastResult(Type in, const Json& args) {
  const Type to = *table::ParseType(args["to"].AsString());
  const bool from_time = in == Type::kDate || in == Type::kTimestamp,
             to_time = to == Type::kDate || to == Type::kTimestamp;
  if ((from_time && !to_time && to != Type::kText) ||
      (to_time && !from_time && in != Type::kText)) {
    return InvalidArgument("GY3103", "a {} cannot be cast to {}", table::TypeName(in),
                           table::TypeName(to))
        .Fix("use datetime.parts for numbers of a date");
  }
  return ValueType{to, false};
}

Result<std::unique_ptr<Kernel>> LoadCast(Type in, const Json& args, const Json&) {
  const auto to = table::ParseType(args["to"].AsString());
  if (!to) return BrokenState("cast to an unknown type");
  return std::make_unique<CastKernel>(in, *to);
}

constexpr Operation kOperations[] = {
    {"cast", kAnyType, kArguments, CastResult, FitsNothing, LoadCast}};

}  // namespace

std::span<const Operation> CastOperations() { return kOperations; }

}  // namespace gyre::recipes
