#include "ml/traces/span_codec.h"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "base/text.h"
#include "ml/traces/traces.h"

namespace gyre::traces {
namespace {

constexpr int kLevel = 3;
constexpr int kDepthMax = 100;

Error Damaged(std::string_view why) {
  return MakeError(Code::kDataLoss, "GY3460", "the stored spans of a trace cannot be read: {}",
                   why);
}

Json EventsOf(const Span& span) {
  Json::Array events;
  for (const SpanEvent& event : span.events)
    events.push_back(Json::Arr({event.name, event.time_ns, event.attributes}));
  return Json(std::move(events));
}

Json LinksOf(const Span& span) {
  Json::Array links;
  for (const SpanLink& link : span.links)
    links.push_back(Json::Arr({link.trace, link.span, link.attributes}));
  return Json(std::move(links));
}

}  // namespace

std::string_view SpanStatusWord(SpanStatus status) {
  switch (status) {
    case SpanStatus::kOk:
      return "OK";
    case SpanStatus::kError:
      return "ERROR";
    case SpanStatus::kUnset:
      break;
  }
  return "UNSET";
}

std::string SpanLines(std::span<const Span> spans) {
  std::string lines;
  for (const Span& span : spans) {
    Json::Obj({{"trace", span.trace},
               {"id", span.id},
               {"parent", span.parent},
               {"name", span.name},
               {"type", span.type},
               {"kind", span.kind},
               {"status", static_cast<int>(span.status)},
               {"message", span.message},
               {"start", span.start_ns},
               {"end", span.end_ns},
               {"attributes", span.attributes},
               {"events", EventsOf(span)},
               {"links", LinksOf(span)}})
        .DumpTo(&lines);
    lines += '\n';
  }
  return lines;
}

std::string Compressed(std::string_view lines) {
  std::string out(ZSTD_compressBound(lines.size()), '\0');
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), lines.data(), lines.size(), kLevel);
  GYRE_CHECK(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

Result<std::string> Decompressed(std::string_view pieces) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                     ZSTD_freeDCtx);
  std::string lines;
  std::string buffer(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer in{pieces.data(), pieces.size(), 0};
  std::size_t left = 0;
  while (in.pos < in.size || left != 0) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    const std::size_t before = in.pos;
    left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left) != 0) return Damaged(ZSTD_getErrorName(left));
    if (out.pos == 0 && in.pos == before && left != 0) return Damaged("they end too early");
    lines.append(buffer.data(), out.pos);
    if (lines.size() > static_cast<std::size_t>(kSpanBytesMax)) return Damaged("they are too long");
  }
  return lines;
}

Result<Span> SpanOfLine(std::string_view line) {
  const auto json = Json::Parse(line, kDepthMax);
  if (!json) return Damaged(json.error().message());
  Span span;
  span.trace = (*json)["trace"].AsString();
  span.id = (*json)["id"].AsString();
  span.parent = (*json)["parent"].AsString();
  span.name = (*json)["name"].AsString();
  span.type = (*json)["type"].AsString();
  span.kind = (*json)["kind"].AsInt();
  span.status = static_cast<SpanStatus>((*json)["status"].AsInt());
  span.message = (*json)["message"].AsString();
  span.start_ns = (*json)["start"].AsInt();
  span.end_ns = (*json)["end"].AsInt();
  span.attributes = (*json)["attributes"];
  for (const Json& event : (*json)["events"].items()) {
    if (event.size() != 3) return Damaged("an event");
    span.events.push_back(
        {event.items()[0].AsString(), event.items()[1].AsInt(), event.items()[2]});
  }
  for (const Json& link : (*json)["links"].items()) {
    if (link.size() != 3) return Damaged("a link");
    span.links.push_back({link.items()[0].AsString(), link.items()[1].AsString(), link.items()[2]});
  }
  return span;
}

Result<std::vector<Span>> SpansOfLines(std::string_view lines) {
  std::vector<Span> spans;
  std::unordered_map<std::string, std::size_t> places;
  for (const std::string_view line : Split(lines, '\n')) {
    if (line.empty()) continue;
    GYRE_TRY(Span span, SpanOfLine(line));
    const auto [place, fresh] = places.emplace(span.id, spans.size());
    if (fresh) {
      spans.push_back(std::move(span));
    } else {
      spans[place->second] = std::move(span);
    }
  }
  std::ranges::stable_sort(spans, [](const Span& a, const Span& b) {
    if (a.parent.empty() != b.parent.empty()) return a.parent.empty();
    return a.start_ns < b.start_ns;
  });
  return spans;
}

}  // namespace gyre::traces
