#include "ml/inference_log/dataset_task.h"

#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "base/time.h"
#include "platform/table/append.h"
#include "platform/table/reader.h"
#include "platform/table/writer.h"

namespace gyre::inference_log {
namespace {

// A column of older rows as one of that type; values that are of another kind are missing.
table::Column AsType(table::Column from, table::Type type) {
  if (from.type == type) return from;
  table::Column to{.name = from.name, .type = type};
  const std::vector<double> numbers =
      type == table::Type::kDouble ? table::AsDoubles(from) : std::vector<double>();
  for (std::size_t row = 0; row < from.size(); ++row) {
    if (!from.IsValid(row) || (type != table::Type::kText && type != table::Type::kDouble))
      to.PushNull();
    else if (type == table::Type::kText)
      to.PushText(table::CellText(from, row));
    else
      to.PushDouble(numbers[row]);
  }
  return to;
}

// The rows of those files in the columns of `like`.
Result<table::Frame> ReadHistory(const std::vector<std::string>& paths, const table::Frame& like,
                                 const std::function<bool()>& cancelled) {
  if (paths.empty()) return table::EmptyFrame(like.schema());
  table::ReadOptions options;
  options.cancelled = cancelled;
  GYRE_TRY(const table::ParquetInfo info, table::ReadParquetInfo(paths));
  for (const table::Column& column : like.columns) {
    if (std::ranges::find(info.schema, column.name, &table::Field::name) != info.schema.end())
      options.columns.push_back(column.name);
  }
  if (options.columns.empty()) return table::EmptyFrame(like.schema());
  GYRE_TRY(const table::Frame older, table::ReadParquet(paths, options));
  table::Frame fitted;
  for (const table::Column& column : like.columns) {
    const table::Column* const found = older.Find(column.name);
    table::Column missing{.name = column.name, .type = column.type};
    if (found == nullptr)
      for (std::size_t row = 0; row < older.rows(); ++row) missing.PushNull();
    fitted.columns.push_back(found == nullptr ? std::move(missing) : AsType(*found, column.type));
  }
  return fitted;
}

// A slip of the hand is rare; what comes as often as this is a class.
constexpr std::int64_t kNewClassRows = 20, kNewClassOneOf = 100;

// What a dataset lacks and why, said to whoever asked for it.
std::vector<std::string> LeftOut(const Joined& joined, const TrainingRows& made) {
  std::vector<std::string> said;
  for (const std::string& input : joined.hashed)
    said.push_back(fmt::format("the column `{}` is left out: its values are hashed", input));
  constexpr std::size_t kShown = 5;
  std::int64_t rows = 0;
  std::size_t shown = 0;
  for (const auto& [name, count] : made.set_aside) {
    if (++shown > kShown)
      rows += count;
    else
      said.push_back(
          fmt::format("{} of {} labelled rows set aside: their label `{}` is no class of the model",
                      GroupDigits(count), GroupDigits(made.labelled), name));
  }
  if (rows > 0)
    said.push_back(fmt::format("{} more rows set aside, with {} other such labels",
                               GroupDigits(rows), made.set_aside.size() - kShown));
  return said;
}

// The world has a class more: what to do about it is for a person to say.
Result<> NoNewClass(const TrainingRows& made, std::string_view endpoint, std::string_view target) {
  for (const auto& [name, count] : made.set_aside) {
    if (count < kNewClassRows || count * kNewClassOneOf < made.labelled) continue;
    return FailedPrecondition("GY4618",
                              "{} of {} labels of {} say `{}`, which is no class of the model: "
                              "correct them, or retrain by hand with what `gyre captures "
                              "to-dataset {} NAME --labelled --new-classes` makes",
                              GroupDigits(count), GroupDigits(made.labelled), endpoint, name,
                              endpoint)
        .Why("a retraining keeps the champion's classes; this one comes too often to be a slip")
        .Fix(fmt::format("gyre feedback {} FILE", endpoint))
        .Fix(fmt::format("gyre captures to-dataset {} NAME --labelled --new-classes", endpoint))
        .Fix(fmt::format("gyre train NAME --target {}", target));
  }
  return {};
}

// "1", "1.0" and "true" are one class, however a table spells it.
bool IsClass(std::string_view text, std::string_view name) {
  const auto plain = [](std::string_view word) {
    return word == "true" ? std::string_view("1") : word == "false" ? std::string_view("0") : word;
  };
  if (text == name) return true;
  const auto a = ParseDouble(plain(text)), b = ParseDouble(plain(name));
  return a && b && *a == *b;
}

std::vector<std::uint32_t> RowsOfClass(const table::Frame& frame, const std::string& target,
                                       const std::string& name) {
  std::vector<std::uint32_t> rows;
  const table::Column* const column = frame.Find(target);
  for (std::size_t row = 0; column != nullptr && row < column->size(); ++row) {
    if (column->IsValid(row) && IsClass(table::CellText(*column, row), name))
      rows.push_back(static_cast<std::uint32_t>(row));
  }
  return rows;
}

std::vector<std::uint32_t> Range(std::size_t from, std::size_t to) {
  std::vector<std::uint32_t> rows(to - from);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(from));
  return rows;
}

// Too few to learn a class from.
constexpr std::size_t kRowsOfClassMin = 20;

Error LacksClasses(const std::vector<std::string>& gone, std::string_view endpoint) {
  return FailedPrecondition("GY4618",
                            "no row of {}, and none that the champion learned from, says `{}`: "
                            "the new model would not know {} of the champion's",
                            endpoint, Join(gone, "`, `"),
                            gone.size() == 1 ? "that class" : "those classes")
      .Why("a retraining keeps the champion's classes")
      .Fix(fmt::format("gyre feedback {} FILE    (with such labels)", endpoint))
      .Fix(
          "gyre train NAME --target TARGET    (a model of its own, with the classes that are "
          "left)");
}

Error NoRows(const Json& input, std::string_view what) {
  const std::int64_t last_s = input["last_us"].AsInt() / kMicrosPerSecond;
  const std::string left =
      last_s == 0 ? std::string()
                  : fmt::format(
                        ": `last_s` of {} s before the newest event leaves none; {} labels "
                        "have come in all",
                        GroupDigits(last_s), GroupDigits(input["labels"].AsInt()));
  Error error =
      FailedPrecondition("GY4613", "there are no {}rows to make a dataset of{}", what, left);
  if (last_s > 0) return std::move(error).Fix("--param last_s=SECONDS    (more, or 0 for all)");
  return std::move(error).Fix("gyre captures   (lists what there is)");
}

Error TooFewRows(std::int64_t fresh, std::int64_t least, std::int64_t since_us,
                 std::string_view what) {
  return FailedPrecondition("GY4617", "there are {} {}rows{}, {} were asked for", fresh, what,
                            since_us == 0 ? "" : " since " + FormatTime(since_us), least)
      .Fix("gyre feedback ENDPOINT FILE    (or wait for more traffic)");
}

std::vector<std::string> TextsOf(const Json& json) {
  std::vector<std::string> texts;
  for (const Json& text : json.items()) texts.push_back(text.AsString());
  return texts;
}

// How many older rows come along, whatever their class.
std::int64_t OlderWanted(const Json& input, std::int64_t fresh) {
  const std::int64_t history_below = input["history_below"].AsInt();
  if (input["since_us"].AsInt() == 0) return fresh < history_below ? INT64_MAX : 0;
  if (history_below == 0) return 0;
  return std::clamp<std::int64_t>(input["fill_to"].AsInt() - fresh, 0, fresh);
}

Result<Mixed> WithOlder(runners::TaskContext& context, const table::Frame& frame, std::size_t cut,
                        const std::string& target) {
  const Json& input = context.input();
  const table::Frame fresh = cut == 0 ? frame : frame.Select(Range(cut, frame.rows()));
  Wanted wanted{.target = target,
                .newest = OlderWanted(input, static_cast<std::int64_t>(fresh.rows()))};
  if (input["retrain"].AsBool()) wanted.classes = TextsOf(input["classes"]);
  const bool whole = std::ranges::all_of(wanted.classes, [&](const std::string& name) {
    return RowsOfClass(fresh, target, name).size() >= kRowsOfClassMin;
  });
  if (wanted.newest == 0 && whole) return Mixed{.frame = fresh};
  GYRE_TRY(table::Frame older,
           ReadHistory(TextsOf(input["history"]), frame, [&] { return context.cancelled(); }));
  table::AppendFrame(frame.Select(Range(0, cut)), &older);
  Mixed mixed = Mix(older, fresh, wanted);
  if (!mixed.gone.empty()) return LacksClasses(mixed.gone, input["endpoint"].AsString());
  return mixed;
}

}  // namespace

