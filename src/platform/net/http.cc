#include "platform/net/http.h"

#include <algorithm>

#include "base/text.h"
#include "platform/net/fields.h"

namespace gyre::net {

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
    case Method::kOptions:
      return "OPTIONS";
  }
  return "GET";
}

bool Principal::AllowsProject(std::string_view project) const {
  return all_projects || std::find(projects.begin(), projects.end(), project) != projects.end();
}

const std::string& Request::Param(std::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  CheckFailed("the route has this parameter", __FILE__, __LINE__);
}

Result<Json> Request::JsonBody() const {
  if (const auto type = Header("content-type")) {
    const std::string_view media = Trim(type->substr(0, type->find(';')));
    if (!EqualsIgnoreCase(media, "application/json")) {
      return InvalidArgument("GY1629", "a body of type `{}` is not read here", media)
          .Fix(
              "send JSON with the header `Content-Type: application/json`: curl -H 'Content-Type: "
              "application/json' -d '{}'");
    }
  }
  auto json = Json::Parse(body());
  if (!json) {
    return InvalidArgument("GY1602", "the body is not a JSON document: {}", json.error().message())
        .Why(json.error().why());
  }
  if (!json->is_object()) return InvalidArgument("GY1602", "the body must be a JSON object");
  if (route != nullptr) GYRE_DO(CheckMembers(*json, *route));
  return json;
}

Response Response::JsonDoc(const Json& json, int status) {
  Response response;
  response.status = status;
  json.DumpTo(&response.body);
  return response;
}

Response Response::Text(std::string text, int status, std::string content_type) {
  Response response;
  response.status = status;
  response.content_type = std::move(content_type);
  response.body = std::move(text);
  return response;
}

Response Response::Empty(int status) {
  Response response;
  response.status = status;
  response.content_type.clear();
  return response;
}

Later::~Later() = default;

void Later::Answer(Result<Response> answer) {
  std::exchange(taker_, nullptr)->Take(std::move(answer));
}

Response&& Response::With(std::string name, std::string value) && {
  headers.emplace_back(std::move(name), std::move(value));
  return std::move(*this);
}

std::string SseEvent(std::string_view event, std::string_view data, std::string_view id) {
  const auto one_line = [](std::string_view text) {
    return text.substr(0, text.find_first_of("\r\n"));
  };
  std::string out;
  if (!id.empty()) out.append("id: ").append(one_line(id)).append("\n");
  if (!event.empty()) out.append("event: ").append(one_line(event)).append("\n");
  for (std::string_view line : Split(data, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.append("data: ").append(line).append("\n");
  }
  out += '\n';
  return out;
}

}  // namespace gyre::net
