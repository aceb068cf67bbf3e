#include "platform/net/client.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <deque>

#include "platform/exec/thread_pool.h"
#include "platform/net/egress.h"
#include "platform/net/testing/house.h"

namespace gyre::net {
namespace {

class ClientTest : public ServerTest {
 protected:
  Client Connect() { return Client({.url = server_->url()}); }
};

TEST_F(ClientTest, SendsAndReceivesOnOneConnection) {
  Start();
  Client client = Connect();
  for (int i = 0; i < 3; ++i) {
    const auto response = client.Send({.method = "POST", .path = "/echo", .body = "abc"});
    ASSERT_TRUE(response.has_value()) << response.error().ToString();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "abc");
    EXPECT_EQ(response->Header("content-type"), "text/plain; charset=utf-8");
  }
}

TEST_F(ClientTest, ErrorStatusIsAResponseAndBecomesItsError) {
  Start();
  Client client = Connect();
  const auto response = client.Send({.path = "/fails"});
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 422);
  const Error error = ErrorOfResponse(*response);
  EXPECT_EQ(error.gy(), "GY2041");
  EXPECT_EQ(error.code(), Code::kInvalidArgument);
  EXPECT_EQ(error.message(), "column `age` is text");
  EXPECT_EQ(error.where(), "sales.csv:3:7");
  EXPECT_EQ(error.why(), "w");
  ASSERT_EQ(error.fixes().size(), 1u);
}

TEST_F(ClientTest, StreamsBothWaysAtOnce) {
  Start();
  Client client = Connect();
  // Far more than all buffers together: a client that first sent everything and then read would
  // wait for ever.
  constexpr std::int64_t kPieces = 400;
  std::int64_t sent = 0;
  std::int64_t received = 0;
  ClientRequest request{.method = "POST", .path = "/mirror"};
  request.body_source = [&]() -> Result<std::string> {
    return sent++ < kPieces ? std::string(100'000, 'z') : std::string();
  };
  request.body_sink = [&](std::string_view piece) -> Result<> {
    received += static_cast<std::int64_t>(piece.size());
    return {};
  };
  const auto response = client.Send(std::move(request));
  ASSERT_TRUE(response.has_value()) << response.error().ToString();
  EXPECT_EQ(received, kPieces * 100'000);
}

TEST_F(ClientTest, HearsAnEarlyRefusalInsteadOfABrokenPipe) {
  Start();
  Client client = Connect();
  ClientRequest request{.method = "POST", .path = "/small-upload"};
  int calls = 0;
  request.body_source = [&]() -> Result<std::string> {
    return ++calls < 50 ? std::string(100'000, 'z') : std::string();
  };
  const auto response = client.Send(std::move(request));
  ASSERT_TRUE(response.has_value()) << response.error().ToString();
  EXPECT_EQ(response->status, 413);
  const auto after = client.Send({.path = "/hello"});
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->body, "hello");
}

TEST_F(ClientTest, SinkErrorEndsTheTransfer) {
  Start();
  Client client = Connect();
  ClientRequest request{.path = "/download?size=100000000"};
  request.body_sink = [](std::string_view) -> Result<> { return Internal("GY1003", "disk full"); };
  const auto response = client.Send(std::move(request));
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().gy(), "GY1003");
}

TEST_F(ClientTest, BrokenStreamIsAnErrorNotAShortBody) {
  Start();
  Client client = Connect();
  const auto response = client.Send({.path = "/breaks"});
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().gy(), "GY1624");
}

TEST_F(ClientTest, TimesOut) {
  Start();
  Client client = Connect();
  const auto response = client.Send({.path = "/wait", .timeout_ms = 50});
  house_.Release();
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().gy(), "GY1621");
}

TEST_F(ClientTest, GoesOnlyWhereItsGuardLetsIt) {
  const char* const sanitizer = std::getenv("GYRE_SANITIZER");
  if (sanitizer != nullptr && std::string_view(sanitizer) == "tsan")
    GTEST_SKIP() << "libc looks names up in a thread that this sanitizer does not know";
  Start();
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    const std::string url = "http://" + host + ":" + std::to_string(port());
    const EgressGuard closed = *EgressGuard::Parse(""), open = *EgressGuard::Parse("loopback");
    EXPECT_EQ(Client({.url = url, .guard = &closed}).Send({.path = "/hello"}).error().gy(),
              "GY1626");
    EXPECT_TRUE(Client({.url = url, .guard = &open}).Send({.path = "/hello"}));
  }
}

TEST_F(ClientTest, GivesUpAndSaysSoWhenNobodyCanBeFound) {
  const auto unknown = Client({.url = "http://nobody.invalid"}).Send({.path = "/"});
  EXPECT_EQ(unknown.error().gy(), "GY1620");
}

TEST_F(ClientTest, KeepsTheBeginningOfALongAnswer) {
  Start();
  Client client = Connect();
  const auto response = client.Send({.path = "/download?size=100000000", .body_bytes_kept = 1000});
  ASSERT_TRUE(response) << response.error().ToString();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, std::string(1000, 'x'));
  EXPECT_EQ(client.Send({.path = "/hello", .body_bytes_kept = 1000})->body, "hello");
}

