#include "gyre/schemas.h"

#include <array>

#include "ledger/access/access.h"
#include "ledger/audit/audit.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ledger/notices/notices.h"
#include "ledger/secrets/secrets.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/usage.h"
#include "ml/automation/automation.h"
#include "ml/data/datasets.h"
#include "ml/eval_sets/eval_sets.h"
#include "ml/evaluation/evaluations.h"
#include "ml/inference_log/inference_log.h"
#include "ml/monitoring/monitors.h"
#include "ml/pipelines/pipelines.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/serving/serving.h"
#include "ml/traces/traces.h"
#include "ml/tracking/tracking.h"
#include "platform/blob/blob_store.h"

namespace gyre {

std::span<const db::ModuleSchema> AllSchemas() {
  static const std::array schemas = {blob::BlobSchema(),
                                     access::AccessSchema(),
                                     audit::AuditSchema(),
                                     events::EventsSchema(),
                                     lineage::LineageSchema(),
                                     trash::TrashSchema(),
                                     secrets::SecretsSchema(),
                                     usage::UsageSchema(),
                                     notices::NoticesSchema(),
                                     runners::RunnersSchema(),
                                     pipelines::PipelinesSchema(),
                                     projects::ProjectsSchema(),
                                     data::DataSchema(),
                                     tracking::TrackingSchema(),
                                     traces::TracesSchema(),
                                     eval_sets::EvalSetsSchema(),
                                     registry::RegistrySchema(),
                                     evaluation::EvaluationSchema(),
                                     inference_log::InferenceLogSchema(),
                                     serving::ServingSchema(),
                                     monitoring::MonitoringSchema(),
                                     automation::AutomationSchema()};
  return schemas;
}

}  // namespace gyre
