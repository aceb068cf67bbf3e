// A small JSON value for documents (settings, specs, API bodies). Objects keep their order. Hot
// request paths read with simdjson instead.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace gyre {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;
  enum class Kind { kNull, kBool, kInt, kDouble, kString, kArray, kObject };

  Json() = default;
  Json(std::nullptr_t) {}                        // NOLINT: a value type converts from what it holds
  Json(bool v) : value_(v) {}                    // NOLINT
  Json(int v) : value_(std::int64_t{v}) {}       // NOLINT
  Json(unsigned v) : value_(std::int64_t{v}) {}  // NOLINT
  Json(long v) : value_(std::int64_t{v}) {}      // NOLINT
  Json(long long v) : value_(static_cast<std::int64_t>(v)) {}  // NOLINT
  // Sizes; above 2^63 is a programmer error. NOLINTNEXTLINE
  Json(unsigned long v) : value_(static_cast<std::int64_t>(v)) {}
  Json(double v) : value_(v) {}                         // NOLINT
  Json(const char* v) : value_(std::string(v)) {}       // NOLINT
  Json(std::string v) : value_(std::move(v)) {}         // NOLINT
  Json(std::string_view v) : value_(std::string(v)) {}  // NOLINT
  Json(Array v) : value_(std::move(v)) {}               // NOLINT
  Json(Object v) : value_(std::move(v)) {}              // NOLINT

  // Json::Obj({{"name", "churn"}, {"rows", 5}}), Json::Arr({1, 2}).
  static Json Obj(std::initializer_list<Member> members = {}) { return Json(Object(members)); }
  static Json Arr(std::initializer_list<Json> items = {}) { return Json(Array(items)); }

  // Errors: kInvalidArgument GY1100 for broken JSON, invalid UTF-8, numbers out of range, nesting
  // deeper than depth_max or duplicate keys.
  static Result<Json> Parse(std::string_view text, int depth_max = 64);

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_int() const { return kind() == Kind::kInt; }
  bool is_number() const { return kind() == Kind::kInt || kind() == Kind::kDouble; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }

  // Typed reads with a fallback: never fail.
  bool AsBool(bool fallback = false) const;
  std::int64_t AsInt(std::int64_t fallback = 0) const;
  double AsDouble(double fallback = 0) const;
  const std::string& AsString() const;  // empty string when it is not one
  std::string StringOr(std::string_view fallback) const;
  const Array& items() const;     // empty when it is not an array
  const Object& members() const;  // empty when it is not an object

  // The member, or null. Chains: j["a"]["b"].AsInt().
  const Json& operator[](std::string_view key) const;
  const Json* Find(std::string_view key) const;
  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  Json& Set(std::string_view key,
            Json value);  // adds or replaces; a null value becomes an object first. Returns *this
  void Push(Json value);  // a null value becomes an array first
  std::size_t size() const;  // members or items

  // Typed reads that say what is wrong: "`trials` must be a whole number".
  Result<std::string> GetString(std::string_view key) const;
  Result<std::int64_t> GetInt(std::string_view key) const;
  Result<double> GetDouble(std::string_view key) const;

  std::string Dump()
      const;  // compact; doubles shortest that reads back the same; NaN and infinities become null
  std::string DumpPretty() const;     // two spaces
  std::string DumpCanonical() const;  // keys sorted, for hashing
  void DumpTo(std::string* out) const;

  friend bool operator==(const Json&, const Json&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

// Appends "text" with quotes and escapes; invalid UTF-8 becomes U+FFFD.
void AppendJsonString(std::string_view text, std::string* out);
// Appends the shortest text that reads back the same double; null for NaN and infinities.
void AppendJsonNumber(double value, std::string* out);

}  // namespace gyre
