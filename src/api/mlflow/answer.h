// Writes an answer's JSON straight into its body: no tree, no spaces. Names of members are ours and
// need no escapes. Numbers that JSON has no word for are the texts of protobuf's JSON.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "platform/net/http.h"

namespace gyre::mlflow {

class AnswerWriter {
 public:
  explicit AnswerWriter(std::string* out) : out_(*out) {}

  // In a list the name is left out.
  AnswerWriter& Object(std::string_view name = {}) { return Open(name, '{', '}'); }
  AnswerWriter& List(std::string_view name = {}) { return Open(name, '[', ']'); }
  AnswerWriter& End() {
    out_.push_back(closers_.back());
    closers_.pop_back();
    return *this;
  }

  AnswerWriter& Text(std::string_view name, std::string_view value) {
    Name(name);
    AppendJsonString(value, &out_);
    return *this;
  }
  AnswerWriter& TextUnlessEmpty(std::string_view name, std::string_view value) {
    return value.empty() ? *this : Text(name, value);
  }
  // A JSON value that is written already.
  AnswerWriter& Raw(std::string_view name, std::string_view json) {
    Name(name);
    out_ += json;
    return *this;
  }
  // A list of {key, value}; nothing when there are none.
  template <class Map>
  AnswerWriter& Pairs(std::string_view name, const Map& pairs) {
    if (pairs.empty()) return *this;
    List(name);
    for (const auto& [key, value] : pairs) Object().Text("key", key).Text("value", value).End();
    return End();
  }
  AnswerWriter& Whole(std::string_view name, std::int64_t value) {
    Name(name);
    char digits[24];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    return *this;
  }
  AnswerWriter& Number(std::string_view name, double value) {
    Name(name);
    if (std::isfinite(value)) {
      AppendJsonNumber(value, &out_);
    } else {
      out_ += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    }
    return *this;
  }
  AnswerWriter& Bool(std::string_view name, bool value) {
    Name(name);
    out_ += value ? "true" : "false";
    return *this;
  }

 private:
  AnswerWriter& Open(std::string_view name, char opener, char closer) {
    Name(name);
    out_.push_back(opener);
    closers_.push_back(closer);
    return *this;
  }
  void Name(std::string_view name) {
    if (!out_.empty() && out_.back() != '{' && out_.back() != '[') out_.push_back(',');
    if (name.empty()) return;
    out_.push_back('"');
    out_ += name;
    out_ += "\":";
  }

  std::string& out_;
  std::string closers_;
};

// A whole answer: AnswerOf([&](AnswerWriter& out) { out.Text("experiment_id", id); }).
template <class Members>
net::Response AnswerOf(Members&& members) {
  net::Response response;
  AnswerWriter out(&response.body);
  out.Object();
  members(out);
  out.End();
  return response;
}
inline net::Response EmptyAnswer() {
  return AnswerOf([](AnswerWriter&) {});
}

}  // namespace gyre::mlflow
