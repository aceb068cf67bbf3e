#include "ml/traces/span_codec.h"

#include <gtest/gtest.h>

namespace gyre::traces {
namespace {

Span Make(std::string id, std::string parent, std::int64_t start_ns) {
  Span span;
  span.trace = "00112233445566778899aabbccddeeff";
  span.id = std::move(id);
  span.parent = std::move(parent);
  span.name = "step \xc3\xbc";
  span.type = "LLM";
  span.kind = 3;
  span.status = SpanStatus::kError;
  span.message = "line\nend";
  span.start_ns = start_ns;
  span.end_ns = start_ns + 5;
  span.attributes = Json::Obj({{"n", 3}, {"x", Json::Arr({1, "two", Json::Obj()})}});
  span.events.push_back({"exception", start_ns + 1, Json::Obj({{"type", "E"}})});
  span.links.push_back({"ab", "cd", Json::Obj()});
  return span;
}

TEST(SpanCodec, BatchesBehindEachOtherAreRead) {
  const Span inner = Make("b", "a", 10), outer = Make("a", "", 20), again = Make("b", "a", 30);
  const std::string pieces = Compressed(SpanLines(std::span(&inner, 1))) +
                             Compressed(SpanLines(std::span(&outer, 1))) +
                             Compressed(SpanLines(std::span(&again, 1)));
  const auto lines = Decompressed(pieces);
  ASSERT_TRUE(lines) << lines.error().ToString();
  const auto spans = SpansOfLines(*lines);
  ASSERT_TRUE(spans) << spans.error().ToString();
  ASSERT_EQ(spans->size(), 2u);
  EXPECT_EQ((*spans)[0].id, "a");
  EXPECT_EQ((*spans)[1].start_ns, 30);
  const Span& got = (*spans)[1];
  EXPECT_EQ(got.message, "line\nend");
  EXPECT_EQ(got.status, SpanStatus::kError);
  EXPECT_EQ(got.attributes.Dump(), R"({"n":3,"x":[1,"two",{}]})");
  EXPECT_EQ(got.events[0].attributes["type"].AsString(), "E");
  EXPECT_EQ(got.links[0].span, "cd");
}

TEST(SpanCodec, DamageIsTold) {
  const Span one = Make("a", "", 1);
  const std::string piece = Compressed(SpanLines(std::span(&one, 1)));
  EXPECT_EQ(Decompressed(std::string_view(piece).substr(0, piece.size() / 2)).error().gy(),
            "GY3460");
  EXPECT_EQ(Decompressed("no such thing").error().gy(), "GY3460");
  EXPECT_EQ(Decompressed("")->size(), 0u);
}

}  // namespace
}  // namespace gyre::traces
