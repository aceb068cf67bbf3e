#include "cli/imports/runs.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr std::size_t kPointsOfSlice = 10'000;
// Written with each slice: how many points are there, and the chain over them.
constexpr std::string_view kPosition = "import.position", kDigest = "import.digest",
                           kDone = "import.done";

// Chained from point to point, so that a log that has grown goes on from what was taken: those that
// are there must be those that it began with. `before` is the value of the points before `from`.
std::uint64_t ChainOf(const RunSource& source, std::size_t from, std::size_t to,
                      std::uint64_t before) {
  std::string bytes;
  for (std::size_t i = from; i < to; ++i) {
    const Point& point = source.points[i];
    bytes = source.metrics[point.metric];
    for (const std::uint64_t word :
         {std::bit_cast<std::uint64_t>(point.value), static_cast<std::uint64_t>(point.step),
          static_cast<std::uint64_t>(point.time_us)})
      bytes.append(reinterpret_cast<const char*>(&word), sizeof word);  // NOLINT: its bytes
    before = Xxh3(bytes, before);
  }
  return before;
}

std::string ChainText(std::uint64_t chain) { return fmt::format("{:016x}", chain); }

Json TextsOf(const std::map<std::string, std::string>& texts) {
  Json json = Json::Obj();
  for (const auto& [key, value] : texts) json.Set(key, value);
  return json;
}

// Of all that would be written: nothing to do when the run carries it.
Result<std::string> DigestOfAll(const RunSource& source) {
  Sha256 hash;
  const auto add = [&](std::string_view text) {
    hash.Update(fmt::format("{}:", text.size()));
    hash.Update(text);
  };
  add(ChainText(ChainOf(source, 0, source.points.size(), 0)));
  add(source.status);
  add(FormatTime(source.ended_us));
  for (const auto* const texts : {&source.params, &source.tags, &source.texts}) {
    for (const auto& [key, value] : *texts) {
      add(key);
      add(value);
    }
  }
  for (const NamedDataset& named : source.datasets) {
    add(named.dataset.Dump());
    add(TextsOf(named.tags).Dump());
  }
  for (const auto& [model, step] : source.made_models) add(fmt::format("{} {}", model, step));
  for (const std::string& model : source.read_models) add(model);
  // What is in them, wherever they lie.
  for (const auto& [path, file] : source.files) {
    GYRE_TRY(const std::string content, HashOf(file));
    add(path);
    add(content);
  }
  return hash.FinishHex();
}

Json ValueOf(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Result<> SendSlice(Work& work, const RunSource& source, const std::string& run_path,
                   std::size_t from, std::size_t to, std::uint64_t chain) {
  Json metrics = Json::Arr();
  for (std::size_t i = from; i < to; ++i) {
    const Point& point = source.points[i];
    metrics.Push(Json::Obj({{"key", source.metrics[point.metric]},
                            {"value", ValueOf(point.value)},
                            {"step", point.step},
                            {"time_us", point.time_us}}));
  }
  const Json body = Json::Obj({{"metrics", std::move(metrics)},
                               {"slice", Json::Obj({{"from", from}, {"to", to}})},
                               {"tags", Json::Obj({{std::string(kDigest), ChainText(chain)}})}});
  GYRE_TRY([[maybe_unused]] const Json sent, work.session.Post(run_path + "/batch", body));
  return {};
}

Result<> SendArtifact(Work& work, const std::string& run_path, const std::string& path,
                      const std::string& file) {
  std::string encoded;
  for (const std::string_view part : Split(path, '/'))
    encoded += (encoded.empty() ? "" : "/") + PercentEncode(part);
  GYRE_TRY([[maybe_unused]] const Json stored,
           work.session.Upload(run_path + "/artifacts/" + encoded, file, work.out));
  return {};
}

Result<> SendArtifacts(Work& work, const RunSource& source, const std::string& run_path) {
  for (const auto& [path, text] : source.texts) {
    const std::string file = work.scratch + "/text";
    GYRE_DO(exec::WriteFile(file, text));
    GYRE_DO(SendArtifact(work, run_path, path, file));
  }
  for (const auto& [path, file] : source.files) GYRE_DO(SendArtifact(work, run_path, path, file));
  return {};
}

std::string Counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", GroupDigits(static_cast<std::int64_t>(count)), noun,
                     count == 1 ? "" : "s");
}

