#include "cli/apply/actual.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "platform/config/yaml.h"
#include "platform/exec/files.h"

namespace gyre::cli::apply {
namespace {

constexpr std::size_t kVersionsMax = 50;  // of a model, looked at from the newest

bool IsMissing(const Result<Json>& answer) {
  return !answer && answer.error().code() == Code::kNotFound;
}

class View {
 public:
  View(Reading& reading, const Declaration& declaration)
      : reading_(reading),
        session_(reading.session),
        project_(reading.project),
        declaration_(declaration) {}

  Result<Actual> Read() {
    const auto project = session_.Get(ProjectPath(project_));
    if (IsMissing(project)) {
      GYRE_DO(ReadRows());
      GYRE_DO(CheckReferences());
      return std::move(actual_);
    }
    if (!project) return project.error();
    actual_.has_project = true;
    GYRE_DO(ReadRecords());
    ReadProblem((*project)["problem"]);
    GYRE_DO(ReadLists());
    GYRE_DO(ReadRows());
    for (const Entry& entry : declaration_.entries) GYRE_DO(ReadEntry(entry));
    GYRE_DO(SeeWhatWasDeclared());
    GYRE_DO(CheckReferences());
    return std::move(actual_);
  }

 private:
  std::string PathOf(std::string_view noun, std::string_view name) const {
    return ThingPath(project_, noun, name);
  }
  void Put(std::string_view kind, std::string_view name, Json spec) {
    actual_.specs[{std::string(kind), std::string(name)}] = std::move(spec);
  }

  Result<> ReadRecords() {
    GYRE_TRY(const Json items, ListOf(session_, ProjectPath(project_) + "/declarations"));
    for (const Json& item : items.items()) {
      const std::string& kind = item["kind"].AsString();
      actual_.records.push_back({.kind = kind,
                                 .name = item["name"].AsString(),
                                 .made = item["made"].AsBool(),
                                 .thing = item["id"].AsString(),
                                 .spec = item["spec"]});
      // These live nowhere else.
      if (kind != "sources" && kind != "recipes") continue;
      Put(kind, item["name"].AsString(), item["spec"]);
      names_[kind].insert(item["name"].AsString());
    }
    return {};
  }

  // Of what an earlier file declared and this one does not: whether it is still there, and not
  // another one that somebody has given its name.
  Result<> SeeWhatWasDeclared() {
    for (Record& record : actual_.records) {
      if (declaration_.Find(record.kind, record.name) != nullptr) continue;
      const bool gate = record.kind == "gates";
      const std::string name = gate ? GateNameOf(record.name).model : record.name;
      if (!names_[gate ? "training" : record.kind].contains(name)) continue;
      Put(record.kind, record.name, Json::Obj());
      if (!record.made || record.thing.empty()) continue;
      GYRE_TRY(const std::string is, IdentityOf(session_, project_, record.kind, record.name));
      record.made = is == record.thing;
    }
    return {};
  }

  void ReadProblem(const Json& problem) {
    if (problem.is_null()) return;
    Json spec = InFileWords(FindKind(kProblem)->members, problem);
    Json goals = Json::Arr();
    for (const Json& kpi : problem["kpis"].items()) goals.Push(GoalText(kpi["text"].AsString()));
    Put(kProblem, "", spec.Set("kpis", std::move(goals)));
  }

  // What the server calls the things of a kind that the file declares or names.
  Result<> ReadLists() {
    for (const auto& [kind, noun] :
         {std::pair{"channels", "channels"}, std::pair{"datasets", "datasets"},
          std::pair{"training", "models"}, std::pair{"endpoints", "endpoints"},
          std::pair{"monitors", "monitors"}, std::pair{"pipelines", "pipelines"},
          std::pair{"triggers", "triggers"}}) {
      GYRE_TRY(const Json items,
               ListOf(session_, fmt::format("{}/{}", ProjectPath(project_), noun)));
      for (const Json& item : items.items()) {
        const std::string& name = item["name"].AsString();
        names_[kind].insert(name);
        documents_[{kind, name}] = item;
      }
    }
    names_["pipelines"].insert("retrain");  // the preset is made when it is first used
    return {};
  }

  const Json* Document(const Entry& entry) const {
    const auto found = documents_.find({std::string(entry.kind->noun), entry.name});
    return found == documents_.end() ? nullptr : &found->second;
  }

