// Errors are values. A function that can fail returns Result<T>; nothing of ours throws.
//
// An Error names the thing, the rule and the remedy, and carries a stable code GYnnnn that is the
// same in the CLI, the API and the log (registry of codes: docs/errors.md). The canonical Code is
// what programs decide on; each protocol maps it once to its own status.
#pragma once

#include <fmt/core.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gyre {

enum class Code : unsigned char {
  kInvalidArgument,     // the request is wrong whatever the state: 400, 422
  kNotFound,            // 404
  kAlreadyExists,       // 409
  kPermissionDenied,    // known caller, not allowed: 403
  kUnauthenticated,     // 401
  kFailedPrecondition,  // right request, wrong state: 409
  kResourceExhausted,   // a limit or a full queue: 429
  kOutOfSpace,          // disk full: 507
  kAborted,             // lost a race; retry: 409
  kUnavailable,         // 503
  kDeadlineExceeded,    // 504
  kDataLoss,            // a checksum does not match: 500
  kUnimplemented,       // 501
  kInternal,            // our fault: 500
  kCancelled,           // 499
};

std::string_view CodeName(Code code);  // "invalid_argument"

// One pointer wide, so that Result<int> stays small. Movable; copy is deep.
class [[nodiscard]] Error {
 public:
  Error(Code code, std::string_view gy, std::string message);
  Error(const Error& other);
  Error(Error&&) noexcept;
  Error& operator=(const Error& other);
  Error& operator=(Error&&) noexcept;
  ~Error();

  Code code() const;
  const std::string& gy() const;       // "GY2041"
  const std::string& message() const;  // one sentence, names the thing
  const std::string& why() const;      // the rule, may be empty
  const std::string& where() const;    // "sales.csv:1842:7", may be empty
  const std::vector<std::string>& fixes() const;

  // Builders: return Error(...).Why("...").Fix("gyre ...");
  Error&& Why(std::string why) &&;
  Error&& Where(std::string where) &&;
  Error&& Fix(std::string command_or_sentence) &&;
  Error&& Context(
      std::string_view doing) &&;  // prefixes the message: "loading model churn:v3: ..."

  // One line, for logs and tests: "GY2041 invalid_argument: column `age` ...".
  std::string ToString() const;

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

// [[nodiscard]] on the class: dropping a Result does not compile (-Werror=unused-result).
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using Base = std::expected<T, Error>;
  using Base::Base;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : Base(std::unexpected(std::move(error))) {}
};

template <class... Args>
Error MakeError(Code code, std::string_view gy, fmt::format_string<Args...> format,
                Args&&... args) {
  return Error(code, gy, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
Error InvalidArgument(std::string_view gy, fmt::format_string<Args...> f, Args&&... args) {
  return MakeError(Code::kInvalidArgument, gy, f, std::forward<Args>(args)...);
}
template <class... Args>
Error NotFound(std::string_view gy, fmt::format_string<Args...> f, Args&&... args) {
  return MakeError(Code::kNotFound, gy, f, std::forward<Args>(args)...);
}
template <class... Args>
Error FailedPrecondition(std::string_view gy, fmt::format_string<Args...> f, Args&&... args) {
  return MakeError(Code::kFailedPrecondition, gy, f, std::forward<Args>(args)...);
}
template <class... Args>
Error Internal(std::string_view gy, fmt::format_string<Args...> f, Args&&... args) {
  return MakeError(Code::kInternal, gy, f, std::forward<Args>(args)...);
}
// From errno after a failed system call; ENOSPC and EDQUOT become kOutOfSpace, ENOENT kNotFound,
// EACCES kPermissionDenied.
Error SystemError(std::string_view doing, int error_number);

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace gyre

#define GYRE_CONCAT_(a, b) a##b
#define GYRE_CONCAT(a, b) GYRE_CONCAT_(a, b)
#define GYRE_TRY_(tmp, decl, expr)                        \
  auto tmp = (expr);                                      \
  if (!tmp) return ::gyre::Error(std::move(tmp).error()); \
  decl = *std::move(tmp)
// GYRE_TRY(auto rows, Load(path)); returns the error of Load to the caller.
#define GYRE_TRY(decl, ...) GYRE_TRY_(GYRE_CONCAT(gyre_try_, __COUNTER__), decl, (__VA_ARGS__))
#define GYRE_DO_(tmp, expr) \
  if (auto tmp = (expr); !tmp) return ::gyre::Error(std::move(tmp).error())
// GYRE_DO(Flush()); for a Result<void>.
#define GYRE_DO(...) GYRE_DO_(GYRE_CONCAT(gyre_do_, __COUNTER__), (__VA_ARGS__))
// Always on; for programmer errors only.
#define GYRE_CHECK(condition) \
  if (!(condition)) ::gyre::CheckFailed(#condition, __FILE__, __LINE__)