std::string DetailOf(const RunSource& source, std::size_t held) {
  std::string detail = held == 0 ? Counted(source.points.size(), "point")
                                 : fmt::format("{} new of {}", source.points.size() - held,
                                               Counted(source.points.size(), "point"));
  if (!source.params.empty()) detail += ", " + Counted(source.params.size(), "param");
  const std::size_t artifacts = source.texts.size() + source.files.size();
  if (artifacts > 0) detail += ", " + Counted(artifacts, "artifact");
  if (source.created_us != 0) detail += ", of " + FormatTime(source.created_us).substr(0, 10);
  return detail;
}

// The run as it is here, or null.
Result<Json> RunOfKey(Work& work, const std::string& key) {
  GYRE_TRY(const Json list,
           GetOrNull(work.session, fmt::format("{}/runs?limit=1&tag={}", work.project_path(),
                                               PercentEncode("import.key:" + key))));
  return list["items"].size() == 0 ? Json() : list["items"].items()[0];
}

Json NewRunOf(const RunSource& source) {
  Json body =
      Json::Obj({{"key", source.key},
                 {"name", source.name},
                 {"experiment", source.experiment},
                 {"source", Json::Obj({{"importer", source.importer}, {"origin", source.origin}})},
                 {"params", TextsOf(source.params)},
                 {"tags", TextsOf(source.tags)}});
  if (source.created_us > 0) body.Set("created_at", FormatTime(source.created_us));
  if (!source.id.empty()) body.Set("id", source.id);
  if (!source.user.empty()) body.Set("user", source.user);
  if (source.experiment_number) body.Set("experiment_number", *source.experiment_number);
  return body;
}

// How many points of the source the run holds. Error: GY4955 they are not those of the source.
Result<std::size_t> PointsHeld(const RunSource& source, const Json& run) {
  const Json& tags = run["tags"];
  const auto held = static_cast<std::size_t>(ParseInt(tags[kPosition].AsString()).value_or(0));
  const bool same =
      held == 0 || (held <= source.points.size() &&
                    ChainText(ChainOf(source, 0, held, 0)) == tags[kDigest].AsString());
  if (same) return held;
  return FailedPrecondition("GY4955", "run {} was taken from other points than {} holds now",
                            run["id"].AsString().substr(0, 8), source.name)
      .Why("a log only grows; this one was written anew")
      .Fix(
          fmt::format("gyre runs rm {}    (then import again)", run["id"].AsString().substr(0, 8)));
}

Result<> SendDatasets(Work& work, const RunSource& source, const std::string& run) {
  if (source.datasets.empty()) return {};
  Json datasets = Json::Arr();
  for (const NamedDataset& named : source.datasets) {
    Json tags = Json::Arr();
    for (const auto& [key, value] : named.tags)
      tags.Push(Json::Obj({{"key", key}, {"value", value}}));
    datasets.Push(Json::Obj({{"dataset", named.dataset}, {"tags", std::move(tags)}}));
  }
  return TellAsMlflow(work, "runs/log-inputs",
                      Json::Obj({{"run_id", run}, {"datasets", std::move(datasets)}}));
}

// Which logged models it made and read.
Result<> SendModels(Work& work, const RunSource& source, const std::string& run) {
  Json made = Json::Arr(), read = Json::Arr();
  for (const auto& [model, step] : source.made_models)
    made.Push(Json::Obj({{"model_id", model}, {"step", step}}));
  for (const std::string& model : source.read_models) read.Push(Json::Obj({{"model_id", model}}));
  if (made.size() > 0)
    GYRE_DO(TellAsMlflow(work, "runs/outputs",
                         Json::Obj({{"run_id", run}, {"models", std::move(made)}})));
  if (read.size() == 0) return {};
  return TellAsMlflow(work, "runs/log-inputs",
                      Json::Obj({{"run_id", run}, {"models", std::move(read)}}));
}

// A run that goes on there has no end here either.
Result<> SendEnd(Work& work, const RunSource& source, const std::string& run_path) {
  if (source.status == "running" || source.status == "scheduled") return {};
  Json end = Json::Obj({{"status", source.status}});
  if (source.ended_us > 0) end.Set("ended_at", FormatTime(source.ended_us));
  GYRE_TRY([[maybe_unused]] const Json ended, work.session.Post(run_path + "/end", end));
  return {};
}