Json DatasetInput(InferenceLog::DatasetRequest request, const std::string& target) {
  return Json::Obj({{"endpoint", std::move(request.endpoint)},
                    {"dataset", std::move(request.dataset)},
                    {"target", target},
                    {"from_us", request.from_us},
                    {"to_us", request.to_us},
                    {"last_us", request.last_us},
                    {"labelled_only", request.labelled_only},
                    {"new_classes", request.new_classes},
                    {"retrain", request.retrain},
                    {"rows_min", request.rows_min},
                    {"since_us", request.since_us},
                    {"fill_to", request.fill_to},
                    {"history", std::move(request.history)},
                    {"history_below", request.history_below}});
}

Mixed Mix(const table::Frame& older, const table::Frame& fresh, const Wanted& wanted) {
  Mixed mixed;
  const std::size_t newest =
      std::min(older.rows(), static_cast<std::size_t>(std::max<std::int64_t>(wanted.newest, 0)));
  std::vector<std::uint32_t> take = Range(older.rows() - newest, older.rows());
  for (const std::string& name : wanted.classes) {
    const std::size_t have = RowsOfClass(fresh, wanted.target, name).size();
    if (have >= kRowsOfClassMin) continue;
    const std::vector<std::uint32_t> rows = RowsOfClass(older, wanted.target, name);
    if (have == 0 && rows.empty()) mixed.gone.push_back(name);
    const std::size_t needed = std::min(rows.size(), kRowsOfClassMin - have);
    take.insert(take.end(), rows.end() - static_cast<std::ptrdiff_t>(needed), rows.end());
    if (have == 0 && needed > 0)
      mixed.said.push_back(
          fmt::format("no fresh row is `{}`: the model knows it from older ones", name));
  }
  std::ranges::sort(take);
  const auto repeated = std::ranges::unique(take);
  take.erase(repeated.begin(), repeated.end());
  mixed.older = static_cast<std::int64_t>(take.size());
  mixed.frame = older.Select(take);
  table::AppendFrame(fresh, &mixed.frame);
  return mixed;
}