  Result<> ReadEntry(const Entry& entry) {
    const std::string_view noun = entry.kind->noun;
    if (noun == "gates") return ReadGate(entry);
    const Json* const document = Document(entry);
    if (document == nullptr) return {};
    if (noun == "datasets") return ReadDataset(entry, *document);
    if (noun == "training") return ReadTraining(entry, *document);
    if (noun == "endpoints") return ReadEndpoint(entry, *document);
    if (noun == "pipelines") return ReadPipeline(entry);
    if (noun == "triggers") return ReadTrigger(entry, *document);
    Put(noun, entry.name, InFileWords(entry.kind->members, *document));
    return {};
  }

  // --- datasets ----------------------------------------------------------------------------------

  // Which rows the server has not read.
  Result<> ReadRows() {
    for (const Entry& entry : declaration_.entries) {
      const RowsPlace place = PlaceOfRows(declaration_, entry);
      if (entry.kind->noun != "datasets" || place.empty()) continue;
      GYRE_TRY(const bool there, IsThere(entry, place));
      if (there) GYRE_DO(ReadRowsOf(entry, place));
    }
    return {};
  }

  Result<bool> IsThere(const Entry& entry, const RowsPlace& place) {
    if (place.path.empty() || exec::FileExists(place.path) || exec::FolderExists(place.path))
      return true;
    if (Document(entry) == nullptr)
      return Error(NoFile(declaration_, entry, place.path).Where(declaration_.Where(entry.line)));
    // Whoever checks a server need not have its data beside the file.
    actual_.warnings.push_back(
        fmt::format("datasets.{}: {} is not here: the rows of the server are not compared with it",
                    entry.name, place.path));
    return false;
  }

  // A query over rows that are still to come cannot be asked yet.
  bool MustWait(const Entry& entry, const RowsPlace& place) const {
    if (place.sql.empty()) return false;
    if (!actual_.has_project) return true;
    return std::ranges::any_of(declaration_.entries, [&](const Entry& other) {
      return other.kind->noun == "datasets" && other.name != entry.name &&
             Mentions(place.sql, other.name) &&
             (Document(other) == nullptr || actual_.found.contains(other.id()));
    });
  }

  static std::string PlaceText(const Entry& entry, const RowsPlace& place) {
    if (entry.spec.Has("source")) return "source " + entry.spec["source"].AsString();
    if (!place.sql.empty()) return "a query";
    return place.url.empty() ? entry.spec["path"].AsString() : place.url;
  }

  Result<> ReadRowsOf(const Entry& entry, const RowsPlace& place) {
    const Json* const document = Document(entry);
    const Json latest = document == nullptr ? Json() : (*document)["latest"];
    Json from;
    std::string to = PlaceText(entry, place);
    if (document != nullptr)
      from = fmt::format("{} from {}", latest["reference"].AsString(),
                         latest["source_name"].AsString());
    if (!MustWait(entry, place)) {
      const auto rows = Rows::Open(place, reading_);
      if (!rows) return Error(rows.error()).Where(declaration_.Where(entry.line));
      GYRE_TRY(const std::string digest, rows->Digest());
      if (document != nullptr) {
        GYRE_TRY(const bool known, HasRead(entry.name, *document, digest));
        if (known) return {};
      }
      to += fmt::format(" ({})", digest.substr(0, 8));
    }
    actual_.found[entry.id()].push_back({"rows", std::move(from), std::move(to)});
    return {};
  }

  Result<bool> HasRead(const std::string& name, const Json& document, const std::string& digest) {
    const Json& latest = document["latest"];
    if (latest["tags"][kFileTag].AsString() == digest) return true;
    GYRE_TRY(const Json versions, ListOf(session_, PathOf("datasets", name) + "/versions"));
    for (const Json& version : versions.items()) {
      if (version["tags"][kFileTag].AsString() != digest) continue;
      actual_.warnings.push_back(fmt::format("datasets.{}: the file is {}; {} came later, from {}",
                                             name, version["reference"].AsString(),
                                             latest["reference"].AsString(),
                                             latest["source_name"].AsString()));
      return true;
    }
    return false;
  }

  Result<> ReadDataset(const Entry& entry, const Json& document) {
    Json types = Json::Obj(), spec = Json::Obj();
    for (const Json& column : document["latest"]["schema"].items()) {
      const std::string& name = column["name"].AsString();
      const std::string &is = column["type"].AsString(),
                        &wanted = entry.spec["types"][name].AsString();
      types.Set(name, wanted.starts_with(is + ":") ? wanted : is);  // date:%d/%m/%Y
    }
    spec.Set("types", std::move(types));
    if (entry.spec.Has("expectations")) {
      GYRE_TRY(const Json suite, session_.Get(PathOf("datasets", entry.name) + "/expectations"));
      // A suite that nobody set is a guess.
      if (suite["number"].AsInt() > 0) spec.Set("expectations", suite["expectations"]);
    }
    Put("datasets", entry.name, std::move(spec));
    return {};
  }

