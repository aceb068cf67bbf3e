#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "platform/net/testing/house.h"
#include "platform/net/testing/raw_client.h"

namespace gyre::net {
namespace {

// Keeps what it promised until a test keeps it.
class Promiser {
 public:
  Result<Response> Promise(Request& request) {
    ++begun;
    began_on = std::this_thread::get_id();
    if (request.body() == "refused") return InvalidArgument("GY2041", "not this one");
    Response response;
    response.later = [this, text = std::string(request.body())](Later later) {
      if (text == "throws") static_cast<void>(text.at(100));
      if (text == "at once") return later.Answer(Response::Text(text));
      if (text == "again") return later.Answer(Again());
      const MutexLock lock(mutex_);
      kept_.push_back(std::move(later));
      changed_.NotifyAll();
    };
    return response;
  }
  // Waits for that many, and takes them.
  std::vector<Later> Take(std::size_t count) {
    const MutexLock lock(mutex_);
    while (kept_.size() < count) changed_.Wait(mutex_);
    return std::exchange(kept_, {});
  }
  RouteTable table();
  std::atomic<int> begun{0};
  std::atomic<std::thread::id> began_on;

 private:
  static Response Again() {
    Response response;
    response.later = [](Later later) { later.Answer(Response::Text("twice later")); };
    return response;
  }
  Mutex mutex_;
  CondVar changed_;
  std::vector<Later> kept_ GYRE_GUARDED_BY(mutex_);
};

constexpr Route kPromiserRoutes[] = {
    {.method = Method::kPost,
     .path = "/promise",
     .handler = Bind<&Promiser::Promise>,
     .permission = kTestPermission,
     .summary = "Answers later",
     .body = Body::kBuffer,
     .where = Where::kDeferred,
     .audited = false},
    {.method = Method::kPost,
     .path = "/blocking-promise",
     .handler = Bind<&Promiser::Promise>,
     .permission = kTestPermission,
     .summary = "Answers later, and begins on a pool",
     .body = Body::kBuffer},
};
RouteTable Promiser::table() { return {"test", kPromiserRoutes, this}; }

class DeferredTest : public testing::Test {
 protected:
  void Start() {
    settings_.listen = "127.0.0.1:0";
    const RouteTable tables[] = {promiser_.table(), house_.table()};
    auto server = StartServer(settings_, tables, gate_, &notebook_);
    ASSERT_TRUE(server.has_value()) << server.error().ToString();
    server_ = *std::move(server);
  }
  static std::string Post(std::string_view body, std::string_view path = "/promise") {
    return fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", path,
                       body.size(), body);
  }
  static std::string BodyOf(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
  }
  void WaitForLines(std::size_t count) {
    while (notebook_.lines().size() < count)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  ServerSettings settings_;
  Promiser promiser_;
  House house_;
  OpenGate gate_;
  Notebook notebook_;
  std::unique_ptr<Server> server_;
};

TEST_F(DeferredTest, AnswersOfManyConnectionsComeInAnyOrderFromAnotherThread) {
  settings_.blocking_threads = 1;
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port()));
    clients.back()->Send(Post("x"));
  }
  auto promises = promiser_.Take(20);
  RawClient beside(server_->port());
  beside.Send("GET /slow-hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(BodyOf(beside.ReadResponse()), "hello") << "nobody's thread waits";
  for (std::size_t i = promises.size(); i-- > 0;) promises[i].Answer(Response::Text("kept"));
  for (const auto& client : clients) EXPECT_EQ(BodyOf(client->ReadResponse()), "kept");
  WaitForLines(21);
  for (const auto& line : notebook_.lines()) EXPECT_EQ(line.status, 200);
}

