// Reading an object strictly: members are bound to variables, unknown ones are named. Private.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::automation {

class MemberReader {
 public:
  // `what` stands in messages: "a trigger's `guards`"; `code` is that of all its errors.
  MemberReader(std::string what, std::string_view code) : what_(std::move(what)), code_(code) {}

  MemberReader& Text(std::string_view name, std::string* out);
  MemberReader& Flag(std::string_view name, bool* out);
  MemberReader& Whole(std::string_view name, std::int64_t* out, std::int64_t min, std::int64_t max);
  MemberReader& Number(std::string_view name, double* out, double min, double max);
  // For members with a form of their own.
  MemberReader& Custom(std::string_view name, std::function<Result<>(const Json&)> read);
  // A null member counts as absent.
  Result<> Read(const Json& json) const;

 private:
  struct Member {
    std::string name;
    std::function<Result<>(const Json&)> read;
  };
  Error Wrong(std::string_view name, std::string_view rule) const;

  const std::string what_;
  const std::string_view code_;
  std::vector<Member> members_;
};

}  // namespace gyre::automation
