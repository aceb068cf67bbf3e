#include "api/native/datasets_api.h"

#include <set>

#include "api/files/file_bodies.h"
#include "api/files/stored_file.h"
#include "api/native/datasets_routes.h"
#include "api/native/in_use.h"
#include "api/native/job_answer.h"
#include "api/native/lists.h"
#include "api/native/removals.h"
#include "base/text.h"
#include "ledger/lineage/lineage.h"
#include "ml/automation/automation.h"
#include "ml/data/datasets.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"

namespace gyre::native {
namespace {

Result<data::ImportRequest> ReadImportRequest(const net::Request& request) {
  data::ImportRequest import;
  import.project = request.Param("project");
  import.dataset = request.Param("dataset");
  import.created_by = request.principal.name;
  import.filename = request.Query("filename").value_or(import.dataset);
  import.filename = import.filename.substr(import.filename.rfind('/') + 1).substr(0, 255);
  import.format = request.Query("format").value_or("");
  import.bad = request.Query("bad").value_or(import.bad);
  import.columns = request.Query("columns").value_or("");
  import.target = request.Query("target").value_or("");
  import.types = request.QueryAll("type");
  for (const std::string& tag : request.QueryAll("tag")) {
    const std::size_t colon = tag.find(':');
    if (colon == std::string::npos)
      return InvalidArgument("GY2109", "`tag={}` lacks a value", tag.substr(0, 100))
          .Fix("tag=source:crm");
    import.tags[tag.substr(0, colon)] = tag.substr(colon + 1);
  }
  return import;
}
}  // namespace

net::RouteTable DatasetsApi::table() { return {"native", kDatasetRoutes, this}; }

Result<data::Version> DatasetsApi::VersionOf(const net::Request& request) {
  return reads_.Resolve(request, request.Param("dataset"), request.Param("version"));
}

Result<data::Version> DatasetsApi::ReadVersion(const net::Request& request) {
  return reads_.Read(request, request.Param("dataset"), request.Param("version"));
}

Result<net::Response> DatasetsApi::List(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto project, projects_.Get(request.Param("project")));
  GYRE_TRY(const auto datasets, datasets_.List(project.name, page.after, page.limit));
  return PageOf(datasets, page.limit, data::DatasetToJson, &data::Dataset::name);
}

Result<net::Response> DatasetsApi::Get(net::Request& request) {
  GYRE_TRY(data::Dataset dataset,
           datasets_.Get(request.Param("project"), request.Param("dataset")));
  if (dataset.latest) {
    GYRE_TRY(dataset.latest, reads_.Resolve(request, dataset.name, "latest"));
  }
  return net::Response::JsonDoc(data::DatasetToJson(dataset));
}

Result<> DatasetsApi::CheckNotNeeded(const std::vector<data::Version>& versions,
                                     const std::string& reference) {
  for (const data::Version& version : versions) {
    GYRE_TRY(const auto models, registry_.MadeFrom(version.id));
    if (models.empty()) continue;
    return FailedPrecondition("GY2113", "{} was made from {}", Named(models), version.reference())
        .Why(
            "without these rows nobody can look at what a model has learned from, nor train it "
            "again")
        .Fix(fmt::format("gyre models rm {}    (first, when the model is not needed)", models[0]))
        .Fix(fmt::format("gyre datasets rm {} --yes --force    (the model stays, its rows go)",
                         reference));
  }
  return {};
}

Result<> DatasetsApi::ForEachPage(
    const std::string& project, const std::string& dataset,
    const std::function<Result<>(const std::vector<data::Version>&)>& look) {
  for (std::int64_t before = 0;;) {
    GYRE_TRY(const auto page,
             datasets_.ListVersions(project, dataset, before, static_cast<int>(kPageSizeMax)));
    GYRE_DO(look(page));
    if (page.size() < static_cast<std::size_t>(kPageSizeMax)) return {};
    before = page.back().number;
  }
}

Result<> DatasetsApi::CheckNoVersionNeeded(const std::string& project, const std::string& dataset) {
  return ForEachPage(project, dataset,
                     [&](const auto& page) { return CheckNotNeeded(page, dataset); });
}

