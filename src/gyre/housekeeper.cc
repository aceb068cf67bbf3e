#include "gyre/housekeeper.h"

#include <utility>

#include "base/time.h"
#include "platform/telemetry/log.h"

namespace gyre {
namespace {

constexpr telemetry::Logger kLog{"gyre"};
constexpr std::int64_t kGraceMicros = native::kGraceHours * 3600 * kMicrosPerSecond;

}  // namespace

Housekeeper::Housekeeper(native::Maintenance maintenance, std::int64_t every_us, const Clock& clock)
    : maintenance_(std::move(maintenance)),
      next_us_(clock.NowMicros() + every_us),
      worker_("housekeeper", [this, every_us, &clock](const exec::StopFlag& stop) {
        while (!stop.WaitMicros(every_us)) {
          next_us_ = clock.NowMicros() + every_us;
          Collect();
        }
      }) {}

void Housekeeper::Collect() const {
  const auto result = maintenance_.collect(kGraceMicros);
  if (!result) return kLog.Failed("not collected", result.error());
  kLog.Info("collected", {{"blobs", (*result)["blobs_removed"].AsInt()},
                          {"bytes", (*result)["bytes_removed"].AsInt()},
                          {"events", (*result)["events_removed"].AsInt()},
                          {"queries", (*result)["queries_removed"].AsInt()},
                          {"jobs", (*result)["jobs_removed"].AsInt()},
                          {"windows", (*result)["windows_removed"].AsInt()},
                          {"pipeline_runs", (*result)["pipeline_runs_removed"].AsInt()}});
}

}  // namespace gyre
