#include "base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "base/text.h"

namespace gyre {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = kOnes * 0x80;
constexpr std::uint64_t Below(std::uint64_t bytes, std::uint64_t n) {  // has it a byte below n?
  return (bytes - kOnes * n) & ~bytes & kHighs;
}

// How many bytes from the first stand in a JSON text as they are: ASCII without controls, quotes
// and backslashes; eight are looked at together.
std::size_t PlainPrefix(std::string_view text) {
  std::size_t i = 0;
  for (std::uint64_t bytes = 0; i + sizeof bytes <= text.size(); i += sizeof bytes) {
    std::memcpy(&bytes, text.data() + i, sizeof bytes);
    if ((bytes & kHighs) != 0 || Below(bytes, 0x20) != 0 || Below(bytes ^ (kOnes * '"'), 1) != 0 ||
        Below(bytes ^ (kOnes * '\\'), 1) != 0)
      break;
  }
  const auto plain = [](char c) {
    return static_cast<signed char>(c) >= 0x20 && c != '"' && c != '\\';
  };
  while (i < text.size() && plain(text[i])) ++i;
  return i;
}

Error BadJson(std::string_view why) { return InvalidArgument("GY1100", "not valid JSON: {}", why); }

Result<Json> Convert(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::NULL_VALUE:
      return Json();
    case element_type::BOOL:
      return Json(bool(element));
    case element_type::INT64:
      return Json(std::int64_t(element));
    case element_type::UINT64:
      return Json(static_cast<double>(std::uint64_t(element)));
    case element_type::DOUBLE:
      return Json(double(element));
    case element_type::STRING:
      return Json(std::string_view(element));
    case element_type::ARRAY: {
      Json::Array items;
      for (simdjson::dom::element item : simdjson::dom::array(element)) {
        GYRE_TRY(auto value, Convert(item));
        items.push_back(std::move(value));
      }
      return Json(std::move(items));
    }
    case element_type::OBJECT: {
      Json::Object members;
      std::unordered_set<std::string_view> seen;
      for (auto [key, item] : simdjson::dom::object(element)) {
        if (!seen.insert(key).second)
          return BadJson(fmt::format("the key `{}` stands twice in one object", key));
        GYRE_TRY(auto value, Convert(item));
        members.emplace_back(std::string(key), std::move(value));
      }
      return Json(std::move(members));
    }
  }
  return BadJson("unknown element");
}

void DumpValue(const Json& json, int indent, int depth, bool sorted, std::string* out);

void NewLine(int indent, int depth, std::string* out) {
  if (indent == 0) return;
  out->push_back('\n');
  out->append(static_cast<std::size_t>(indent * depth), ' ');
}

void DumpObject(const Json& json, int indent, int depth, bool sorted, std::string* out) {
  std::vector<const Json::Member*> order;
  for (const auto& member : json.members()) order.push_back(&member);
  if (sorted)
    std::ranges::sort(order, {},
                      [](const Json::Member* m) -> const std::string& { return m->first; });
  out->push_back('{');
  bool first = true;
  for (const Json::Member* member : order) {
    if (!first) out->push_back(',');
    first = false;
    NewLine(indent, depth + 1, out);
    AppendJsonString(member->first, out);
    out->append(indent ? ": " : ":");
    DumpValue(member->second, indent, depth + 1, sorted, out);
  }
  if (!first) NewLine(indent, depth, out);
  out->push_back('}');
}

void DumpValue(const Json& json, int indent, int depth, bool sorted, std::string* out) {
  switch (json.kind()) {
    case Json::Kind::kNull:
      out->append("null");
      return;
    case Json::Kind::kBool:
      out->append(json.AsBool() ? "true" : "false");
      return;
    case Json::Kind::kInt:
      fmt::format_to(std::back_inserter(*out), "{}", json.AsInt());
      return;
    case Json::Kind::kDouble:
      AppendJsonNumber(json.AsDouble(), out);
      return;
    case Json::Kind::kString:
      AppendJsonString(json.AsString(), out);
      return;
    case Json::Kind::kObject:
      DumpObject(json, indent, depth, sorted, out);
      return;
    case Json::Kind::kArray:
      break;
  }
  out->push_back('[');
  bool first = true;
  for (const Json& item : json.items()) {
    if (!first) out->push_back(',');
    first = false;
    NewLine(indent, depth + 1, out);
    DumpValue(item, indent, depth + 1, sorted, out);
  }
  if (!first) NewLine(indent, depth, out);
  out->push_back(']');
}

}  // namespace

