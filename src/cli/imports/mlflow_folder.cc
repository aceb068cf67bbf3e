// MLflow's file store (`mlruns`): a folder per experiment and run, a file per param, tag and
// metric.
#include <algorithm>
#include <limits>

#include "base/text.h"
#include "cli/imports/mlflow_store.h"
#include "platform/config/yaml.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr std::size_t kFilesMax = 5'000'000;
constexpr std::string_view kMeta = "/meta.yaml", kTrash = ".trash/", kModels = "models/";
constexpr std::int64_t kMicrosPerMilli = 1'000;

// YAML gives numbers and texts, as they look.
std::string TextOf(const Json& json) {
  if (json.is_null()) return "";
  return json.is_string() ? json.AsString() : json.Dump();
}
std::int64_t WholeOf(const Json& json) { return ParseInt(TextOf(json)).value_or(0); }
std::int64_t MicrosOf(const Json& json) {
  const std::int64_t millis = WholeOf(json);
  return millis > 0 && millis < INT64_MAX / kMicrosPerMilli ? millis * kMicrosPerMilli : 0;
}

auto NumberOf(std::string_view word) {
  auto value = word == "nan" ? std::numeric_limits<double>::quiet_NaN() : ParseDouble(word);
  if (value) value = MetricOf(*value);
  return value;
}

class MlflowFolder : public MlflowStore {
 public:
  MlflowFolder(std::string folder, std::vector<std::string> paths)
      : folder_(std::move(folder)), paths_(std::move(paths)) {}

  Result<std::vector<StoredExperiment>> Experiments() override {
    std::vector<StoredExperiment> all;
    for (const std::string& path : paths_) {
      const bool trashed = path.starts_with(kTrash);
      const std::string id = path.substr(trashed ? kTrash.size() : 0);
      const std::size_t slash = id.find('/');
      const auto number = ParseInt(id.substr(0, slash));
      if (!number || slash == std::string::npos || id.substr(slash) != kMeta) continue;
      GYRE_TRY(const Json meta, Meta(path));
      const std::string at = path.substr(0, path.size() - kMeta.size());
      GYRE_TRY(auto tags, Texts(at + "/tags/"));
      all.push_back({*number, TextOf(meta["name"]), folder_ + "/" + at,
                     MicrosOf(meta["creation_time"]),
                     trashed || meta["lifecycle_stage"].AsString() == "deleted", std::move(tags)});
      places_[*number] = at;
    }
    std::ranges::sort(all, {}, &StoredExperiment::number);
    return all;
  }

  Result<std::vector<std::string>> RunsOf(const StoredExperiment& experiment) override {
    std::vector<std::string> ids;
    const std::string at = places_[experiment.number] + "/";
    for (const std::string& path : Below(at)) {
      const std::size_t slash = path.find('/', at.size());
      if (slash == std::string::npos || path.substr(slash) != kMeta) continue;
      ids.push_back(path.substr(at.size(), slash - at.size()));
    }
    return ids;
  }

  Result<StoredRun> ReadRun(const StoredExperiment& experiment, const std::string& id) override {
    const std::string at = places_[experiment.number] + "/" + id;
    GYRE_TRY(const Json meta, Meta(at + std::string(kMeta)));
    StoredRun stored;
    stored.artifact_root = folder_ + "/" + at + "/artifacts";  // also where the folder was moved
    RunSource& run = stored.run;
    run.name = TextOf(meta["run_name"]);
    run.user = TextOf(meta["user_id"]);
    run.status = RunStatusOf(TextOf(meta["status"]));
    run.created_us = MicrosOf(meta["start_time"]);
    run.ended_us = MicrosOf(meta["end_time"]);
    run.hidden = experiment.deleted || meta["lifecycle_stage"].AsString() == "deleted";
    GYRE_TRY(run.params, Texts(at + "/params/"));
    GYRE_TRY(run.tags, Texts(at + "/tags/"));
    if (run.name.empty()) run.name = run.tags["mlflow.runName"];
    GYRE_DO(ReadPoints(at + "/metrics/", &run));
    GYRE_DO(ReadInputs(at, experiment, &run));
    GYRE_DO(ReadOutputs(at + "/outputs/", &run));
    return stored;
  }

