#include "api/mlflow/otlp_request.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "api/mlflow/errors.h"
#include "base/base64.h"
#include "base/hash.h"
#include "base/protobuf.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

using traces::Span;
using traces::SpanEvent;
using traces::SpanLink;
using traces::SpanStatus;

constexpr int kLevelsMax = 30;
constexpr std::size_t kTraceIdBytes = 16, kSpanIdBytes = 8;

Error Invalid(std::string_view why) {
  return InvalidParameter(fmt::format("Invalid OpenTelemetry format: {}", why));
}

Result<std::string> TextOf(std::string_view bytes) {
  if (IsValidUtf8(bytes)) return std::string(bytes);
  return Invalid("a text is no UTF-8");
}

Json RealJson(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

Result<Json::Object> MembersOf(std::map<std::string, Json> values) {
  Json::Object members;
  for (auto& [key, value] : values) members.emplace_back(key, std::move(value));
  return members;
}

SpanStatus StatusOf(std::int64_t code) {
  return code == 1 ? SpanStatus::kOk : code == 2 ? SpanStatus::kError : SpanStatus::kUnset;
}

Result<> CheckSpan(const Span& span) {
  if (span.trace.size() != 2 * kTraceIdBytes || span.id.size() != 2 * kSpanIdBytes ||
      (!span.parent.empty() && span.parent.size() != 2 * kSpanIdBytes))
    return Invalid(
        "a span has no trace_id of 16 bytes, or a span_id or parent_span_id that has "
        "not 8");
  if (span.start_ns < 0 || span.end_ns < 0) return Invalid("a span's time is beyond 2262");
  return {};
}

// What has been read of a request, which costs many times its bytes to keep.
struct Counts {
  std::size_t resources = 0, scopes = 0, spans = 0, values = 0;
};
Result<> Count(std::size_t* count, std::size_t most, std::string_view what) {
  if (++*count <= most) return {};
  return Invalid(fmt::format("there are more than {} {}", GroupDigits(most), what));
}
Result<> CountResource(Counts* counts) {
  return Count(&counts->resources, kOtlpSpansMax, "resources");
}
Result<> CountScope(Counts* counts) { return Count(&counts->scopes, kOtlpSpansMax, "scopes"); }
Result<> CountSpan(Counts* counts) { return Count(&counts->spans, kOtlpSpansMax, "spans"); }
Result<> CountValue(Counts* counts) {
  return Count(&counts->values, kOtlpValuesMax, "attributes, events and links");
}

// --- protobuf ------------------------------------------------------------------------------------
using Wire = ProtoField::Wire;

// Calls with each field; its error ends the reading.
template <class Take>
Result<> EachField(std::string_view bytes, Take&& take) {
  ProtoReader reader(bytes);
  ProtoField field;
  while (reader.Next(&field)) GYRE_DO(take(field));
  if (!reader.ok()) return Invalid("it ends within a field, or is no protobuf");
  return {};
}

bool IsMessage(const ProtoField& field, std::uint32_t number) {
  return field.number == number && field.wire == Wire::kBytes;
}

Result<Json> ReadAttributes(const std::vector<std::string_view>& pairs, int level, Counts* counts);

Result<Json> ReadList(std::string_view bytes, bool pairs, int level, Counts* counts);

Result<Json> ReadValue(std::string_view bytes, int level, Counts* counts) {
  if (level > kLevelsMax) return Invalid("an attribute is nested too deep");
  Json value;
  GYRE_DO(EachField(bytes, [&](const ProtoField& field) -> Result<> {
    const bool is_bytes = field.wire == Wire::kBytes;
    if (field.number == 1 && is_bytes) {
      GYRE_TRY(std::string text, TextOf(field.bytes));
      value = std::move(text);
    } else if (field.number == 2 && field.wire == Wire::kVarint) {
      value = field.value != 0;
    } else if (field.number == 3 && field.wire == Wire::kVarint) {
      value = field.AsInt();
    } else if (field.number == 4 && field.wire == Wire::kFixed64) {
      value = RealJson(field.AsReal());
    } else if ((field.number == 5 || field.number == 6) && is_bytes) {
      GYRE_TRY(value, ReadList(field.bytes, field.number == 6, level + 1, counts));
    } else if (field.number == 7 && is_bytes) {
      value = Base64Encode(field.bytes);
    }
    return {};
  }));
  return value;
}

// ArrayValue or KeyValueList: both hold their items in field 1.
Result<Json> ReadList(std::string_view bytes, bool pairs, int level, Counts* counts) {
  std::vector<std::string_view> items;
  GYRE_DO(EachField(bytes, [&](const ProtoField& field) -> Result<> {
    if (!IsMessage(field, 1)) return {};
    items.push_back(field.bytes);
    return CountValue(counts);
  }));
  if (pairs) return ReadAttributes(items, level, counts);
  Json::Array values;
  for (const std::string_view item : items) {
    GYRE_TRY(Json value, ReadValue(item, level, counts));
    values.push_back(std::move(value));
  }
  return Json(std::move(values));
}

Result<Json> ReadAttributes(const std::vector<std::string_view>& pairs, int level, Counts* counts) {
  std::map<std::string, Json> values;
  for (const std::string_view pair : pairs) {
    std::string key;
    Json value;
    GYRE_DO(EachField(pair, [&](const ProtoField& field) -> Result<> {
      if (IsMessage(field, 1)) {
        GYRE_TRY(key, TextOf(field.bytes));
      } else if (IsMessage(field, 2)) {
        GYRE_TRY(value, ReadValue(field.bytes, level, counts));
      }
      return {};
    }));
    values.insert_or_assign(std::move(key), std::move(value));
  }
  GYRE_TRY(Json::Object members, MembersOf(std::move(values)));
  return Json(std::move(members));
}

Result<SpanEvent> ReadEvent(std::string_view bytes, Counts* counts) {
  SpanEvent event;
  std::vector<std::string_view> attributes;
  GYRE_DO(EachField(bytes, [&](const ProtoField& field) -> Result<> {
    if (field.number == 1 && field.wire == Wire::kFixed64) event.time_ns = field.AsInt();
    if (IsMessage(field, 2)) {
      GYRE_TRY(event.name, TextOf(field.bytes));
    }
    if (!IsMessage(field, 3)) return {};
    attributes.push_back(field.bytes);
    return CountValue(counts);
  }));
  GYRE_TRY(event.attributes, ReadAttributes(attributes, 0, counts));
  return event;
}

Result<SpanLink> ReadLink(std::string_view bytes, Counts* counts) {
  SpanLink link;
  std::vector<std::string_view> attributes;
  GYRE_DO(EachField(bytes, [&](const ProtoField& field) -> Result<> {
    if (IsMessage(field, 1)) link.trace = HexEncode(field.bytes);
    if (IsMessage(field, 2)) link.span = HexEncode(field.bytes);
    if (!IsMessage(field, 4)) return {};
    attributes.push_back(field.bytes);
    return CountValue(counts);
  }));
  GYRE_TRY(link.attributes, ReadAttributes(attributes, 0, counts));
  return link;
}

Result<> ReadStatus(std::string_view bytes, Span* span) {
  return EachField(bytes, [&](const ProtoField& field) -> Result<> {
    if (IsMessage(field, 2)) {
      GYRE_TRY(span->message, TextOf(field.bytes));
    }
    if (field.number == 3 && field.wire == Wire::kVarint) span->status = StatusOf(field.AsInt());
    return {};
  });
}

// The fields of a span that are numbers or bytes of their own.
void ReadPlain(const ProtoField& field, Span* span) {
  if (IsMessage(field, 1)) span->trace = HexEncode(field.bytes);
  if (IsMessage(field, 2)) span->id = HexEncode(field.bytes);
  if (IsMessage(field, 4)) span->parent = HexEncode(field.bytes);
  if (field.number == 6 && field.wire == Wire::kVarint) span->kind = field.AsInt();
  if (field.number == 7 && field.wire == Wire::kFixed64) span->start_ns = field.AsInt();
  if (field.number == 8 && field.wire == Wire::kFixed64) span->end_ns = field.AsInt();
}

Result<Span> ReadSpan(std::string_view bytes, Counts* counts) {
  Span span;
  std::vector<std::string_view> attributes;
  GYRE_DO(EachField(bytes, [&](const ProtoField& field) -> Result<> {
    ReadPlain(field, &span);
    if (IsMessage(field, 5)) {
      GYRE_TRY(span.name, TextOf(field.bytes));
    } else if (IsMessage(field, 9)) {
      GYRE_DO(CountValue(counts));
      attributes.push_back(field.bytes);
    } else if (IsMessage(field, 11)) {
      GYRE_DO(CountValue(counts));
      GYRE_TRY(SpanEvent event, ReadEvent(field.bytes, counts));
      span.events.push_back(std::move(event));
    } else if (IsMessage(field, 13)) {
      GYRE_DO(CountValue(counts));
      GYRE_TRY(SpanLink link, ReadLink(field.bytes, counts));
      span.links.push_back(std::move(link));
    } else if (IsMessage(field, 15)) {
      GYRE_DO(ReadStatus(field.bytes, &span));
    }
    return {};
  }));
  GYRE_TRY(span.attributes, ReadAttributes(attributes, 0, counts));
  GYRE_DO(CheckSpan(span));
  return span;
}

Result<OtlpSpans> ReadResourceSpans(std::string_view bytes, Counts* counts) {
  OtlpSpans read;
  GYRE_DO(EachField(bytes, [&](const ProtoField& field) -> Result<> {
    if (IsMessage(field, 1)) {
      GYRE_TRY(read.resource, ReadList(field.bytes, true, 0, counts));
    }
    if (!IsMessage(field, 2)) return {};
    GYRE_DO(CountScope(counts));
    return EachField(field.bytes, [&](const ProtoField& inner) -> Result<> {
      if (!IsMessage(inner, 2)) return {};
      GYRE_DO(CountSpan(counts));
      GYRE_TRY(Span span, ReadSpan(inner.bytes, counts));
      read.spans.push_back(std::move(span));
      return {};
    });
  }));
  return read;
}

// --- JSON ----------------------------------------------------------------------------------------
// A tree of values takes up to fifty times the bytes of its text: they are counted in the text, by
// what stands before each.
Result<> CheckJsonSize(std::string_view body) {
  std::size_t count = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '"') in_text = !in_text;
    if (in_text && c == '\\') ++i;
    if (in_text || (c != ',' && c != ':' && c != '[' && c != '{')) continue;
    GYRE_DO(Count(&count, kOtlpJsonValuesMax, "values"));
  }
  return {};
}