TEST_F(ClientTest, ReconnectsAfterTheServerWasReplaced) {
  Start();
  Client client = Connect();
  ASSERT_TRUE(client.Send({.path = "/hello"}).has_value());
  settings_.listen = "127.0.0.1:" + std::to_string(port());
  server_.reset();
  EXPECT_EQ(client.Send({.path = "/hello"}).error().gy(), "GY1620");
  Start();
  EXPECT_TRUE(client.Send({.path = "/hello"}).has_value());
}

TEST_F(ClientTest, SpeaksOverAUnixSocketOfAnyPathLength) {
  std::string outer = testing::TempDir() + "gyre_client_XXXXXX";
  ASSERT_NE(mkdtemp(outer.data()), nullptr);
  const std::string folder = outer + "/" + std::string(120, 'd');
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  settings_.unix_socket = folder + "/gyre.sock";
  Start();
  struct stat info{};
  ASSERT_EQ(stat(settings_.unix_socket.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  Client client({.unix_socket = settings_.unix_socket});
  const auto response = client.Send({.path = "/hello"});
  ASSERT_TRUE(response.has_value()) << response.error().ToString();
  server_.reset();
  EXPECT_NE(stat(settings_.unix_socket.c_str(), &info), 0);
  EXPECT_EQ(rmdir(folder.c_str()), 0);
  EXPECT_EQ(rmdir(outer.c_str()), 0);
}

// Whoever refuses a body before reading it says so and ends the connection: the answer is always
// seen, and the next request is not mistaken for what was left of the body.
TEST_F(ClientTest, ABodyThatNobodyReadsHidesNoAnswer) {
  settings_.unix_socket = testing::TempDir() + "gyre_unread_" + std::to_string(getpid());
  Start();
  Client clients[] = {Connect(), Client({.unix_socket = settings_.unix_socket})};
  struct Case {
    std::string method, path;
    int status;
  };
  for (const Case& c :
       {Case{"POST", "/small-upload", 413}, Case{"POST", "/ignore", 200}, Case{"PUT", "/echo", 413},
        Case{"POST", "/hello", 405}, Case{"POST", "/nowhere", 404}}) {
    for (const std::int64_t bytes : {2'000LL, 100'000LL, 20'000'000LL}) {
      for (const bool announced : {true, false}) {
        for (Client& client : clients) {
          SCOPED_TRACE(fmt::format("{} {} of {} bytes", c.method, c.path, bytes));
          ClientRequest request{.method = c.method, .path = c.path};
          if (announced) request.content_length = bytes;
          request.body_source = [left = bytes]() mutable -> Result<std::string> {
            const std::int64_t size = std::min<std::int64_t>(left, 64 << 10);
            left -= size;
            return std::string(static_cast<std::size_t>(size), 'x');
          };
          const auto answer = client.Send(std::move(request));
          ASSERT_TRUE(answer) << answer.error().ToString();
          EXPECT_EQ(answer->status, c.status);
          const auto next = client.Send({.path = "/hello"});
          ASSERT_TRUE(next) << next.error().ToString();
          EXPECT_EQ(next->body, "hello");
        }
      }
    }
  }
}

// Each request is carried out once and answered, or its client is told that nothing was done.
TEST_F(ClientTest, ServersOfOneSocketThatComeAndGoLoseNoRequest) {
  settings_.listen = "";
  settings_.unix_socket = testing::TempDir() + "gyre_relay_" + std::to_string(getpid());
  std::atomic<int> answered{0}, refused{0}, lost{0};
  std::atomic<bool> stop{false};
  std::deque<exec::Worker> callers;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back("caller", [&, i](const exec::StopFlag&) {
      // Half of them keep their connection.
      Client kept({.unix_socket = settings_.unix_socket});
      while (!stop) {
        Client fresh({.unix_socket = settings_.unix_socket});
        Client& client = i % 2 == 0 ? kept : fresh;
        const auto response = client.Send(
            {.method = "POST", .path = i % 3 == 0 ? "/slow-echo" : "/echo", .body = "x"});
        if (response)
          ++answered;
        else
          ++(response.error().gy() == "GY1620" ? refused : lost);
      }
    });
  }
  for (int i = 0; i < 150; ++i) {
    Start();
    usleep(500);
    server_->Drain();
    server_.reset();
  }
  stop = true;
  callers.clear();
  EXPECT_EQ(lost, 0);
  EXPECT_GT(answered, 150);
  EXPECT_EQ(static_cast<std::size_t>(answered), notebook_.lines().size());
}

TEST_F(ClientTest, RefusesAddressesAndHeadersThatWouldSplitARequest) {
  Start();
  EXPECT_EQ(Client({.url = "ftp://x"}).Send({}).error().gy(), "GY1623");
  EXPECT_EQ(Client({.url = "http://host:99999"}).Send({.path = "/"}).error().gy(), "GY1623");
  Client client = Connect();
  EXPECT_EQ(client.Send({.path = "/a b"}).error().gy(), "GY1623");
  EXPECT_EQ(client.Send({.path = "/hello", .headers = {{"X-A", "1\r\nX-B: 2"}}}).error().gy(),
            "GY1623");
}

}  // namespace
}  // namespace gyre::net
