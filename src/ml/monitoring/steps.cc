#include "ml/monitoring/steps.h"

#include "ml/pipelines/job_kind.h"

namespace gyre::monitoring {
namespace {

using pipelines::KindFacts;
using pipelines::KindKey;
using pipelines::OutputSpec;
using pipelines::StepContext;
using pipelines::StepEnd;
using pipelines::ValueType;

constexpr KindKey kKeys[] = {
    {"reference", true}, {"current", true}, {"method"}, {"threshold"}, {"columns"}};
const OutputSpec kOutputs[] = {{"drifted", ValueType::kBool},
                               {"drifted_columns", ValueType::kJson},
                               {"page", ValueType::kFile}};
const KindFacts kReport{"report", kKeys, kOutputs};

Result<runners::Job> Submit(Comparisons& comparisons, data::Datasets& datasets,
                            const StepContext& context) {
  ComparisonRequest request;
  request.project = context.project;
  GYRE_TRY(request.reference.version,
           datasets.Resolve(context.project, context.with["reference"].AsString()));
  GYRE_TRY(request.current.version,
           datasets.Resolve(context.project, context.with["current"].AsString()));
  request.method = context.with["method"].AsString();
  if (context.with["threshold"].is_number())
    request.threshold = context.with["threshold"].AsDouble();
  for (const Json& column : context.with["columns"].items())
    request.columns.push_back(column.AsString());
  request.created_by = context.created_by;
  GYRE_DO(CheckComparison(request));
  return comparisons.Submit(request);
}

StepEnd End(Comparisons& comparisons, blob::Store& blobs, const StepContext& context,
            const runners::Job& job) {
  StepEnd end{.outputs = Json::Obj()};
  const auto made = [&]() -> Result<Json> {
    GYRE_TRY(const Json comparison, comparisons.Find(context.project, job.id));
    GYRE_TRY(blob::Object page, blobs.Put(ReportPage(comparison)));
    Json outputs = Json::Obj({{"drifted", job.result["drifted"].AsBool()},
                              {"drifted_columns", job.result["drifted_columns"]},
                              {"page", std::string(pipelines::kFilePrefix) + page.digest}});
    end.blobs.push_back(std::move(page));
    return outputs;
  };
  end.outputs = made();
  return end;
}

}  // namespace

void AddSteps(pipelines::Pipelines& pipelines, Comparisons& comparisons, data::Datasets& datasets,
              blob::Store& blobs, runners::Jobs& jobs) {
  pipelines.AddKind(pipelines::JobStepKind(
      jobs, kReport, "dataset.read",
      {[&](const StepContext& context) { return Submit(comparisons, datasets, context); },
       [&](const StepContext& context, const runners::Job& job) {
         return End(comparisons, blobs, context, job);
       }}));
}

}  // namespace gyre::monitoring