  // --- training ----------------------------------------------------------------------------------

  Result<std::string> RecipeHash(const Json& recipe) {
    GYRE_TRY(const Json checked, session_.Post(ProjectPath(project_) + "/recipes/check",
                                               Json::Obj({{"recipe", config::DumpYaml(recipe)}})));
    return checked["hash"].AsString();
  }

  // The document of a recipe that the file declares, or an earlier one did.
  Json RecipeOf(const std::string& name) const {
    if (const Entry* const entry = declaration_.Find("recipes", name)) return entry->spec["recipe"];
    const Json* const there = actual_.Find("recipes", name);
    return there == nullptr ? Json() : (*there)["recipe"];
  }

  // The newest version that was trained so; else how the newest one was.
  Result<> ReadTraining(const Entry& entry, const Json& model) {
    std::string hash;
    const std::string& recipe = entry.spec["recipe"].AsString();
    if (const Json document = RecipeOf(recipe); !document.is_null()) {
      GYRE_TRY(hash, RecipeHash(document));
    }
    GYRE_TRY(const Json versions,
             ListOf(session_, PathOf("models", model["name"].AsString()) + "/versions"));
    Json newest;
    std::size_t seen = 0;
    for (const Json& version : versions.items()) {
      if (seen++ == kVersionsMax) break;
      GYRE_TRY(Json spec, TrainedWith(session_, project_, version));
      const std::string& dataset = spec["dataset"].AsString();
      if (entry.spec["dataset"].AsString() == dataset.substr(0, dataset.rfind(':')))
        spec.Set("dataset", entry.spec["dataset"]);
      if (!hash.empty())
        spec.Set("recipe", version["recipe_hash"].AsString() == hash ? recipe : "another one");
      if (newest.is_null()) newest = spec;
      if (!Differences(entry.kind->members, entry.spec, spec).empty()) continue;
      Put("training", entry.name, std::move(spec));
      SeeNewData(entry, version);
      return {};
    }
    Put("training", entry.name, newest.is_null() ? Json::Obj() : std::move(newest));
    return {};
  }

  void SeeNewData(const Entry& entry, const Json& version) {
    if (entry.spec["retrain"].AsString() != "on_new_data") return;
    const auto found = documents_.find({"datasets", entry.spec["dataset"].AsString()});
    if (found == documents_.end()) return;
    const Json& latest = found->second["latest"];
    for (const Json& use : version["datasets"].items())
      if (use["id"] == latest["id"]) return;
    actual_.found[entry.id()].push_back({"dataset", "an earlier version", latest["reference"]});
  }

  // --- the others --------------------------------------------------------------------------------

  Result<> ReadGate(const Entry& entry) {
    if (!names_["training"].contains(GateNameOf(entry.name).model)) return {};
    GYRE_TRY(const Json policy, session_.Get(GatePath(project_, entry.name)));
    Put("gates", entry.name, InFileWords(entry.kind->members, policy));
    SeeNobodyPromoted(entry);
    return {};
  }

  // A first version that waits: for approval, or for a gate that says yes.
  void SeeNobodyPromoted(const Entry& entry) {
    const GateName gate = GateNameOf(entry.name);
    const Entry* const training = declaration_.Find("training", gate.model);
    if (training == nullptr || gate.alias != "champion" || !MayPromote(training->spec)) return;
    const Json& model = documents_.at({"training", gate.model});
    if (!model["aliases"].Has(gate.alias))
      actual_.found[entry.id()].push_back(
          {"@champion", {}, fmt::format("{}:{}", gate.model, model["latest"].AsString())});
  }

  Result<> ReadEndpoint(const Entry& entry, const Json& document) {
    Json spec = EndpointSpec(document);
    NameVariants(entry, &spec);
    if (entry.spec.Has("capture")) {
      GYRE_TRY(const Json policy,
               session_.Get(PathOf("endpoints", entry.name) + "/captures/policy"));
      spec.Set("capture", InFileWords(FindMember(entry.kind->members, "capture")->members, policy));
    }
    Put("endpoints", entry.name, std::move(spec));
    return {};
  }

