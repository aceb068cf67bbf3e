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

// A small body that names what it makes or works on.
std::string NameInBody(const net::Request& request, const net::Route& route) {
  constexpr std::size_t kBodyBytesMax = 64 << 10, kNameBytesMax = 200;
  if (route.body != net::Body::kBuffer || request.body().size() > kBodyBytesMax) return {};
  const auto body = request.JsonBody();
  if (!body) return {};
  for (const std::string_view key : {"name", "model", "dataset"}) {
    const std::string& name = (*body)[key].AsString();
    if (!name.empty() && name.size() <= kNameBytesMax) return name;
  }
  return {};
}

// What was changed, as its path names it ("churn/champion"), else as the body does, else the
// project.
std::string ObjectOf(const net::Request& request, const net::Route& route) {
  std::string object, project;
  for (const auto& [name, value] : request.params) {
    if (name == "project") {
      project = value;
    } else {
      object += (object.empty() ? "" : "/") + value;
    }
  }
  if (object.empty()) object = NameInBody(request, route);
  return object.empty() ? project : object;
}

}  // namespace

Result<> RecordChange(audit::Audit& audit, const net::Request& request, const net::Route& route,
                      int status) {
  const std::string action = ActionOf(route);
  std::string_view project;
  for (const auto& [name, value] : request.params) {
    if (name == "project") project = value;
  }
  const std::string object = ObjectOf(request, route);
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
