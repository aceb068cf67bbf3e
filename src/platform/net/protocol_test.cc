// Transcripts: exact bytes in, what must come out.
#include <gtest/gtest.h>

#include "platform/net/testing/house.h"
#include "platform/net/testing/raw_client.h"

namespace gyre::net {
namespace {

class ProtocolTest : public ServerTest {
 protected:
  void SetUp() override { Start(); }
  // Sends on a new connection, ends our side, returns everything.
  std::string Exchange(std::string_view bytes) {
    RawClient client(port());
    EXPECT_TRUE(client.Send(bytes));
    client.HalfClose();
    return client.ReadToEnd();
  }
};

int StatusOf(std::string_view response) {
  return response.size() > 12 && response.starts_with("HTTP/1.1 ")
             ? (response[9] - '0') * 100 + (response[10] - '0') * 10 + (response[11] - '0')
             : 0;
}
int Count(std::string_view text, std::string_view piece) {
  int count = 0;
  for (std::size_t at = text.find(piece); at != std::string_view::npos;
       at = text.find(piece, at + piece.size()))
    ++count;
  return count;
}

// The size of an earlier body says nothing of this one: its bytes would be read as a request.
TEST_F(ProtocolTest, ARefusalAfterAnUploadEndsTheConnectionWithItsUnreadBody) {
  Start();
  RawClient client(port());
  client.Send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n" +
              std::string(50, 'a'));
  ASSERT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 200 "));
  client.Send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
  const std::string refused = client.ReadResponse();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 404 ")) << refused;
  EXPECT_NE(refused.find("Connection: close"), std::string::npos) << refused;
  client.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ProtocolTest, MalformedAndAmbiguousMessagesAreRefusedAndEndTheConnection) {
  const std::string get = "GET /hello HTTP/1.1\r\n";
  const std::string post = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  struct Case {
    const char* what;
    std::string bytes;
    int status;
  };
  const Case cases[] = {
      {"no host", get + "\r\n", 400},
      {"two hosts", get + "Host: a\r\nHost: b\r\n\r\n", 400},
      {"no version", "GET /hello\r\nHost: x\r\n\r\n", 400},
      {"HTTP/2", "GET /hello HTTP/2.0\r\nHost: x\r\n\r\n", 400},
      {"HTTP/0.9", "GET /hello HTTP/0.9\r\nHost: x\r\n\r\n", 400},
      {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"TLS hello to a plain port",
       std::string("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", 15), 400},
      {"nothing but garbage", "\xff\xfe\xfd\r\n\r\n", 400},
      {"space in target", "GET /hel lo HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"control in target", "GET /hel\x01lo HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"bare LF", "GET /hello HTTP/1.1\nHost: x\n\n", 400},
      {"bare CR in value", get + "Host: x\r\nA: b\rc\r\n\r\n", 400},
      {"NUL in value", get + std::string("Host: x\r\nA: b\0c\r\n\r\n", 19), 400},
      {"space before colon", get + "Host : x\r\n\r\n", 400},
      {"empty field name", get + "Host: x\r\n: y\r\n\r\n", 400},
      {"space in field name", get + "Host: x\r\nA B: y\r\n\r\n", 400},
      {"folded line", get + "Host: x\r\nA: b\r\n c\r\n\r\n", 400},
      {"lengths that differ", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {"same length twice", post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
      {"list of lengths", post + "Content-Length: 3, 3\r\n\r\nabc", 400},
      {"negative length", post + "Content-Length: -1\r\n\r\n", 400},
      {"signed length", post + "Content-Length: +3\r\n\r\nabc", 400},
      {"hexadecimal length", post + "Content-Length: 0x3\r\n\r\nabc", 400},
      {"huge length", post + "Content-Length: 99999999999999999999\r\n\r\n", 400},
      {"length beyond the limit", post + "Content-Length: 1048577\r\n\r\n", 413},
      {"length beyond 2^63", post + "Content-Length: 9223372036854775808\r\n\r\n", 400},
      {"length and chunks",
       post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunks and length",
       post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400},
      {"chunked twice",
       post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"gzip, chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
      {"identity coding", post + "Transfer-Encoding: identity\r\n\r\n", 400},
      {"hidden coding",
       post + "Transfer-Encoding: \x0b"
              "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"chunked in HTTP/1.0",
       "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"chunk size is no number",
       post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n", 400},
      {"chunk size is negative", post + "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
       400},
      {"chunk size overflows",
       post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n", 400},
      {"chunk is longer than it says",
       post + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 400},
      {"truncated body", post + "Content-Length: 10\r\n\r\nabc", 400},
      {"truncated chunks", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", 400},
      {"header too large", get + "Host: x\r\nA: " + std::string(40'000, 'a') + "\r\n\r\n", 431},
      {"too many fields",
       [&] {
         std::string all = get + "Host: x\r\n";
         for (int i = 0; i < 200; ++i) all += "A" + std::to_string(i) + ": b\r\n";
         return all + "\r\n";
       }(),
       431},
      {"unknown method", "BREW /hello HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"unknown expectation", post + "Expect: the-unexpected\r\nContent-Length: 3\r\n\r\nabc", 417},
      {"encoded body", post + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415},
  };
  for (const Case& c : cases) {
    const std::string response = Exchange(c.bytes);
    EXPECT_EQ(StatusOf(response), c.status) << c.what << "\n" << response.substr(0, 300);
    EXPECT_EQ(Count(response, "HTTP/1.1 "), 1)
        << c.what << ": a second message was read out of it\n"
        << response;
    EXPECT_NE(response.find("application/problem+json"), std::string::npos) << c.what;
  }
}

TEST_F(ProtocolTest, PathsAreDecodedOnceAndNothingElse) {
  struct Case {
    const char* path;
    int status;
    const char* name;
  };
  const Case cases[] = {
      {"/names/ann", 200, "ann"},
      {"/names/a%20b", 200, "a b"},
      {"/names/a%2525b", 200, "a%25b"},
      {"/names/a+b", 200, "a+b"},
      {"/names/%C3%A9", 200, "\xc3\xa9"},
      {"/names/a%2Fb", 400, ""},
      {"/names/a%2fb", 400, ""},
      {"/names/%2e%2e", 400, ""},
      {"/names/..", 400, ""},
      {"/names/.", 400, ""},
      {"/names/a%00b", 400, ""},
      {"/names/a%5Cb", 400, ""},
      {"/names/a\\b", 400, ""},
      {"/names/%zz", 400, ""},
      {"/names/%4", 400, ""},
      {"/names/%ff", 400, ""},
      {"/names/\xff", 400, ""},
      {"/names/%0a", 400, ""},
      {"/names/", 404, ""},
      {"/names", 404, ""},
      {"//names/ann", 404, ""},
      {"/names/ann/", 404, ""},
      {"/../hello", 400, ""},
      {"/n%61mes/ann", 200, "ann"},
      {"/names/ann;x=1", 200, "ann;x=1"},
      {"/NAMES/ann", 404, ""},
      {"*", 400, ""},
      {"http://other/names/ann", 200, "ann"},
      {"/names/ann#f", 400, ""},
      {"/names/all", 200, nullptr},
      {"hello", 400, ""},
  };
  for (const Case& c : cases) {
    const std::string response =
        Exchange("GET " + std::string(c.path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(StatusOf(response), c.status) << c.path << "\n" << response;
    if (c.status != 200 || c.name == nullptr) continue;
    const auto json = Json::Parse(response.substr(response.find("\r\n\r\n") + 4));
    ASSERT_TRUE(json.has_value()) << response;
    EXPECT_EQ((*json)["name"].AsString(), c.name) << c.path;
  }
  EXPECT_NE(
      Exchange("GET /files/a/b%20c/d.txt HTTP/1.1\r\nHost: x\r\n\r\n").find("\r\n\r\na/b c/d.txt"),
      std::string::npos);
  EXPECT_EQ(StatusOf(Exchange("GET /files/a//b HTTP/1.1\r\nHost: x\r\n\r\n")), 400);
  EXPECT_EQ(StatusOf(Exchange("GET /files/a/%2e%2e/b HTTP/1.1\r\nHost: x\r\n\r\n")), 400);
  EXPECT_NE(Exchange("GET /names/a?x=1%262&y=a+b&&z HTTP/1.1\r\nHost: x\r\n\r\n")
                .find(R"([["x","1&2"],["y","a b"],["z",""]])"),
            std::string::npos);
  EXPECT_EQ(StatusOf(Exchange("GET /names/a?x=%f HTTP/1.1\r\nHost: x\r\n\r\n")), 400);
}

TEST_F(ProtocolTest, NotFoundAndNotAllowedAreDifferent) {
  EXPECT_EQ(StatusOf(Exchange("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")), 404);
  const std::string wrong = Exchange("DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(StatusOf(wrong), 405);
  EXPECT_NE(wrong.find("\r\nAllow: OPTIONS, POST, PUT\r\n"), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("GY1606"), std::string::npos);
  const std::string options = Exchange("OPTIONS /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(StatusOf(options), 204);
  EXPECT_NE(options.find("\r\nAllow: OPTIONS, GET, HEAD\r\n"), std::string::npos) << options;
}

TEST_F(ProtocolTest, PipelinedRequestsAreAnsweredInOrder) {
  RawClient client(port());
  std::string all;
  for (int i = 0; i < 300; ++i) {
    // Inline, on the pool, with and without a body, all on one connection without waiting.
    switch (i % 3) {
      case 0:
        all += "GET /names/n" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
        break;
      case 1:
        all += "POST /slow-echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n" +
               std::to_string(1000 + i);
        break;
      default:
        all += "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n" +
               std::to_string(1000 + i) + "\r\n0\r\n\r\n";
    }
  }
  ASSERT_TRUE(client.Send(all));
  for (int i = 0; i < 300; ++i) {
    const std::string response = client.ReadResponse();
    const std::string expected = i % 3 == 0 ? "\"name\":\"n" + std::to_string(i) + "\""
                                            : "\r\n\r\n" + std::to_string(1000 + i);
    ASSERT_NE(response.find(expected), std::string::npos) << i << "\n" << response;
  }
}

TEST_F(ProtocolTest, ARequestMayArriveByteByByte) {
  RawClient client(port());
  const std::string bytes =
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcPOST /upload "
      "HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3;ext=1\r\nxyz\r\n0\r\nTrailer: t\r\n\r\nGET /hello HTTP/1.1\r\nHost: "
      "x\r\n\r\n";
  for (const char c : bytes) ASSERT_TRUE(client.Send(std::string_view(&c, 1)));
  EXPECT_TRUE(client.ReadResponse().ends_with("\r\n\r\nabc"));
  EXPECT_TRUE(client.ReadResponse().ends_with("\r\n\r\n3 363"));
  EXPECT_TRUE(client.ReadResponse().ends_with("\r\n\r\nhello"));
}

TEST_F(ProtocolTest, HeadHasTheHeaderOfGetAndNoBody) {
  RawClient client(port());
  client.Send(
      "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\nHEAD /download?size=50&length=1 HTTP/1.1\r\nHost: "
      "x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string first = client.ReadUntil("\r\n\r\n");
  EXPECT_NE(first.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("Content-Length: 50\r\n"), std::string::npos);
  EXPECT_TRUE(client.ReadResponse().ends_with("\r\n\r\nhello"));
}

TEST_F(ProtocolTest, KeepAliveFollowsVersionAndConnectionHeader) {
  RawClient old(port());
  old.Send("GET /hello HTTP/1.0\r\n\r\n");
  const std::string closed = old.ReadToEnd();
  EXPECT_NE(closed.find("Connection: close\r\n"), std::string::npos) << closed;
  RawClient kept(port());
  kept.Send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(kept.ReadResponse().find("Connection: keep-alive\r\n"), std::string::npos);
  kept.Send("GET /download?size=10 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(kept.ReadToEnd().ends_with("\r\n\r\nxxxxxxxxxx"))
      << "an HTTP/1.0 stream ends with the connection, without chunks";
  RawClient ended(port());
  ended.Send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n");
  EXPECT_TRUE(ended.ReadToEnd().ends_with("hello"));
}

TEST_F(ProtocolTest, ContinueIsSentWhenTheBodyIsWantedAndOnlyThen) {
  RawClient client(port());
  client.Send(
      "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("abc");
  EXPECT_TRUE(client.ReadResponse().ends_with("3 294"));
  client.Send(
      "POST /ignore HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  const std::string refused = client.ReadResponse();
  EXPECT_EQ(StatusOf(refused), 200) << refused;
  EXPECT_NE(refused.find("Connection: close"), std::string::npos)
      << "its body may still come, so nothing may follow";
}

// Most clients send the whole body before they look for an answer.
TEST_F(ProtocolTest, WhoSendsEverythingBeforeReadingSeesTheRefusal) {
  for (const char* path : {"/small-upload", "/ignore", "/nowhere"}) {
    RawClient client(port());
    client.Send(fmt::format("POST {} HTTP/1.1\r\nHost: x\r\n", path));
    client.Send("Content-Length: 8000000\r\n\r\n");
    for (int i = 0; i < 80; ++i) client.Send(std::string(100'000, 'x'));
    const std::string answer = client.ReadToEnd();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 ")) << path << ": " << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
  }
}

TEST_F(ProtocolTest, RequestIdsAreEchoedWhenTheyAreHarmless) {
  RawClient client(port());
  client.Send("GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc-1.2_3\r\n\r\n");
  EXPECT_NE(client.ReadResponse().find("\r\nX-Request-Id: abc-1.2_3\r\n"), std::string::npos);
  client.Send("GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-Id: a b\"<script>\r\n\r\n");
  const std::string fresh = client.ReadResponse();
  EXPECT_EQ(fresh.find("script"), std::string::npos);
  EXPECT_NE(fresh.find("\r\nX-Request-Id: "), std::string::npos);
  client.Send("GET /fails HTTP/1.1\r\nHost: x\r\nX-Request-Id: id-9\r\n\r\n");
  const std::string problem = client.ReadResponse();
  EXPECT_NE(problem.find("\"request_id\":\"id-9\""), std::string::npos) << problem;
  EXPECT_EQ(StatusOf(problem), 422);
}

TEST_F(ProtocolTest, AThrownExceptionIsAnInternalErrorWithoutDetails) {
  const std::string response = Exchange("GET /throws HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(StatusOf(response), 500);
  EXPECT_EQ(response.find("basic_string"), std::string::npos) << response;
}

TEST_F(ProtocolTest, LargerTextIsCompressedForWhoTakesItAndIsNotHere) {
  const std::string asks = "GET /large HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, gzip;q=0.5\r\n";
  EXPECT_EQ(Exchange(asks + "\r\n").find("Content-Encoding"), std::string::npos);
  settings_.behind_proxy = true;
  server_.reset();
  Start();
  EXPECT_EQ(Exchange(asks + "\r\n").find("Content-Encoding"), std::string::npos)
      << "asked by the proxy itself";
  const std::string packed = Exchange(asks + "X-Forwarded-For: 9.9.9.9\r\n\r\n");
  EXPECT_NE(packed.find("Content-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_NE(packed.find("Vary: Accept-Encoding\r\n"), std::string::npos);
  EXPECT_LT(packed.size(), 2000u);
  const std::string plain = Exchange(
      "GET /large HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip;q=0\r\nX-Forwarded-For: "
      "9.9.9.9\r\n\r\n");
  EXPECT_EQ(plain.find("Content-Encoding"), std::string::npos);
  EXPECT_GT(plain.size(), 100'000u);
}

TEST_F(ProtocolTest, ServerSentEventsFlowAndEndWithTheClient) {
  {
    RawClient client(port());
    client.Send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string head = client.ReadUntil("\r\n\r\n");
    EXPECT_NE(head.find("Content-Type: text/event-stream\r\n"), std::string::npos);
    EXPECT_NE(head.find("Cache-Control: no-store\r\n"), std::string::npos);
    EXPECT_NE(client.ReadUntil("\n\n").find("id: 7\nevent: tick\ndata: one\ndata: two\n\n"),
              std::string::npos);
  }
  for (int i = 0; i < 5000 && house_.event_streams_ended == 0; ++i) usleep(1000);
  EXPECT_EQ(house_.event_streams_ended, 1);
}

TEST_F(ProtocolTest, PipelinedRequestsAreAnsweredAfterTheClientsEnd) {
  const std::string slow = "GET /slow-hello HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string events = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string together = Exchange(slow + slow);
  EXPECT_EQ(Count(together, "HTTP/1.1 200"), 2) << together;
  // The first stream ends because the end was noticed, while the rest lies in the kernel still.
  RawClient client(port());
  client.Send(events);
  client.ReadUntil("data: two\n\n");
  client.Send(slow + events + slow);
  client.HalfClose();
  const std::string rest = client.ReadToEnd();
  EXPECT_EQ(Count(rest, "HTTP/1.1 200"), 3) << rest;
  EXPECT_TRUE(rest.ends_with("hello")) << rest;
  EXPECT_EQ(house_.event_streams_ended, 2) << "a later handler hears of the end too";
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(ProtocolTest, ObserverSeesEveryRequestOnce) {
  RawClient client(port());
  client.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
  client.Send(
      "GET /download?size=5 HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: "
      "x\r\nConnection: close\r\n\r\n");
  client.ReadToEnd();
  server_.reset();
  const auto lines = notebook_.lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].path, "/hello");
  EXPECT_EQ(lines[0].protocol, "test");
  EXPECT_EQ(lines[0].bytes, 5);
  EXPECT_EQ(lines[1].status, 404);
  EXPECT_EQ(lines[2].bytes, 5);
}

}  // namespace
}  // namespace gyre::net