  // A variant runs a version; an alias that is declared means the one that it has now.
  void NameVariants(const Entry& entry, Json* spec) {
    Json variants = (*spec)["variants"];
    for (const auto& [name, wanted] : entry.spec["variants"].members()) {
      const std::string& model = wanted["model"].AsString();
      const std::size_t at = model.find('@');
      const auto found = documents_.find({"training", model.substr(0, at)});
      if (at == std::string::npos || found == documents_.end() || !variants.Has(name)) continue;
      const std::string& version = found->second["aliases"][model.substr(at + 1)].AsString();
      Json variant = variants[name];
      if (variant["model"].AsString() == fmt::format("{}:{}", model.substr(0, at), version))
        variants.Set(name, variant.Set("model", model));
    }
    spec->Set("variants", std::move(variants));
  }

  Result<> ReadPipeline(const Entry& entry) {
    GYRE_TRY(const Json document, session_.Get(PathOf("pipelines", entry.name)));
    const auto definition = config::ParseYaml(document["source"].AsString(), entry.name);
    Put("pipelines", entry.name, Json::Obj({{"definition", definition ? *definition : Json()}}));
    return {};
  }

  // A trigger stays with the version that its maker was allowed to run; without a number the
  // newest is meant.
  Result<> ReadTrigger(const Entry& entry, const Json& document) {
    Json spec = InFileWords(entry.kind->members, document);
    Json run = spec["run"];
    const std::string wanted = entry.spec["run"]["pipeline"].AsString(),
                      is = run["pipeline"].AsString();
    const auto newest = documents_.find({"pipelines", wanted});
    if (newest != documents_.end() && newest->second["reference"].AsString() == is)
      spec.Set("run", run.Set("pipeline", wanted));
    Put("triggers", entry.name, std::move(spec));
    return {};
  }

  // --- references --------------------------------------------------------------------------------

  Result<> CheckReferences() {
    for (const Entry& entry : declaration_.entries) {
      GYRE_DO(CheckReferences(entry, entry.kind->members, entry.spec, {}));
      GYRE_DO(CheckOwnName(entry));
    }
    return {};
  }

  // What an entry is about by its name alone.
  Result<> CheckOwnName(const Entry& entry) {
    const std::string_view noun = entry.kind->noun;
    if (noun == "gates") return CheckReference(entry, "training", entry.name, {});
    const bool of_own_name = noun == "monitors" && !entry.spec.Has("endpoint");
    if (of_own_name && !names_["monitors"].contains(entry.name))
      return CheckReference(entry, "endpoints", entry.name, {});
    const Json& endpoint = entry.spec["run"]["params"]["endpoint"];
    if (noun == "triggers" && endpoint.is_string() &&
        entry.spec["run"]["pipeline"].AsString() == "retrain")
      return CheckReference(entry, "endpoints", endpoint.AsString(), {"run", "params", "endpoint"});
    return {};
  }

  Result<> CheckReferences(const Entry& entry, std::span<const Member> members, const Json& spec,
                           const std::vector<std::string>& path) {
    for (const Member& member : members) {
      const Json* const value = spec.Find(member.name);
      if (value == nullptr) continue;
      std::vector<std::string> below = path;
      below.emplace_back(member.name);
      if (member.shape == Shape::kObject)
        GYRE_DO(CheckReferences(entry, member.members, *value, below));
      if (member.shape == Shape::kObjectMap) {
        for (const auto& [name, one] : value->members()) {
          std::vector<std::string> deeper = below;
          deeper.push_back(name);
          GYRE_DO(CheckReferences(entry, member.members, one, deeper));
        }
      }
      if (!member.refers.empty())
        GYRE_DO(CheckReference(entry, member.refers, value->AsString(), below));
    }
    return {};
  }

