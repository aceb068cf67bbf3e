// Errors on the wire: one table from canonical code to HTTP status, and the RFC 9457 document in
// both directions.
#include "platform/net/client.h"
#include "platform/net/http.h"

namespace gyre::net {
namespace {

struct Special {
  std::string_view gy;
  int status;
};
// The few errors of HTTP itself that have a status of their own.
constexpr Special kSpecials[] = {
    {"GY1604", 413}, {"GY1605", 431}, {"GY1606", 405}, {"GY1607", 408}, {"GY1608", 501},
    {"GY1613", 503}, {"GY1617", 417}, {"GY1618", 415}, {"GY1629", 415},
};

std::string_view ReasonTitle(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "The request is wrong";
    case Code::kNotFound:
      return "Not found";
    case Code::kAlreadyExists:
      return "It exists already";
    case Code::kPermissionDenied:
      return "Not allowed";
    case Code::kUnauthenticated:
      return "Login needed";
    case Code::kFailedPrecondition:
      return "Not possible in the present state";
    case Code::kResourceExhausted:
      return "A limit is reached";
    case Code::kOutOfSpace:
      return "The disk is full";
    case Code::kAborted:
      return "Somebody else was faster";
    case Code::kUnavailable:
      return "Not available now";
    case Code::kDeadlineExceeded:
      return "It took too long";
    case Code::kDataLoss:
      return "Stored data is damaged";
    case Code::kUnimplemented:
      return "Not implemented";
    case Code::kInternal:
      return "Internal error";
    case Code::kCancelled:
      return "Cancelled";
  }
  return "Internal error";
}

Code CodeOfName(std::string_view name, int status) {
  for (int i = 0; i <= static_cast<int>(Code::kCancelled); ++i) {
    if (CodeName(static_cast<Code>(i)) == name) return static_cast<Code>(i);
  }
  switch (status) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kFailedPrecondition;
    case 429:
      return Code::kResourceExhausted;
    case 501:
      return Code::kUnimplemented;
    case 503:
      return Code::kUnavailable;
    case 504:
      return Code::kDeadlineExceeded;
    case 507:
      return Code::kOutOfSpace;
    default:
      return status >= 500 ? Code::kInternal : Code::kInvalidArgument;
  }
}

}  // namespace

int HttpStatus(const Error& error) {
  for (const Special& special : kSpecials) {
    if (special.gy == error.gy()) return special.status;
  }
  switch (error.code()) {
    // 422 when the document is well formed and a place in it is wrong, 400 when the request is.
    case Code::kInvalidArgument:
      return error.where().empty() ? 400 : 422;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
      return 409;
    case Code::kPermissionDenied:
      return 403;
    case Code::kUnauthenticated:
      return 401;
    case Code::kFailedPrecondition:
      return 409;
    case Code::kResourceExhausted:
      return 429;
    case Code::kOutOfSpace:
      return 507;
    case Code::kAborted:
      return 409;
    case Code::kUnavailable:
      return 503;
    case Code::kDeadlineExceeded:
      return 504;
    case Code::kDataLoss:
      return 500;
    case Code::kUnimplemented:
      return 501;
    case Code::kInternal:
      return 500;
    case Code::kCancelled:
      return 499;
  }
  return 500;
}

Response ProblemResponse(const Error& error, std::string_view request_id) {
  const int status = HttpStatus(error);
  Json json = Json::Obj({{"type", "about:blank"},
                         {"title", ReasonTitle(error.code())},
                         {"status", status},
                         {"code", error.gy()},
                         {"kind", CodeName(error.code())},
                         {"message", error.message()}});
  if (!error.why().empty()) json.Set("why", error.why());
  if (!error.fixes().empty()) {
    Json fixes = Json::Arr();
    for (const std::string& fix : error.fixes()) fixes.Push(fix);
    json.Set("fix", std::move(fixes));
  }
  json.Set("doc", "docs/errors.md#" + error.gy());
  if (!error.where().empty()) json.Set("where", error.where());
  json.Set("request_id", request_id);
  Response response = Response::JsonDoc(json, status);
  response.content_type = "application/problem+json";
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"gyre\"");
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Error ErrorOfResponse(const ClientResponse& response) {
  const auto json = Json::Parse(response.body);
  if (!json || !json->is_object() || !(*json)["code"].is_string()) {
    return MakeError(CodeOfName("", response.status), "GY1622",
                     "the server answered {} without saying why", response.status);
  }
  Error error(CodeOfName((*json)["kind"].AsString(), response.status), (*json)["code"].AsString(),
              (*json)["message"].AsString());
  if ((*json)["why"].is_string()) error = std::move(error).Why((*json)["why"].AsString());
  if ((*json)["where"].is_string()) error = std::move(error).Where((*json)["where"].AsString());
  for (const Json& fix : (*json)["fix"].items()) error = std::move(error).Fix(fix.AsString());
  return error;
}

}  // namespace gyre::net
