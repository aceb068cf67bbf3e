#include "cli/apply/export.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/text.h"
#include "cli/apply/actual.h"
#include "cli/apply/declaration.h"
#include "cli/apply/kinds.h"
#include "platform/config/yaml.h"

namespace gyre::cli::apply {
namespace {

// What the presets of the server make for themselves.
constexpr std::string_view kAutomation = "automation";
constexpr std::array<std::string_view, 8> kTableEndings = {".csv",    ".tsv",     ".json", ".jsonl",
                                                           ".ndjson", ".parquet", ".gz",   ".zst"};

class Exporter {
 public:
  Exporter(Session& session, const std::string& project) : session_(session), project_(project) {}

  Result<Exported> Run() {
    GYRE_TRY(const Json project, session_.Get(ProjectPath(project_)));
    GYRE_TRY(const Json records, List("declarations"));
    for (const Json& record : records.items())
      records_[{record["kind"].AsString(), record["name"].AsString()}] = record["spec"];
    AddProblem(project["problem"]);
    GYRE_DO(AddPlain("channels"));
    AddSources();
    GYRE_DO(AddDatasets());
    AddRecipes();
    GYRE_DO(AddModels());
    GYRE_DO(AddEndpoints());
    GYRE_DO(AddMonitors());
    GYRE_DO(AddPipelines());
    GYRE_DO(AddTriggers());
    Json document = Json::Obj({{"project", project_}});
    for (const Kind& kind : Kinds()) {
      if (const auto found = sections_.find(kind.noun); found != sections_.end())
        document.Set(kind.noun, found->second);
    }
    out_.document = std::move(document);
    return std::move(out_);
  }

 private:
  Result<Json> List(std::string_view noun) {
    return ListOf(session_, fmt::format("{}/{}", ProjectPath(project_), noun));
  }
  const Json* Record(std::string_view kind, const std::string& name) const {
    const auto found = records_.find({std::string(kind), name});
    return found == records_.end() ? nullptr : &found->second;
  }
  // In the order of their names, whatever order they come in.
  void Put(std::string_view noun, const std::string& name, const Json& spec) {
    const Kind& kind = *FindKind(noun);
    Json::Object members = sections_[kind.noun].members();
    const auto place = std::ranges::lower_bound(members, name, {}, &Json::Member::first);
    members.insert(place, {name, ForPeople(kind.members, WithoutDefaults(kind.members, spec))});
    sections_[kind.noun] = Json(std::move(members));
  }
  void LeaveOut(std::string_view kind, const std::string& name, std::string_view why) {
    out_.notes.push_back(fmt::format("{}.{} is left out: {}", kind, name, why));
  }

  void AddProblem(const Json& problem) {
    if (problem.is_null()) return;
    Json goals = Json::Arr();
    for (const Json& kpi : problem["kpis"].items()) goals.Push(GoalText(kpi["text"].AsString()));
    const Kind& kind = *FindKind(kProblem);
    Json spec = WithoutDefaults(kind.members,
                                InFileWords(kind.members, problem).Set("kpis", std::move(goals)));
    if (spec.size() > 0) sections_[kind.noun] = std::move(spec);
  }

  Result<> AddPlain(std::string_view noun) {
    GYRE_TRY(const Json items, List(noun));
    for (const Json& item : items.items())
      Put(noun, item["name"].AsString(), InFileWords(FindKind(noun)->members, item));
    return {};
  }

  void AddSources() {
    for (const auto& [key, spec] : records_)
      if (key.first == "sources") Put("sources", key.second, spec);
  }
  void AddRecipes() {
    for (const auto& [key, spec] : records_)
      if (key.first == "recipes")
        Put("recipes", key.second, Json::Obj({{"recipe", spec["recipe"]}}));
  }

  // --- datasets ----------------------------------------------------------------------------------

