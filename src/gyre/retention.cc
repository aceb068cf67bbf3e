#include "gyre/retention.h"

#include <algorithm>

#include "base/text.h"

namespace gyre {
namespace {

// "pipeline runs" -> "pipeline_runs_removed"
std::string MemberOf(std::string noun) {
  std::ranges::replace(noun, ' ', '_');
  return noun + "_removed";
}

}  // namespace

Result<Json> Retention::Forget() const {
  Json removed = Json::Obj();
  for (const RetentionRule& rule : rules_) {
    if (!rule.forget) continue;
    std::int64_t count = 0;
    if (rule.keep_us > 0) {
      GYRE_TRY(count, rule.forget(clock_.NowMicros() - rule.keep_us));
    }
    removed.Set(MemberOf(rule.noun), count);
  }
  return removed;
}

Result<Json> Retention::Report(std::int64_t next_run_us) const {
  Json items = Json::Arr();
  const std::int64_t now_us = clock_.NowMicros();
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    for (const RetentionRule& rule : rules_) {
      std::int64_t held = 0, oldest_us = 0;
      GYRE_DO(reader.QueryOne(rule.held, {}, [&](const db::Row& row) {
        held = row.Int(0);
        oldest_us = row.Int(1);
      }));
      const bool forever = rule.keep_us == 0;
      items.Push(Json::Obj(
          {{"noun", rule.noun},
           {"setting", rule.setting},
           {"kept_seconds", forever ? Json() : Json(rule.keep_us / kMicrosPerSecond)},
           {"held", held},
           {"oldest", oldest_us == 0 ? Json() : Json(FormatTime(oldest_us))},
           {"due", !forever && oldest_us > 0 && oldest_us < now_us - rule.keep_us},
           {"next_run",
            rule.forget && !forever && next_run_us > 0 ? Json(FormatTime(next_run_us)) : Json()}}));
    }
    return {};
  }));
  return Json::Obj({{"items", std::move(items)}});
}

}  // namespace gyre