// The objects of a list; nothing stands for none.
Result<const Json::Array*> ObjectsOf(const Json& list, std::string_view what) {
  const bool sound =
      list.is_null() || (list.is_array() && std::ranges::all_of(list.items(), [](const Json& item) {
                           return item.is_object();
                         }));
  if (!sound) return Invalid(fmt::format("{} is no list of objects", what));
  return &list.items();
}

// Whole numbers of 64 bits are texts in protobuf's JSON.
std::int64_t WholeJson(const Json& value) {
  return value.is_string() ? ParseInt(value.AsString()).value_or(-1) : value.AsInt();
}

// "2" or its word, of those given.
std::int64_t EnumJson(const Json& value, std::span<const std::string_view> words) {
  for (std::size_t i = 0; i < words.size(); ++i)
    if (value.AsString() == words[i]) return static_cast<std::int64_t>(i);
  return value.AsInt();
}

Result<Json> AttributesOfJson(const Json& list, int level);

Result<Json> ValueOfJson(const Json& value, int level) {
  if (level > kLevelsMax) return Invalid("an attribute is nested too deep");
  for (const auto& [kind, held] : value.members()) {
    if (kind == "stringValue" || kind == "boolValue" || kind == "bytesValue") return held;
    if (kind == "intValue") return Json(WholeJson(held));
    if (kind == "doubleValue") return held.is_string() ? held : Json(held.AsDouble());
    if (kind == "kvlistValue") return AttributesOfJson(held["values"], level + 1);
    if (kind != "arrayValue") continue;
    Json::Array items;
    for (const Json& item : held["values"].items()) {
      if (!item.is_object()) return Invalid("a value of an attribute is no object");
      GYRE_TRY(Json read, ValueOfJson(item, level + 1));
      items.push_back(std::move(read));
    }
    return Json(std::move(items));
  }
  return Json();
}