Result<Json> DatasetsApi::ModelsMadeFrom(const std::string& project, const std::string& dataset) {
  std::set<std::string> models;
  GYRE_DO(ForEachPage(project, dataset, [&](const auto& page) -> Result<> {
    for (const data::Version& version : page) {
      GYRE_TRY(const auto names, registry_.MadeFrom(version.id));
      for (const std::string& name : names) models.insert(name.substr(0, name.find(':')));
    }
    return {};
  }));
  Json things = Json::Arr();
  for (const std::string& model : models) things.Push(NeededBy("model", project, model));
  return things;
}

Result<Json> DatasetsApi::AskedOf(const std::string& project, const std::string& dataset) {
  std::set<std::string> names;
  GYRE_DO(ForEachPage(project, dataset, [&](const auto& page) -> Result<> {
    for (const data::Version& version : page) {
      GYRE_TRY(const auto graph, lineage_.Walk(version.id, lineage::Direction::kDown, 1));
      for (const lineage::Node& node : graph.nodes) {
        if (node.depth == 1 && node.kind == "dataset_version")
          names.insert(node.label.substr(0, node.label.find(':')));
      }
    }
    return {};
  }));
  names.erase(dataset);
  Json list = Json::Arr();
  for (const std::string& name : names) list.Push(name);
  return list;
}

Result<net::Response> DatasetsApi::Remove(net::Request& request) {
  const std::string &project = request.Param("project"), &dataset = request.Param("dataset");
  GYRE_DO(CheckName("dataset", dataset));
  Json also = Json::Obj();
  if (request.Query("dry_run") == "true") {
    GYRE_TRY(Json readers, AskedOf(project, dataset));
    if (readers.size() > 0) also.Set("read_by", std::move(readers));
  }
  const IsAbout about = [&](const automation::TriggerSpec& spec) {
    return automation::SubjectKind(spec.on.cause) == "dataset" && spec.on.subject == dataset;
  };
  return native::Remove(trash_, request,
                        {.noun = "dataset",
                         .name = dataset,
                         .also = std::move(also),
                         .check = [&]() -> Result<> {
                           GYRE_DO(CheckNoVersionNeeded(project, dataset));
                           return CheckNoTrigger(automation_, project, "dataset", dataset, about);
                         },
                         .needed_by = [&]() -> Result<Json> {
                           GYRE_TRY(Json things, ModelsMadeFrom(project, dataset));
                           GYRE_TRY(const Json triggers,
                                    NeededByTriggers(automation_, project, about));
                           for (const Json& trigger : triggers.items()) things.Push(trigger);
                           return things;
                         }});
}

Result<net::Response> DatasetsApi::AddVersion(net::Request& request) {
  GYRE_TRY(data::ImportRequest import, ReadImportRequest(request));
  GYRE_DO(CheckName("dataset", import.dataset));
  GYRE_TRY(const auto project, projects_.Get(import.project));
  if (import.target.empty() && project.problem) import.target = project.problem->target;
  for (const std::string& id : request.QueryAll("made_from")) {
    GYRE_TRY(const data::Version from, datasets_.GetVersionById(id));
    if (from.project != project.name)
      return NotFound("GY2102", "project {} has no version with the id `{}`", project.name, id);
    import.made_from.push_back(from.id);
  }
  GYRE_TRY(auto upload, datasets_.NewUpload());
  GYRE_DO(files::Receive(request, *upload));
  GYRE_TRY(const runners::Job job, datasets_.Import(std::move(import), std::move(upload)));
  return Accepted(job);
}

Result<net::Response> DatasetsApi::ListVersions(net::Request& request) {
  GYRE_TRY(const SequencePage page, ReadSequencePage(request));
  GYRE_TRY(const auto versions,
           datasets_.ListVersions(request.Param("project"), request.Param("dataset"), page.before,
                                  page.limit));
  return PageOf(versions, page.limit, data::VersionToJson, &data::Version::number);
}

Result<net::Response> DatasetsApi::GetVersion(net::Request& request) {
  GYRE_TRY(const data::Version version, VersionOf(request));
  return net::Response::JsonDoc(data::VersionToJson(version));
}

Result<net::Response> DatasetsApi::RemoveVersion(net::Request& request) {
  GYRE_TRY(const data::Version version, VersionOf(request));
  return native::Remove(trash_, request,
                        {.noun = "dataset", .name = version.reference(), .check = [&] {
                           return CheckNotNeeded({version}, version.reference());
                         }});
}