  Result<std::vector<std::string>> LoggedModelsOf(const StoredExperiment& experiment) override {
    std::vector<std::string> ids;
    const std::string prefix = places_[experiment.number] + "/models/";
    for (const std::string& path : Below(prefix)) {
      const std::size_t slash = path.find('/', prefix.size());
      if (slash == std::string::npos || path.substr(slash) != kMeta) continue;
      ids.push_back(path.substr(prefix.size(), slash - prefix.size()));
    }
    return ids;
  }

  Result<StoredLoggedModel> ReadLoggedModel(const StoredExperiment& experiment,
                                            const std::string& id) override {
    const std::string at = places_[experiment.number] + "/models/" + id;
    GYRE_TRY(const Json meta, Meta(at + std::string(kMeta)));
    StoredLoggedModel model;
    model.id = TextOf(meta["model_id"]);
    model.name = TextOf(meta["name"]);
    model.artifact_root = folder_ + "/" + at + "/artifacts";
    model.said_root = TextOf(meta["artifact_location"]);
    model.run_id = TextOf(meta["source_run_id"]);
    model.model_type = TextOf(meta["model_type"]);
    model.status = ModelStatusOf(TextOf(meta["status"]));
    model.created_us = MicrosOf(meta["creation_timestamp"]);
    model.deleted = TextOf(meta["lifecycle_stage"]) == "deleted";
    GYRE_TRY(model.params, Texts(at + "/params/"));
    GYRE_TRY(model.tags, Texts(at + "/tags/"));
    GYRE_DO(ReadModelPoints(at + "/metrics/", &model));
    return model;
  }

  Result<std::vector<StoredModel>> Models() override {
    std::vector<StoredModel> all;
    for (const std::string& path : Below(std::string(kModels))) {
      const std::string_view name = std::string_view(path).substr(kModels.size());
      const std::size_t slash = name.find('/');
      if (slash == std::string_view::npos || name.substr(slash) != kMeta) continue;
      GYRE_TRY(auto model, ReadModel(path.substr(0, path.size() - kMeta.size())));
      all.push_back(std::move(model));
    }
    return all;
  }

  Result<std::map<std::string, std::int64_t>> Others() override {
    std::map<std::string, std::int64_t> counts;
    for (const std::string& path : paths_) {
      if (path.find("/traces/") != std::string::npos && path.ends_with("/trace_info.yaml"))
        ++counts["traces"];
    }
    return counts;
  }

 private:
  std::span<const std::string> Below(const std::string& prefix) const {
    const auto begin = std::ranges::lower_bound(paths_, prefix);
    auto end = begin;
    while (end != paths_.end() && end->starts_with(prefix)) ++end;
    return {begin, end};
  }

  Result<std::string> Read(const std::string& path) const {
    return exec::ReadFile(folder_ + "/" + path);
  }
  Result<Json> Meta(const std::string& path) const {
    GYRE_TRY(const std::string text, Read(path));
    return config::ParseYaml(text, path);
  }

  Result<StoredTags> Texts(const std::string& prefix) const {
    StoredTags texts;
    for (const std::string& path : Below(prefix)) {
      GYRE_TRY(texts[path.substr(prefix.size())], Read(path));
    }
    return texts;
  }

  // A file has no order beside those of the other keys: the times make one that only grows.
  Result<> ReadPoints(const std::string& prefix, RunSource* run) const {
    MetricNames names;
    for (const std::string& path : Below(prefix)) {
      GYRE_TRY(const std::string text, Read(path));
      const std::uint32_t metric = names.IndexOf(path.substr(prefix.size()), &run->metrics);
      for (const std::string_view line : Split(text, '\n')) {
        const auto words = Split(Trim(line), ' ');
        if (words.size() < 2) continue;
        const auto time = ParseInt(words[0]);
        const auto value = NumberOf(words[1]);
        if (!time || !value) continue;
        const std::int64_t step = words.size() > 2 ? ParseInt(words[2]).value_or(0) : 0;
        run->points.push_back({metric, *value, step, *time * kMicrosPerMilli});
      }
    }
    std::ranges::stable_sort(run->points, {}, &Point::time_us);
    return {};
  }

