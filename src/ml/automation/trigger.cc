#include "ml/automation/trigger.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ml/automation/members.h"
#include "ml/pipelines/schedule.h"

namespace gyre::automation {
namespace {

constexpr std::string_view kBad = "GY4801";
constexpr std::string_view kApprover = "approver";
constexpr std::int64_t kYearSeconds = std::int64_t{366} * 86'400;

struct CauseRow {
  Cause cause;
  std::string_view name;
  std::string_view subject;  // how its member is called; empty = it has none
  bool needs_subject;
};
constexpr std::array kCauses = std::to_array<CauseRow>({
    {Cause::kDrift, "drift", "endpoint", false},
    {Cause::kPerformance, "performance", "endpoint", false},
    {Cause::kKpi, "kpi", "endpoint", false},
    {Cause::kQuality, "quality", "endpoint", false},
    {Cause::kSchedule, "schedule", "", false},
    {Cause::kDataset, "dataset", "dataset", true},
    {Cause::kFile, "file", "folder", true},
    {Cause::kPush, "push", "repository", false},
    {Cause::kRegistry, "registry", "model", false},
    {Cause::kWebhook, "webhook", "", false},
    {Cause::kHand, "hand", "", false},
});

const CauseRow& RowOf(Cause cause) { return *std::ranges::find(kCauses, cause, &CauseRow::cause); }

// "22:00" as minutes of the day.
Result<int> MinuteOfDay(std::string_view text) {
  const auto parts = Split(text, ':');
  if (parts.size() == 2) {
    const auto hour = ParseInt(parts[0]), minute = ParseInt(parts[1]);
    if (hour && minute && *hour >= 0 && *hour < 24 && *minute >= 0 && *minute < 60)
      return static_cast<int>(*hour * 60 + *minute);
  }
  return InvalidArgument(kBad, "`{}` is no time of the day", text).Fix("22:00");
}

std::string ClockText(int minute) { return fmt::format("{:02}:{:02}", minute / 60, minute % 60); }

Result<QuietHours> QuietHoursFromJson(const Json& json) {
  QuietHours hours;
  std::string from, to;
  GYRE_DO(MemberReader("a trigger's `quiet_hours`", kBad)
              .Text("from", &from)
              .Text("to", &to)
              .Text("zone", &hours.zone)
              .Read(json));
  GYRE_TRY(hours.from_minute, MinuteOfDay(from));
  GYRE_TRY(hours.to_minute, MinuteOfDay(to));
  GYRE_TRY([[maybe_unused]] const auto zone, pipelines::TimeZone::Load(hours.zone));
  if (hours.from_minute == hours.to_minute)
    return InvalidArgument(kBad, "quiet hours from {0} to {0} would never end", from);
  return hours;
}

Result<> ReadGuards(const Json& json, Guards* guards) {
  return MemberReader("a trigger's `guards`", kBad)
      .Whole("cooldown_s", &guards->cooldown_s, 0, kYearSeconds)
      .Whole("runs_per_day_max", &guards->runs_per_day_max, 0, 100'000)
      .Number("cpu_seconds_per_month", &guards->cpu_seconds_per_month, 0, 1e12)
      .Flag("one_at_a_time", &guards->one_at_a_time)
      .Flag("quality_first", &guards->quality_first)
      .Whole("failures_max", &guards->failures_max, 0, 1000)
      .Whole("labels_wait_s", &guards->labels_wait_s, 0, kYearSeconds)
      .Custom("quiet_hours",
              [guards](const Json& value) -> Result<> {
                GYRE_TRY(guards->quiet_hours, QuietHoursFromJson(value));
                return {};
              })
      .Read(json);
}

void ReadSchedule(MemberReader* reader, Listening* on) {
  reader->Text("at", &on->at)
      .Text("zone", &on->zone)
      .Custom("catch_up",
              [on](const Json& value) -> Result<> {
                GYRE_TRY(on->catch_up, pipelines::ParseCatchUp(value.AsString()));
                return {};
              })
      .Custom("overlap", [on](const Json& value) -> Result<> {
        GYRE_TRY(on->overlap, pipelines::ParseOverlap(value.AsString()));
        return {};
      });
}

Result<> ReadListening(const Json& json, Listening* on) {
  const std::string kind = json["kind"].AsString();
  const auto cause = ParseCause(kind);
  if (!cause) {
    return InvalidArgument(kBad, "a trigger cannot listen for `{}`", kind)
        .Fix("one of " + Join(CauseNames(), ", "));
  }
  on->cause = *cause;
  const CauseRow& row = RowOf(*cause);
  MemberReader reader(fmt::format("`on` of a {} trigger", row.name), kBad);
  std::string ignored;
  reader.Text("kind", &ignored);
  if (!row.subject.empty()) reader.Text(row.subject, &on->subject);
  if (on->cause == Cause::kDrift) reader.Text("columns", &on->columns);
  if (on->cause == Cause::kFile) reader.Text("pattern", &on->pattern);
  if (on->cause == Cause::kPush) reader.Text("branch", &on->branch);
  if (on->cause == Cause::kRegistry) reader.Text("alias", &on->alias);
  if (on->cause == Cause::kSchedule) ReadSchedule(&reader, on);
  GYRE_DO(reader.Read(json));
  if (row.needs_subject && on->subject.empty())
    return InvalidArgument(kBad, "a {} trigger must say which {}", row.name, row.subject);
  if (on->cause == Cause::kSchedule) {
    if (on->at.empty())
      return InvalidArgument(kBad, "a schedule trigger must say when").Fix("--at '0 3 * * *'");
    GYRE_TRY([[maybe_unused]] const auto cadence, pipelines::Cadence::Parse(on->at));
    GYRE_TRY([[maybe_unused]] const auto zone, pipelines::TimeZone::Load(on->zone));
  }
  if (on->cause == Cause::kFile && !on->subject.starts_with('/'))
    return InvalidArgument(kBad, "`{}` is no folder that can be watched", on->subject)
        .Why("a folder is named from the root, as the server sees it");
  return {};
}

Result<> ReadRun(const Json& json, TriggerSpec* spec) {
  return MemberReader("a trigger's `run`", kBad)
      .Text("pipeline", &spec->pipeline)
      .Custom("params",
              [spec](const Json& value) -> Result<> {
                if (!value.is_object())
                  return InvalidArgument(kBad, "`params` of a trigger's `run` must be an object");
                spec->params = value;
                return {};
              })
      .Read(json);
}

Json ListeningToJson(const Listening& on) {
  const CauseRow& row = RowOf(on.cause);
  Json json = Json::Obj({{"kind", row.name}});
  if (!on.subject.empty()) json.Set(row.subject, on.subject);
  if (!on.columns.empty()) json.Set("columns", on.columns);
  if (on.cause == Cause::kSchedule) {
    json.Set("at", on.at)
        .Set("zone", on.zone)
        .Set("catch_up", pipelines::CatchUpName(on.catch_up))
        .Set("overlap", pipelines::OverlapName(on.overlap));
  }
  if (!on.pattern.empty()) json.Set("pattern", on.pattern);
  if (!on.branch.empty()) json.Set("branch", on.branch);
  if (!on.alias.empty()) json.Set("alias", on.alias);
  return json;
}

Json GuardsToJson(const Guards& guards) {
  Json json = Json::Obj({{"cooldown_s", guards.cooldown_s},
                         {"runs_per_day_max", guards.runs_per_day_max},
                         {"cpu_seconds_per_month", guards.cpu_seconds_per_month},
                         {"one_at_a_time", guards.one_at_a_time},
                         {"quality_first", guards.quality_first},
                         {"failures_max", guards.failures_max},
                         {"labels_wait_s", guards.labels_wait_s}});
  if (guards.quiet_hours) {
    json.Set("quiet_hours", Json::Obj({{"from", ClockText(guards.quiet_hours->from_minute)},
                                       {"to", ClockText(guards.quiet_hours->to_minute)},
                                       {"zone", guards.quiet_hours->zone}}));
  }
  return json;
}

bool NamesOneOf(std::string_view wanted, const std::vector<std::string>& columns) {
  return std::ranges::any_of(Split(wanted, ','), [&](std::string_view name) {
    return std::ranges::find(columns, Trim(name)) != columns.end();
  });
}

}  // namespace

std::string_view CauseName(Cause cause) { return RowOf(cause).name; }

std::string_view SubjectKind(Cause cause) { return RowOf(cause).subject; }

std::string EndpointOf(const TriggerSpec& spec) {
  if (const std::string& endpoint = spec.params["endpoint"].AsString(); !endpoint.empty())
    return endpoint;
  return SubjectKind(spec.on.cause) == "endpoint" ? spec.on.subject : std::string();
}

std::optional<Cause> ParseCause(std::string_view name) {
  const auto row = std::ranges::find(kCauses, name, &CauseRow::name);
  if (row == kCauses.end()) return std::nullopt;
  return row->cause;
}

std::vector<std::string> CauseNames() {
  std::vector<std::string> names;
  for (const CauseRow& row : kCauses) names.emplace_back(row.name);
  return names;
}

Result<TriggerSpec> TriggerSpecFromJson(const Json& json) {
  TriggerSpec spec;
  bool listens = false;
  GYRE_DO(MemberReader("a trigger", kBad)
              .Text("name", &spec.name)
              .Text("approval", &spec.approval)
              .Flag("enabled", &spec.enabled)
              .Custom("on",
                      [&](const Json& value) {
                        listens = true;
                        return ReadListening(value, &spec.on);
                      })
              .Custom("run", [&](const Json& value) { return ReadRun(value, &spec); })
              .Custom("guards", [&](const Json& value) { return ReadGuards(value, &spec.guards); })
              .Read(json));
  GYRE_DO(CheckName("trigger", spec.name));
  if (!listens)
    return InvalidArgument(kBad, "trigger `{}` must say what it listens for", spec.name)
        .Fix("--on drift");
  if (spec.pipeline.empty())
    return InvalidArgument(kBad, "trigger `{}` must say what it starts", spec.name)
        .Fix("--run retrain");
  if (!spec.approval.empty() && spec.approval != kApprover) {
    return InvalidArgument(kBad, "nobody can agree as `{}`", spec.approval)
        .Why("who may approve models may approve runs")
        .Fix(fmt::format("--approval {}", kApprover));
  }
  return spec;
}

Json TriggerSpecToJson(const TriggerSpec& spec) {
  return Json::Obj({{"name", spec.name},
                    {"on", ListeningToJson(spec.on)},
                    {"run", Json::Obj({{"pipeline", spec.pipeline}, {"params", spec.params}})},
                    {"guards", GuardsToJson(spec.guards)},
                    {"approval", spec.approval},
                    {"enabled", spec.enabled}});
}

bool Listens(const TriggerSpec& spec, const Occurrence& occurrence) {
  const Listening& on = spec.on;
  if (on.cause != occurrence.cause) return false;
  if (!on.subject.empty() && on.subject != occurrence.subject) return false;
  if (!on.columns.empty() && !NamesOneOf(on.columns, occurrence.columns)) return false;
  if (!on.branch.empty() && on.branch != occurrence.branch) return false;
  if (!on.alias.empty() && on.alias != occurrence.alias) return false;
  return on.pattern.empty() ||
         ::fnmatch(on.pattern.c_str(), occurrence.file.c_str(), FNM_PERIOD) == 0;
}

}  // namespace gyre::automation
