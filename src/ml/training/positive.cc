#include "ml/training/positive.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace gyre::training {

namespace {

using predictors::Task;

constexpr std::array kYes = {
    "1",      "true",    "t",         "yes",    "y",       "ja",       "j",       "oui",
    "si",     "sí",      "sim",       "da",     "tak",     "hai",      "on",      "positive",
    "pos",    "positiv", "positif",   "event",  "churn",   "churned",  "default", "defaulted",
    "fraud",  "spam",    "bad",       "sick",   "ill",     "disease",  "died",    "dead",
    "failed", "failure", "malignant", "attack", "anomaly", "cancelled"};
constexpr std::array kNo = {"0",   "false",  "f",       "no",       "n",          "nein", "non",
                            "nee", "não",    "nie",     "negative", "negativ",    "neg",  "none",
                            "off", "normal", "healthy", "benign",   "legitimate", "good", "stayed"};

template <std::size_t kCount>
bool IsOneOf(const std::array<const char*, kCount>& words, const std::string& name) {
  const std::string lower = ToLower(name);
  return std::ranges::any_of(words, [&](std::string_view word) { return lower == word; });
}

std::optional<std::size_t> Find(const Target& target, const std::string& name) {
  const auto it = std::ranges::find(target.classes, name);
  if (it == target.classes.end()) return std::nullopt;
  return static_cast<std::size_t>(it - target.classes.begin());
}

Result<std::size_t> Asked(const Target& target, const std::string& name) {
  if (target.task != Task::kBinary) {
    return InvalidArgument("GY3522", "a {} task has no positive class",
                           predictors::TaskName(target.task))
        .Fix("leave out --positive");
  }
  if (const auto found = Find(target, name)) return *found;
  return InvalidArgument("GY3522", "the target has no class `{}`", name)
      .Why(fmt::format("its classes are `{}` and `{}`", target.classes[0], target.classes[1]))
      .Fix(fmt::format("--positive {}", target.classes[0]))
      .Fix(fmt::format("--positive {}", target.classes[1]));
}

// The class that alone says yes, or whose other alone says no; and why.
std::optional<std::pair<std::size_t, std::string>> ByWord(const std::vector<std::string>& classes) {
  for (const bool yes : {true, false}) {
    const auto says = [&](const std::string& name) {
      return yes ? IsOneOf(kYes, name) : IsOneOf(kNo, name);
    };
    const bool first = says(classes[0]), second = says(classes[1]);
    if (first == second) continue;
    return std::pair<std::size_t, std::string>{
        first == yes ? 0 : 1,
        fmt::format("`{}` says {}", classes[first ? 0 : 1], yes ? "yes" : "no")};
  }
  return std::nullopt;
}

std::pair<std::size_t, std::string> Chosen(const PositiveWish& wish, const Target& target) {
  if (!wish.champions.empty()) {
    if (const auto found = Find(target, wish.champions)) return {*found, "as the champion's"};
  }
  if (auto found = ByWord(target.classes)) return *std::move(found);
  const auto ones = static_cast<std::size_t>(std::ranges::count(target.labels, 1U));
  const std::size_t zeros = target.labels.size() - ones;
  if (ones == zeros) return {1, "as many rows of each class: the last in sort order"};
  return {ones < zeros ? 1 : 0,
          fmt::format("the rarer: {} of {} rows",
                      GroupDigits(static_cast<std::int64_t>(std::min(ones, zeros))),
                      GroupDigits(static_cast<std::int64_t>(target.labels.size())))};
}

}  // namespace

Result<> ChoosePositive(const PositiveWish& wish, Target* target) {
  std::size_t positive = 1;
  if (!wish.asked.empty()) {
    GYRE_TRY(positive, Asked(*target, wish.asked));
    target->positive_reason = "as you said";
  } else if (target->task == Task::kBinary) {
    std::tie(positive, target->positive_reason) = Chosen(wish, *target);
  }
  if (positive == 1) return {};
  std::swap(target->classes[0], target->classes[1]);
  for (std::uint32_t& label : target->labels) label = 1 - label;
  return {};
}

}  // namespace gyre::training