Result<Json> AttributesOfJson(const Json& list, int level) {
  std::map<std::string, Json> values;
  GYRE_TRY(const auto* const pairs, ObjectsOf(list, "attributes"));
  for (const Json& pair : *pairs) {
    if (!pair["key"].is_string()) return Invalid("the key of an attribute is no text");
    GYRE_TRY(Json value, ValueOfJson(pair["value"], level));
    values.insert_or_assign(pair["key"].AsString(), std::move(value));
  }
  GYRE_TRY(Json::Object members, MembersOf(std::move(values)));
  return Json(std::move(members));
}

Result<std::string> HexOfJson(const Json& value) {
  std::string bytes;
  if (HexDecode(value.AsString(), &bytes)) return HexEncode(bytes);
  return Invalid("an id is not hexadecimal");
}

Result<Span> SpanOfJson(const Json& json) {
  constexpr std::array<std::string_view, 6> kKinds = {
      "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
      "SPAN_KIND_CLIENT",      "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"};
  constexpr std::array<std::string_view, 3> kCodes = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                      "STATUS_CODE_ERROR"};
  Span span;
  GYRE_TRY(span.trace, HexOfJson(json["traceId"]));
  GYRE_TRY(span.id, HexOfJson(json["spanId"]));
  GYRE_TRY(span.parent, HexOfJson(json["parentSpanId"]));
  span.name = json["name"].AsString();
  span.kind = EnumJson(json["kind"], kKinds);
  span.status = StatusOf(EnumJson(json["status"]["code"], kCodes));
  span.message = json["status"]["message"].AsString();
  span.start_ns = WholeJson(json["startTimeUnixNano"]);
  span.end_ns = WholeJson(json["endTimeUnixNano"]);
  GYRE_TRY(span.attributes, AttributesOfJson(json["attributes"], 0));
  GYRE_TRY(const auto* const events, ObjectsOf(json["events"], "events"));
  for (const Json& item : *events) {
    SpanEvent event{item["name"].AsString(), WholeJson(item["timeUnixNano"])};
    GYRE_TRY(event.attributes, AttributesOfJson(item["attributes"], 0));
    span.events.push_back(std::move(event));
  }
  GYRE_TRY(const auto* const links, ObjectsOf(json["links"], "links"));
  for (const Json& item : *links) {
    SpanLink link;
    GYRE_TRY(link.trace, HexOfJson(item["traceId"]));
    GYRE_TRY(link.span, HexOfJson(item["spanId"]));
    GYRE_TRY(link.attributes, AttributesOfJson(item["attributes"], 0));
    span.links.push_back(std::move(link));
  }
  GYRE_DO(CheckSpan(span));
  return span;
}

