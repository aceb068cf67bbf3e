#include "api/mlflow/traces_spans.h"

#include <array>

#include "base/base64.h"
#include "base/hash.h"

namespace gyre::mlflow {
namespace {

constexpr std::array<std::string_view, 6> kKinds = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                                    "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                                    "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::array<std::string_view, 3> kStatuses = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                                       "STATUS_CODE_ERROR"};

std::string BytesText(const std::string& hex) {
  std::string bytes;
  return HexDecode(hex, &bytes) ? Base64Encode(bytes) : std::string();
}

std::string_view KindWord(std::int64_t kind) {
  const bool known = kind > 0 && kind < static_cast<std::int64_t>(kKinds.size());
  return kKinds[known ? static_cast<std::size_t>(kind) : 0];
}

Json AttributesJson(const Json& attributes);

Json ValueJson(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::kNull:
      return Json::Obj();
    case Json::Kind::kBool:
      return Json::Obj({{"bool_value", value}});
    case Json::Kind::kInt:
      return Json::Obj({{"int_value", value}});
    case Json::Kind::kDouble:
      return Json::Obj({{"double_value", value}});
    case Json::Kind::kString:
      return Json::Obj({{"string_value", value}});
    case Json::Kind::kArray: {
      Json::Array items;
      for (const Json& item : value.items()) items.push_back(ValueJson(item));
      return Json::Obj({{"array_value", Json::Obj({{"values", Json(std::move(items))}})}});
    }
    case Json::Kind::kObject:
      break;
  }
  return Json::Obj({{"kvlist_value", Json::Obj({{"values", AttributesJson(value)}})}});
}

Json AttributesJson(const Json& attributes) {
  Json::Array list;
  for (const auto& [key, value] : attributes.members())
    list.push_back(Json::Obj({{"key", key}, {"value", ValueJson(value)}}));
  return Json(std::move(list));
}

std::string_view StatusCode(const traces::Span& span) {
  return kStatuses[static_cast<std::size_t>(span.status)];
}

}  // namespace

Json OtlpJson(const traces::Span& span) {
  Json json =
      Json::Obj({{"trace_id", BytesText(span.trace)},
                 {"span_id", BytesText(span.id)},
                 {"name", span.name},
                 {"kind", KindWord(span.kind)},
                 {"start_time_unix_nano", span.start_ns},
                 {"end_time_unix_nano", span.end_ns},
                 {"attributes", AttributesJson(span.attributes)},
                 {"status", Json::Obj({{"message", span.message}, {"code", StatusCode(span)}})}});
  if (!span.parent.empty()) json.Set("parent_span_id", BytesText(span.parent));
  Json::Array events, links;
  for (const traces::SpanEvent& event : span.events)
    events.push_back(Json::Obj({{"time_unix_nano", event.time_ns},
                                {"name", event.name},
                                {"attributes", AttributesJson(event.attributes)}}));
  for (const traces::SpanLink& link : span.links)
    links.push_back(Json::Obj({{"trace_id", BytesText(link.trace)},
                               {"span_id", BytesText(link.span)},
                               {"attributes", AttributesJson(link.attributes)}}));
  if (!events.empty()) json.Set("events", Json(std::move(events)));
  if (!links.empty()) json.Set("links", Json(std::move(links)));
  return json;
}

Json FileJson(const traces::Span& span) {
  Json::Object attributes;
  for (const auto& [key, value] : span.attributes.members())
    attributes.emplace_back(key, value.Dump());
  Json::Array events, links;
  for (const traces::SpanEvent& event : span.events)
    events.push_back(Json::Obj({{"name", event.name},
                                {"time_unix_nano", event.time_ns},
                                {"attributes", event.attributes}}));
  for (const traces::SpanLink& link : span.links)
    links.push_back(Json::Obj({{"trace_id", std::string(kTraceIdPrefix) + link.trace},
                               {"span_id", link.span},
                               {"attributes", link.attributes}}));
  return Json::Obj({{"trace_id", BytesText(span.trace)},
                    {"span_id", BytesText(span.id)},
                    {"parent_span_id", span.parent.empty() ? Json() : Json(BytesText(span.parent))},
                    {"name", span.name},
                    {"kind", KindWord(span.kind)},
                    {"start_time_unix_nano", span.start_ns},
                    {"end_time_unix_nano", span.end_ns == 0 ? Json() : Json(span.end_ns)},
                    {"events", Json(std::move(events))},
                    {"status", Json::Obj({{"code", StatusCode(span)}, {"message", span.message}})},
                    {"attributes", Json(std::move(attributes))},
                    {"links", Json(std::move(links))}});
}

}  // namespace gyre::mlflow
