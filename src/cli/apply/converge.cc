#include "cli/apply/converge.h"

#include <algorithm>

#include "base/text.h"
#include "cli/apply/actual.h"
#include "cli/apply/bring_models.h"
#include "cli/apply/removals.h"
#include "cli/fetch.h"
#include "cli/small_file.h"
#include "platform/config/yaml.h"

namespace gyre::cli::apply {
namespace {

bool Touches(const Change& change, std::string_view member) {
  return std::ranges::any_of(change.fields, [&](const Field& field) {
    return field.member == member || field.member.starts_with(std::string(member) + ".");
  });
}

Json MergedSpec(const Actual& actual, const Change& change) {
  const Json* const there = actual.Find(change.kind->noun, change.name);
  return Merged(change.kind->members, there == nullptr ? Json() : *there, change.entry->spec);
}

Json Named(const std::string& name, const Json& spec) {
  Json body = Json::Obj({{"name", name}});
  for (const auto& [key, value] : spec.members()) body.Set(key, value);
  return body;
}

Result<std::string> BringProblem(Work& work, const Change& change) {
  GYRE_TRY(const Json problem,
           work.session.Put(ProjectPath(work.project) + "/problem", change.entry->spec));
  return fmt::format("version {}", problem["version"].AsInt());
}

Result<std::string> BringChannel(Work& work, const Change& change) {
  const Json& declared = change.entry->spec;
  const Json* const there = work.actual.Find("channels", change.name);
  // A webhook that becomes a mail server keeps nothing.
  const bool same_kind = there != nullptr && there->Has("smtp") == declared.Has("smtp");
  Json body = Named(change.name, same_kind ? MergedSpec(work.actual, change) : declared);
  GYRE_TRY(const Json channel,
           work.session.Post(ProjectPath(work.project) + "/channels", body.Set("replace", true)));
  return "to " + channel["target"].AsString();
}

// --- datasets ------------------------------------------------------------------------------------

// What the rows are called where they come from.
std::string NameOfRows(const Entry& entry, const RowsPlace& place) {
  if (!place.sql.empty()) return entry.name + ".sql";
  if (!place.url.empty()) return FileNameOfUrl(place.url);
  std::string name = place.path;
  while (name.ends_with('/')) name.pop_back();
  return name.substr(name.rfind('/') + 1);
}

std::string UploadPath(const Work& work, const Entry& entry, const Rows& rows,
                       const std::string& name, const std::string& digest) {
  std::string query = "?filename=" + PercentEncode(name);
  if (!rows.format().empty()) query += "&format=" + rows.format();
  if (entry.spec.Has("bad")) query += "&bad=" + PercentEncode(entry.spec["bad"].AsString());
  for (const auto& [column, type] : entry.spec["types"].members())
    query += "&type=" + PercentEncode(column + "=" + type.AsString());
  query += "&tag=" + PercentEncode(fmt::format("{}:{}", kFileTag, digest));
  for (const std::string& id : rows.made_from()) query += "&made_from=" + PercentEncode(id);
  if (entry.spec.Has("source"))
    query += "&tag=" + PercentEncode("source:" + entry.spec["source"].AsString());
  if (const Entry* const problem = work.declaration.Find(kProblem, ""))
    if (const std::string& target = problem->spec["target"].AsString(); !target.empty())
      query += "&target=" + PercentEncode(target);
  return ThingPath(work.project, "datasets", entry.name) + "/versions" + query;
}

Result<std::string> ReadRows(Work& work, const Entry& entry) {
  const RowsPlace place = PlaceOfRows(work.declaration, entry);
  if (place.empty()) return NoRows(work.declaration, entry);
  GYRE_TRY(Rows rows, Rows::Open(place, work.reading));
  GYRE_DO(rows.Load(work.reading));
  GYRE_TRY(const std::string digest, rows.Digest());
  GYRE_TRY(const Json job,
           work.session.Upload(UploadPath(work, entry, rows, NameOfRows(entry, place), digest),
                               rows.file(), work.out));
  GYRE_TRY(const Json done, work.session.WaitJob(job, work.out));
  const Json& result = done["result"];
  if (const std::int64_t aside = result["rows_quarantined"].AsInt(); aside > 0)
    work.out.Warn(fmt::format("{} of its rows were set aside: gyre datasets quarantine {}",
                              GroupDigits(aside), result["reference"].AsString()));
  return fmt::format("{}, {} rows {} {} columns{}", result["reference"].AsString(),
                     GroupDigits(result["rows"].AsInt()), work.out.Mark("times"),
                     result["columns"].AsInt(),
                     result["unchanged"].AsBool() ? " (was there already)" : "");
}

Result<> SetExpectations(Work& work, const Entry& entry) {
  GYRE_TRY([[maybe_unused]] const Json suite,
           work.session.Put(ThingPath(work.project, "datasets", entry.name) + "/expectations",
                            Json::Obj({{"expectations", entry.spec["expectations"]}})));
  return {};
}

Result<std::string> Check(Work& work, const Entry& entry) {
  GYRE_TRY(const Json job, work.session.Post(ThingPath(work.project, "datasets", entry.name) +
                                                 "/versions/latest/check",
                                             Json::Obj()));
  GYRE_TRY(const Json done, work.session.WaitJob(job, work.out));
  const Json& check = done["result"];
  const std::size_t count = entry.spec["expectations"].size();
  const std::int64_t failed = check["failed"].AsInt();
  for (const Json& result : check["results"].items()) {
    const std::string observed = result["observed"].StringOr("");
    if (observed.starts_with("no such column"))
      work.out.Warn(
          fmt::format("`{}` of {}: {}", result["column"].AsString(), entry.name, observed));
  }
  if (failed > 0)
    work.out.Warn(fmt::format("{} of {} expectations of {} fail: gyre datasets check {}", failed,
                              count, entry.name, entry.name));
  return fmt::format("{} of {} expectations hold", static_cast<std::int64_t>(count) - failed,
                     count);
}

Result<std::string> BringDataset(Work& work, const Change& change) {
  const Entry& entry = *change.entry;
  const bool is_new = change.action == Action::kAdd;
  const bool judge = is_new ? entry.spec.Has("expectations") : Touches(change, "expectations");
  // Rows that are read are judged by the suite that is declared; a new dataset can have one only
  // once it is there.
  if (judge && !is_new) GYRE_DO(SetExpectations(work, entry));
  std::string text;
  if (is_new || Touches(change, "rows") || Touches(change, "types")) {
    GYRE_TRY(text, ReadRows(work, entry));
  }
  if (judge && is_new) GYRE_DO(SetExpectations(work, entry));
  if (!entry.spec.Has("expectations")) return text;
  GYRE_TRY(const std::string checked, Check(work, entry));
  return text.empty() ? checked : text + ", " + checked;
}

// --- the others ----------------------------------------------------------------------------------

Result<std::string> BringRecipe(Work& work, const Change& change) {
  GYRE_TRY(
      const Json checked,
      work.session.Post(ProjectPath(work.project) + "/recipes/check",
                        Json::Obj({{"recipe", config::DumpYaml(change.entry->spec["recipe"])}})));
  const std::int64_t steps = checked["steps"].AsInt();
  return fmt::format("{} step{}", steps, steps == 1 ? "" : "s");
}

Result<std::string> BringSource(Work& /*work*/, const Change& change) {
  const Json& spec = change.entry->spec;
  return spec.Has("url") ? spec["url"].AsString() : spec["path"].AsString();
}

// Shares of what stands there already go first, all at once: no sum in between is above the whole.
// A new champion ends what stood beside it.
Result<> BringVariants(Work& work, const Change& change, const std::string& path) {
  const bool anew = change.action == Action::kAdd || Touches(change, "model");
  if (!anew && !Touches(change, "variants")) return {};
  const Json* const there = work.actual.Find("endpoints", change.name);
  Json shares = Json::Obj(), fresh = Json::Obj();
  for (const auto& [name, spec] : change.entry->spec["variants"].members()) {
    const bool stands = !anew && there != nullptr && (*there)["variants"].Has(name) &&
                        !Touches(change, fmt::format("variants.{}.model", name)) &&
                        !Touches(change, fmt::format("variants.{}.shadow", name));
    if (!stands) {
      fresh.Set(name, spec);
    } else if (Touches(change, fmt::format("variants.{}.share", name))) {
      shares.Set(name, spec["share"]);
    }
  }
  if (shares.size() > 0) {
    GYRE_TRY([[maybe_unused]] const Json moved,
             work.session.Put(path + "/traffic", Json::Obj({{"shares", std::move(shares)}})));
  }
  for (const auto& [name, spec] : fresh.members()) {
    GYRE_TRY([[maybe_unused]] const Json stands,
             work.session.Put(fmt::format("{}/variants/{}", path, PercentEncode(name)), spec));
  }
  return {};
}

Result<std::string> BringEndpoint(Work& work, const Change& change) {
  const Json& spec = change.entry->spec;
  const std::string path = ThingPath(work.project, "endpoints", change.name);
  if (change.action == Action::kAdd || Touches(change, "model")) {
    GYRE_TRY([[maybe_unused]] const Json live,
             work.session.Put(path, Json::Obj({{"model", spec["model"]}})));
  }
  GYRE_DO(BringVariants(work, change, path));
  Json changes = Json::Obj();
  if (spec.Has("sticky")) changes.Set("sticky", spec["sticky"]);
  if (spec.Has("park_after")) changes.Set("park_after_seconds", spec["park_after"]);
  if (changes.size() > 0) {
    GYRE_TRY([[maybe_unused]] const Json changed, work.session.Patch(path, changes));
  }
  if (spec["capture"].size() > 0) {
    GYRE_TRY([[maybe_unused]] const Json policy,
             work.session.Patch(path + "/captures/policy", spec["capture"]));
  }
  GYRE_TRY(const Json endpoint, work.session.Get(path));
  if (!endpoint["ready"].AsBool() && !endpoint["parked"].AsBool())
    work.out.Warn(fmt::format("endpoint {} does not answer yet: {}", change.name,
                              endpoint["problem"].StringOr("it is loading")));
  return fmt::format("{} answers at {}{}", endpoint["model"].AsString(), work.session.url(),
                     endpoint["path"].AsString());
}

Json MonitorSettings(const Json& merged, const Json& declared) {
  Json body = Json::Obj();
  for (const auto& [key, value] : merged.members()) {
    if (key == "endpoint" || key == "enabled" || !declared.Has(key)) continue;
    if (key != "window") {
      body.Set(key, value);
      continue;
    }
    // By count or by time: one of them.
    const bool by_rows = declared["window"].Has("rows");
    Json window = Json::Obj();
    for (const auto& [member, of] : value.members())
      if ((member == "rows") == by_rows) window.Set(member, of);
    body.Set("window", std::move(window));
  }
  return body;
}

Result<std::string> BringMonitor(Work& work, const Change& change) {
  const Json& spec = change.entry->spec;
  const std::string path = ThingPath(work.project, "monitors", change.name);
  // Each endpoint brings one of its own name.
  const auto there = work.session.Get(path);
  if (!there && there.error().code() != Code::kNotFound) return there.error();
  const Json is = there ? InFileWords(change.kind->members, *there) : Json();
  Json body = MonitorSettings(Merged(change.kind->members, is, spec), spec);
  const Json& endpoint = spec["endpoint"];
  if (!there) {
    body.Set("name", change.name);
    if (!endpoint.is_null()) body.Set("endpoint", endpoint);
    GYRE_TRY([[maybe_unused]] const Json made,
             work.session.Post(ProjectPath(work.project) + "/monitors", body));
    body = Json::Obj();
  } else if (!endpoint.is_null() && (*there)["endpoint"] != endpoint) {
    return FailedPrecondition("GY4911", "monitor `{}` watches endpoint `{}`", change.name,
                              (*there)["endpoint"].AsString())
        .Why("what it has judged belongs to that endpoint")
        .Fix(fmt::format("gyre monitors rm {}   (then apply makes it anew)", change.name));
  }
  if (spec.Has("enabled")) body.Set("enabled", spec["enabled"]);
  if (body.size() > 0) {
    GYRE_TRY([[maybe_unused]] const Json changed, work.session.Patch(path, body));
  }
  GYRE_TRY(const Json monitor, work.session.Get(path));
  return "every " + monitor["window_text"].AsString();
}

Result<std::string> BringPipeline(Work& work, const Change& change) {
  const Json& spec = change.entry->spec;
  const std::string file = spec["file"].AsString();
  std::string source = config::DumpYaml(spec["definition"]);
  if (!file.empty()) {
    GYRE_TRY(source, ReadNamedFile(work.declaration.PathOf(file)));
  }
  GYRE_TRY(
      const Json version,
      work.session.Post(ProjectPath(work.project) + "/pipelines",
                        Json::Obj({{"source", source},
                                   {"source_name", file.empty() ? work.declaration.file : file}})));
  const std::int64_t steps = version["steps"].AsInt();
  return fmt::format("{}, {} step{}", version["reference"].AsString(), steps,
                     steps == 1 ? "" : "s");
}

Result<std::string> BringTrigger(Work& work, const Change& change) {
  const Json body = TriggerBody(work.actual, change);
  const std::string path = ProjectPath(work.project) + "/triggers";
  const auto trigger =
      work.actual.Find("triggers", change.name) == nullptr
          ? work.session.Post(path, body)
          : work.session.Put(ThingPath(work.project, "triggers", change.name), body);
  if (!trigger) return trigger.error();
  return fmt::format("on {}, run {}", body["on"]["kind"].AsString(),
                     (*trigger)["run"]["pipeline"].AsString());
}

using BringOne = Result<std::string> (*)(Work&, const Change&);
struct Way {
  std::string_view noun;
  BringOne bring;
};
constexpr Way kWays[] = {
    {kProblem, BringProblem},     {"channels", BringChannel},   {"sources", BringSource},
    {"datasets", BringDataset},   {"recipes", BringRecipe},     {"training", BringTraining},
    {"gates", BringGate},         {"endpoints", BringEndpoint}, {"monitors", BringMonitor},
    {"pipelines", BringPipeline}, {"triggers", BringTrigger}};

// --- what the server remembers -------------------------------------------------------------------

std::string RecordPath(const Work& work, std::string_view kind, const std::string& name) {
  return ThingPath(work.project, fmt::format("declarations/{}", kind),
                   name.empty() ? std::string(kind) : name);
}

// A pipeline stands in the server itself.
Json RecordedSpec(const Entry& entry) {
  Json spec = Json::Obj();
  for (const auto& [key, value] : entry.spec.members())
    if (key != "definition") spec.Set(key, value);
  return spec;
}

Result<> KeepRecord(Work& work, const Entry& entry, bool made, std::string_view thing) {
  GYRE_TRY(
      [[maybe_unused]] const Json kept,
      work.session.Put(RecordPath(work, entry.kind->noun, entry.name),
                       Json::Obj({{"spec", RecordedSpec(entry)}, {"made", made}, {"id", thing}})));
  return {};
}

// It stands on the server, beside what is kept of it.
bool StandsThere(const Kind& kind) {
  return kind.noun != kProblem && kind.noun != "sources" && kind.noun != "recipes";
}

const Record* RecordOf(const Work& work, const Entry& entry) {
  return work.actual.FindRecord(entry.kind->noun,
                                entry.name.empty() ? entry.kind->noun : entry.name);
}

// An apply began to make it, and did not come to say what it is called.
bool IsUnsettled(const Work& work, const Entry& entry) {
  const Record* const record = RecordOf(work, entry);
  return StandsThere(*entry.kind) && record != nullptr && record->made && record->thing.empty();
}

Result<> Settle(Work& work, const Entry& entry, bool made) {
  std::string thing;
  if (made && StandsThere(*entry.kind)) {
    GYRE_TRY(thing, IdentityOf(work.session, work.project, entry.kind->noun, entry.name));
  }
  return KeepRecord(work, entry, made, thing);
}

// After a failure: what is there all the same is this apply's. What somebody has stopped to wait
// for may still come.
Result<> SettleWhatIsThere(Work& work, const Entry& entry, const Error& error) {
  if (error.code() == Code::kCancelled) return {};
  GYRE_TRY(const std::string thing,
           IdentityOf(work.session, work.project, entry.kind->noun, entry.name));
  return thing.empty() ? ForgetRecord(work, entry.kind->noun, entry.name)
                       : KeepRecord(work, entry, true, thing);
}

// Somebody has made it since the plan, perhaps another apply: what is still to change is seen anew,
// once.
Result<std::string> BringBesideAnother(Work& work, const Entry& entry, BringOne bring) {
  GYRE_TRY(const Actual actual, ReadActual(work.reading, work.declaration));
  const Plan plan = MakePlan(work.declaration, actual);
  const auto left = std::ranges::find(plan.changes, &entry, &Change::entry);
  if (left == plan.changes.end()) return "somebody else has made it so meanwhile";
  Work anew{work.session, work.out, work.project, work.reading, work.declaration, actual};
  auto text = bring(anew, *left);
  work.gate_said_no = work.gate_said_no || anew.gate_said_no;
  return text;
}

}  // namespace

Json Merged(std::span<const Member> members, const Json& there, const Json& declared) {
  Json merged = there.is_object() ? there : Json::Obj();
  for (const Member& member : members) {
    const Json* const wanted = declared.Find(member.name);
    if (wanted == nullptr || member.seen == Seen::kLocal) continue;
    Json value = *wanted;
    const Json& is = there[member.name];
    if (member.shape == Shape::kObject) value = Merged(member.members, is, *wanted);
    if ((member.shape == Shape::kTextMap || member.shape == Shape::kFreeMap) && is.is_object()) {
      value = is;
      for (const auto& [key, one] : wanted->members()) value.Set(key, one);
    }
    if (member.shape == Shape::kObjectMap && is.is_object()) {
      value = is;
      for (const auto& [key, one] : wanted->members())
        value.Set(key, Merged(member.members, is[key], one));
    }
    merged.Set(member.name, std::move(value));
  }
  return merged;
}

Json TriggerBody(const Actual& actual, const Change& change) {
  Json body = Named(change.name, MergedSpec(actual, change));
  const Json& on = change.entry->spec["on"];
  const Json* const there = actual.Find("triggers", change.name);
  // What it listened for says nothing about another kind.
  if (there != nullptr && (*there)["on"]["kind"] != on["kind"]) body.Set("on", on);
  return body;
}

Result<> ForgetRecord(Work& work, std::string_view kind, const std::string& name) {
  GYRE_TRY([[maybe_unused]] const Json forgotten,
           work.session.Delete(RecordPath(work, kind, name)));
  return {};
}

Result<> MakeProject(Work& work) {
  if (work.actual.has_project) return {};
  const auto made = work.session.Post("/api/v1/projects", Json::Obj({{"name", work.project}}));
  if (!made && made.error().code() != Code::kAlreadyExists) return made.error();
  work.out.Done("project " + work.project);
  return {};
}

Result<std::string> Bring(Work& work, const Change& change) {
  if (change.action == Action::kRemove) return Remove(work, change);
  const Entry& entry = *change.entry;
  const bool adds = change.action == Action::kAdd;
  // Before the thing: what is half done when a later step fails was made by an apply.
  if (adds && StandsThere(*change.kind)) GYRE_DO(KeepRecord(work, entry, true, ""));
  const auto way = std::ranges::find(kWays, change.kind->noun, &Way::noun);
  auto text = way->bring(work, change);
  if (adds && !text && text.error().code() == Code::kAlreadyExists)
    text = BringBesideAnother(work, entry, way->bring);
  if (text) {
    GYRE_DO(Settle(work, entry, adds || IsUnsettled(work, entry)));
  } else if (adds && StandsThere(*change.kind)) {
    // Else the name alone says what it was; the failure is what people must hear of.
    (void)SettleWhatIsThere(work, entry, text.error());
  }
  return text;
}

Result<> KeepRecords(Work& work, const Plan& plan) {
  for (const Entry& entry : work.declaration.entries) {
    const bool changed =
        std::ranges::any_of(plan.changes, [&](const Change& c) { return c.entry == &entry; });
    const Record* const record = RecordOf(work, entry);
    const bool unsettled = IsUnsettled(work, entry);
    const bool same = record != nullptr && record->spec == RecordedSpec(entry);
    if (changed || (same && !unsettled)) continue;
    GYRE_DO(Settle(work, entry, unsettled));
  }
  return {};
}

}  // namespace gyre::cli::apply
