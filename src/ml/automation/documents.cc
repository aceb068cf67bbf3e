// Triggers and firings as people and programs read them.
#include "ml/automation/service.h"

namespace gyre::automation {

Json Texts(const std::vector<std::string>& texts) {
  Json list = Json::Arr();
  for (const std::string& text : texts) list.Push(text);
  return list;
}

Json TriggerToJson(const Trigger& trigger) {
  Json json = TriggerSpecToJson(trigger.spec);
  return json.Set("id", trigger.id)
      .Set("project", trigger.project)
      .Set("created_by", trigger.created_by)
      .Set("created_at", FormatTime(trigger.created_us))
      .Set("updated_at", FormatTime(trigger.updated_us));
}

Json FiringToJson(const Firing& firing) {
  const auto time = [](std::int64_t at_us) {
    return at_us == 0 ? Json() : Json(FormatTime(at_us));
  };
  return Json::Obj({{"id", firing.id},
                    {"trigger", firing.trigger},
                    {"project", firing.project},
                    {"cause", firing.cause},
                    {"subject", firing.subject},
                    {"source", firing.source_id},
                    {"text", firing.text},
                    {"fired_by", firing.fired_by},
                    {"state", firing.state},
                    {"guard", firing.guard},
                    {"reason", firing.reason},
                    {"checks", firing.checks},
                    {"run", firing.run_id},
                    {"approved_by", firing.approved_by},
                    {"cpu_seconds", firing.cpu_seconds},
                    {"created_at", time(firing.created_us)},
                    {"started_at", time(firing.started_us)},
                    {"ended_at", time(firing.ended_us)}});
}

}  // namespace gyre::automation