Result<Json> Json::Parse(std::string_view text, int depth_max) {
  simdjson::dom::parser parser;
  if (parser.allocate(std::max<std::size_t>(text.size(), 64),
                      static_cast<std::size_t>(depth_max)) != simdjson::SUCCESS)
    return MakeError(Code::kResourceExhausted, "GY1101", "no memory to parse {} bytes of JSON",
                     text.size());
  simdjson::dom::element element;
  // simdjson copies, and an empty view may have no address.
  const char* bytes = text.empty() ? "" : text.data();
  if (auto error = parser.parse(bytes, text.size(), true).get(element); error != simdjson::SUCCESS)
    return BadJson(simdjson::error_message(error));
  return Convert(element);
}

bool Json::AsBool(bool fallback) const { return is_bool() ? std::get<bool>(value_) : fallback; }

std::int64_t Json::AsInt(std::int64_t fallback) const {
  if (is_int()) return std::get<std::int64_t>(value_);
  if (kind() == Kind::kDouble) {
    const double v = std::get<double>(value_);
    if (v >= -9.2e18 && v <= 9.2e18 && v == std::floor(v)) return static_cast<std::int64_t>(v);
  }
  return fallback;
}

double Json::AsDouble(double fallback) const {
  if (is_int()) return static_cast<double>(std::get<std::int64_t>(value_));
  return kind() == Kind::kDouble ? std::get<double>(value_) : fallback;
}

const std::string& Json::AsString() const {
  static const std::string kEmpty;
  return is_string() ? std::get<std::string>(value_) : kEmpty;
}

std::string Json::StringOr(std::string_view fallback) const {
  return is_string() ? std::get<std::string>(value_) : std::string(fallback);
}

const Json::Array& Json::items() const {
  static const Array kEmpty;
  return is_array() ? std::get<Array>(value_) : kEmpty;
}

const Json::Object& Json::members() const {
  static const Object kEmpty;
  return is_object() ? std::get<Object>(value_) : kEmpty;
}

const Json* Json::Find(std::string_view key) const {
  for (const Member& member : members())
    if (member.first == key) return &member.second;
  return nullptr;
}

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  const Json* found = Find(key);
  return found ? *found : kNull;
}

Json& Json::Set(std::string_view key, Json value) {
  if (!is_object()) value_ = Object();
  auto& members = std::get<Object>(value_);
  for (Member& member : members)
    if (member.first == key) {
      member.second = std::move(value);
      return *this;
    }
  members.emplace_back(std::string(key), std::move(value));
  return *this;
}

void Json::Push(Json value) {
  if (!is_array()) value_ = Array();
  std::get<Array>(value_).push_back(std::move(value));
}

std::size_t Json::size() const { return is_array() ? items().size() : members().size(); }

Result<std::string> Json::GetString(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr) return InvalidArgument("GY1102", "`{}` is missing", key);
  if (!found->is_string()) return InvalidArgument("GY1102", "`{}` must be a string", key);
  return found->AsString();
}

Result<std::int64_t> Json::GetInt(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr) return InvalidArgument("GY1102", "`{}` is missing", key);
  const std::int64_t value = found->AsInt(INT64_MIN);
  if (!found->is_number() || value == INT64_MIN)
    return InvalidArgument("GY1102", "`{}` must be a whole number", key);
  return value;
}

Result<double> Json::GetDouble(std::string_view key) const {
  const Json* found = Find(key);
  if (found == nullptr) return InvalidArgument("GY1102", "`{}` is missing", key);
  if (!found->is_number()) return InvalidArgument("GY1102", "`{}` must be a number", key);
  return found->AsDouble();
}

std::string Json::Dump() const {
  std::string out;
  DumpValue(*this, 0, 0, false, &out);
  return out;
}
std::string Json::DumpPretty() const {
  std::string out;
  DumpValue(*this, 2, 0, false, &out);
  return out;
}
std::string Json::DumpCanonical() const {
  std::string out;
  DumpValue(*this, 0, 0, true, &out);
  return out;
}
void Json::DumpTo(std::string* out) const { DumpValue(*this, 0, 0, false, out); }

void AppendJsonString(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t plain = PlainPrefix(text.substr(i));
    out->append(text.data() + i, plain);
    i += plain;
    if (i == text.size()) break;
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) {
      const std::size_t length = Utf8SequenceLength(text.substr(i));
      if (length == 0) {
        out->append("\xEF\xBF\xBD");
        ++i;
      } else {
        out->append(text.substr(i, length));
        i += length;
      }
      continue;
    }
    ++i;
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      default:
        out->append("\\u00");
        out->push_back(kHex[c >> 4]);
        out->push_back(kHex[c & 15]);
    }
  }
  out->push_back('"');
}

void AppendJsonNumber(double value, std::string* out) {
  if (!std::isfinite(value)) {
    out->append("null");
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out->append(text);
  // 3 would read back as a whole number: keep the kind.
  if (text.find_first_of(".e") == std::string_view::npos) out->append(".0");
}

}  // namespace gyre
