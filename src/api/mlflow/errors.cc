#include "api/mlflow/errors.h"

#include <cctype>

#include "api/mlflow/answer.h"

namespace gyre::mlflow {
namespace {

struct Special {
  std::string_view gy;
  WireError wire;
};
// Where the kind of an error alone does not say what MLflow's clients expect.
constexpr Special kSpecials[] = {
    {"GY1604", {413, "INVALID_PARAMETER_VALUE"}},
    {"GY1416", {400, "DEADLINE_EXCEEDED"}},  // a 504 would be asked again, seven times
    {"GY5132", {400, "BAD_REQUEST"}},
    {"GY5104", {400, "INVALID_STATE"}},  // MLflow's own is a 500, which clients repeat
    {"GY1613", {503, "TEMPORARILY_UNAVAILABLE"}},
};

// The message is MLflow's where it has one; the rule follows it, so that texts begin alike.
std::string TextOf(const Error& error) {
  std::string text = error.message(), why = error.why();
  if (why.empty()) return text;
  if (!text.ends_with('.')) return text + ": " + why;
  why[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(why[0])));
  return text + " " + why;
}

struct Class {
  std::string_view name, error_class, sqlstate;
};
// What newer clients tell their callers of an error beside its name: MLflow's own table.
constexpr Class kClasses[] = {
    {"BAD_REQUEST", "INVALID_PARAMETER_VALUE", "KAM00"},
    {"INTERNAL_ERROR", "CLIENT_INTERNAL_ERROR", "XXM00"},
    {"INVALID_PARAMETER_VALUE", "INVALID_PARAMETER_VALUE", "KAM00"},
    {"INVALID_STATE", "CLIENT_INTERNAL_ERROR", "XXM00"},
    {"PERMISSION_DENIED", "PERMISSION_DENIED", "KAM00"},
    {"RESOURCE_ALREADY_EXISTS", "RESOURCE_ALREADY_EXISTS", "KAM00"},
    {"RESOURCE_DOES_NOT_EXIST", "RESOURCE_NOT_FOUND", "KAM00"},
    {"TEMPORARILY_UNAVAILABLE", "CLIENT_INTERNAL_ERROR", "XXM00"},
};

void WriteClass(AnswerWriter& out, std::string_view name) {
  for (const Class& one : kClasses) {
    if (one.name == name) out.Text("sqlstate", one.sqlstate).Text("error_class", one.error_class);
  }
}

}  // namespace

WireError WireErrorOf(const Error& error) {
  for (const Special& special : kSpecials) {
    if (special.gy == error.gy()) return special.wire;
  }
  switch (error.code()) {
    case Code::kInvalidArgument:
    case Code::kFailedPrecondition:
      return {400, "INVALID_PARAMETER_VALUE"};
    case Code::kNotFound:
      return {404, "RESOURCE_DOES_NOT_EXIST"};
    case Code::kAlreadyExists:
      return {400, "RESOURCE_ALREADY_EXISTS"};
    case Code::kPermissionDenied:
      return {403, "PERMISSION_DENIED"};
    case Code::kUnauthenticated:
      return {401, "UNAUTHENTICATED"};
    case Code::kResourceExhausted:
      return {429, "RESOURCE_EXHAUSTED"};
    case Code::kOutOfSpace:
      return {507, "RESOURCE_EXHAUSTED"};
    case Code::kAborted:
      return {409, "ABORTED"};
    case Code::kUnavailable:
      return {503, "TEMPORARILY_UNAVAILABLE"};
    case Code::kDeadlineExceeded:
      return {504, "DEADLINE_EXCEEDED"};
    case Code::kDataLoss:
      return {500, "DATA_LOSS"};
    case Code::kUnimplemented:
      return {501, "NOT_IMPLEMENTED"};
    case Code::kCancelled:
      return {499, "CANCELLED"};
    case Code::kInternal:
      break;
  }
  return {500, "INTERNAL_ERROR"};
}

net::Response ErrorDocument(const Error& error, std::string_view /*request_id*/) {
  const WireError wire = WireErrorOf(error);
  if (wire.status == 401) {
    return net::Response::Text(TextOf(error) + "\n", 401)
        .With("WWW-Authenticate", "Basic realm=\"mlflow\"");
  }
  net::Response response = AnswerOf([&](AnswerWriter& out) {
    out.Text("error_code", wire.name).Text("message", TextOf(error));
    WriteClass(out, wire.name);
  });
  response.status = wire.status;
  if (wire.status == 429 || wire.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Error InvalidParameter(std::string_view message) {
  return Error(Code::kInvalidArgument, "GY5100", std::string(message));
}

}  // namespace gyre::mlflow
