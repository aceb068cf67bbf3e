#include "gyre/change_record.h"

#include "base/text.h"
#include "base/time.h"

namespace gyre {
namespace {

// The permission says what kind of change it was; for public routes (login, setup) and one's own
// account the path's last word does.
std::string ActionOf(const net::Route& route) {
  if (route.permission.name != net::kPublic.name && route.permission.name != "self")
    return std::string(route.permission.name);
  std::string_view path = route.path;
  while (path.ends_with('}')) path = path.substr(0, path.rfind('/'));
  return "access." + std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace

Result<> RecordChange(audit::Audit& audit, const net::Request& request, const net::Route& route,
                      int status) {
  const std::string action = ActionOf(route);
  std::string_view project;
  std::string_view object;
  for (const auto& [name, value] : request.params) (name == "project" ? project : object) = value;
  const std::string details = Json::Obj({{"method", net::MethodName(request.method())},
                                         {"route", route.path},
                                         {"status", status}})
                                  .Dump();
  audit::NewEntry entry{.action = action};
  entry.at_us = SystemClock().NowMicros();
  entry.actor_id = request.principal.id;
  entry.actor_name = request.principal.name;
  entry.actor_kind = request.principal.kind;
  entry.project = project;
  entry.object = object;
  entry.outcome = status < 400 ? "ok" : status == 401 || status == 403 ? "denied" : "failed";
  entry.request_id = request.id();
  entry.peer = request.peer().address;
  entry.details = details;
  return audit.Append(entry);
}

}  // namespace gyre
