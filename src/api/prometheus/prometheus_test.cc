#include "api/prometheus/prometheus.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "platform/net/testing/house.h"
#include "platform/net/testing/raw_client.h"
#include "platform/telemetry/log.h"

namespace gyre::prometheus {
namespace {

TEST(PrometheusTest, CountsByRoutePatternAndLogsWithoutQueryOrBody) {
  const std::string log = testing::TempDir() + "gyre_access_" + std::to_string(getpid()) + ".log";
  ASSERT_TRUE(telemetry::ConfigureLog({.file = log}).has_value());
  telemetry::Metrics metrics;
  MetricsApi api(metrics);
  net::House house;
  net::OpenGate gate;
  const net::RouteTable tables[] = {house.table(), api.table()};
  RequestObserver observer(metrics, tables, RequestObserver::AccessLog::kOn);
  auto server = net::StartServer({.listen = "127.0.0.1:0"}, tables, gate, &observer);
  ASSERT_TRUE(server.has_value());
  net::RawClient client((*server)->port());
  const auto get = [&](std::string_view path) {
    client.Send(
        "GET " + std::string(path) +
        " HTTP/1.1\r\nHost: x\r\nX-Request-Id: id-1\r\nAuthorization: Bearer hunter2\r\n\r\n");
    return client.ReadResponse();
  };
  get("/names/ann?secret=swordfish");
  get("/names/bob");
  get("/files/ann?secret=swordfish");
  get("/hello");
  get("/nowhere");
  client.Send("POST /slow-echo HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\nbodybod");
  client.ReadResponse();
  const std::string text = get("/metrics");
  EXPECT_NE(text.find("gyre_http_requests_total{protocol=\"test\",method=\"GET\",route=\"/names/"
                      "{name}\",status=\"200\"} 2\n"),
            std::string::npos)
      << text;
  EXPECT_NE(
      text.find(
          "gyre_http_requests_total{protocol=\"\",method=\"\",route=\"\",status=\"404\"} 1\n"),
      std::string::npos);
  EXPECT_NE(
      text.find(
          "gyre_http_request_seconds_count{protocol=\"test\",method=\"GET\",route=\"/hello\"} 1\n"),
      std::string::npos);
  server->reset();
  telemetry::FlushLog();
  std::ifstream in(log);
  const std::string lines{std::istreambuf_iterator<char>(in), {}};
  EXPECT_NE(lines.find("method=GET path=/files/ann status=400"), std::string::npos) << lines;
  EXPECT_NE(lines.find("request_id=id-1"), std::string::npos);
  EXPECT_EQ(lines.find("path=/hello"), std::string::npos)
      << "inline routes are silent while they succeed";
  for (const char* never : {"swordfish", "hunter2", "bodybod"})
    EXPECT_EQ(lines.find(never), std::string::npos) << never;
  ASSERT_TRUE(telemetry::ConfigureLog({}).has_value());
  unlink(log.c_str());
}

}  // namespace
}  // namespace gyre::prometheus