Result<Json> DatasetTask(runners::TaskContext& context) {
  ReadRequest request = RequestOf(context);
  request.one_target = true;
  GYRE_TRY(Joined joined, ReadJoined(request));
  const Json& input = context.input();
  const std::string_view what = input["labelled_only"].AsBool() ? "labelled " : "";
  const TrainingRows made =
      TrainingFrame(joined, input["labelled_only"].AsBool(), TextsOf(input["classes"]));
  if (input["retrain"].AsBool())
    GYRE_DO(NoNewClass(made, input["endpoint"].AsString(), joined.target));
  for (std::string& said : LeftOut(joined, made)) joined.problems.push_back(std::move(said));
  if (made.frame.rows() == 0) return NoRows(input, what);
  const std::int64_t since_us = input["since_us"].AsInt();
  const auto cut = static_cast<std::size_t>(
      since_us == 0 ? 0
                    : std::ranges::lower_bound(made.event_us, since_us) - made.event_us.begin());
  const auto fresh = static_cast<std::int64_t>(made.frame.rows() - cut);
  if (const std::int64_t least = input["rows_min"].AsInt(); fresh < least || fresh == 0)
    return TooFewRows(fresh, std::max<std::int64_t>(least, 1), since_us, what);
  GYRE_TRY(const Mixed mixed, WithOlder(context, made.frame, cut, joined.target));
  if (since_us != 0)
    joined.problems.push_back(fmt::format("learned from {} {}rows since {} and {} older ones",
                                          GroupDigits(fresh), what, FormatTime(since_us),
                                          GroupDigits(mixed.older)));
  joined.problems.insert(joined.problems.end(), mixed.said.begin(), mixed.said.end());
  const std::string path = context.scratch_directory() + "/captures.parquet";
  GYRE_DO(table::WriteParquet(mixed.frame, path));
  Json from = Json::Arr();
  for (const AnsweringVersion& version : made.versions)
    from.Push(Json::Obj({{"model", version.model}, {"id", version.model_version_id}}));
  return Json::Obj({{"file", path},
                    {"rows", static_cast<std::int64_t>(mixed.frame.rows())},
                    {"fresh_rows", fresh},
                    {"older_rows", mixed.older},
                    {"mixed", mixed.older > 0},
                    {"versions", std::move(from)},
                    {"problems", ProblemsJson(joined)}});
}

}  // namespace gyre::inference_log
