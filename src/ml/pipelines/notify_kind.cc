#include "ml/pipelines/notify_kind.h"

#include "ledger/notices/notices.h"
#include "ml/pipelines/expression.h"

namespace gyre::pipelines {
namespace {

constexpr KindKey kKeys[] = {{"title", true}, {"text"}, {"severity"}, {"channels"}};
const OutputSpec kOutputs[] = {{"notice", ValueType::kText}};
const KindFacts kNotify{"notify", kKeys, kOutputs};

Result<Json> Notify(notices::Notices& notices, const StepContext& context) {
  notices::NewNotice notice;
  notice.project = context.project;
  notice.kind = "pipeline.notify";
  GYRE_TRY(notice.severity, notices::ParseSeverity(context.with["severity"].StringOr("info")));
  notice.title = TextOf(context.with["title"]);
  notice.text = TextOf(context.with["text"]);
  notice.dedupe_key = "pipeline " + context.key;
  notice.payload = Json::Obj({{"pipeline_run", context.run_id}, {"step", context.step}});
  for (const Json& channel : context.with["channels"].items())
    notice.channels.push_back(channel.AsString());
  GYRE_DO(notices.CheckChannels(context.project, notice.channels));
  GYRE_TRY(const notices::Published published,
           notices.Publish(notices::Compose(std::move(notice))));
  return Json::Obj({{"notice", published.id}});
}

}  // namespace

std::unique_ptr<StepKind> NotifyKind(notices::Notices& notices) {
  return ImmediateKind(kNotify, "", [&notices](const StepContext& context) -> StepEnd {
    return {.outputs = Notify(notices, context)};
  });
}

}  // namespace gyre::pipelines
