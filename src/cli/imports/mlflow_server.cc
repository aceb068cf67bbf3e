// A live MLflow server, asked as its clients ask it; files are fetched into a scratch folder.
#include <algorithm>
#include <limits>

#include "base/text.h"
#include "cli/imports/mlflow_store.h"
#include "cli/transfer.h"
#include "platform/config/environment.h"
#include "platform/exec/files.h"
#include "platform/net/client.h"

namespace gyre::cli::imports {
namespace {

constexpr std::int64_t kMicrosPerMilli = 1'000, kTimeoutMillis = 120'000;
constexpr int kFolderDepthMax = 64;
constexpr std::string_view kApi = "/api/2.0/mlflow/", kNoRoute = "it has no such address";

std::int64_t MicrosOf(const Json& json) {
  const std::int64_t millis =
      json.is_string() ? ParseInt(json.AsString()).value_or(0) : json.AsInt();
  return millis > 0 && millis < INT64_MAX / kMicrosPerMilli ? millis * kMicrosPerMilli : 0;
}
std::int64_t WholeOf(const Json& json) {
  return json.is_string() ? ParseInt(json.AsString()).value_or(0) : json.AsInt();
}
double NumberOf(const Json& json) {
  if (!json.is_string()) return json.AsDouble();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (json.AsString() == "Infinity") return kInfinity;
  return json.AsString() == "-Infinity" ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
}
StoredTags TagsOf(const Json& list) {
  StoredTags tags;
  for (const Json& item : list.items()) tags[item["key"].AsString()] = item["value"].AsString();
  return tags;
}

class MlflowServer : public MlflowStore {
 public:
  MlflowServer(const std::string& url, std::string scratch)
      : client_({.url = url,
                 .unix_socket = {},
                 .token = config::Environment("MLFLOW_TRACKING_TOKEN").value_or("")}),
        scratch_(std::move(scratch)) {}