  Result<> AddDatasets() {
    GYRE_TRY(const Json items, List("datasets"));
    for (const Json& item : items.items()) {
      const std::string& name = item["name"].AsString();
      const Json spec = PlaceOf(name, item["latest"]);
      if (spec.is_null()) {
        LeaveOut("datasets", name, "its rows come from no file");
        continue;
      }
      datasets_.insert(name);
      GYRE_TRY(const Json suite,
               session_.Get(ThingPath(project_, "datasets", name) + "/expectations"));
      Json whole = spec;
      if (suite["number"].AsInt() > 0) whole.Set("expectations", suite["expectations"]);
      Put("datasets", name, whole);
    }
    return {};
  }

  // Where the rows lie, how they are read: known for what a file has declared, else guessed from
  // the name that the file had.
  Json PlaceOf(const std::string& name, const Json& latest) const {
    Json spec = Json::Obj();
    if (const Json* const record = Record("datasets", name)) {
      for (const auto& [key, value] : record->members())
        if (key != "expectations") spec.Set(key, value);
      if (spec.Has("source") || spec.Has("path") || spec.Has("url") || spec.Has("sql")) return spec;
    }
    const std::string& file = latest["source_name"].AsString();
    const bool table = std::ranges::any_of(
        kTableEndings, [&](std::string_view ending) { return ToLower(file).ends_with(ending); });
    return table ? spec.Set("path", file) : Json();
  }

  // --- models ------------------------------------------------------------------------------------

  Result<> AddModels() {
    GYRE_TRY(const Json items, List("models"));
    for (const Json& item : items.items()) {
      GYRE_DO(AddTraining(item));
      GYRE_DO(AddGates(item));
    }
    return {};
  }

  // How the newest version was trained that no loop has made of what an endpoint answered.
  Result<Json> TrainingOf(const Json& model) {
    const std::string& name = model["name"].AsString();
    if (const Json* const record = Record("training", name)) return *record;
    GYRE_TRY(const Json versions,
             ListOf(session_, ThingPath(project_, "models", name) + "/versions"));
    Json newest;
    for (const Json& version : versions.items()) {
      GYRE_TRY(Json spec, TrainedWith(session_, project_, version));
      if (datasets_.contains(Bare(spec["dataset"].AsString()))) return spec;
      if (newest.is_null()) newest = std::move(spec);
    }
    return newest;
  }
  static std::string Bare(const std::string& dataset) {
    return dataset.substr(0, dataset.rfind(':'));
  }

  Result<> AddTraining(const Json& model) {
    const std::string& name = model["name"].AsString();
    GYRE_TRY(Json spec, TrainingOf(model));
    const std::string bare = Bare(spec["dataset"].AsString());
    if (bare.empty()) {
      LeaveOut("training", name, "it was not trained here");
      return {};
    }
    if (!datasets_.contains(bare)) {
      LeaveOut("training", name, fmt::format("dataset {} is left out, too", bare));
      return {};
    }
    if (Record("training", name) == nullptr) spec.Set("dataset", bare);
    if (spec["recipe"].is_object()) {
      Put("recipes", name, Json::Obj({{"recipe", spec["recipe"]}}));
      spec.Set("recipe", name);
    }
    Put("training", name, spec);
    return {};
  }

  Result<> AddGates(const Json& model) {
    const std::string& name = model["name"].AsString();
    std::set<std::string> aliases = {"champion"};
    for (const auto& [alias, version] : model["aliases"].members()) aliases.insert(alias);
    for (const std::string& alias : aliases) {
      const std::string gate = alias == "champion" ? name : fmt::format("{}@{}", name, alias);
      GYRE_TRY(const Json policy, session_.Get(GatePath(project_, gate)));
      const Kind& kind = *FindKind("gates");
      const Json spec = InFileWords(kind.members, policy);
      if (WithoutDefaults(kind.members, spec).size() > 0) Put("gates", gate, spec);
    }
    return {};
  }

  // --- what answers, watches, starts -------------------------------------------------------------

