#include "ml/runners/wire.h"

#include <iterator>

namespace gyre::runners {

namespace {

constexpr Code kCodes[] = {
    Code::kInvalidArgument,   Code::kNotFound,         Code::kAlreadyExists,
    Code::kPermissionDenied,  Code::kUnauthenticated,  Code::kFailedPrecondition,
    Code::kResourceExhausted, Code::kOutOfSpace,       Code::kAborted,
    Code::kUnavailable,       Code::kDeadlineExceeded, Code::kDataLoss,
    Code::kUnimplemented,     Code::kInternal,         Code::kCancelled};

Code CodeFromName(std::string_view name) {
  for (const Code code : kCodes) {
    if (CodeName(code) == name) return code;
  }
  return Code::kInternal;
}

}  // namespace

Json ErrorToJson(const Error& error) {
  Json fixes = Json::Arr();
  for (const std::string& fix : error.fixes()) fixes.Push(fix);
  return Json::Obj({{"kind", CodeName(error.code())},
                    {"code", error.gy()},
                    {"message", error.message()},
                    {"why", error.why()},
                    {"where", error.where()},
                    {"fix", std::move(fixes)}});
}

Error ErrorFromJson(const Json& json) {
  Error error(CodeFromName(json["kind"].AsString()), json["code"].AsString(),
              json["message"].AsString());
  if (const std::string& why = json["why"].AsString(); !why.empty())
    error = std::move(error).Why(why);
  if (const std::string& where = json["where"].AsString(); !where.empty())
    error = std::move(error).Where(where);
  for (const Json& fix : json["fix"].items()) error = std::move(error).Fix(fix.AsString());
  return error;
}

}  // namespace gyre::runners