Result<net::Response> DatasetsApi::SetTags(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const data::Version version, VersionOf(request));
  std::map<std::string, std::string> tags;
  for (const auto& [name, value] : body.members()) {
    if (!value.is_string())
      return InvalidArgument("GY2107", "the value of tag `{}` must be text", name);
    tags[name] = value.AsString();
  }
  GYRE_DO(datasets_.SetTags(version.project, version.reference(), tags));
  return GetVersion(request);
}

Result<net::Response> DatasetsApi::Profile(net::Request& request) {
  GYRE_TRY(const data::Version version, ReadVersion(request));
  const auto target = request.Query("target");
  GYRE_TRY(const Json profile,
           target ? datasets_.ProfileAgainst(version, *target) : datasets_.Profile(version));
  return net::Response::JsonDoc(profile);
}

Result<net::Response> DatasetsApi::Rows(net::Request& request) {
  GYRE_TRY(const int limit, ReadLimit(request));
  GYRE_TRY(const std::int64_t offset, request.QueryInt("offset", 0, 0, INT64_MAX / 2));
  GYRE_TRY(const data::Version version, ReadVersion(request));
  GYRE_TRY(const Json rows, datasets_.Rows(version, offset, limit));
  return net::Response::JsonDoc(rows);
}

Result<net::Response> DatasetsApi::ParquetFile(net::Request& request) {
  GYRE_TRY(const data::Version version, ReadVersion(request));
  // Before the file is made, which takes its time.
  if (request.Header("if-none-match") == "\"" + version.content_hash + "\"")
    return net::Response::Empty(304);
  GYRE_TRY(const blob::Object object, datasets_.ParquetFile(version));
  return files::AnswerStored(request, blobs_,
                             {.object = object,
                              .content_type = "application/vnd.apache.parquet",
                              .tag = version.content_hash});
}

Result<net::Response> DatasetsApi::Export(net::Request& request) {
  const std::string format = request.Query("format").value_or("csv");
  if (format == "parquet") return ParquetFile(request);
  GYRE_TRY(const data::Version version, ReadVersion(request));
  GYRE_TRY(std::string path,
           datasets_.Export(version, format, [&request] { return request.client_gone(); }));
  auto folder = std::make_shared<files::ScratchFolder>(path.substr(0, path.rfind('/')));
  net::Response response;
  response.content_type = files::TableContentType(format).value_or("application/octet-stream");
  response.headers = {
      {"Content-Disposition",
       fmt::format("attachment; filename=\"{}-v{}.{}\"", version.dataset, version.number, format)}};
  response.stream = files::StreamFile(std::move(folder), std::move(path));
  return response;
}

Result<net::Response> DatasetsApi::Quarantine(net::Request& request) {
  GYRE_TRY(const int limit, ReadLimit(request));
  GYRE_TRY(const data::Version version, ReadVersion(request));
  GYRE_TRY(const Json rows, datasets_.Quarantine(version, limit));
  return net::Response::JsonDoc(rows);
}

Result<net::Response> DatasetsApi::Check(net::Request& request) {
  GYRE_TRY(const data::Version version, VersionOf(request));
  GYRE_TRY(const runners::Job job, datasets_.Check(version, request.principal.name));
  return Accepted(job);
}

Result<net::Response> DatasetsApi::Diff(net::Request& request) {
  const std::string& dataset = request.Param("dataset");
  GYRE_TRY(const data::Version to,
           reads_.Read(request, dataset, request.Query("to").value_or("latest")));
  const std::string before = fmt::format("v{}", std::max<std::int64_t>(1, to.number - 1));
  GYRE_TRY(const data::Version from,
           reads_.Read(request, dataset, request.Query("from").value_or(before)));
  GYRE_TRY(const Json diff, datasets_.Diff(from, to));
  return net::Response::JsonDoc(diff);
}

Result<net::Response> DatasetsApi::Expectations(net::Request& request) {
  GYRE_TRY(const Json suite,
           datasets_.Expectations(request.Param("project"), request.Param("dataset")));
  return net::Response::JsonDoc(suite);
}

Result<net::Response> DatasetsApi::SetExpectations(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const Json suite,
           datasets_.SetExpectations(request.Param("project"), request.Param("dataset"), body,
                                     request.principal.name));
  return net::Response::JsonDoc(suite);
}

}  // namespace gyre::native
