#include <gtest/gtest.h>

#include "platform/net/testing/house.h"
#include "platform/net/testing/raw_client.h"

namespace gyre::net {
namespace {

using Smoke = ServerTest;

TEST_F(Smoke, AnswersInlineAndOnThePool) {
  Start();
  RawClient client(port());
  for (const char* path : {"/hello", "/slow-hello", "/hello"}) {
    ASSERT_TRUE(client.Send(std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    const std::string response = client.ReadResponse();
    EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\n")) << response;
    EXPECT_TRUE(response.ends_with("\r\n\r\nhello")) << response;
  }
}

}  // namespace
}  // namespace gyre::net
