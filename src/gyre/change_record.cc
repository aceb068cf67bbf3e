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

db::Database::WriteBody RecordOfChange(const net::Request& request, const net::Route& route,
                                       std::optional<int> status) {
  std::string project;
  for (const auto& [name, value] : request.params) {
    if (name == "project") project = value;
  }
  Json details = Json::Obj({{"method", net::MethodName(request.method())}, {"route", route.path}});
  if (status) details.Set("status", *status);
  const int code = status.value_or(200);
  return [action = ActionOf(route), at_us = SystemClock().NowMicros(), project = std::move(project),
          object = ObjectOf(request, route), details = details.Dump(), actor = request.principal,
          request_id = request.id(),
          outcome = code < 400                   ? "ok"
                    : code == 401 || code == 403 ? "denied"
                                                 : "failed",
          peer = request.peer().address](db::Transaction& tx) {
    return audit::Append(tx, {.at_us = at_us,
                              .actor_id = actor.id,
                              .actor_name = actor.name,
                              .actor_kind = actor.kind,
                              .action = action,
                              .project = project,
                              .object = object,
                              .outcome = outcome,
                              .request_id = request_id,
                              .peer = peer,
                              .details = details});
  };
}

}  // namespace gyre
