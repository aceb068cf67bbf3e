#include "api/native/program_reads.h"

#include "ledger/access/access.h"
#include "ml/data/queries.h"
#include "ml/tracking/tracking.h"

namespace gyre::native {
namespace {

constexpr std::string_view kLatest = "latest";

}  // namespace

Result<std::map<std::string, std::string>> ProgramReads::PinnedFor(const net::Request& request,
                                                                   const std::string& run) {
  std::map<std::string, std::string> pinned;
  if (run.empty()) return pinned;
  GYRE_TRY(const tracking::Run row, tracking_.GetRun(request.Param("project"), run));
  for (const Json& pin : row.source["pinned"].items())
    pinned[pin["dataset"].AsString()] = pin["id"].AsString();
  return pinned;
}

Result<data::Version> ProgramReads::Resolve(const net::Request& request, const std::string& dataset,
                                            const std::string& version) {
  if (version == kLatest) {
    GYRE_TRY(const auto pinned, PinnedFor(request, access_.RunOfProgram(request.principal)));
    if (const auto pin = pinned.find(dataset); pin != pinned.end())
      return datasets_.GetVersionById(pin->second);
  }
  return datasets_.Resolve(request.Param("project"), dataset + ":" + version);
}

Result<data::Version> ProgramReads::Read(const net::Request& request, const std::string& dataset,
                                         const std::string& version) {
  GYRE_TRY(data::Version found, Resolve(request, dataset, version));
  GYRE_DO(Note(access_.RunOfProgram(request.principal), found, version == kLatest));
  return found;
}

Result<> ProgramReads::Note(const std::string& run, const data::Version& version, bool latest) {
  if (run.empty()) return {};
  return tracking_.AddInput(run, {.kind = "dataset_version",
                                  .id = version.id,
                                  .name = version.reference(),
                                  .digest = version.content_hash,
                                  .latest = latest});
}

Result<> ProgramReads::Follow(const net::Request& request, data::QueryRequest* query) {
  const std::string run = access_.RunOfProgram(request.principal);
  GYRE_TRY(query->pinned, PinnedFor(request, run));
  query->on_read = [this, run](const data::Version& version, bool by_name_alone) {
    return Note(run, version, by_name_alone);
  };
  return {};
}

Result<Json> VersionsToPin(const tracking::Run& run, data::Datasets& datasets) {
  std::map<std::string, Json> pins;
  for (const Json& input : run.inputs.items()) {
    if (input["kind"].AsString() != "dataset_version") continue;
    const auto version = datasets.GetVersionById(input["id"].AsString());
    if (!version && version.error().code() != Code::kNotFound) return version.error();
    if (!version) {
      const std::string id = run.id.substr(0, 8);
      return FailedPrecondition("GY3414", "run {} read {}, which is no longer there", id,
                                input["name"].AsString())
          .Why("what would be computed from other data could not be compared with it")
          .Fix(fmt::format("gyre runs rerun {} --latest    (with the newest versions)", id));
    }
    // Of several versions of one dataset, the first that was asked for without its number.
    const auto before = pins.find(version->dataset);
    const bool taken =
        before != pins.end() && (before->second["latest"].AsBool() || !input["latest"].AsBool());
    if (taken) continue;
    pins[version->dataset] = Json::Obj({{"dataset", version->dataset},
                                        {"id", version->id},
                                        {"name", version->reference()},
                                        {"latest", input["latest"].AsBool()}});
  }
  Json all = Json::Arr();
  for (auto& [dataset, pin] : pins) all.Push(std::move(pin));
  return all;
}

}  // namespace gyre::native
