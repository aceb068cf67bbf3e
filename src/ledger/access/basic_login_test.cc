// Names and passwords with each request, for clients that know no tokens.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "ledger/access/testing/rooms.h"

namespace gyre::access {
namespace {

class BasicLoginTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    AddUser("ann", {{"*", Role::kAdmin}});
    AddUser("ben", {{"blue", Role::kViewer}});
  }
  std::string As(const std::string& credentials, std::string_view line,
                 std::string_view more = "") const {
    return Tcp(line, "Host: localhost\r\nAuthorization: Basic " + Base64Encode(credentials) +
                         "\r\n" + std::string(more));
  }
  const std::string ann_ = "ann:" + std::string(kPassword), ben_ = "ben:" + std::string(kPassword);
};

TEST_F(BasicLoginTest, ANameAndItsPasswordComeInWithTheUsersRights) {
  EXPECT_EQ(As(ann_, "POST /users"), "200 user ann *");
  EXPECT_EQ(As(ben_, "GET /p/blue/data"), "200 user ben *");
  EXPECT_EQ(As(ben_, "POST /p/blue/data"), "403 GY1702");
  EXPECT_EQ(As(ben_, "GET /jobs"), "200 user ben blue,");
  EXPECT_EQ(As("ann:wrong password", "GET /me"), "401 GY1704");
  EXPECT_EQ(As("nobody:" + std::string(kPassword), "GET /me"), "401 GY1704");
  EXPECT_EQ(As("ann", "GET /me"), "401 GY1704");
  EXPECT_EQ(Tcp("GET /me", "Host: localhost\r\nAuthorization: Basic ***\r\n"), "401 GY1704");
}

TEST_F(BasicLoginTest, GuessingIsSlowedDown) {
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(As("ann:guess number " + std::to_string(i), "GET /me"), "401 GY1704");
  EXPECT_EQ(As(ben_, "GET /me"), "429 GY1705") << "the same address";
  EXPECT_EQ(As(ann_, "GET /me"), "429 GY1705");
  clock_.now_us += 61 * kMicrosPerSecond;
  EXPECT_EQ(As(ann_, "GET /me"), "200 user ann *");
}

// Whoever is in stays in while somebody else guesses the name's password.
TEST_F(BasicLoginTest, AGuesserLocksNobodyOutWhoIsIn) {
  EXPECT_EQ(As(ann_, "GET /me"), "200 user ann *");
  for (int i = 0; i < 6; ++i) As("ann:guess number " + std::to_string(i), "GET /me");
  EXPECT_EQ(As(ann_, "GET /me"), "200 user ann *");
}

TEST_F(BasicLoginTest, ItEndsWithThePasswordAndTheUser) {
  EXPECT_EQ(As(ben_, "GET /me"), "200 user ben *");
  ASSERT_TRUE(access_->SetPassword(Owner(), "ben", "another battery horse"));
  EXPECT_EQ(As(ben_, "GET /me"), "401 GY1704");
  EXPECT_EQ(As("ben:another battery horse", "GET /me"), "200 user ben *");
  ASSERT_TRUE(access_->SetDisabled(Owner(), "ben", true));
  EXPECT_EQ(As("ben:another battery horse", "GET /me"), "401 GY1704");
}

TEST_F(BasicLoginTest, ATokenMayStandInThePlaceOfThePassword) {
  const std::string session = Session("ann");
  EXPECT_EQ(As("ann:" + session, "GET /me"), "200 user ann *");
  EXPECT_EQ(As(":" + session, "GET /me"), "200 user ann *");
  EXPECT_EQ(As("ann:gyre_pat_0000", "GET /me"), "401 GY1701");
}

// A browser sends what it was told once to every page's requests.
TEST_F(BasicLoginTest, AForeignPageChangesNothing) {
  EXPECT_EQ(As(ann_, "POST /users", "Origin: http://evil.example\r\n"), "403 GY1707");
  EXPECT_EQ(As(ann_, "POST /users", "Origin: http://localhost\r\n"), "200 user ann *");
}

TEST_F(BasicLoginTest, ItIsNeverTakenForTheOwner) {
  ASSERT_TRUE(access_->DeleteUser(Owner(), "ben"));
  EXPECT_EQ(Tcp("GET /me"), kOwnerAnswer);
  EXPECT_EQ(As("x:y", "GET /me"), "401 GY1704");
}

}  // namespace
}  // namespace gyre::access