  Result<std::vector<StoredExperiment>> Experiments() override {
    std::vector<StoredExperiment> all;
    Json ask = Json::Obj({{"view_type", "ALL"}, {"max_results", 1'000}});
    GYRE_DO(Pages("experiments/search", std::move(ask), "experiments", [&](const Json& e) {
      all.push_back({WholeOf(e["experiment_id"]), e["name"].AsString(), scratch_,
                     MicrosOf(e["creation_time"]), e["lifecycle_stage"].AsString() == "deleted",
                     TagsOf(e["tags"])});
    }));
    std::ranges::sort(all, {}, &StoredExperiment::number);
    return all;
  }

  Result<std::vector<std::string>> RunsOf(const StoredExperiment& experiment) override {
    std::vector<std::string> ids;
    Json experiments = Json::Arr();
    experiments.Push(fmt::format("{}", experiment.number));
    Json ask = Json::Obj({{"experiment_ids", std::move(experiments)},
                          {"run_view_type", "ALL"},
                          {"max_results", 1'000}});
    GYRE_DO(Pages("runs/search", std::move(ask), "runs",
                  [&](const Json& run) { ids.push_back(run["info"]["run_id"].AsString()); }));
    std::ranges::reverse(ids);  // the oldest first
    return ids;
  }

  Result<StoredRun> ReadRun(const StoredExperiment& /*experiment*/,
                            const std::string& id) override {
    GYRE_TRY(const Json answer, Get("runs/get?run_id=" + PercentEncode(id)));
    const Json& info = answer["run"]["info"];
    const Json& data = answer["run"]["data"];
    StoredRun stored;
    RunSource& run = stored.run;
    run.name = info["run_name"].AsString();
    run.user = info["user_id"].AsString();
    run.status = RunStatusOf(info["status"].AsString());
    run.created_us = MicrosOf(info["start_time"]);
    run.ended_us = MicrosOf(info["end_time"]);
    run.hidden = info["lifecycle_stage"].AsString() == "deleted";
    run.params = TagsOf(data["params"]);
    run.tags = TagsOf(data["tags"]);
    MetricNames names;
    for (const Json& metric : data["metrics"].items())
      GYRE_DO(ReadHistory(id, metric["key"].AsString(), &names, &run));
    std::ranges::stable_sort(run.points, {}, &Point::time_us);
    for (const Json& input : answer["run"]["inputs"]["dataset_inputs"].items())
      run.datasets.push_back({input["dataset"], TagsOf(input["tags"])});
    for (const Json& input : answer["run"]["inputs"]["model_inputs"].items())
      run.read_models.push_back(input["model_id"].AsString());
    for (const Json& output : answer["run"]["outputs"]["model_outputs"].items())
      run.made_models[output["model_id"].AsString()] = WholeOf(output["step"]);
    stored.said_root = info["artifact_uri"].AsString();
    GYRE_TRY(stored.artifact_root, NewFolder(id));
    GYRE_DO(Fetch({"artifacts/list?run_id=" + PercentEncode(id) + "&path=",
                   "/get-artifact?run_id=" + PercentEncode(id) + "&path="},
                  "", kFolderDepthMax));
    return stored;
  }

  Result<std::vector<std::string>> LoggedModelsOf(const StoredExperiment& experiment) override {
    std::vector<std::string> ids;
    Json experiments = Json::Arr();
    experiments.Push(fmt::format("{}", experiment.number));
    Json ask = Json::Obj({{"experiment_ids", std::move(experiments)}, {"max_results", 100}});
    const auto found = Pages("logged-models/search", std::move(ask), "models", [&](const Json& m) {
      ids.push_back(m["info"]["model_id"].AsString());
    });
    // A server before 3.0 has no such route.
    if (!found && found.error().why() != kNoRoute) return found.error();
    std::ranges::reverse(ids);  // the oldest first
    return ids;
  }

  Result<StoredLoggedModel> ReadLoggedModel(const StoredExperiment& /*experiment*/,
                                            const std::string& id) override {
    const std::string path = "logged-models/" + PercentEncode(id);
    GYRE_TRY(const Json answer, Get(path));
    const Json& info = answer["model"]["info"];
    StoredLoggedModel model;
    model.id = id;
    model.name = info["name"].AsString();
    model.run_id = info["source_run_id"].AsString();
    model.model_type = info["model_type"].AsString();
    model.status = ModelStatusOf(info["status"].is_string() ? info["status"].AsString()
                                                            : info["status"].Dump());
    model.created_us = MicrosOf(info["creation_timestamp_ms"]);
    model.said_root = info["artifact_uri"].AsString();
    model.tags = TagsOf(info["tags"]);
    model.params = TagsOf(answer["model"]["data"]["params"]);
    for (const Json& point : answer["model"]["data"]["metrics"].items())
      model.metrics.push_back(
          {point["key"].AsString(), MetricOf(NumberOf(point["value"])), WholeOf(point["step"]),
           WholeOf(point["timestamp"]) * kMicrosPerMilli, point["run_id"].AsString(),
           point["dataset_name"].AsString(), point["dataset_digest"].AsString()});
    GYRE_TRY(model.artifact_root, NewFolder(id));
    GYRE_DO(Fetch({path + "/artifacts/directories?artifact_directory_path=",
                   "/ajax-api/2.0/mlflow/" + path + "/artifacts/files?artifact_file_path="},
                  "", kFolderDepthMax));
    return model;
  }

  Result<std::vector<StoredModel>> Models() override {
    std::vector<StoredModel> all;
    GYRE_DO(PagesOfGet(
        "registered-models/search?max_results=100", "registered_models", [&](const Json& m) {
          StoredModel model{m["name"].AsString(), m["description"].AsString(), TagsOf(m["tags"])};
          for (const Json& alias : m["aliases"].items())
            model.aliases[alias["alias"].AsString()] = static_cast<int>(WholeOf(alias["version"]));
          all.push_back(std::move(model));
        }));
    for (StoredModel& model : all) GYRE_DO(ReadVersions(&model));
    return all;
  }

  Result<std::map<std::string, std::int64_t>> Others() override {
    return std::map<std::string, std::int64_t>();
  }

 private:
  Result<Json> Ask(net::ClientRequest request) {
    request.timeout_ms = kTimeoutMillis;
    GYRE_TRY(const net::ClientResponse response, client_.Send(std::move(request)));
    if (response.status == 200) return Json::Parse(response.body);
    return Refusal(response);
  }
  static Error Refusal(const net::ClientResponse& response) {
    Error error = MakeError(Code::kUnavailable, "GY4962", "the MLflow server answers {}: {}",
                            response.status, response.body.substr(0, 300))
                      .Fix("a token for it: MLFLOW_TRACKING_TOKEN");
    // What is not there as a thing is said as JSON.
    if (response.status == 404 && !response.body.starts_with('{'))
      return std::move(error).Why(std::string(kNoRoute));
    return error;
  }
  Result<Json> Get(const std::string& path) {
    net::ClientRequest request;
    request.path = std::string(kApi) + path;
    return Ask(std::move(request));
  }

  Result<> Pages(const std::string& path, Json ask, std::string_view list,
                 const std::function<void(const Json&)>& take) {
    while (true) {
      net::ClientRequest request;
      request.method = "POST";
      request.path = std::string(kApi) + path;
      request.headers.emplace_back("Content-Type", "application/json");
      request.body = ask.Dump();
      GYRE_TRY(const Json page, Ask(std::move(request)));
      for (const Json& item : page[list].items()) take(item);
      if (page["next_page_token"].AsString().empty()) return {};
      ask.Set("page_token", page["next_page_token"]);
    }
  }

  Result<> PagesOfGet(const std::string& path, std::string_view list,
                      const std::function<void(const Json&)>& take) {
    std::string token;
    while (true) {
      GYRE_TRY(const Json page,
               Get(token.empty() ? path : path + "&page_token=" + PercentEncode(token)));
      for (const Json& item : page[list].items()) take(item);
      token = page["next_page_token"].AsString();
      if (token.empty()) return {};
    }
  }

  Result<> ReadHistory(const std::string& id, const std::string& key, MetricNames* names,
                       RunSource* run) {
    const std::uint32_t metric = names->IndexOf(key, &run->metrics);
    return PagesOfGet(
        fmt::format("metrics/get-history?run_id={}&metric_key={}&max_results=25000",
                    PercentEncode(id), PercentEncode(key)),
        "metrics", [&](const Json& point) {
          run->points.push_back({metric, MetricOf(NumberOf(point["value"])), WholeOf(point["step"]),
                                 WholeOf(point["timestamp"]) * kMicrosPerMilli});
        });
  }

  // For the files of one thing; those of the last one have been sent.
  Result<std::string> NewFolder(const std::string& id) {
    if (!last_.empty()) GYRE_DO(exec::RemoveTree(last_));
    last_ = scratch_ + "/" + (IsPlain(id) ? id : "thing");
    return last_;
  }

  // The names are the server's: none of them leads out of the folder.
  static bool IsPlain(std::string_view path) {
    const auto parts = Split(path, '/');
    return !path.empty() && std::ranges::none_of(parts, [](std::string_view part) {
      return part.empty() || part == "." || part == ".." || part.find('\0') != part.npos;
    });
  }

  // Where a path is put behind, to list it and to read it.
  struct Place {
    std::string list, read;
  };

  Result<> Fetch(const Place& place, const std::string& folder, int depth) {
    std::vector<std::pair<std::string, bool>> entries;
    GYRE_DO(PagesOfGet(place.list + PercentEncode(folder), "files", [&](const Json& file) {
      entries.emplace_back(file["path"].AsString(), file["is_dir"].AsBool());
    }));
    for (const auto& [path, is_folder] : entries) {
      if (!IsPlain(path) || depth == 0) continue;
      GYRE_DO(is_folder ? Fetch(place, path, depth - 1) : FetchFile(place, path));
    }
    return {};
  }

  Result<> FetchFile(const Place& place, const std::string& path) {
    const std::string file = last_ + "/" + path;
    GYRE_DO(exec::MakeDirectories(file.substr(0, file.rfind('/'))));
    GYRE_TRY(FileSink sink, FileSink::Open(file));
    net::ClientRequest request;
    request.path = place.read + PercentEncode(path);
    request.body_sink = [&](std::string_view bytes) { return sink.Write(bytes); };
    GYRE_TRY(const net::ClientResponse response, client_.Send(std::move(request)));
    if (response.status != 200) return Refusal(response);
    return sink.Commit();
  }

  Result<> ReadVersions(StoredModel* model) {
    std::string quoted = model->title;
    const char quote = quoted.find('\'') == std::string::npos ? '\'' : '"';
    const std::string filter = fmt::format("name={}{}{}", quote, quoted, quote);
    GYRE_DO(PagesOfGet("model-versions/search?max_results=1000&filter=" + PercentEncode(filter),
                       "model_versions", [&](const Json& v) {
                         model->versions.push_back(
                             {static_cast<int>(WholeOf(v["version"])), v["source"].AsString(),
                              v["run_id"].AsString(), v["run_link"].AsString(),
                              v["description"].AsString(), v["current_stage"].AsString(),
                              v["user_id"].AsString(), MicrosOf(v["creation_timestamp"]),
                              TagsOf(v["tags"])});
                       }));
    std::ranges::sort(model->versions, {}, &StoredVersion::number);
    return {};
  }

  net::Client client_;
  std::string scratch_, last_;
};

}  // namespace

bool IsMlflowServer(const std::string& url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

Result<std::unique_ptr<MlflowStore>> OpenMlflowServer(const std::string& url,
                                                      const std::string& scratch) {
  return std::unique_ptr<MlflowStore>(std::make_unique<MlflowServer>(url, scratch));
}

}  // namespace gyre::cli::imports
