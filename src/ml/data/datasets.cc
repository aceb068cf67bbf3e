#include "ml/data/datasets.h"

#include <algorithm>

#include "base/hash.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "ledger/lineage/lineage.h"
#include "ml/data/dataset_json.h"
#include "ml/data/diff.h"
#include "ml/data/expectations.h"
#include "ml/data/import_request.h"
#include "ml/data/reference.h"
#include "ml/data/trash_kind.h"
#include "ml/data/upload.h"
#include "ml/data/version_store.h"
#include "platform/exec/files.h"

namespace gyre::data {

namespace {
constexpr std::int64_t kImportMemoryBytes = std::int64_t{1} << 30;
constexpr int kNamesMax = 10'000;

Json PathsJson(const std::vector<std::string>& paths) {
  Json list = Json::Arr();
  for (const std::string& path : paths) list.Push(path);
  return list;
}

class DatasetsService : public Datasets {
 public:
  DatasetsService(db::Database& database, blob::Store& blobs, runners::Jobs& jobs,
                  events::Events& events, const Clock& clock)
      : database_(database),
        store_(database),
        blobs_(blobs),
        jobs_(jobs),
        events_(events),
        clock_(clock) {
    jobs_.Register({.name = "dataset.import", .execute = [this](runners::JobRun& run) {
                      return ExecuteImport(run, run.job().input, 0);
                    }});
    jobs_.Register({.name = "dataset.check",
                    .execute = [this](runners::JobRun& run) { return ExecuteCheck(run); },
                    .requeue_after_restart = true});
  }

  Result<Version> Resolve(std::string_view project, std::string_view reference) override {
    GYRE_TRY(StoredVersion stored, Find(project, reference));
    return std::move(stored.version);
  }
  Result<Version> GetVersionById(std::string_view id) override {
    GYRE_TRY(auto stored, store_.FindVersionById(id));
    if (!stored) return NotFound("GY2102", "there is no dataset version {}", id);
    return std::move(stored->version);
  }
  Result<Dataset> Get(std::string_view project, std::string_view name) override;
  Result<std::vector<Dataset>> List(std::string_view project, std::string_view after_name,
                                    int limit) override {
    return store_.ListDatasets(project, after_name, limit);
  }
  Result<std::vector<std::string>> Names(std::string_view project) override {
    return store_.DatasetNames(project, kNamesMax);
  }
  Result<std::vector<Version>> ListVersions(std::string_view project, std::string_view name,
                                            std::int64_t before_number, int limit) override {
    GYRE_TRY(const Dataset dataset, Get(project, name));
    return store_.ListVersions(dataset.id, before_number, limit);
  }
  Result<std::vector<std::string>> PartPaths(const Version& version) override;
  Result<> SetTags(std::string_view project, std::string_view reference,
                   const std::map<std::string, std::string>& tags) override;
  Result<> Remove(std::string_view project, std::string_view reference) override;

  Result<std::unique_ptr<Upload>> NewUpload() override;
  Result<runners::Job> Import(ImportRequest request, std::unique_ptr<Upload> upload) override;
  Result<Json> ImportWithin(runners::JobRun& run, double progress_from, ImportRequest request,
                            std::unique_ptr<Upload> upload) override;

  Result<Json> Profile(const Version& version) override;
  Result<Json> ProfileAgainst(const Version& version, std::string_view target) override;
  Result<Json> Rows(const Version& version, std::int64_t offset, std::int64_t limit) override;
  Result<Json> Quarantine(const Version& version, std::int64_t limit) override;
  Result<Json> Diff(const Version& from, const Version& to) override;
  Result<blob::Object> ParquetFile(const Version& version) override;
  Result<std::string> Export(const Version& version, std::string_view format,
                             const std::function<bool()>& cancelled) override;

  Result<Json> Expectations(std::string_view project, std::string_view name) override;
  Result<Json> SuggestExpectations(const Version& version) override;
  Result<Json> SetExpectations(std::string_view project, std::string_view name, const Json& suite,
                               std::string_view by) override;
  Result<runners::Job> Check(const Version& version, std::string_view by) override;