TEST_F(DeferredTest, WhatIsSentBehindItWaitsForItsTurn) {
  Start();
  RawClient client(server_->port());
  client.Send(Post("first") + Post("at once") + Post("refused") + Post("again") +
              "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  auto promises = promiser_.Take(1);
  EXPECT_EQ(promiser_.begun, 1);
  promises[0].Answer(Response::Text("kept"));
  EXPECT_EQ(BodyOf(client.ReadResponse()), "kept");
  EXPECT_EQ(BodyOf(client.ReadResponse()), "at once");
  EXPECT_TRUE(client.ReadResponse().contains("GY2041"));
  EXPECT_EQ(BodyOf(client.ReadResponse()), "twice later");
  EXPECT_EQ(BodyOf(client.ReadResponse()), "hello");
}

TEST_F(DeferredTest, ErrorsExceptionsAndLostAnswersAreAnswered) {
  Start();
  RawClient client(server_->port());
  client.Send(Post("x"));
  promiser_.Take(1)[0].Answer(InvalidArgument("GY1601", "the transaction says no"));
  EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 400"));
  client.Send(Post("x"));
  promiser_.Take(1).clear();
  const std::string lost = client.ReadResponse();
  EXPECT_TRUE(lost.starts_with("HTTP/1.1 500") && lost.contains("GY1600")) << lost;
  client.Send(Post("throws"));
  EXPECT_TRUE(client.ReadResponse().contains("GY1600"));
  client.Send(Post("at once"));
  EXPECT_EQ(BodyOf(client.ReadResponse()), "at once") << "the connection goes on";
}

TEST_F(DeferredTest, LargeBodiesAndOtherRowsBeginOnAPool) {
  settings_.io_threads = 1;
  Start();
  RawClient client(server_->port());
  client.Send(Post("at once"));
  EXPECT_EQ(BodyOf(client.ReadResponse()), "at once");
  const std::thread::id io = promiser_.began_on;
  for (const std::size_t size : {std::size_t{20'000}, std::size_t{200'000}}) {
    client.Send(Post(std::string(size, 'x')));
    promiser_.Take(1)[0].Answer(Response::Text("large"));
    EXPECT_EQ(BodyOf(client.ReadResponse()), "large");
    EXPECT_NE(promiser_.began_on.load(), io);
  }
  client.Send(Post("x", "/blocking-promise"));
  promiser_.Take(1)[0].Answer(Response::Text("kept"));
  EXPECT_EQ(BodyOf(client.ReadResponse()), "kept");
  EXPECT_NE(promiser_.began_on.load(), io);
}

TEST_F(DeferredTest, AClientThatHasGoneIsToldOfOnce) {
  Start();
  auto client = std::make_unique<RawClient>(server_->port());
  client->Send(Post("x"));
  auto promises = promiser_.Take(1);
  linger abrupt{1, 0};
  setsockopt(client->fd(), SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
  client.reset();
  RawClient other(server_->port());
  other.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  other.ReadResponse();
  promises[0].Answer(Response::Text("to nobody"));
  WaitForLines(2);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  int told = 0;
  for (const auto& line : notebook_.lines()) told += line.path == "/promise" ? 1 : 0;
  EXPECT_EQ(told, 1);
}

TEST_F(DeferredTest, AClientThatOnlySendsNoMoreGetsItsAnswer) {
  Start();
  RawClient client(server_->port());
  client.Send(Post("x"));
  client.HalfClose();
  auto promises = promiser_.Take(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  promises[0].Answer(Response::Text("kept"));
  EXPECT_EQ(BodyOf(client.ReadResponse()), "kept");
  EXPECT_TRUE(client.AtEnd());
}

TEST_F(DeferredTest, DrainingWaitsForThem) {
  Start();
  RawClient client(server_->port());
  client.Send(Post("x"));
  auto promises = promiser_.Take(1);
  std::thread drain([&] { server_->Drain(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  promises[0].Answer(Response::Text("kept"));
  const std::string response = client.ReadResponse();
  EXPECT_EQ(BodyOf(response), "kept");
  EXPECT_TRUE(response.contains("Connection: close"));
  drain.join();
}

TEST_F(DeferredTest, OneThatComesAfterTheDrainIsRefusedBeforeAndForgotten) {
  settings_.drain_timeout_ms = 100;
  Start();
  RawClient client(server_->port());
  client.Send(Post("x"));
  auto promises = promiser_.Take(1);
  server_->Drain();
  EXPECT_TRUE(client.ReadResponse().contains("GY1628"));
  std::thread end([&] { server_.reset(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  promises[0].Answer(Response::Text("too late"));
  end.join();
  ASSERT_EQ(notebook_.lines().size(), 1u);
  EXPECT_EQ(notebook_.lines()[0].status, 499);
}

TEST_F(DeferredTest, AnAuditedRowIsAProgrammersError) {
  static constexpr Route kAudited[] = {{.method = Method::kPost,
                                        .path = "/audited",
                                        .handler = Bind<&Promiser::Promise>,
                                        .permission = kTestPermission,
                                        .summary = "Cannot be",
                                        .where = Where::kDeferred}};
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const RouteTable tables[] = {{"test", kAudited, &promiser_}};
  EXPECT_DEATH(static_cast<void>(StartServer({.listen = "127.0.0.1:0"}, tables, gate_, nullptr)),
               "");
}

}  // namespace
}  // namespace gyre::net
