#include "base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace gyre {

struct Error::Body {
  Code code;
  std::string gy, message, why, where;
  std::vector<std::string> fixes;
};

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "invalid_argument";
    case Code::kNotFound:
      return "not_found";
    case Code::kAlreadyExists:
      return "already_exists";
    case Code::kPermissionDenied:
      return "permission_denied";
    case Code::kUnauthenticated:
      return "unauthenticated";
    case Code::kFailedPrecondition:
      return "failed_precondition";
    case Code::kResourceExhausted:
      return "resource_exhausted";
    case Code::kOutOfSpace:
      return "out_of_space";
    case Code::kAborted:
      return "aborted";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kDeadlineExceeded:
      return "deadline_exceeded";
    case Code::kDataLoss:
      return "data_loss";
    case Code::kUnimplemented:
      return "unimplemented";
    case Code::kInternal:
      return "internal";
    case Code::kCancelled:
      return "cancelled";
  }
  return "internal";
}

Error::Error(Code code, std::string_view gy, std::string message)
    : body_(new Body{code, std::string(gy), std::move(message), {}, {}, {}}) {}
Error::Error(const Error& other) : body_(new Body(*other.body_)) {}
Error& Error::operator=(const Error& other) {
  if (this != &other) body_ = std::make_unique<Body>(*other.body_);
  return *this;
}
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

Code Error::code() const { return body_->code; }
const std::string& Error::gy() const { return body_->gy; }
const std::string& Error::message() const { return body_->message; }
const std::string& Error::why() const { return body_->why; }
const std::string& Error::where() const { return body_->where; }
const std::vector<std::string>& Error::fixes() const { return body_->fixes; }

Error&& Error::Why(std::string why) && {
  body_->why = std::move(why);
  return std::move(*this);
}
Error&& Error::Where(std::string where) && {
  body_->where = std::move(where);
  return std::move(*this);
}
Error&& Error::Fix(std::string command_or_sentence) && {
  body_->fixes.push_back(std::move(command_or_sentence));
  return std::move(*this);
}
Error&& Error::Context(std::string_view doing) && {
  body_->message = fmt::format("{}: {}", doing, body_->message);
  return std::move(*this);
}

std::string Error::ToString() const {
  std::string text = fmt::format("{} {}: {}", gy(), CodeName(code()), message());
  if (!where().empty()) text += fmt::format(" [{}]", where());
  if (!why().empty()) text += fmt::format(" ({})", why());
  return text;
}

Error SystemError(std::string_view doing, int error_number) {
  const std::string what = std::generic_category().message(error_number);
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return MakeError(Code::kOutOfSpace, "GY1003", "{}: {}", doing, what)
          .Fix("free space on the disk, then try again");
    case ENOENT:
      return MakeError(Code::kNotFound, "GY1001", "{}: {}", doing, what);
    case EACCES:
    case EPERM:
      return MakeError(Code::kPermissionDenied, "GY1002", "{}: {}", doing, what);
    default:
      return MakeError(Code::kInternal, "GY1000", "{}: {}", doing, what);
  }
}

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "gyre: internal check failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace gyre