struct Inflate {
  z_stream stream = {};
  bool ready;
  explicit Inflate(int window) : ready(inflateInit2(&stream, window) == Z_OK) {}
  ~Inflate() { inflateEnd(&stream); }
  Inflate(const Inflate&) = delete;
  Inflate& operator=(const Inflate&) = delete;
};

// Nothing: it is no such stream.
Result<std::optional<std::string>> Inflated(std::string& body, int window) {
  Inflate inflate_(window);
  if (!inflate_.ready) return std::nullopt;
  z_stream& stream = inflate_.stream;
  stream.next_in = reinterpret_cast<Bytef*>(body.data());
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out, buffer(64 << 10, '\0');
  for (int status = Z_OK; status != Z_STREAM_END;) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = buffer.size() - stream.avail_out;
    if (status != Z_OK && status != Z_STREAM_END) return std::nullopt;
    out.append(buffer.data(), made);
    if (out.size() > kOtlpBytesMax) return Invalid("it is larger than 64 MiB when unpacked");
  }
  return out;
}

}  // namespace

Result<std::string> Unpacked(std::string body, std::string_view encoding) {
  constexpr int kZlib = 15, kGzip = 15 + 16;
  if (encoding.empty() || EqualsIgnoreCase(encoding, "identity")) return body;
  const bool gzip = EqualsIgnoreCase(encoding, "gzip");
  if (!gzip && !EqualsIgnoreCase(encoding, "deflate"))
    return InvalidParameter(
        fmt::format("Unsupported Content-Encoding: {}", encoding.substr(0, 100)));
  GYRE_TRY(auto out, Inflated(body, gzip ? kGzip : kZlib));
  if (!out && !gzip) {
    GYRE_TRY(out, Inflated(body, -kZlib));  // some send it without its head
  }
  if (out) return *std::move(out);
  return InvalidParameter(
      fmt::format("Failed to decompress {} payload", gzip ? "gzip" : "deflate"));
}

Result<std::vector<OtlpSpans>> ReadOtlpProtobuf(std::string_view body) {
  std::vector<OtlpSpans> read;
  Counts counts;
  GYRE_DO(EachField(body, [&](const ProtoField& field) -> Result<> {
    if (!IsMessage(field, 1)) return {};
    GYRE_DO(CountResource(&counts));
    GYRE_TRY(OtlpSpans spans, ReadResourceSpans(field.bytes, &counts));
    read.push_back(std::move(spans));
    return {};
  }));
  return read;
}

Result<std::vector<OtlpSpans>> ReadOtlpJson(std::string_view body) {
  constexpr int kDepthMax = 200;  // each level of an attribute takes four
  GYRE_DO(CheckJsonSize(body));
  const auto json = Json::Parse(body, kDepthMax);
  if (!json) return Invalid(json.error().message());
  if (!json->is_object()) return Invalid("it is no object");
  std::vector<OtlpSpans> read;
  Counts counts;
  GYRE_TRY(const auto* const resources, ObjectsOf((*json)["resourceSpans"], "resourceSpans"));
  for (const Json& resource : *resources) {
    GYRE_DO(CountResource(&counts));
    OtlpSpans spans;
    GYRE_TRY(spans.resource, AttributesOfJson(resource["resource"]["attributes"], 0));
    GYRE_TRY(const auto* const scopes, ObjectsOf(resource["scopeSpans"], "scopeSpans"));
    for (const Json& scope : *scopes) {
      GYRE_DO(CountScope(&counts));
      GYRE_TRY(const auto* const items, ObjectsOf(scope["spans"], "spans"));
      for (const Json& item : *items) {
        GYRE_DO(CountSpan(&counts));
        GYRE_TRY(Span span, SpanOfJson(item));
        spans.spans.push_back(std::move(span));
      }
    }
    read.push_back(std::move(spans));
  }
  return read;
}

}  // namespace gyre::mlflow
