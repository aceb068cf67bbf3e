#include "ml/statistics/kpi_expression.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/text.h"
#include "base/time.h"
#include "ml/statistics/metrics.h"

namespace gyre::statistics {
namespace {

constexpr int kDepthMax = 30;
constexpr std::int64_t kHourMicros = 3600 * kMicrosPerSecond;
constexpr std::int64_t kDefaultWindow = 30 * 24 * kHourMicros;
constexpr std::int64_t kWindowMax = 366 * 24 * kHourMicros;

struct Family {
  std::string_view word;
  KpiFamily family;
  std::vector<std::string_view> members;  // empty: the metrics
};
const std::vector<Family>& Families() {
  static const std::vector<Family> kFamilies = {
      {"live", KpiFamily::kLive, {}},
      {"predictions", KpiFamily::kPredictions, {"count"}},
      {"feedback",
       KpiFamily::kFeedback,
       {"count", "positive", "true_positive", "false_positive", "true_negative", "false_negative"}},
      {"cost", KpiFamily::kCost, {"total", "serving", "work"}},
  };
  return kFamilies;
}

const Family* FindFamily(std::string_view word) {
  const auto found = std::ranges::find(Families(), word, &Family::word);
  return found == Families().end() ? nullptr : &*found;
}

std::vector<std::string> AllNames() {
  std::vector<std::string> names;
  for (const MetricInfo& info : Metrics()) {
    names.emplace_back(info.name);
    names.push_back(fmt::format("live.{}", info.name));
  }
  for (const Family& family : Families())
    for (const std::string_view member : family.members)
      names.push_back(fmt::format("{}.{}", family.word, member));
  return names;
}

bool IsWordByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsPlaceByte(char c) { return IsWordByte(c) || c == '-' || c == '.'; }

}  // namespace

// Recursive descent over the text, to steps in the order in which they are done.
class KpiReader {
 public:
  using Operation = KpiExpression::Operation;
  explicit KpiReader(std::string_view text) : text_(text) {}

  Result<KpiExpression> Read() {
    GYRE_DO(Sum(0));
    Skip();
    if (at_ < text_.size()) return Wrong("an operator");
    return std::move(made_);
  }