Result<> Hide(Work& work, const RunSource& source, const Json& run) {
  if (!source.hidden) return {};
  return TellAsMlflow(work, "runs/delete", Json::Obj({{"run_id", run["id"]}}));
}

Result<> Send(Work& work, const RunSource& source, const Json& run, std::size_t held,
              const std::string& digest) {
  const std::string run_path = fmt::format("{}/runs/{}", work.project_path(), run["id"].AsString());
  GYRE_TRY([[maybe_unused]] const Json told,
           work.session.Post(run_path + "/batch", Json::Obj({{"params", TextsOf(source.params)},
                                                             {"tags", TextsOf(source.tags)}})));
  std::uint64_t chain = ChainOf(source, 0, held, 0);
  for (std::size_t from = held, to = 0; from < source.points.size(); from = to) {
    to = std::min(from + kPointsOfSlice, source.points.size());
    chain = ChainOf(source, from, to, chain);
    work.out.Progress(static_cast<double>(from) / static_cast<double>(source.points.size()),
                      source.name);
    GYRE_DO(SendSlice(work, source, run_path, from, to, chain));
  }
  work.out.EndProgress();
  GYRE_DO(SendArtifacts(work, source, run_path));
  GYRE_DO(SendDatasets(work, source, run["id"].AsString()));
  GYRE_DO(SendModels(work, source, run["id"].AsString()));
  GYRE_DO(SendEnd(work, source, run_path));
  // Only what is whole says so: whoever died before this line goes on here.
  GYRE_TRY([[maybe_unused]] const Json done,
           work.session.Post(run_path + "/batch",
                             Json::Obj({{"tags", Json::Obj({{std::string(kDone), digest}})}})));
  return {};
}

// The next thing of the source may do better.
bool IsOfTheSource(const Error& error) {
  return error.code() == Code::kInvalidArgument || error.code() == Code::kFailedPrecondition ||
         error.code() == Code::kAborted || error.code() == Code::kAlreadyExists;
}

}  // namespace

std::uint32_t MetricNames::IndexOf(const std::string& name, std::vector<std::string>* names) {
  const auto [it, fresh] = index_.try_emplace(name, static_cast<std::uint32_t>(names->size()));
  if (fresh) names->push_back(name);
  return it->second;
}

std::string ArtifactPath(std::string_view folder, std::string_view name, std::string_view ending) {
  constexpr std::size_t kBytesMax = 900;
  std::string path(folder);
  for (const std::string_view part : Split(name, '/')) {
    if (part.empty() || part == "." || part == "..") continue;
    if (!path.empty()) path += "/";
    for (const char c : part) path += static_cast<unsigned char>(c) < 0x20 || c == '\\' ? '-' : c;
  }
  return path.substr(0, kBytesMax) + std::string(ending);
}

Result<> BringRun(Work& work, const RunSource& source) {
  const std::string name = "run " + source.name;
  GYRE_TRY(const std::string digest, DigestOfAll(source));
  GYRE_TRY(Json run, RunOfKey(work, source.key));
  if (run.is_null() && !work.in.dry_run()) {
    // One that is deleted here is not listed, and answered all the same.
    auto made = work.session.Post(work.project_path() + "/runs", NewRunOf(source));
    if (!made && IsOfTheSource(made.error())) {
      work.report.Failed(name, made.error());
      return {};
    }
    GYRE_TRY(run, std::move(made));
  }
  if (run["tags"][kDone].AsString() == digest) {
    work.report.There(name, "run " + run["id"].AsString().substr(0, 8));
    return work.in.dry_run() ? Result<>() : Hide(work, source, run);
  }
  const auto held = PointsHeld(source, run);
  if (!held) {
    work.report.Failed(name, held.error());
    return {};
  }
  if (work.in.dry_run()) {
    work.report.WouldTake(name, DetailOf(source, *held));
    return {};
  }
  auto sent = Send(work, source, run, *held, digest);
  if (sent) sent = Hide(work, source, run);
  if (!sent) {
    if (!IsOfTheSource(sent.error())) return sent.error();
    work.report.Failed(name, sent.error());
    return {};
  }
  work.report.Taken(
      name, fmt::format("run {}: {}", run["id"].AsString().substr(0, 8), DetailOf(source, *held)));
  return {};
}

}  // namespace gyre::cli::imports
