#include "api/native/expected.h"

#include <algorithm>

#include "api/native/usage_json.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::native {
namespace {

constexpr int kRunsMax = 20;
constexpr double kBytesPerMib = 1 << 20;

// The memory that it held on average, so that memory over its time is what was booked.
runners::Measured MeasuredOf(const usage::Quantities& used, const pipelines::RunView& run) {
  const double wall_us = std::max(1.0, static_cast<double>(run.ended_us - run.created_us));
  const double held_mib = static_cast<double>(used.memory_mib_ms) * 1000 / wall_us;
  return {.cpu_seconds = static_cast<double>(used.cpu_us) / 1e6,
          .wall_seconds = wall_us / 1e6,
          .memory_bytes_peak = static_cast<std::int64_t>(held_mib * kBytesPerMib)};
}

}  // namespace

Result<Json> ExpectedOfPipeline(pipelines::Pipelines& pipelines, const usage::Usage& usage,
                                const std::string& project, const std::string& pipeline) {
  GYRE_TRY(const auto runs, pipelines.ListRuns({.projects = {{project}},
                                                .pipeline = pipeline.substr(0, pipeline.find(':')),
                                                .state = "succeeded",
                                                .limit = kRunsMax}));
  std::vector<runners::Measured> before;
  for (const pipelines::RunView& run : runs) {
    GYRE_TRY(const usage::Report report, usage.Sum({.run = run.id}));
    before.push_back(MeasuredOf(report.total, run));
  }
  GYRE_TRY(const usage::PriceBook prices, usage.PricesNow());
  return ExpectedToJson(runners::EstimateFrom(before, 0, {}), prices);
}

}  // namespace gyre::native
