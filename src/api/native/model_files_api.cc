#include "api/native/model_files_api.h"

#include "api/files/file_bodies.h"
#include "api/native/route_table.h"
#include "base/text.h"
#include "ml/data/datasets.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "platform/blob/blob_store.h"
#include "platform/exec/files.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kModelBytesMax = std::int64_t{1} << 30;
constexpr std::int64_t kReadTimeoutMs = 120'000;

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/models/{model}/versions",
     .handler = Bind<&ModelFilesApi::Bring>,
     .permission = Permission("model.write"),
     .summary = "Register a model file that was made elsewhere, the body, as a new version",
     .body = Body::kStream,
     .body_bytes_max = kModelBytesMax,
     .response_type = "BroughtModel",
     .query = {{"target", Type::kText, "what it predicts"},
               {"class", Type::kTexts, "its classes, in the order of its labels"},
               {"dataset", Type::kText, "whose columns it reads"},
               {"note", Type::kText, "kept with the version"}}},
};

}  // namespace

net::RouteTable ModelFilesApi::table() { return {"native", kRoutes, this}; }

Result<Json> ModelFilesApi::TaskInput(const net::Request& request, registry::NewVersion* version) {
  Json classes = Json::Arr();
  for (const std::string& name : request.QueryAll("class")) classes.Push(name);
  Json input = Json::Obj(
      {{"target", request.Query("target").value_or("")}, {"classes", std::move(classes)}});
  if (const auto dataset = request.Query("dataset")) {
    GYRE_TRY(const data::Version found, datasets_.Resolve(version->project, *dataset));
    input.Set("columns", table::SchemaToJson(found.schema));
    version->datasets = {{found.id, "train"}};
  }
  return input;
}

// Its package says which file it is; that file and what it says of itself hang on the version.
Result<> ModelFilesApi::Keep(const std::string& file, const Json& found,
                             registry::NewVersion* version) {
  GYRE_TRY(const blob::Object model, blobs_.PutFile(file));
  GYRE_TRY(const blob::Object facts, blobs_.Put(found["facts"].DumpPretty()));
  const Json package = Json::Obj({{"format", "gyre.kept"},
                                  {"version", 1},
                                  {"flavour", found["learner"]},
                                  {"digest", model.digest}});
  GYRE_TRY(version->package, blobs_.Put(package.DumpCanonical()));
  version->attachments = {{"model", model}, {"inspection", facts}};
  return {};
}

Result<net::Response> ModelFilesApi::Bring(net::Request& request) {
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  registry::NewVersion version;
  version.project = project.name;
  version.model = request.Param("model");
  version.notes = request.Query("note").value_or("");
  version.created_by = request.principal.name;
  GYRE_DO(CheckName("model", version.model));
  GYRE_TRY(Json input, TaskInput(request, &version));
  GYRE_TRY(const std::string path, exec::MakeTemporaryDirectory());
  const files::ScratchFolder folder(path);
  files::FileSink sink(path + "/model");
  GYRE_DO(files::Receive(request, sink));
  GYRE_DO(sink.Flush());
  input.Set("path", sink.path());
  runners::JobRun::TaskOptions options;
  options.scratch_directory = path;
  options.memory_bytes_max = memory_bytes_;
  options.timeout_ms = kReadTimeoutMs;
  GYRE_TRY(const Json found, jobs_.RunTaskNow("training.model_file", input, options));
  if (found["kept"].AsBool()) {
    GYRE_DO(Keep(sink.path(), found, &version));
  } else {
    GYRE_TRY(version.package, blobs_.PutFile(path + "/package"));
  }
  version.task = found["task"].AsString();
  version.target = found["target"].AsString();
  version.learner = found["learner"].AsString();
  version.signature = found["signature"];
  version.metrics = Json::Obj();
  // The same bytes under the same name are the same version.
  GYRE_TRY(auto made, registry_.OfPackage(version.project, version.model, version.package.digest));
  const bool unchanged = made.has_value();
  if (!made) {
    GYRE_TRY(made, registry_.Register(std::move(version)));
  }
  return net::Response::JsonDoc(Json::Obj({{"version", registry::VersionToJson(*made)},
                                           {"reference", made->name()},
                                           {"unchanged", unchanged},
                                           {"kept", found["kept"]},
                                           {"learner", found["learner"]},
                                           {"facts", found["facts"]}}),
                                unchanged ? 200 : 201);
}

}  // namespace gyre::native
