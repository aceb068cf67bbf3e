// A recipe that a careful person would begin with, from what the columns look like.
#include <algorithm>
#include <cmath>
#include <set>

#include "ml/recipes/fitted.h"
#include "ml/recipes/grams.h"

namespace gyre::recipes {
namespace {

using table::Type;

struct Look {
  std::size_t rows = 0, present = 0, distinct = 0;
  double words = 0;  // mean number of words of a text
  double min = 0, max = 0, median = 0;
  bool numbering = false;  // whole numbers, each once, close together: rows that were counted (a
                           // sample of them leaves gaps)
  bool has_time_of_day = false;
  std::size_t missing() const { return rows - present; }
  double distinct_share() const {
    return present == 0 ? 0 : static_cast<double>(distinct) / static_cast<double>(present);
  }
};

Look LookAt(const table::Column& column) {
  Look look;
  look.rows = column.size();
  Register storage;
  storage.Prepare(column.type, look.rows, false);
  const Lane lane = ReadColumn(column, column.type, 0, look.rows, storage);
  const Distinct distinct = CountDistinct(lane, column.type, look.rows);
  look.distinct = distinct.counts.size();
  look.present = look.rows - static_cast<std::size_t>(distinct.missing);
  if (column.type == Type::kText) {
    Workspace work;
    double words = 0;
    for (std::size_t i = 0; i < look.rows; ++i) {
      Normalize(lane.texts[i], GramShape{}, work);
      words += static_cast<double>(work.tokens.size());
    }
    look.words = look.present == 0 ? 0 : words / static_cast<double>(look.present);
    return look;
  }
  std::vector<double> values;
  ForNumbers(lane, look.rows, [&](std::size_t, double x) {
    if (std::isfinite(x)) values.push_back(x);
  });
  if (values.empty()) return look;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  look.median = *middle;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  look.min = *low;
  look.max = *high;
  look.numbering = column.type == Type::kInt && look.distinct == look.present &&
                   look.max - look.min < 2.5 * static_cast<double>(look.present);
  if (column.type == Type::kTimestamp) {
    look.has_time_of_day = std::any_of(values.begin(), values.end(),
                                       [](double t) { return std::fmod(t, 86'400e6) != 0; });
  }
  return look;
}

bool IsIdName(std::string_view name) {
  return name == "id" || name == "ID" || name.ends_with("_id") || name.ends_with("Id") ||
         name.ends_with("ID") || name == "uuid" || name == "guid" || name.ends_with("_uuid") ||
         name.ends_with("_key");
}

class Suggester {
 public:
  Suggester(const table::Frame& sample, const SuggestOptions& options)
      : sample_(sample), options_(options) {
    for (const auto& column : sample.columns) ids_.insert(column.name);
    if (const table::Column* target = sample.Find(options.target)) {
      const Look look = LookAt(*target);
      const bool classes = target->type == Type::kText || target->type == Type::kBool;
      learns_ = (classes && look.distinct <= kClassesEncodedMax) || target->type == Type::kInt ||
                target->type == Type::kDouble;
      text_learns_ = learns_ || classes;
    }
  }

  Result<Spec> Run() {
    for (const auto& column : sample_.columns) {
      if (Skipped(column.name)) continue;
      const Look look = LookAt(column);
      if (column.type == Type::kText && IsFreeText(look)) ++free_texts_;
      looks_.emplace_back(&column, look);
    }
    for (const auto& [column, look] : looks_) AddColumn(*column, look);
    if (outputs_.size() == 0) {
      return InvalidArgument("GY3113", "no column is left to learn from")
          .Why(
              "columns that are constant, all missing, or look like ids are left out of a "
              "suggested recipe")
          .Fix("write a recipe that names the columns yourself");
    }
    Json schema = Json(Json::Array());
    for (const auto& [column, look] : looks_)
      schema.Push(Json::Obj({{"name", column->name}, {"type", table::TypeName(column->type)}}));
    return Spec::FromJson(Json::Obj({{"input", Json::Obj({{"schema", std::move(schema)}})},
                                     {"steps", std::move(steps_)},
                                     {"output", Json::Obj({{"vector", std::move(outputs_)}})}}));
  }

 private:
  static constexpr std::size_t kClassesEncodedMax = 10, kOneHotMaxTrees = 12, kOneHotMaxLinear = 50,
                               kOneHotNumbersMax = 31;
  // With so many rows for each category, trees that split sets of categories learn more than from
  // columns that we make of them.
  static constexpr std::size_t kRowsPerCodeMin = 200, kCodesMax = 200;

  bool linear() const { return options_.model == SuggestOptions::For::kLinear; }
  bool Skipped(const std::string& name) const {
    return name == options_.target || std::find(options_.exclude.begin(), options_.exclude.end(),
                                                name) != options_.exclude.end();
  }
  static bool IsFreeText(const Look& look) {
    return look.words >= 3 && look.distinct_share() > 0.5 && look.present >= 20;
  }

  // Adds a step and gives its id.
  std::string Step(std::string_view column, std::string_view role, std::string_view op,
                   const std::string& in, Json args = {}) {
    std::string id = fmt::format("{}.{}", column, role);
    while (!ids_.insert(id).second) id += "_";
    Json step = Json::Obj({{"id", id}, {"op", op}, {"in", in}});
    if (!args.is_null()) step.Set("args", std::move(args));
    steps_.Push(std::move(step));
    return id;
  }
  void Output(const std::string& id) { outputs_.Push(id); }

  void AddColumn(const table::Column& column, const Look& look) {
    const bool flag_only = look.distinct == 1 && look.missing() > 0;
    if (look.present == 0 || (look.distinct == 1 && look.missing() == 0)) return;
    if (flag_only) {
      Output(Step(column.name, "missing", "missing.flag", column.name));
      return;
    }
    switch (column.type) {
      case Type::kBool:
        AddNumber(column.name, column.name, look);
        break;
      case Type::kInt:
      case Type::kDouble:
        if (column.type == Type::kInt && look.present >= 50 &&
            (look.numbering || (IsIdName(column.name) && look.distinct_share() > 0.95)))
          return;
        AddNumber(column.name, column.name, look);
        if (linear() && column.type == Type::kInt && look.distinct > 2 &&
            look.distinct <= kOneHotNumbersMax) {
          Output(Step(column.name, "onehot", "encode.onehot", column.name,
                      Json::Obj({{"max", 31}, {"min_count", 3}})));
        }
        break;
      case Type::kDate:
      case Type::kTimestamp:
        AddTime(column.name, look);
        break;
      case Type::kText:
        AddText(column.name, look);
        break;
    }
  }

  // Trees split raw numbers and send missing ones down a branch of their own; linear models need
  // them filled and on one scale.
  void AddNumber(const std::string& column, const std::string& in, const Look& look) {
    if (!linear()) {
      Output(Step(column, "number", "number", in));
      return;
    }
    std::string at = in;
    if (look.missing() > 0) {
      Output(Step(column, "missing", "missing.flag", in));
      at = Step(column, "filled", "impute.median", at);
    }
    const bool long_tail = look.min >= 0 && look.max > 20 * std::max(look.median, 1.0);
    if (long_tail) at = Step(column, "log", "log1p", at);
    Output(Step(column, "scaled", "scale.standard", at));
  }

  void AddTime(const std::string& column, const Look& look) {
    Json parts = Json::Arr({"year", "month", "day", "weekday", "day_of_year", "epoch_days"});
    if (look.has_time_of_day) parts.Push("hour");
    if (!linear()) {
      Output(Step(column, "parts", "datetime.parts", column,
                  Json::Obj({{"parts", std::move(parts)}})));
      return;
    }
    const auto scalar = [&](std::string_view part) {
      return Step(column, part, "datetime.parts", column,
                  Json::Obj({{"parts", Json::Arr({Json(part)})}}));
    };
    const auto filled = [&](std::string_view part) {
      return Step(column, std::string(part) + "_filled", "impute.median", scalar(part));
    };
    if (look.missing() > 0) Output(Step(column, "missing", "missing.flag", column));
    Output(Step(column, "scaled", "scale.standard", filled("epoch_days")));
    Output(Step(column, "weekday_onehot", "encode.onehot", scalar("weekday"),
                Json::Obj({{"max", 7}})));
    Output(
        Step(column, "month_onehot", "encode.onehot", scalar("month"), Json::Obj({{"max", 12}})));
    if (look.has_time_of_day)
      Output(
          Step(column, "hour_onehot", "encode.onehot", scalar("hour"), Json::Obj({{"max", 24}})));
  }

  void AddText(const std::string& column, const Look& look) {
    if (IsFreeText(look)) {
      AddFreeText(column, look);
      return;
    }
    // Unique short codes: nothing to learn that would hold for new rows.
    if (look.present >= 50 && look.distinct_share() > 0.95) return;
    if (!linear() && look.distinct <= kCodesMax &&
        look.present >= kRowsPerCodeMin * look.distinct) {
      Output(Step(column, "ordinal", "encode.ordinal", column));
      return;
    }
    if (look.distinct <= (linear() ? kOneHotMaxLinear : kOneHotMaxTrees)) {
      Output(
          Step(column, "onehot", "encode.onehot", column,
               Json::Obj({{"max", static_cast<int>(linear() ? kOneHotMaxLinear : kOneHotMaxTrees)},
                          {"missing", look.missing() > 0 ? "column" : "zeros"}})));
      return;
    }
    if (learns_) {
      Output(Step(column, "target", "encode.target", column, Json::Obj({{"smoothing", 20.0}})));
    } else if (!linear()) {
      Output(Step(column, "ordinal", "encode.ordinal", column));
    }
    if (linear())
      Output(Step(column, "onehot", "encode.onehot", column,
                  Json::Obj({{"max", 50}, {"min_count", 10}})));
    Output(Step(column, "frequency", "encode.frequency", column));
    if (look.missing() > 0) Output(Step(column, "missing", "missing.flag", column));
  }

  // The width is bounded so that the training matrix of all texts together stays near 20 million
  // numbers; among many other columns a text gets fewer, since text.bayes already holds most of
  // what it says.
  void AddFreeText(const std::string& column, const Look& look) {
    const double room = 20e6 / static_cast<double>(std::max<std::size_t>(look.rows, 1)) /
                        static_cast<double>(free_texts_);
    const bool main_matter = looks_.size() <= 4;
    const double most = linear() ? (main_matter ? 1500 : 200) : (main_matter ? 300 : 80);
    const int columns = static_cast<int>(std::clamp(room, 64.0, most));
    if (text_learns_) Output(Step(column, "bayes", "text.bayes", column));
    Output(Step(column, "words", "text.ngrams", column,
                Json::Obj({{"columns", columns}, {"min_rows", 3}, {"select", "frequency"}})));
    if (!linear()) Output(Step(column, "length", "text.length", column));
    if (look.missing() > 0) Output(Step(column, "missing", "missing.flag", column));
  }

  const table::Frame& sample_;
  const SuggestOptions& options_;
  bool learns_ = false, text_learns_ = false;
  std::size_t free_texts_ = 0;
  std::vector<std::pair<const table::Column*, Look>> looks_;
  std::set<std::string, std::less<>> ids_;
  Json steps_ = Json(Json::Array()), outputs_ = Json(Json::Array());
};

}  // namespace

Result<Spec> Suggest(const table::Frame& sample, const SuggestOptions& options) {
  return Suggester(sample, options).Run();
}

}  // namespace gyre::recipes
