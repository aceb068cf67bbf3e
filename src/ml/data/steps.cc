#include "ml/data/steps.h"

#include "ml/pipelines/job_kind.h"

namespace gyre::data {
namespace {

using pipelines::kFilePrefix;
using pipelines::KindFacts;
using pipelines::KindKey;
using pipelines::OutputSpec;
using pipelines::StepContext;
using pipelines::StepEnd;
using pipelines::ValueType;

constexpr std::int64_t kPieceBytes = 1 << 20;

constexpr KindKey kAddKeys[] = {{"dataset", true}, {"file", true, false, ValueType::kFile},
                                {"format"},        {"bad"},
                                {"target"},        {"types"}};
const OutputSpec kAddOutputs[] = {{"dataset", ValueType::kText},
                                  {"version_id", ValueType::kText},
                                  {"unchanged", ValueType::kBool},
                                  {"rows", ValueType::kInt}};
const KindFacts kAdd{"add", kAddKeys, kAddOutputs};

constexpr KindKey kCheckKeys[] = {{"dataset", true}, {"allow_findings"}};
const OutputSpec kCheckOutputs[] = {
    {"success", ValueType::kBool}, {"failed", ValueType::kInt}, {"rows_broken", ValueType::kInt}};
const KindFacts kCheck{"check", kCheckKeys, kCheckOutputs};

constexpr KindKey kSqlKeys[] = {{"sql", true, true}, {"format"}};
const OutputSpec kSqlOutputs[] = {{"file", ValueType::kFile}, {"rows", ValueType::kInt}};
const KindFacts kSql{"sql", kSqlKeys, kSqlOutputs};

pipelines::StepLink VersionLink(const std::string& id, const std::string& reference, bool made) {
  return {.kind = "dataset_version", .id = id, .label = reference, .made = made};
}

Result<runners::Job> SubmitAdd(pipelines::Pipelines& pipelines, Datasets& datasets,
                               blob::Store& blobs, const StepContext& context) {
  const std::string& file = context.with["file"].AsString();
  if (!file.starts_with(kFilePrefix))
    return InvalidArgument("GY2131", "`file` is `{}`, not a file that another step made", file)
        .Fix("file: ${steps.fetch.outputs.NAME}, of type file");
  // Who knows the digest of another project's file has no right to its rows.
  GYRE_TRY(const bool ours, pipelines.HasFile(context.project, file.substr(kFilePrefix.size())));
  if (!ours)
    return NotFound("GY2133", "no step of a run of this project made the file `{}`", file)
        .Fix("file: ${steps.fetch.outputs.NAME}, of type file");
  ImportRequest request;
  request.project = context.project;
  request.dataset = context.with["dataset"].AsString();
  request.filename = context.step;
  request.format = context.with["format"].AsString();
  request.bad = context.with["bad"].AsString();
  request.target = context.with["target"].AsString();
  for (const Json& type : context.with["types"].items()) request.types.push_back(type.AsString());
  request.created_by = context.created_by;
  GYRE_TRY(const auto bytes, blobs.Open(file.substr(kFilePrefix.size())));
  GYRE_TRY(auto upload, datasets.NewUpload());
  for (std::int64_t at = 0; at < bytes->size_bytes(); at += kPieceBytes) {
    GYRE_TRY(const std::string piece, bytes->Read(at, kPieceBytes));
    GYRE_DO(upload->Append(piece));
  }
  return datasets.Import(std::move(request), std::move(upload));
}

StepEnd EndAdd(const StepContext& /*context*/, const runners::Job& job) {
  const Json& made = job.result;
  return {.outputs = Json::Obj({{"dataset", made["reference"]},
                                {"version_id", made["id"]},
                                {"unchanged", made["unchanged"]},
                                {"rows", made["rows"]}}),
          .links = {VersionLink(made["id"].AsString(), made["reference"].AsString(), true)}};
}

StepEnd EndCheck(const StepContext& context, const runners::Job& job) {
  const Json& found = job.result;
  StepEnd end{.outputs = Json::Obj({{"success", found["success"]},
                                    {"failed", found["failed"]},
                                    {"rows_broken", found["rows_broken"]}})};
  if (found["success"].AsBool() || context.with["allow_findings"].AsBool()) return end;
  end.findings = true;
  end.outputs = FailedPrecondition("GY2132", "{} expectations of `{}` do not hold",
                                   found["failed"].AsInt(), context.with["dataset"].AsString());
  return end;
}

Result<runners::Job> SubmitSql(Queries& queries, const StepContext& context) {
  QueryRequest request;
  request.project = context.project;
  request.sql = context.with["sql"].AsString();
  request.rows_max = 0;
  request.format = context.with["format"].StringOr("csv");
  request.created_by = context.created_by;
  return queries.Submit(request);
}

StepEnd EndSql(const StepContext& /*context*/, const runners::Job& job) {
  const std::string& digest = job.result["sha256"].AsString();
  return {.outputs = Json::Obj(
              {{"file", std::string(kFilePrefix) + digest}, {"rows", job.result["rows"]}}),
          .blobs = {{digest, job.result["bytes"].AsInt()}}};
}

}  // namespace

void AddSteps(pipelines::Pipelines& pipelines, Datasets& datasets, Queries& queries,
              blob::Store& blobs, runners::Jobs& jobs) {
  pipelines.AddKind(pipelines::JobStepKind(
      jobs, kAdd, "dataset.write",
      {[&](const StepContext& context) { return SubmitAdd(pipelines, datasets, blobs, context); },
       EndAdd}));
  pipelines.AddKind(pipelines::JobStepKind(
      jobs, kCheck, "dataset.write",
      {[&](const StepContext& context) -> Result<runners::Job> {
         GYRE_TRY(const Version version,
                  datasets.Resolve(context.project, context.with["dataset"].AsString()));
         return datasets.Check(version, context.created_by);
       },
       EndCheck}));
  pipelines.AddKind(pipelines::JobStepKind(
      jobs, kSql, "query",
      {[&](const StepContext& context) { return SubmitSql(queries, context); }, EndSql}));
}

}  // namespace gyre::data
