// Logged in from a browser.
#include "ledger/access/session_cookie.h"

#include <gtest/gtest.h>

#include "ledger/access/testing/rooms.h"

namespace gyre::access {
namespace {

class SessionCookieTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    AddUser("ann", {{"*", Role::kAdmin}});
    AddUser("ben", {{"blue", Role::kViewer}});
    const auto issued = access_->Login("ann", kPassword, "127.0.0.1:1");
    ASSERT_TRUE(issued) << issued.error().ToString();
    secret_ = issued->secret;
  }
  std::string With(std::string_view line, const std::string& more = "",
                   const std::string& cookie = "gyre_session") const {
    return Tcp(line,
               "Host: localhost\r\nCookie: a=b; " + cookie + "=" + secret_ + "; c\r\n" + more);
  }
  std::string secret_;
  const std::string ours_ = "X-Gyre-Browser: 1\r\n";
};

TEST_F(SessionCookieTest, TheCookieIsTheSession) {
  EXPECT_EQ(With("GET /me"), "200 user ann *");
  EXPECT_EQ(With("POST /users", ours_), "200 user ann *");
  EXPECT_EQ(Tcp("GET /me", "Host: localhost\r\nCookie: gyre_session=gyre_ses_0\r\n"), "401 GY1701");
  ASSERT_TRUE(access_->SetPassword(Owner(), "ann", "another battery horse"));
  EXPECT_EQ(With("GET /me"), "401 GY1701");
}

TEST_F(SessionCookieTest, AnotherPortsCookieIsAnotherServers) {
  EXPECT_EQ(With("GET /me", "", "gyre_session_7171"), "401 GY1701");
  EXPECT_EQ(Tcp("GET /me", "Host: localhost:7171\r\nCookie: gyre_session_7171=" + secret_ + "\r\n"),
            "200 user ann *");
}

TEST_F(SessionCookieTest, OnlyOurPagesChangeAnything) {
  EXPECT_EQ(With("POST /users"), "403 GY1721");
  EXPECT_EQ(With("POST /users", "Origin: http://localhost\r\n"), "403 GY1721");
  EXPECT_EQ(With("POST /users", ours_ + "Origin: http://localhost\r\n"), "200 user ann *");
  for (const char* origin : {"http://localhost:9999", "http://evil.example", "null"})
    EXPECT_EQ(With("POST /users", ours_ + "Origin: " + origin + "\r\n"), "403 GY1721") << origin;
  for (const char* site : {"cross-site", "same-site"})
    EXPECT_EQ(With("GET /me", std::string("Sec-Fetch-Site: ") + site + "\r\n"), "401 GY1701");
}

TEST_F(SessionCookieTest, AStaleCookieDoesNotShutTheOwnerOut) {
  ASSERT_TRUE(access_->DeleteUser(Owner(), "ben"));
  EXPECT_EQ(Tcp("GET /me", "Host: localhost\r\nCookie: gyre_session=gyre_ses_0\r\n"), kOwnerAnswer);
  EXPECT_EQ(With("GET /me"), "200 user ann *");
}

}  // namespace
}  // namespace gyre::access
