// What `gyre doctor` found: one row for each thing that was looked at.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace gyre::cli {

class Findings {
 public:
  void Ok(std::string_view check, const std::string& text) { Add(check, "ok", text, ""); }
  void Warn(std::string_view check, const std::string& text, const std::string& fix) {
    Add(check, "warn", text, fix);
  }
  void Fail(std::string_view check, const std::string& text, const std::string& fix) {
    Add(check, "fail", text, fix);
    failed_ = true;
  }
  void Fail(std::string_view check, const Error& error) {
    Fail(check, error.message(), error.fixes().empty() ? "" : error.fixes()[0]);
  }
  const Json& rows() const { return rows_; }
  bool failed() const { return failed_; }

 private:
  void Add(std::string_view check, std::string_view state, const std::string& text,
           const std::string& fix) {
    rows_.Push(Json::Obj({{"check", check}, {"state", state}, {"text", text}, {"fix", fix}}));
  }
  Json rows_ = Json::Arr();
  bool failed_ = false;
};

}  // namespace gyre::cli
