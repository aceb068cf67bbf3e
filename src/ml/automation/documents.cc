// Triggers and firings as people and programs read them.
#include <algorithm>

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

namespace {

Json JoinedToJson(const std::vector<Joined>& joined) {
  Json list = Json::Arr();
  for (const Joined& one : joined) {
    list.Push(Json::Obj({{"cause", one.cause},
                         {"source", one.source_id},
                         {"text", one.text},
                         {"at", FormatTime(one.joined_us)}}));
  }
  return list;
}

std::string NextOf(const Trigger& trigger, const Firing& firing) {
  if (firing.ended_us == 0) return "the firing goes on: an alert that comes meanwhile joins it";
  if (firing.labelled >= 0)
    return fmt::format(
        "while its alert goes on it fires again once enough new rows with labels have come: gyre "
        "triggers check {0}, or now by hand: gyre triggers fire {0}",
        trigger.spec.name);
  const std::int64_t free_us =
      firing.started_us == 0
          ? 0
          : firing.started_us + trigger.spec.guards.cooldown_s * kMicrosPerSecond;
  return fmt::format(
      "one incident fires once: the next firing starts with a new incident{}, or by hand: gyre "
      "triggers fire {}",
      free_us > firing.ended_us ? fmt::format(" that begins after {}", FormatTime(free_us)) : "",
      trigger.spec.name);
}

}  // namespace

Json AnsweredToJson(const Trigger& trigger, const std::vector<Firing>& newest_first) {
  const auto answer = std::ranges::find_if(newest_first, [](const Firing& firing) {
    return IsOfAnAlert(firing) && !firing.source_id.empty();
  });
  if (answer == newest_first.end()) return {};
  return Json::Obj({{"incident", answer->source_id},
                    {"firing", answer->id},
                    {"next", NextOf(trigger, *answer)}});
}

Json FiringToJson(const Firing& firing) {
  const auto time = [](std::int64_t at_us) {
    return at_us == 0 ? Json() : Json(FormatTime(at_us));
  };
  return Json::Obj(
      {{"id", firing.id},
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
       {"outcome", firing.outcome.kind.empty()
                       ? Json()
                       : Json::Obj({{"kind", firing.outcome.kind}, {"text", firing.outcome.text}})},
       {"joined", JoinedToJson(firing.joined)},
       {"checks", firing.checks},
       {"run", firing.run_id},
       {"approved_by", firing.approved_by},
       {"cpu_seconds", firing.cpu_seconds},
       {"created_at", time(firing.created_us)},
       {"started_at", time(firing.started_us)},
       {"ended_at", time(firing.ended_us)},
       {"since", time(firing.since_us)},
       {"labelled", firing.labelled < 0 ? Json() : Json(firing.labelled)}});
}

}  // namespace gyre::automation