 private:
  void Skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  char Peek() {
    Skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool Take(char wanted) {
    if (Peek() != wanted) return false;
    ++at_;
    return true;
  }
  std::string_view TakeWhile(bool (*belongs)(char)) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && belongs(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  Error Wrong(std::string_view wanted) {
    return InvalidArgument("GY3011", "KPI '{}': {} is missing {}", text_, wanted,
                           at_ < text_.size() ? fmt::format("before `{}`", text_.substr(at_))
                                              : std::string("at its end"))
        .Why("a KPI computes with + - * / and ( )")
        .Fix("write for example 'cost.total[30d] / feedback.true_positive[30d] <= 12'");
  }
  void Add(Operation operation) { made_.steps_.push_back({.operation = operation}); }

  Result<> Sum(int depth) {
    GYRE_DO(Product(depth));
    for (;;) {
      const bool plus = Take('+');
      if (!plus && !Take('-')) return {};
      GYRE_DO(Product(depth));
      Add(plus ? Operation::kAdd : Operation::kSubtract);
    }
  }

  Result<> Product(int depth) {
    GYRE_DO(Factor(depth));
    for (;;) {
      const bool times = Take('*');
      if (!times && !Take('/')) return {};
      Skip();
      const std::size_t begin = at_;
      GYRE_DO(Factor(depth));
      Add(times ? Operation::kMultiply : Operation::kDivide);
      if (!times) made_.steps_.back().divisor = text_.substr(begin, at_ - begin);
    }
  }

  Result<> Factor(int depth) {
    if (depth > kDepthMax)
      return InvalidArgument("GY3011", "KPI '{}' is nested more than {} deep", text_, kDepthMax);
    if (Take('-')) {
      GYRE_DO(Factor(depth + 1));
      Add(Operation::kNegate);
      return {};
    }
    if (Take('(')) {
      GYRE_DO(Sum(depth + 1));
      if (!Take(')')) return Wrong("`)`");
      return {};
    }
    const char next = Peek();
    if (std::isdigit(static_cast<unsigned char>(next)) != 0 || next == '.') return Number();
    if (IsWordByte(next)) return Name();
    return Wrong("a number or a name");
  }

  Result<> Number() {
    const std::string_view digits = TakeWhile(
        [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.'; });
    const auto number = ParseDouble(digits);
    if (!number || !std::isfinite(*number)) return Wrong("a number");
    made_.steps_.push_back({.operation = Operation::kNumber, .number = *number});
    return {};
  }

  Result<> Name() {
    const std::size_t begin = at_;
    KpiName name;
    std::string word = ToLower(TakeWhile(IsWordByte));
    const Family* family = nullptr;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      family = FindFamily(word);
      name.member = ToLower(TakeWhile(IsWordByte));
      word += "." + name.member;
    } else {
      name.member = word;
    }
    GYRE_DO(Known(word, family, &name));
    if (at_ < text_.size() && text_[at_] == '@') {
      ++at_;
      name.place = TakeWhile(IsPlaceByte);
      if (name.place.empty()) return Wrong("the name of an endpoint");
      if (name.family == KpiFamily::kCost)
        return InvalidArgument("GY3011", "KPI '{}': cost is that of the project, not of {}", text_,
                               name.place);
    }
    GYRE_DO(Window(&name));
    name.text = text_.substr(begin, at_ - begin);
    const auto same = std::ranges::find(made_.names_, name);
    const auto place = static_cast<std::size_t>(same - made_.names_.begin());
    if (same == made_.names_.end()) made_.names_.push_back(std::move(name));
    made_.steps_.push_back({.operation = Operation::kName, .place = place});
    return {};
  }

  Result<> Known(const std::string& word, const Family* family, KpiName* name) {
    const bool dotted = word.find('.') != std::string::npos;
    const MetricInfo* const metric = FindMetric(name->member);
    if (!dotted || (family != nullptr && family->members.empty())) {
      if (metric != nullptr) {
        name->member = metric->name;
        name->family = dotted ? KpiFamily::kLive : KpiFamily::kMetric;
        return {};
      }
    } else if (family != nullptr &&
               std::ranges::find(family->members, name->member) != family->members.end()) {
      name->family = family->family;
      return {};
    }
    Error error =
        InvalidArgument("GY3011", "KPI '{}' uses `{}`, which nobody measures", text_, word);
    if (const auto close = ClosestMatch(word, AllNames()))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return std::move(error).Fix(
        "a metric (auc), live.auc[7d], predictions.count, feedback.count, positive or "
        "true_positive, cost.total, serving or work");
  }

  Result<> Window(KpiName* name) {
    const bool timed = name->family != KpiFamily::kMetric;
    if (timed) name->window_us = kDefaultWindow;
    if (at_ >= text_.size() || text_[at_] != '[') return {};
    if (!timed)
      return InvalidArgument("GY3011", "KPI '{}': {} is that of the evaluation, it has no window",
                             text_, name->member)
          .Fix(fmt::format("live.{}[7d]", name->member));
    ++at_;
    const auto count = ParseInt(TakeWhile(IsDigit));
    const char unit = at_ < text_.size() ? text_[at_] : '\0';
    const std::int64_t hours = unit == 'h' ? 1 : unit == 'd' ? 24 : unit == 'w' ? 7 * 24 : 0;
    if (count && hours > 0 && *count > 0 && *count <= kWindowMax / kHourMicros)
      name->window_us = *count * hours * kHourMicros;
    else
      name->window_us = 0;
    ++at_;
    if (name->window_us == 0 || name->window_us > kWindowMax || at_ >= text_.size() ||
        text_[at_] != ']')
      return InvalidArgument("GY3011", "KPI '{}': the window of {} is none", text_, name->member)
          .Fix("12h, 7d or 4w, up to 366d: [7d]");
    ++at_;
    return {};
  }
  static bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

  const std::string_view text_;
  std::size_t at_ = 0;
  KpiExpression made_;
};

Result<KpiExpression> KpiExpression::Parse(std::string_view text) { return KpiReader(text).Read(); }

bool KpiExpression::Meant(std::string_view text) {
  if (text.find('[') != std::string_view::npos) return true;
  const std::string low = ToLower(text);
  for (const Family& family : Families()) {
    const std::string prefix = std::string(family.word) + ".";
    for (std::size_t at = low.find(prefix); at != std::string::npos; at = low.find(prefix, at + 1))
      if (at == 0 || !IsWordByte(low[at - 1])) return true;
  }
  // Known metrics with something to compute: (auc + recall) / 2.
  if (text.find_first_of("+-*/(@") == std::string_view::npos) return false;
  const auto parsed = Parse(text);
  return parsed && !parsed->names_.empty();
}

bool KpiExpression::is_live() const {
  return std::ranges::any_of(names_,
                             [](const KpiName& name) { return name.family != KpiFamily::kMetric; });
}

KpiValue KpiExpression::Evaluate(const std::function<KpiValue(const KpiName&)>& read) const {
  std::vector<double> values;
  for (const KpiName& name : names_) {
    KpiValue value = read(name);
    if (!value.number) return value;
    values.push_back(*value.number);
  }
  std::vector<double> stack;
  for (const Step& step : steps_) {
    if (step.operation == Operation::kNumber || step.operation == Operation::kName) {
      stack.push_back(step.operation == Operation::kName ? values[step.place] : step.number);
      continue;
    }
    if (step.operation == Operation::kNegate) {
      stack.back() = -stack.back();
      continue;
    }
    const double right = stack.back();
    stack.pop_back();
    double& left = stack.back();
    if (step.operation == Operation::kDivide && right == 0)
      return {.unknown = fmt::format("{} is 0: there is nothing to divide by", step.divisor)};
    if (step.operation == Operation::kAdd) left += right;
    if (step.operation == Operation::kSubtract) left -= right;
    if (step.operation == Operation::kMultiply) left *= right;
    if (step.operation == Operation::kDivide) left /= right;
  }
  if (!std::isfinite(stack.back())) return {.unknown = "its value is no finite number"};
  return {.number = stack.back()};
}

}  // namespace gyre::statistics
