// A server with a few routes of every kind, and gates that let everybody in. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "platform/net/server.h"

namespace gyre::net {

class OpenGate final : public Gatekeeper {
 public:
  Result<> Admit(Request& request, const Route&) override {
    request.principal.id = "somebody";
    return {};
  }
  bool AdmitsWithoutWaiting(const Request&, const Route&) const override { return true; }
};

class Notebook final : public Observer {
 public:
  struct Line {
    std::string path, protocol;
    int status;
    std::int64_t bytes;
  };
  void OnFinished(const Finished& finished) override {
    MutexLock lock(mutex_);
    lines_.push_back({std::string(finished.request.path()), std::string(finished.protocol),
                      finished.status, finished.response_bytes});
  }
  std::vector<Line> lines() {
    MutexLock lock(mutex_);
    return lines_;
  }

 private:
  Mutex mutex_;
  std::vector<Line> lines_ GYRE_GUARDED_BY(mutex_);
};

class House {
 public:
  Result<Response> Hello(Request&) { return Response::Text("hello"); }
  Result<Response> Echo(Request& request) { return Response::Text(std::string(request.body())); }
  Result<Response> Name(Request& request) {
    Json query = Json::Arr();
    for (const auto& [name, value] : request.query) query.Push(Json::Arr({name, value}));
    return Response::JsonDoc(Json::Obj({{"name", request.Param("name")}, {"query", query}}));
  }
  Result<Response> Ask(Request& request) {
    GYRE_TRY(const Json body, request.JsonBody());
    std::string text = request.Query("colour").value_or("");
    for (const std::string& tag : request.QueryAll("tag")) text += " " + tag;
    return Response::Text(text + " " + body["text"].AsString());
  }
  Result<Response> Files(Request& request) { return Response::Text(request.Param("path")); }
  Result<Response> Upload(Request& request) {
    std::int64_t bytes = 0;
    unsigned long sum = 0;
    while (true) {
      GYRE_TRY(const std::string piece, request.body_reader().Next());
      if (piece.empty()) break;
      bytes += static_cast<std::int64_t>(piece.size());
      for (const char c : piece) sum += static_cast<unsigned char>(c);
    }
    return Response::Text(std::to_string(bytes) + " " + std::to_string(sum));
  }
  Result<Response> Ignore(Request&) { return Response::Text("not read"); }
  Result<Response> Mirror(Request& request) {
    Response response = Response::Text("");
    response.stream = [&request](BodyWriter& writer) -> Result<> {
      while (true) {
        GYRE_TRY(const std::string piece, request.body_reader().Next());
        if (piece.empty()) return {};
        GYRE_DO(writer.Write(piece));
      }
    };
    return response;
  }
  Result<Response> Download(Request& request) {
    GYRE_TRY(const std::int64_t size, request.QueryInt("size", 1000, 0, 1'000'000'000));
    Response response = Response::Text("", 200, "application/octet-stream");
    if (request.Query("length")) response.content_length = size;
    response.stream = [size](BodyWriter& writer) -> Result<> {
      const std::string piece(10'000, 'x');
      for (std::int64_t sent = 0; sent < size; sent += 10'000) {
        GYRE_DO(writer.Write(std::string_view(piece).substr(
            0, static_cast<std::size_t>(std::min<std::int64_t>(10'000, size - sent)))));
      }
      return {};
    };
    return response;
  }
  Result<Response> Breaks(Request&) {
    Response response = Response::Text("");
    response.stream = [](BodyWriter& writer) -> Result<> {
      GYRE_DO(writer.Write("half"));
      return Internal("GY1600", "broke");
    };
    return response;
  }
  Result<Response> Events(Request& request) {
    Response response = Response::Text("", 200, "text/event-stream");
    response.stream = [this, &request](BodyWriter& writer) -> Result<> {
      GYRE_DO(writer.Write(SseEvent("tick", "one\ntwo", "7")));
      MutexLock lock(mutex_);
      while (!request.client_gone()) tick_.WaitMicros(mutex_, 1'000);
      ++event_streams_ended;
      return {};
    };
    return response;
  }
  Result<Response> Large(Request&) {
    return Response::Text(std::string(100'000, 'a'), 200, "application/json");
  }
  Result<Response> Wait(Request&) {
    ++waiting;
    MutexLock lock(mutex_);
    while (!released_) tick_.WaitMicros(mutex_, 1'000);
    return Response::Text("waited");
  }
  Result<Response> Fails(Request&) {
    return InvalidArgument("GY2041", "column `age` is text")
        .Where("sales.csv:3:7")
        .Why("w")
        .Fix("f");
  }
  Result<Response> Throws(Request&) { return Response::Text(std::string().at(3) == 'x' ? "" : ""); }
  void Release() {
    MutexLock lock(mutex_);
    released_ = true;
  }
  std::atomic<int> waiting{0}, event_streams_ended{0};

  RouteTable table();

 private:
  Mutex mutex_;
  CondVar tick_;
  bool released_ GYRE_GUARDED_BY(mutex_) = false;
};

inline constexpr Permission kTestPermission{"dataset.read"};
inline constexpr Route kHouseRoutes[] = {
    {Method::kGet, "/hello", Bind<&House::Hello>, kPublic, "Says hello", Body::kNone, 0,
     Where::kInline},
    {Method::kGet, "/slow-hello", Bind<&House::Hello>, kTestPermission,
     "Says hello on a pool thread"},
    {Method::kPost, "/echo", Bind<&House::Echo>, kTestPermission, "Echoes", Body::kBuffer, 1 << 20,
     Where::kInline},
    {Method::kPost, "/slow-echo", Bind<&House::Echo>, kTestPermission, "Echoes", Body::kBuffer,
     1 << 20},
    {Method::kPut, "/echo", Bind<&House::Echo>, kTestPermission, "Echoes too", Body::kBuffer, 100},
    {Method::kGet,
     "/names/{name}",
     Bind<&House::Name>,
     kTestPermission,
     "A name",
     Body::kNone,
     0,
     Where::kInline,
     "",
     "Name",
     true,
     nullptr,
     false,
     {},
     {},
     true},
    {.method = Method::kGet,
     .path = "/names/all",
     .handler = Bind<&House::Hello>,
     .permission = kTestPermission,
     .summary = "A literal wins",
     .any_query = true},
    {.method = Method::kPost,
     .path = "/ask",
     .handler = Bind<&House::Ask>,
     .permission = kTestPermission,
     .summary = "Lists what it takes",
     .body = Body::kBuffer,
     .request_type = "Question",
     .query = {{"colour", Type::kText, "of it", "red|blue"}, {"tag", Type::kTexts, "of it"}},
     .members = {{"text", Type::kText, "what", "", kRequired}}},
    {Method::kGet, "/files/{path*}", Bind<&House::Files>, kTestPermission, "The rest"},
    {Method::kPost, "/upload", Bind<&House::Upload>, kTestPermission, "Counts", Body::kStream,
     1 << 30},
    {Method::kPost, "/small-upload", Bind<&House::Upload>, kTestPermission, "Counts", Body::kStream,
     1000},
    {Method::kPost, "/ignore", Bind<&House::Ignore>, kTestPermission, "Reads nothing",
     Body::kStream, 1 << 30},
    {Method::kPost, "/mirror", Bind<&House::Mirror>, kTestPermission, "Streams both ways",
     Body::kStream, 1 << 30},
    {.method = Method::kGet,
     .path = "/download",
     .handler = Bind<&House::Download>,
     .permission = kTestPermission,
     .summary = "Streams",
     .query = {{"size", Type::kWhole, "in bytes"}, {"length", Type::kText, "say it before"}}},
    {Method::kGet, "/breaks", Bind<&House::Breaks>, kTestPermission, "Breaks in the middle"},
    {Method::kGet, "/events", Bind<&House::Events>, kTestPermission, "Server-sent events"},
    {Method::kGet, "/large", Bind<&House::Large>, kTestPermission, "Compressible"},
    {Method::kGet, "/wait", Bind<&House::Wait>, kTestPermission, "Waits for the test"},
    {Method::kGet, "/fails", Bind<&House::Fails>, kTestPermission, "Fails"},
    {Method::kGet, "/throws", Bind<&House::Throws>, kTestPermission, "Throws"},
};
inline RouteTable House::table() { return {"test", kHouseRoutes, this}; }

// A running server on a free port; settings may be changed before Start.
class ServerTest : public testing::Test {
 protected:
  void Start() {
    settings_.listen =
        settings_.listen == ServerSettings().listen ? "127.0.0.1:0" : settings_.listen;
    const RouteTable tables[] = {house_.table()};
    auto server = StartServer(settings_, tables, gate_, &notebook_);
    ASSERT_TRUE(server.has_value()) << server.error().ToString();
    server_ = *std::move(server);
  }
  int port() const { return server_->port(); }

  ServerSettings settings_;
  House house_;
  OpenGate gate_;
  Notebook notebook_;
  std::unique_ptr<Server> server_;
};

}  // namespace gyre::net