  Result<> ReadInputs(const std::string& at, const StoredExperiment& experiment,
                      RunSource* run) const {
    for (const std::string& path : Below(at + "/inputs/")) {
      if (!path.ends_with(kMeta)) continue;
      GYRE_TRY(const Json input, Meta(path));
      const std::string place = places_.at(experiment.number) + "/datasets/" +
                                TextOf(input["source_id"]) + std::string(kMeta);
      if (TextOf(input["source_type"]) == "MODEL") {
        run->read_models.push_back(TextOf(input["source_id"]));
        continue;
      }
      const auto meta = Meta(place);
      if (!meta) continue;
      Json dataset = Json::Obj();
      for (const char* member : {"name", "digest", "source_type", "source", "schema", "profile"}) {
        if (const std::string text = TextOf((*meta)[member]); !text.empty())
          dataset.Set(member, text);
      }
      StoredTags tags;
      for (const auto& [key, value] : input["tags"].members()) tags[key] = TextOf(value);
      run->datasets.push_back({std::move(dataset), std::move(tags)});
    }
    return {};
  }

  Result<> ReadOutputs(const std::string& prefix, RunSource* run) const {
    for (const std::string& path : Below(prefix)) {
      if (!path.ends_with(kMeta)) continue;
      GYRE_TRY(const Json output, Meta(path));
      run->made_models[TextOf(output["destination_id"])] = WholeOf(output["step"]);
    }
    return {};
  }

  // A line is: time, value, step, run, and what it was measured on.
  Result<> ReadModelPoints(const std::string& prefix, StoredLoggedModel* model) const {
    for (const std::string& path : Below(prefix)) {
      GYRE_TRY(const std::string text, Read(path));
      for (const std::string_view line : Split(text, '\n')) {
        const auto words = Split(Trim(line), ' ');
        if (words.size() < 4) continue;
        const auto time = ParseInt(words[0]);
        const auto value = NumberOf(words[1]);
        if (!time || !value) continue;
        const bool named = words.size() >= 6;
        model->metrics.push_back({path.substr(prefix.size()), *value,
                                  ParseInt(words[2]).value_or(0), *time * kMicrosPerMilli,
                                  std::string(words[3]), std::string(named ? words[4] : ""),
                                  std::string(named ? words[5] : "")});
      }
    }
    return {};
  }

  Result<StoredModel> ReadModel(const std::string& at) const {
    GYRE_TRY(const Json meta, Meta(at + std::string(kMeta)));
    StoredModel model{TextOf(meta["name"]), TextOf(meta["description"])};
    GYRE_TRY(model.tags, Texts(at + "/tags/"));
    GYRE_TRY(const auto aliases, Texts(at + "/aliases/"));
    for (const auto& [alias, version] : aliases)
      model.aliases[alias] = static_cast<int>(ParseInt(Trim(version)).value_or(0));
    const std::string prefix = at + "/version-";
    for (const std::string& path : Below(prefix)) {
      const std::size_t slash = path.find('/', prefix.size());
      if (slash == std::string::npos || path.substr(slash) != kMeta) continue;
      GYRE_TRY(const Json version, Meta(path));
      if (TextOf(version["current_stage"]) == "Deleted_Internal") continue;
      GYRE_TRY(auto tags, Texts(path.substr(0, slash) + "/tags/"));
      model.versions.push_back({static_cast<int>(WholeOf(version["version"])),
                                TextOf(version["source"]), TextOf(version["run_id"]),
                                TextOf(version["run_link"]), TextOf(version["description"]),
                                TextOf(version["current_stage"]), TextOf(version["user_id"]),
                                MicrosOf(version["creation_timestamp"]), std::move(tags)});
    }
    std::ranges::sort(model.versions, {}, &StoredVersion::number);
    return model;
  }

  std::string folder_;
  std::vector<std::string> paths_;              // of all files, in order
  std::map<std::int64_t, std::string> places_;  // of the experiments
};

}  // namespace

bool IsMlflowFolder(const std::string& path) {
  const auto meta = exec::ReadFile(path + "/0/meta.yaml", 1 << 20);
  return meta && meta->find("experiment_id:") != std::string::npos;
}

Result<std::unique_ptr<MlflowStore>> OpenMlflowFolder(const std::string& path) {
  GYRE_TRY(const auto files, exec::ListFiles(path, kFilesMax));
  std::vector<std::string> paths;
  paths.reserve(files.size());
  for (const exec::FileEntry& file : files) paths.push_back(file.path);
  std::ranges::sort(paths);
  return std::unique_ptr<MlflowStore>(std::make_unique<MlflowFolder>(path, std::move(paths)));
}

}  // namespace gyre::cli::imports