  // A canary that a person or a retraining tries just now is none of what a project is made of.
  void KeepDeclaredVariants(const std::string& name, Json* spec) {
    const Json* const record = Record("endpoints", name);
    Json kept = Json::Obj();
    for (const auto& [variant, what] : (*spec)["variants"].members()) {
      if (record != nullptr && (*record)["variants"].Has(variant)) {
        kept.Set(variant, what);
      } else {
        LeaveOut("endpoints", fmt::format("{}.variants.{}", name, variant), "no apply has made it");
      }
    }
    spec->Set("variants", std::move(kept));
  }

  Result<> AddEndpoints() {
    GYRE_TRY(const Json items, List("endpoints"));
    const Kind& kind = *FindKind("endpoints");
    for (const Json& item : items.items()) {
      const std::string& name = item["name"].AsString();
      GYRE_TRY(const Json policy,
               session_.Get(ThingPath(project_, "endpoints", name) + "/captures/policy"));
      Json spec = EndpointSpec(item);
      KeepDeclaredVariants(name, &spec);
      spec.Set("capture", InFileWords(FindMember(kind.members, "capture")->members, policy));
      Put("endpoints", name, spec);
    }
    return {};
  }

  Result<> AddMonitors() {
    GYRE_TRY(const Json items, List("monitors"));
    const Kind& kind = *FindKind("monitors");
    for (const Json& item : items.items()) {
      const std::string& name = item["name"].AsString();
      const Json spec = InFileWords(kind.members, item);
      Json kept = WithoutDefaults(kind.members, spec);
      // A window is one thing: what it does not say is not what another one would say.
      if (kept.Has("window")) kept.Set("window", spec["window"]);
      const bool own = spec["endpoint"].AsString() == name;
      // Each endpoint brings one of its own name.
      if (own && kept.size() == 1) continue;
      Json written = Json::Obj();
      for (const auto& [key, value] : kept.members())
        if (key != "endpoint" || !own) written.Set(key, value);
      Json::Object members = sections_[kind.noun].members();
      members.emplace_back(name, ForPeople(kind.members, written));
      sections_[kind.noun] = Json(std::move(members));
    }
    return {};
  }

  Result<> AddPipelines() {
    GYRE_TRY(const Json items, List("pipelines"));
    for (const Json& item : items.items()) {
      const std::string& name = item["name"].AsString();
      newest_[name] = item["reference"].AsString();
      if (item["created_by"].AsString() == kAutomation) continue;
      GYRE_TRY(const Json document, session_.Get(ThingPath(project_, "pipelines", name)));
      GYRE_TRY(Json definition, config::ParseYaml(document["source"].AsString(), name));
      Put("pipelines", name, Json::Obj({{"definition", std::move(definition)}}));
    }
    return {};
  }

  Result<> AddTriggers() {
    GYRE_TRY(const Json items, List("triggers"));
    for (const Json& item : items.items()) {
      Json spec = InFileWords(FindKind("triggers")->members, item);
      const std::string reference = spec["run"]["pipeline"].AsString();
      const std::string name = reference.substr(0, reference.rfind(':'));
      Json run = spec["run"];
      if (newest_[name] == reference) spec.Set("run", run.Set("pipeline", name));
      Put("triggers", item["name"].AsString(), spec);
    }
    return {};
  }

  Session& session_;
  const std::string& project_;
  Exported out_;
  std::map<std::pair<std::string, std::string>, Json> records_;
  std::map<std::string_view, Json> sections_;
  std::set<std::string> datasets_;             // that are written
  std::map<std::string, std::string> newest_;  // of pipelines
};

}  // namespace

Result<Exported> ExportProject(Session& session, const std::string& project) {
  return Exporter(session, project).Run();
}

std::string FileText(const Json& document) {
  std::string text = "# yaml-language-server: $schema=gyre.schema.json\n";
  for (const auto& [key, value] : document.members()) {
    Json section = Json::Obj();
    section.Set(key, value);
    if (key != "project") text += '\n';
    text += config::DumpYaml(section);
  }
  return text;
}

}  // namespace gyre::cli::apply
