// Problem statements as values: reading, checking, comparing. No I/O.
#include <cmath>
#include <limits>

#include "base/text.h"
#include "ml/projects/projects.h"

namespace gyre::projects {
namespace {

Result<std::string> TextOf(const std::string& key, const Json& value, std::size_t bytes_max) {
  if (!value.is_string()) return InvalidArgument("GY3903", "`{}` of a problem must be text", key);
  if (value.AsString().size() > bytes_max) {
    return InvalidArgument("GY3904", "`{}` of a problem is longer than {}", key,
                           HumanBytes(static_cast<std::int64_t>(bytes_max)));
  }
  return value.AsString();
}

// A threshold that the metric cannot have, such as an AUC of 3 or of 84, is a slip of the pen.
Result<> CheckThreshold(const statistics::Kpi& kpi) {
  if (kpi.metric == nullptr) return {};
  const std::string_view name = kpi.metric->name;
  const bool variance = name == "r2" || name == "explained_variance";
  const double low = variance ? -std::numeric_limits<double>::infinity() : name == "mcc" ? -1 : 0;
  const bool share = kpi.metric->better == statistics::Better::kHigher || name == "brier";
  const double high = share ? 1 : std::numeric_limits<double>::infinity();
  if (kpi.value >= low && kpi.value <= high) return {};
  const std::string range = std::isinf(high)  ? fmt::format("at least {}", low)
                            : std::isinf(low) ? fmt::format("at most {}", high)
                                              : fmt::format("from {} to {}", low, high);
  Error error =
      InvalidArgument("GY3907", "KPI '{}': {} cannot be {}", kpi.ToString(), name, kpi.value)
          .Why(fmt::format("{} is {}", name, range));
  if (share && kpi.value > 1 && kpi.value <= 100)
    return std::move(error).Fix(
        fmt::format("{} {} {}", name, statistics::ComparisonText(kpi.op), kpi.value / 100));
  return error;
}

Result<std::vector<std::string>> KpiTexts(const Json& value) {
  std::vector<std::string> texts;
  if (!value.is_array())
    return InvalidArgument("GY3903",
                           "`kpis` of a problem must be a list of texts such as \"auc >= 0.84\"");
  for (const Json& item : value.items()) {
    // The form that ProblemToJson writes is read back too.
    const Json& text = item.is_object() ? item["text"] : item;
    if (!text.is_string())
      return InvalidArgument("GY3903",
                             "`kpis` of a problem must be a list of texts such as \"auc >= 0.84\"");
    texts.push_back(text.AsString());
  }
  return texts;
}

}  // namespace

Result<ProblemChange> ProblemChangeFromJson(const Json& json) {
  ProblemChange change;
  if (json.is_null()) return change;
  if (!json.is_object())
    return InvalidArgument("GY3903", "a problem must be an object")
        .Fix(R"({"statement": "...", "kpis": ["auc >= 0.84"]})");
  static const std::vector<std::string> kKnown = {"statement", "target", "owner", "kpis"};
  for (const auto& [key, value] : json.members()) {
    if (key == "statement") {
      GYRE_TRY(change.statement, TextOf(key, value, kStatementBytesMax));
    } else if (key == "target") {
      GYRE_TRY(change.target, TextOf(key, value, 1024));
    } else if (key == "owner") {
      GYRE_TRY(change.owner, TextOf(key, value, 1024));
    } else if (key == "kpis") {
      GYRE_TRY(change.kpis, KpiTexts(value));
    } else {
      Error error = InvalidArgument("GY3903", "a problem has no member `{}`", key);
      if (const auto close = ClosestMatch(key, kKnown))
        return Error(std::move(error).Fix(fmt::format("did you mean `{}`?", *close)));
      return Error(std::move(error).Fix("statement, target, owner, kpis"));
    }
  }
  return change;
}

Result<Problem> Changed(const Problem& before, const ProblemChange& change) {
  Problem after = before;
  if (change.statement) after.statement = *change.statement;
  if (change.target) after.target = *change.target;
  if (change.owner) after.owner = *change.owner;
  if (change.kpis) {
    if (change.kpis->size() > kKpisMax)
      return InvalidArgument("GY3904", "a problem has at most {} KPIs, not {}", kKpisMax,
                             change.kpis->size());
    after.kpis.clear();
    for (const std::string& text : *change.kpis) {
      GYRE_TRY(auto kpi, statistics::ParseKpi(text));
      GYRE_DO(CheckThreshold(kpi));
      after.kpis.push_back(std::move(kpi));
    }
  }
  return after;
}

Json ProblemToJson(const Problem& problem) {
  Json kpis = Json::Arr();
  for (const statistics::Kpi& kpi : problem.kpis) {
    Json item = Json::Obj({{"text", kpi.ToString()},
                           {"name", kpi.name},
                           {"comparison", statistics::ComparisonText(kpi.op)},
                           {"value", kpi.value}});
    item.Set("unit", kpi.unit).Set("is_metric", kpi.metric != nullptr);
    kpis.Push(std::move(item));
  }
  return Json::Obj({{"version", problem.version},
                    {"statement", problem.statement},
                    {"target", problem.target},
                    {"owner", problem.owner},
                    {"kpis", std::move(kpis)},
                    {"created_by", problem.created_by},
                    {"created_at", FormatTime(problem.created_us)}});
}

Json ProjectToJson(const Project& project) {
  Json json = Json::Obj({{"id", project.id},
                         {"name", project.name},
                         {"created_by", project.created_by},
                         {"created_at", FormatTime(project.created_us)}});
  json.Set("problem", project.problem ? ProblemToJson(*project.problem) : Json());
  return json;
}

}  // namespace gyre::projects
