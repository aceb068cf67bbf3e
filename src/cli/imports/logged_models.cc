#include "cli/imports/logged_models.h"

#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli::imports {
namespace {

constexpr std::string_view kDone = "import.done";
constexpr std::size_t kPointsAtOnce = 5'000;

Json TextsOf(const StoredTags& texts) {
  Json json = Json::Obj();
  for (const auto& [key, value] : texts) json.Set(key, value);
  return json;
}

Json PointOf(const StoredModelPoint& point) {
  Json value = point.value;
  if (std::isnan(point.value)) value = "NaN";
  if (std::isinf(point.value)) value = point.value > 0 ? "Infinity" : "-Infinity";
  return Json::Obj({{"key", point.key},
                    {"value", std::move(value)},
                    {"step", point.step},
                    {"time_us", point.time_us},
                    {"run", point.run_id},
                    {"dataset_name", point.dataset_name},
                    {"dataset_digest", point.dataset_digest}});
}

Json BodyOf(const StoredLoggedModel& model, std::int64_t experiment) {
  Json body = Json::Obj({{"id", model.id},
                         {"experiment", experiment},
                         {"name", model.name},
                         {"run", model.run_id},
                         {"model_type", model.model_type},
                         {"status", model.status},
                         {"params", TextsOf(model.params)},
                         {"tags", TextsOf(model.tags)}});
  if (model.created_us > 0) body.Set("created_at", FormatTime(model.created_us));
  return body;
}

// Of all that would be written.
Result<std::string> DigestOf(const StoredLoggedModel& model,
                             const std::map<std::string, std::string>& files) {
  Json points = Json::Arr();
  for (const StoredModelPoint& point : model.metrics) points.Push(PointOf(point));
  Sha256 hash;
  hash.Update(BodyOf(model, 0).Dump() + points.Dump() + (model.deleted ? "-" : "+"));
  for (const auto& [path, file] : files) {
    GYRE_TRY(const std::string content, HashOf(file));
    hash.Update(fmt::format("{}:{}{}", path.size(), path, content));
  }
  return hash.FinishHex();
}

// What an import before this one has left: its digest, "" where it was not ended.
Result<std::string> DigestHere(Work& work, const std::string& id) {
  GYRE_TRY(const Json answer,
           GetOrNull(work.session,
                     fmt::format("/p/{}/api/2.0/mlflow/logged-models/{}?allow_deleted=true",
                                 PercentEncode(work.in.project()), PercentEncode(id))));
  for (const Json& tag : answer["model"]["info"]["tags"].items())
    if (tag["key"].AsString() == kDone) return tag["value"].AsString();
  return "";
}

Result<> SendPoints(Work& work, const std::string& path, const StoredLoggedModel& model) {
  for (std::size_t from = 0; from < model.metrics.size(); from += kPointsAtOnce) {
    Json points = Json::Arr();
    for (std::size_t i = from; i < std::min(from + kPointsAtOnce, model.metrics.size()); ++i)
      points.Push(PointOf(model.metrics[i]));
    GYRE_DO(work.session.Post(path + "/metrics", Json::Obj({{"metrics", std::move(points)}})));
  }
  return {};
}

Result<> Send(Work& work, const StoredLoggedModel& model, std::int64_t experiment,
              const std::map<std::string, std::string>& files, const std::string& digest) {
  const std::string all = work.project_path() + "/history/logged-models";
  const std::string path = all + "/" + PercentEncode(model.id);
  GYRE_DO(work.session.Post(all, BodyOf(model, experiment)));
  GYRE_DO(SendPoints(work, path, model));
  for (const auto& [name, file] : files) {
    std::string encoded;
    for (const std::string_view part : Split(name, '/')) encoded += "/" + PercentEncode(part);
    GYRE_DO(work.session.Upload(path + "/files" + encoded, file, work.out));
  }
  // Only what is whole says so: whoever died before this line goes on here.
  Json done = BodyOf(model, experiment);
  done.Set("tags", Json::Obj({{std::string(kDone), digest}})).Set("deleted", model.deleted);
  GYRE_DO(work.session.Post(all, done));
  return {};
}

}  // namespace

Result<> BringLoggedModel(Work& work, const StoredLoggedModel& model, std::int64_t experiment,
                          const std::map<std::string, std::string>& files) {
  const std::string name = "logged model " + (model.name.empty() ? model.id : model.name);
  GYRE_TRY(const std::string digest, DigestOf(model, files));
  GYRE_TRY(const std::string here, DigestHere(work, model.id));
  if (here == digest) {
    work.report.There(name, model.id);
    return {};
  }
  const std::string detail = fmt::format("{}: {} files", model.id, files.size());
  if (work.in.dry_run()) {
    work.report.WouldTake(name, detail);
    return {};
  }
  const auto sent = Send(work, model, experiment, files, digest);
  if (sent) {
    work.report.Taken(name, detail);
    return {};
  }
  const Code code = sent.error().code();
  if (code == Code::kUnavailable || code == Code::kPermissionDenied) return sent.error();
  work.report.Failed(name, sent.error());
  return {};
}

}  // namespace gyre::cli::imports
