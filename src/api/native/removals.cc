#include "api/native/removals.h"

#include "base/time.h"
#include "ledger/trash/trash.h"

namespace gyre::native {
namespace {

Result<Json> Objection(const Result<>& checked, const Removal& removal) {
  if (checked) return Json();
  Json needed_by = Json::Arr();
  if (removal.needed_by) {
    GYRE_TRY(needed_by, removal.needed_by());
  }
  const Error& error = checked.error();
  Json fixes = Json::Arr();
  for (const std::string& fix : error.fixes()) fixes.Push(fix);
  return Json::Obj({{"code", error.gy()},
                    {"message", error.message()},
                    {"why", error.why()},
                    {"fix", std::move(fixes)},
                    {"things", std::move(needed_by)}});
}

}  // namespace

Result<net::Response> Remove(trash::Trash& trash, net::Request& request, const Removal& removal) {
  const bool force = request.Query("force") == "true";
  const Result<> checked = removal.check ? removal.check() : Result<>();
  if (!checked && checked.error().code() != Code::kFailedPrecondition) return checked.error();
  if (request.Query("dry_run") == "true") {
    GYRE_TRY(Json objection, Objection(checked, removal));
    Json plan = Json::Obj({{"noun", removal.noun},
                           {"dry_run", true},
                           {"needed_by", std::move(objection)},
                           {"kept_days", trash.keep_us() / (86'400 * kMicrosPerSecond)}});
    for (const auto& [key, value] : removal.also.members()) plan.Set(key, value);
    return net::Response::JsonDoc(plan);
  }
  if (!checked && !force) return checked.error();
  const std::string& project = removal.project ? *removal.project : request.Param("project");
  GYRE_TRY(const trash::Item item,
           trash.Remove(removal.noun, {.project = project,
                                       .name = removal.name,
                                       .by = request.principal.name,
                                       .force = force || removal.with_aliases}));
  return net::Response::JsonDoc(trash::ItemToJson(item));
}

}  // namespace gyre::native