 private:
  Result<StoredVersion> Find(std::string_view project, std::string_view reference);
  // How a file joins the versions that are there.
  struct ImportTerms {
    std::string bad, source_key;
    Json suite{}, origin{}, known{};
  };
  Result<ImportTerms> TermsOf(const Dataset& dataset, ImportTerms terms);
  Result<Json> ExecuteImport(runners::JobRun& run, const Json& input, double progress_from);
  Result<Json> RunImport(runners::JobRun& run, const Json& input, double progress_from);
  // A job is shown to people: it names the folder, not where it lies.
  std::string UploadFolder(const Json& input) const {
    return blobs_.scratch_directory() + "/" + input["upload"].AsString();
  }
  bool Sound(const StoredVersion& stored);
  Result<Json> Unchanged(const Version& version, const Json& tags);
  Result<NewVersion> StoreFiles(const Json& input, const Json& made, const std::string& scratch);
  Result<Json> SuiteInForce(const Dataset& dataset);
  Result<Json> ExecuteCheck(runners::JobRun& run);

  db::Database& database_;
  VersionStore store_;
  blob::Store& blobs_;
  runners::Jobs& jobs_;
  events::Events& events_;
  const Clock& clock_;
};

Result<Dataset> DatasetsService::Get(std::string_view project, std::string_view name) {
  GYRE_TRY(auto found, store_.FindDataset(project, name));
  if (!found) {
    GYRE_TRY(const auto names, store_.DatasetNames(project, kNamesMax));
    Error error = NotFound("GY2101", "there is no dataset `{}` in project `{}`", name, project);
    if (const auto close = ClosestMatch(name, names))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return std::move(error).Fix(names.empty() ? "gyre add FILE" : "gyre datasets ls");
  }
  GYRE_TRY(auto latest, store_.FindVersion(found->id, 0));
  if (latest) found->latest = std::move(latest->version);
  return *std::move(found);
}

// Who asks was admitted to one project only, so a reference does not lead out of it.
Result<Reference> ReferenceWithin(std::string_view project, std::string_view text) {
  GYRE_TRY(Reference reference, ParseReference(project, text));
  if (reference.project == project) return reference;
  return MakeError(Code::kPermissionDenied, "GY2112", "`{}` belongs to another project than `{}`",
                   text, project)
      .Fix(fmt::format("--project {}", reference.project));
}

Result<StoredVersion> DatasetsService::Find(std::string_view project, std::string_view text) {
  GYRE_TRY(const Reference reference, ReferenceWithin(project, text));
  GYRE_TRY(const Dataset dataset, Get(reference.project, reference.dataset));
  GYRE_TRY(auto stored, store_.FindVersion(dataset.id, reference.number));
  if (stored) return *std::move(stored);
  return NotFound("GY2102", "dataset `{}` has no version v{}", dataset.name, reference.number)
      .Fix("gyre datasets versions " + dataset.name);
}

Error DamageOf(const Version& version, const Error& error) {
  if (error.code() != Code::kDataLoss) return error;
  Error own(error.code(), error.gy(),
            fmt::format("dataset {}: {}", version.reference(), error.message()));
  return std::move(own)
      .Why(error.why())
      .Fix(fmt::format("gyre add {} --name {}    (the same file again heals it)",
                       version.source_name, version.dataset))
      .Fix("or restore a backup; gyre fsck names all that is damaged");
}

Result<std::vector<std::string>> DatasetsService::PartPaths(const Version& version) {
  std::vector<std::string> paths;
  for (const Part& part : version.parts) {
    auto path = blobs_.LocalPath(part.object.digest);
    if (!path) return DamageOf(version, path.error());
    paths.push_back(*std::move(path));
  }
  return paths;
}

Result<> DatasetsService::SetTags(std::string_view project, std::string_view reference,
                                  const std::map<std::string, std::string>& tags) {
  for (const auto& [name, value] : tags) {
    GYRE_DO(CheckName("tag", name));
    if (value.size() > 1000)
      return InvalidArgument("GY2107", "the value of tag `{}` is longer than 1000 characters",
                             name);
  }
  GYRE_TRY(const StoredVersion stored, Find(project, reference));
  return store_.SetTags(stored.version.id, tags);
}

Result<> DatasetsService::Remove(std::string_view project, std::string_view text) {
  GYRE_TRY([[maybe_unused]] const std::string name,
           RemoveDataset({database_, *this, events_, clock_},
                         {.project = project, .name = text, .by = "gyre"}));
  return {};
}

Result<std::unique_ptr<Upload>> DatasetsService::NewUpload() {
  const std::string folder = fmt::format("{}/upload-{}", blobs_.scratch_directory(), NewId());
  GYRE_DO(exec::MakeDirectories(folder));
  return std::unique_ptr<Upload>(std::make_unique<ScratchUpload>(folder));
}

Result<runners::Job> DatasetsService::Import(ImportRequest request,
                                             std::unique_ptr<Upload> upload) {
  // Uploads are made by NewUpload only.
  auto* scratch = static_cast<ScratchUpload*>(upload.get());
  runners::JobSpec spec;
  GYRE_TRY(spec.input, ImportInput(request, *scratch));
  spec.kind = "dataset.import";
  spec.project = request.project;
  spec.title = fmt::format("add {} as {}", spec.input["name"].AsString(), request.dataset);
  spec.created_by = request.created_by;
  spec.memory_bytes = kImportMemoryBytes;
  auto job = jobs_.Submit(std::move(spec));
  if (!job) (void)exec::RemoveTree(scratch->folder());
  return job;
}

Result<Json> DatasetsService::ImportWithin(runners::JobRun& run, double progress_from,
                                           ImportRequest request, std::unique_ptr<Upload> upload) {
  GYRE_TRY(const Json input, ImportInput(request, *static_cast<ScratchUpload*>(upload.get())));
  return ExecuteImport(run, input, progress_from);
}

Result<Json> DatasetsService::ExecuteImport(runners::JobRun& run, const Json& input,
                                            double progress_from) {
  auto result = RunImport(run, input, progress_from);
  (void)exec::RemoveTree(UploadFolder(input));  // what stays goes at the next start
  return result;
}

// What is damaged is made anew of the same file.
bool DatasetsService::Sound(const StoredVersion& stored) {
  for (const Part& part : stored.version.parts) {
    if (!blobs_.CheckBlocks(part.object.digest)) return false;
  }
  const std::string &profile = stored.files.profile_digest, &other = stored.files.quarantine_digest;
  return blobs_.CheckBlocks(profile) && (other.empty() || blobs_.CheckBlocks(other));
}

// What new rows of a dataset are read by: the newest version's columns, as the suite wants them.
// Who did not ask for quarantine gets it for what the suite speaks of; other columns may change.
Json KnownTable(const Version& newest, const Json& suite, bool hold_all) {
  Json columns = Json::Arr(), held = Json::Arr();
  const Json schema = SchemaJson(newest);
  for (Json column : schema.items()) {
    bool hold = hold_all;
    for (const Json& expected : suite["expectations"].items()) {
      if (expected["column"] != column["name"]) continue;
      const std::string& kind = expected["kind"].AsString();
      hold = hold || kind == "column_type" || kind == "between";
      if (kind == "column_type") column.Set("type", expected["type"]);
    }
    if (hold) held.Push(column);
    columns.Push(std::move(column));
  }
  return Json::Obj(
      {{"name", newest.reference()}, {"columns", std::move(columns)}, {"held", std::move(held)}});
}

Result<DatasetsService::ImportTerms> DatasetsService::TermsOf(const Dataset& dataset,
                                                              ImportTerms terms) {
  const bool asked = !terms.bad.empty();
  GYRE_TRY(const Json suite, SuiteInForce(dataset));
  if (suite.is_object()) terms.suite = Json::Obj({{"expectations", suite["expectations"]}});
  terms.origin = suite["origin"];
  const std::int64_t number = suite["number"].AsInt();  // 0: nobody has set it
  if (!asked && number > 0) terms.bad = "quarantine";
  // The same bytes are other rows by another suite.
  if (terms.bad == "quarantine" && number > 0)
    terms.source_key = Sha256Hex(fmt::format("{} suite {}", terms.source_key, number));
  GYRE_TRY(const auto newest, store_.FindVersion(dataset.id, 0));
  if (newest) terms.known = KnownTable(newest->version, terms.suite, asked);
  return terms;
}

// Where its rows came from, when that place has a name: the tag `source`.
Result<> NoteSource(db::Transaction& tx, const Version& version) {
  const auto tag = version.tags.find("source");
  if (tag == version.tags.end()) return {};
  const std::string id =
      Sha256Hex(fmt::format("source {}/{}", version.project, tag->second)).substr(0, 32);
  GYRE_DO(lineage::EnsureNode(tx, {.id = id,
                                   .kind = "source",
                                   .label = tag->second,
                                   .project = version.project,
                                   .created_us = version.created_us}));
  return lineage::AddEdge(tx, id, version.id, "read_into");
}

// Of rows that a query has made: the versions that it read.
Result<> NoteMadeFrom(db::Transaction& tx, const Version& version, const Json& made_from) {
  for (const Json& id : made_from.items()) {
    if (id.AsString() != version.id)
      GYRE_DO(lineage::AddEdge(tx, id.AsString(), version.id, "queried_into"));
  }
  return {};
}

// No version keeps these rows: what is said of them now is all that is said.
Json FirstSetAside(const Json& made, const std::string& scratch) {
  constexpr std::size_t kShown = 5;
  Json rows = Json::Arr();
  const std::string& file = made["quarantine"].AsString();
  const auto text = file.empty() ? Result<std::string>("") : exec::ReadFile(scratch + "/" + file);
  for (const std::string_view line : Split(text ? std::string_view(*text) : "", '\n')) {
    const auto row = Json::Parse(line);
    if (row && rows.size() < kShown) rows.Push(*row);
  }
  return rows;
}

Result<Json> DatasetsService::RunImport(runners::JobRun& run, const Json& input,
                                        double progress_from) {
  const runners::Job& job = run.job();
  const std::string file = UploadFolder(input) + "/data";
  if (!exec::FileExists(file)) {
    return FailedPrecondition("GY2108", "the upload of {} was lost when the server restarted",
                              input["name"].AsString())
        .Fix("add the file again");
  }
  GYRE_TRY(const auto dataset, store_.FindDataset(job.project, input["dataset"].AsString()));
  ImportTerms terms = {.bad = input["bad"].AsString(),
                       .source_key = input["source_key"].AsString()};
  if (dataset) {
    GYRE_TRY(terms, TermsOf(*dataset, std::move(terms)));
    GYRE_TRY(const auto same, store_.FindBySource(dataset->id, terms.source_key));
    if (same) {
      GYRE_TRY(auto stored, store_.FindVersion(dataset->id, *same));
      if (stored && Sound(*stored)) return Unchanged(stored->version, input["tags"]);
    }
  }
  const Json task = Json::Obj({{"path", file},
                               {"name", input["name"]},
                               {"dataset", input["dataset"]},
                               {"format", input["format"]},
                               {"bad", terms.bad},
                               {"columns", input["columns"]},
                               {"types", input["types"]},
                               {"known", std::move(terms.known)},
                               {"target", input["target"]},
                               {"suite", std::move(terms.suite)}});
  runners::JobRun::TaskOptions options;
  options.progress_from = progress_from;
  options.progress_to = 0.95;
  GYRE_TRY(Json made, run.RunTask("data.import", task, options));
  if (made["check"].is_object()) made.Set("check", Json(made["check"]).Set("origin", terms.origin));
  run.Progress(0.95, "storing");
  GYRE_TRY(NewVersion version, StoreFiles(input, made, run.scratch_directory()));
  version.source_key = std::move(terms.source_key);
  version.version.project = job.project;
  version.version.created_by = job.created_by;
  version.version.created_us = clock_.NowMicros();
  bool created = false;
  GYRE_TRY(const Version stored,
           store_.Commit(version, &created, [&](db::Transaction& tx, const Version& v) -> Result<> {
             GYRE_DO(lineage::AddNode(tx, {.id = v.id,
                                           .kind = "dataset_version",
                                           .label = v.reference(),
                                           .project = v.project,
                                           .created_us = v.created_us}));
             GYRE_DO(NoteSource(tx, v));
             GYRE_DO(NoteMadeFrom(tx, v, input["made_from"]));
             return Announce(events_, tx, v, "dataset.version.created");
           }));
  if (created) return ImportResult(stored, true);
  GYRE_TRY(Json unchanged, Unchanged(stored, input["tags"]));
  unchanged.Set("rows_quarantined", version.version.rows_quarantined);
  return unchanged.Set("quarantine", FirstSetAside(made, run.scratch_directory()));
}

// The content is there already: what the caller wanted to say of it is said of that version.
Result<Json> DatasetsService::Unchanged(const Version& version, const Json& tags) {
  std::map<std::string, std::string> set;
  for (const auto& [name, value] : tags.members()) set[name] = value.AsString();
  if (!set.empty()) GYRE_DO(store_.SetTags(version.id, set));
  Json result = ImportResult(version, false);
  result.Set("tags_set", tags);
  return result;
}

// Files of the worker into the blob store, before any row names them.
Result<NewVersion> DatasetsService::StoreFiles(const Json& input, const Json& made,
                                               const std::string& scratch) {
  NewVersion out;
  Version& version = out.version;
  const auto put = [&](const std::string& file) -> Result<blob::Object> {
    GYRE_TRY(blob::Object object, blobs_.PutFile(scratch + "/" + file));
    out.objects.push_back(object);
    return object;
  };
  for (const Json& part : made["parts"].items()) {
    GYRE_TRY(blob::Object object, put(part["file"].AsString()));
    version.parts.push_back({std::move(object), part["rows"].AsInt()});
  }
  GYRE_TRY(const blob::Object profile, put(made["profile"].AsString()));
  out.files.profile_digest = profile.digest;
  if (made["quarantine"].is_string()) {
    GYRE_TRY(const blob::Object quarantine, put(made["quarantine"].AsString()));
    out.files.quarantine_digest = quarantine.digest;
  }
  version.dataset = input["dataset"].AsString();
  version.source_name = input["name"].AsString();
  version.source_bytes = input["source_bytes"].AsInt();
  version.source_digest = input["source_digest"].AsString();
  version.content_hash = made["content_hash"].AsString();
  version.format = made["format"].AsString();
  version.rows = made["rows"].AsInt();
  GYRE_TRY(version.schema, table::SchemaFromJson(made["schema"]));
  version.formats = table::FormatsOf(made["schema"]);
  for (const Json& note : made["notes"].items()) version.notes.push_back(note.AsString());
  version.warnings = made["warnings"];
  version.check = made["check"];
  version.rows_quarantined = made["rows_quarantined"].AsInt();
  for (const auto& [name, value] : input["tags"].members()) version.tags[name] = value.AsString();
  return out;
}

// --- looking into a version ----------------------------------------------------------------------
Result<Json> DatasetsService::Profile(const Version& version) {
  GYRE_TRY(const auto stored, store_.FindVersionById(version.id));
  if (!stored) return NotFound("GY2102", "there is no version {}", version.reference());
  const auto text = blobs_.Get(stored->files.profile_digest);
  if (!text) return DamageOf(version, text.error());
  GYRE_TRY(Json profile, Json::Parse(*text));
  profile.Set("dataset", version.dataset);
  profile.Set("version", fmt::format("v{}", version.number));
  return profile;
}

Result<Json> DatasetsService::ProfileAgainst(const Version& version, std::string_view target) {
  GYRE_TRY(Json profile, Profile(version));
  if (profile["target"].AsString() == target) return profile;
  GYRE_TRY(const auto paths, PartPaths(version));
  GYRE_TRY(const Json found,
           jobs_.RunTaskNow("data.associate",
                            Json::Obj({{"paths", PathsJson(paths)}, {"target", target}}), {}));
  for (const auto& [key, value] : found.members()) profile.Set(key, value);
  return profile;
}

Result<Json> DatasetsService::Rows(const Version& version, std::int64_t offset,
                                   std::int64_t limit) {
  GYRE_TRY(const auto paths, PartPaths(version));
  const Json input = Json::Obj(
      {{"tables", Json::Arr({Json::Obj({{"name", "part"}, {"paths", PathsJson(paths)}})})},
       {"sql", fmt::format("SELECT * FROM part LIMIT {} OFFSET {}", limit, offset)},
       {"rows_max", limit}});
  return jobs_.RunTaskNow("data.query", input, {});
}

Result<Json> DatasetsService::Quarantine(const Version& version, std::int64_t limit) {
  Json items = Json::Arr();
  GYRE_TRY(const auto stored, store_.FindVersionById(version.id));
  if (stored && !stored->files.quarantine_digest.empty()) {
    const auto text = blobs_.Get(stored->files.quarantine_digest);
    if (!text) return DamageOf(version, text.error());
    for (const std::string_view line : Split(*text, '\n')) {
      if (line.empty() || static_cast<std::int64_t>(items.size()) >= limit) continue;
      GYRE_TRY(Json row, Json::Parse(line));
      items.Push(std::move(row));
    }
  }
  return Json::Obj({{"items", std::move(items)}, {"rows_quarantined", version.rows_quarantined}});
}

Result<Json> DatasetsService::Diff(const Version& from, const Version& to) {
  GYRE_TRY(const Json from_profile, Profile(from));
  GYRE_TRY(const Json to_profile, Profile(to));
  return DiffVersions(from, from_profile, to, to_profile);
}

Result<blob::Object> DatasetsService::ParquetFile(const Version& version) {
  if (version.parts.size() == 1) {
    const blob::Object& only = version.parts[0].object;
    if (const auto sound = blobs_.CheckBlocks(only.digest); !sound)
      return DamageOf(version, sound.error());
    return only;
  }
  GYRE_TRY(const auto stored, store_.FindVersionById(version.id));
  if (!stored) return NotFound("GY2102", "there is no version {}", version.reference());
  // One that is damaged is made again.
  if (!stored->files.merged_digest.empty() && blobs_.CheckBlocks(stored->files.merged_digest))
    return blob::Object{stored->files.merged_digest, stored->files.merged_bytes};
  GYRE_TRY(const std::string path, Export(version, "parquet", {}));
  auto object = blobs_.PutFile(path);
  (void)exec::RemoveTree(path.substr(0, path.rfind('/')));
  if (!object) return object.error();
  GYRE_DO(store_.SetMerged(version.id, *object));
  return object;
}

Result<std::string> DatasetsService::Export(const Version& version, std::string_view format,
                                            const std::function<bool()>& cancelled) {
  if (format != "csv" && format != "jsonl" && format != "parquet") {
    return InvalidArgument("GY2106", "there is no export format `{}`", format)
        .Fix("csv, jsonl or parquet");
  }
  GYRE_TRY(const auto paths, PartPaths(version));
  runners::JobRun::TaskOptions options;
  options.scratch_directory = fmt::format("{}/export-{}", blobs_.scratch_directory(), NewId());
  options.cancelled = cancelled;
  GYRE_DO(exec::MakeDirectories(options.scratch_directory));
  const auto made = jobs_.RunTaskNow(
      "data.export", Json::Obj({{"paths", PathsJson(paths)}, {"format", format}}), options);
  if (!made) {
    (void)exec::RemoveTree(options.scratch_directory);
    return made.error();
  }
  return options.scratch_directory + "/" + (*made)["file"].AsString();
}

// --- expectations --------------------------------------------------------------------------------
// Null when the dataset has neither a suite nor a version.
Result<Json> DatasetsService::SuiteInForce(const Dataset& dataset) {
  GYRE_TRY(const auto newest, store_.NewestSuite(dataset.id));
  if (newest) {
    Json json = newest->suite;
    json.Set("number", newest->number);
    json.Set("origin", "set by " + newest->created_by);
    json.Set("created_at", FormatTime(newest->created_us));
    return json;
  }
  GYRE_TRY(const auto versions, store_.ListVersions(dataset.id, 0, 100'000));
  if (versions.empty()) return Json();
  GYRE_TRY(Json json, SuggestExpectations(versions.back()));
  json.Set("number", 0);
  json.Set("origin", "suggested from " + versions.back().reference());
  return json;
}

Result<Json> DatasetsService::Expectations(std::string_view project, std::string_view name) {
  GYRE_TRY(const Dataset dataset, Get(project, name));
  GYRE_TRY(Json suite, SuiteInForce(dataset));
  if (suite.is_null()) return NotFound("GY2102", "dataset `{}` has no version", name);
  return suite;
}

Result<Json> DatasetsService::SuggestExpectations(const Version& version) {
  GYRE_TRY(const Json profile, Profile(version));
  return profile["suggested"];
}

Result<Json> DatasetsService::SetExpectations(std::string_view project, std::string_view name,
                                              const Json& suite, std::string_view by) {
  GYRE_DO(CheckSuite(suite));
  GYRE_TRY(const Dataset dataset, Get(project, name));
  GYRE_TRY(const auto added,
           store_.AddSuite(dataset.id, Json::Obj({{"expectations", suite["expectations"]}}), by,
                           clock_.NowMicros()));
  GYRE_TRY(Json stored, SuiteInForce(dataset));
  // No error: a column may be asked for before it comes.
  GYRE_TRY(const auto newest, store_.FindVersion(dataset.id, 0));
  if (!newest) return stored;
  Json warnings = Json::Arr();
  for (const std::string& sentence : ColumnsNotThere(stored, newest->version.schema))
    warnings.Push(fmt::format("{} {}", newest->version.reference(), sentence));
  return stored.Set("warnings", std::move(warnings));
}

Result<runners::Job> DatasetsService::Check(const Version& version, std::string_view by) {
  runners::JobSpec spec;
  spec.kind = "dataset.check";
  spec.project = version.project;
  spec.title = "check " + version.reference();
  spec.created_by = by;
  spec.input = Json::Obj({{"version", version.id}});
  return jobs_.Submit(std::move(spec));
}

Result<Json> DatasetsService::ExecuteCheck(runners::JobRun& run) {
  GYRE_TRY(const Version version, GetVersionById(run.job().input["version"].AsString()));
  GYRE_TRY(const Dataset dataset, Get(version.project, version.dataset));
  GYRE_TRY(const Json suite, SuiteInForce(dataset));
  GYRE_TRY(const auto paths, PartPaths(version));
  const Json input = Json::Obj({{"paths", PathsJson(paths)},
                                {"suite", Json::Obj({{"expectations", suite["expectations"]}})}});
  GYRE_TRY(Json result, run.RunTask("data.check", input, {}));
  result.Set("reference", version.reference());
  result.Set("suite", suite["number"]);
  result.Set("origin", suite["origin"]);
  return result;
}
}  // namespace

Result<std::unique_ptr<Datasets>> OpenDatasets(db::Database& database, blob::Store& blobs,
                                               runners::Jobs& jobs, events::Events& events,
                                               const Clock& clock) {
  return std::unique_ptr<Datasets>(
      std::make_unique<DatasetsService>(database, blobs, jobs, events, clock));
}

}  // namespace gyre::data
