// What one client may cost the others: memory, time, connections, threads.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <deque>

#include "platform/exec/thread_pool.h"
#include "platform/net/testing/house.h"
#include "platform/net/testing/raw_client.h"

namespace gyre::net {
namespace {

using LimitsTest = ServerTest;

bool FullTier() {
  const char* tier = std::getenv("GYRE_TEST_TIER");
  return tier != nullptr && std::string_view(tier) == "full";
}

TEST_F(LimitsTest, AHeaderThatDoesNotEndIsCutAtTheDeadline) {
  settings_.header_timeout_ms = 200;
  Start();
  RawClient slow(port());
  slow.Send("GET /hello HTTP/1.1\r\nHost: x\r\n");
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) {
    slow.Send("A: b\r\n");
    answer = slow.ReadUntil("\r\n\r\n", 50);
  }
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
  EXPECT_NE(slow.ReadToEnd().find("GY1607"), std::string::npos);
}

TEST_F(LimitsTest, IdleConnectionsAreClosed) {
  settings_.idle_timeout_ms = 200;
  Start();
  RawClient idle(port());
  idle.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.ReadResponse();
  EXPECT_TRUE(idle.AtEnd());
}

TEST_F(LimitsTest, ConnectionsBeyondTheLimitAreToldAndClosed) {
  settings_.connections_max = 5;
  Start();
  std::deque<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(port());
    clients.back().Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(clients.back().ReadResponse().ends_with("hello"));
  }
  RawClient sixth(port());
  EXPECT_TRUE(sixth.ReadToEnd().starts_with("HTTP/1.1 503 "));
  clients.pop_front();
  bool again = false;
  for (int i = 0; i < 1000 && !again; ++i) {
    RawClient next(port());
    next.Send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    again = next.ReadToEnd().ends_with("hello");
  }
  EXPECT_TRUE(again);
}

TEST_F(LimitsTest, ManyIdleConnectionsCostLittle) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const int count =
      static_cast<int>(std::min<rlim_t>(FullTier() ? 10'000 : 1'000, limit.rlim_cur / 2 - 100));
  settings_.connections_max = count + 10;
  Start();
  std::deque<RawClient> clients;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back(port());
    ASSERT_TRUE(clients.back().ok()) << i;
    ASSERT_TRUE(clients.back().Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
  }
  for (RawClient& client : clients) ASSERT_TRUE(client.ReadResponse().ends_with("hello"));
  // All of them are still served after idling together.
  for (RawClient& client : clients) {
    client.Send("GET /slow-hello HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(client.ReadResponse().ends_with("hello"));
  }
}

TEST_F(LimitsTest, AClientThatDoesNotReadMakesTheHandlerWaitInsteadOfTheMemoryGrow) {
  Start();
  RawClient lazy(port());
  lazy.Send("GET /download?size=400000000 HTTP/1.1\r\nHost: x\r\n\r\n");
  lazy.ReadUntil("\r\n\r\n");
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  RawClient quick(port());
  for (int i = 0; i < 200; ++i) {
    quick.Send("GET /slow-hello HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(quick.ReadResponse().ends_with("hello"));
  }
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 50'000) << "kilobytes";
}

TEST_F(LimitsTest, AnUploadIsReadOnlyAsFastAsItIsTaken) {
  Start();
  RawClient client(port());
  client.Send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n");
  const std::string piece(1'000'000, 'a');
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(client.Send(piece));
  EXPECT_TRUE(client.ReadResponse().ends_with("\r\n\r\n50000000 4850000000"));
}

TEST_F(LimitsTest, TheBodyLimitHoldsForChunksToo) {
  Start();
  RawClient client(port());
  client.Send("POST /small-upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; ++i) client.Send("64\r\n" + std::string(100, 'a') + "\r\n");
  const std::string answer = client.ReadResponse();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
}

TEST_F(LimitsTest, AFullPoolAnswersBusyAndRecovers) {
  settings_.blocking_threads = 1;
  Start();
  std::deque<RawClient> clients;
  int busy = 0;
  // One runs, 64 wait; some of the rest must be turned away at once.
  for (int i = 0; i < 80; ++i) {
    clients.emplace_back(port());
    clients.back().Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  while (house_.waiting == 0) usleep(1000);
  for (RawClient& client : clients) {
    const std::string answer = client.ReadUntil("\r\n\r\n", 10);
    if (!answer.starts_with("HTTP/1.1 503 ")) continue;
    ++busy;
    EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
  }
  EXPECT_GE(busy, 1);
  RawClient inline_client(port());
  inline_client.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(inline_client.ReadResponse().ends_with("hello"))
      << "inline routes do not wait for the pool";
  house_.Release();
}

TEST_F(LimitsTest, EventStreamsDoNotTakeTheThreadsOfRequests) {
  settings_.streams_max = 3;
  settings_.blocking_threads = 2;
  Start();
  std::deque<RawClient> streams;
  for (int i = 0; i < 3; ++i) {
    streams.emplace_back(port());
    streams.back().Send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(streams.back().ReadUntil("\n\n").starts_with("HTTP/1.1 200 "));
  }
  RawClient fourth(port());
  fourth.Send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(fourth.ReadResponse().starts_with("HTTP/1.1 503 "));
  RawClient other(port());
  other.Send("GET /slow-hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(other.ReadResponse().ends_with("hello"));
}

TEST_F(LimitsTest, DrainFinishesWhatRunsAndEndsWhatIdles) {
  Start();
  RawClient idle(port());
  idle.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.ReadResponse();
  RawClient stream(port());
  stream.Send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  stream.ReadUntil("\n\n");
  RawClient working(port());
  working.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  while (house_.waiting == 0) usleep(1000);
  exec::Worker drainer("drain", [this](const exec::StopFlag&) { server_->Drain(); });
  EXPECT_TRUE(idle.AtEnd());
  stream.ReadToEnd();
  EXPECT_EQ(house_.event_streams_ended, 1);
  EXPECT_FALSE(RawClient(port()).ok()) << "nobody listens any more";
  house_.Release();
  const std::string answer = working.ReadToEnd();
  EXPECT_TRUE(answer.ends_with("waited")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(LimitsTest, WhoeverADrainCannotServeIsTold) {
  settings_.drain_timeout_ms = 500;
  Start();
  RawClient half(port());
  half.Send("GET /hello HT");
  RawClient body(port());
  body.Send("POST /slow-echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  RawClient working(port());
  working.Send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  while (house_.waiting == 0) usleep(1000);
  server_->Drain();
  for (RawClient* const client : {&working, &body}) {
    const std::string answer = client->ReadToEnd();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
    EXPECT_NE(answer.find("GY1628"), std::string::npos);
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  }
  EXPECT_EQ(half.ReadToEnd(), "");
  house_.Release();
}

TEST_F(LimitsTest, StoppingAtOnceEndsStreamsAndUploads) {
  Start();
  RawClient stream(port());
  stream.Send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
  stream.ReadUntil("\n\n");
  RawClient upload(port());
  upload.Send("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  RawClient download(port());
  download.Send("GET /download?size=400000000 HTTP/1.1\r\nHost: x\r\n\r\n");
  download.ReadUntil("\r\n\r\n");
  server_.reset();
  EXPECT_EQ(house_.event_streams_ended, 1);
}

}  // namespace
}  // namespace gyre::net