  Result<> CheckReference(const Entry& entry, std::string_view kind, const std::string& text,
                          const std::vector<std::string>& path) {
    const std::string name = text.substr(0, text.find_first_of(":@"));
    // What stands in another project is that project's matter.
    if (name.find('/') != std::string::npos) return {};
    if (declaration_.Find(kind, name) != nullptr) return {};
    const std::set<std::string>& there = names_[std::string(kind)];
    if (there.contains(name) || (kind == "pipelines" && name == "retrain")) return {};
    std::vector<std::string> known(there.begin(), there.end());
    for (const Entry& other : declaration_.entries) {
      if (other.kind->noun == kind) known.push_back(other.name);
    }
    std::vector<std::string> whole = {std::string(entry.kind->noun), entry.name};
    whole.insert(whole.end(), path.begin(), path.end());
    const std::string_view what = FindKind(kind)->singular;
    const std::string at = path.empty() ? entry.id() : entry.id() + "." + Join(path, ".");
    Error error = NotFound("GY4908", "`{}`: there is no {} `{}` in the file or on the server", at,
                           what == "training" ? "model" : what, name)
                      .Where(declaration_.Where(config::YamlLineAt(declaration_.text, whole)));
    if (const auto close = ClosestMatch(name, known))
      return Error(std::move(error).Fix(fmt::format("did you mean `{}`?", *close)));
    return Error(std::move(error).Fix(fmt::format("declare it under `{}`", kind)));
  }

  Reading& reading_;
  Session& session_;
  const std::string& project_;
  const Declaration& declaration_;
  Actual actual_;
  std::map<std::string, std::set<std::string>> names_;
  std::map<std::pair<std::string, std::string>, Json> documents_;
};

}  // namespace

std::string ProjectPath(std::string_view project) {
  return "/api/v1/projects/" + PercentEncode(project);
}
std::string ThingPath(std::string_view project, std::string_view noun, std::string_view name) {
  return fmt::format("{}/{}/{}", ProjectPath(project), noun, PercentEncode(name));
}

Result<Json> ListOf(Session& session, const std::string& path) {
  Json items = Json::Arr();
  std::string page;
  do {
    GYRE_TRY(const Json answer,
             session.Get(page.empty() ? path : path + "?page_token=" + PercentEncode(page)));
    for (const Json& item : answer["items"].items()) items.Push(item);
    page = answer["next_page_token"].AsString();
  } while (!page.empty());
  return items;
}

GateName GateNameOf(std::string_view name) {
  const std::size_t at = name.find('@');
  return {std::string(name.substr(0, at)),
          at == std::string_view::npos ? "champion" : std::string(name.substr(at + 1))};
}
std::string GatePath(std::string_view project, std::string_view name) {
  const GateName gate = GateNameOf(name);
  return fmt::format("{}/policies/{}", ThingPath(project, "models", gate.model),
                     PercentEncode(gate.alias));
}

Result<std::string> IdentityOf(Session& session, std::string_view project, std::string_view kind,
                               std::string_view name) {
  const bool model = kind == "training" || kind == "gates";
  const auto thing = session.Get(model ? ThingPath(project, "models", GateNameOf(name).model)
                                       : ThingPath(project, kind, name));
  if (IsMissing(thing)) return std::string();
  if (!thing) return thing.error();
  if (thing->Has("id")) return (*thing)["id"].AsString();
  // Each change of a pipeline is a version; the oldest is when it was made.
  std::string oldest = (*thing)["created_at"].AsString();
  for (const Json& version : (*thing)["versions"].items())
    oldest = std::min(oldest, version["created_at"].AsString());
  return oldest;
}

Json EndpointSpec(const Json& document) {
  Json spec = InFileWords(FindKind("endpoints")->members, document);
  const std::string& follows = document["follows"].AsString();
  Json variants = Json::Obj();
  for (const auto& [name, variant] : spec["variants"].members())
    if (name != "champion") variants.Set(name, variant);
  return spec.Set("variants", std::move(variants))
      .Set("model", follows.empty() ? document["model"] : Json(follows));
}

bool MayPromote(const Json& training) {
  const std::string& gate = training["gate"].AsString();
  return gate != "none" && gate != "judge";
}

Result<Json> TrainedWith(Session& session, std::string_view project, const Json& version) {
  const std::string& run = version["run"].AsString();
  if (run.empty()) return Json::Obj();
  const auto candidate = session.Get(ThingPath(project, "runs", run));
  if (IsMissing(candidate)) return Json::Obj();
  if (!candidate) return candidate.error();
  const std::string& parent = (*candidate)["parent"].AsString();
  if (parent.empty()) return Json::Obj();
  const auto training = session.Get(ThingPath(project, "runs", parent));
  if (IsMissing(training)) return Json::Obj();
  if (!training) return training.error();
  const Json& input = (*training)["source"]["input"];
  if (!input.is_object()) return Json::Obj();
  return InFileWords(FindKind("training")->members, input);
}

Result<Actual> ReadActual(Reading& reading, const Declaration& declaration) {
  return View(reading, declaration).Read();
}

}  // namespace gyre::cli::apply
