#include "ledger/access/testing/rooms.h"

namespace gyre::access {
namespace {

// --- roles

TEST_F(AccessTest, RolesHoldPerProjectAndRoutesWithoutOneAreForThoseWhoMayEverywhere) {
  AddUser("ann", {{"*", Role::kAdmin}});
  AddUser("dev", {{"churn", Role::kDeveloper}, {"fraud", Role::kViewer}});
  const std::string dev = Session("dev");
  EXPECT_EQ(With(dev, "GET /p/churn/data").substr(0, 3), "200");
  EXPECT_EQ(With(dev, "POST /p/churn/data").substr(0, 3), "200");
  EXPECT_EQ(With(dev, "GET /p/fraud/data").substr(0, 3), "200");
  EXPECT_EQ(With(dev, "POST /p/fraud/data"), "403 GY1702");
  EXPECT_EQ(With(dev, "GET /p/other/data"), "403 GY1702");
  EXPECT_EQ(With(dev, "GET /all"), "403 GY1702");
  EXPECT_EQ(With(dev, "GET /jobs"), "200 user dev churn,fraud,");
  EXPECT_EQ(With(dev, "POST /p/churn/approve"), "403 GY1702");
  EXPECT_EQ(With(dev, "POST /p/churn/deploy"), "403 GY1702");
  EXPECT_EQ(With(dev, "POST /users"), "403 GY1702");
  ASSERT_TRUE(access_->GrantRole(Owner(), "dev", {"churn", Role::kDeployer}).has_value());
  EXPECT_EQ(With(dev, "POST /p/churn/deploy").substr(0, 3), "200") << "in force at once";
  ASSERT_TRUE(access_->RevokeRole(Owner(), "dev", {"churn", Role::kDeployer}).has_value());
  EXPECT_EQ(With(dev, "POST /p/churn/deploy"), "403 GY1702");
  AddUser("nil", {});
  EXPECT_EQ(With(Session("nil"), "GET /me").substr(0, 3), "200");
  EXPECT_EQ(With(Session("nil"), "GET /jobs"), "403 GY1702");
}

TEST_F(AccessTest, APermissionOutsideTheTableIsNobodys) {
  AddUser("ann", {{"*", Role::kAdmin}});
  EXPECT_EQ(With(Session("ann"), "GET /unknown"), "403 GY1702");
}

TEST_F(AccessTest, EveryRouteIsClosedToStrangers) {
  Open({.auth_required = true});
  for (const net::Route& route : kRooms) {
    const std::string line =
        std::string(net::MethodName(route.method)) + " " + std::string(route.path);
    const std::string expected = route.permission.name == "public" ? "200" : "401";
    EXPECT_EQ(Tcp(line).substr(0, 3), expected) << line;
  }
}

TEST_F(AccessTest, TheFirstUserAdministersUnlessToldOtherwise) {
  AddUser("ann", {});
  EXPECT_EQ(access_->GetUser("ann")->grants.at(0).role, Role::kAdmin);
  AddUser("bob", {});
  EXPECT_TRUE(access_->GetUser("bob")->grants.empty());
}

TEST_F(AccessTest, SomebodyAlwaysAdministers) {
  AddUser("ann", {{"churn", Role::kViewer}});
  EXPECT_EQ(access_->CreateUser(Owner(), "bob", kPassword, {}).error().gy(), "GY1715");
  EXPECT_EQ(access_->ListUsers("", 10)->size(), 1u);
  ASSERT_TRUE(access_->GrantRole(Owner(), "ann", {"*", Role::kAdmin}).has_value());
  AddUser("bob", {});
  EXPECT_EQ(access_->RevokeRole(Owner(), "ann", {"*", Role::kAdmin}).error().gy(), "GY1715");
  EXPECT_EQ(access_->SetDisabled(Owner(), "ann", true).error().gy(), "GY1715");
  EXPECT_EQ(access_->DeleteUser(Owner(), "ann").error().gy(), "GY1715");
  EXPECT_EQ(access_->CreateUser(Owner(), "bob", kPassword, {}).error().gy(), "GY1713");
  EXPECT_EQ(access_->GetUser("eve").error().gy(), "GY1714");
}

// --- tokens

TEST_F(AccessTest, ScopesOnlyTakeAway) {
  AddUser("ann", {{"*", Role::kAdmin}});
  AddUser("dev", {{"churn", Role::kDeveloper}});
  const auto login = access_->Login("dev", kPassword, "x:1");
  const net::Principal dev = PrincipalOf(*login, "user");
  const auto make = [&](NewToken token) {
    const auto issued = access_->CreateToken(dev, std::move(token));
    EXPECT_TRUE(issued.has_value());
    return issued ? issued->secret : "";
  };
  const std::string read = make({.name = "r", .scopes = {"read"}});
  EXPECT_EQ(With(read, "GET /p/churn/data").substr(0, 3), "200");
  EXPECT_EQ(With(read, "POST /p/churn/data"), "403 GY1702");
  EXPECT_EQ(With(read, "GET /p/fraud/data"), "403 GY1702") << "its user may not";
  const std::string one = make({.name = "w", .scopes = {"dataset.write"}});
  EXPECT_EQ(With(one, "POST /p/churn/data").substr(0, 3), "200");
  EXPECT_EQ(With(one, "GET /p/churn/data"), "403 GY1702");
  const std::string predict = make({.name = "p", .scopes = {"predict:churn"}});
  EXPECT_EQ(With(predict, "POST /e/churn").substr(0, 3), "200");
  EXPECT_EQ(With(predict, "POST /e/other"), "403 GY1702");
  EXPECT_EQ(With(predict, "GET /p/churn/data"), "403 GY1702");
  const auto ann = access_->Login("ann", kPassword, "x:1");
  const auto limited = access_->CreateToken(PrincipalOf(*ann, "user"),
                                            {.name = "l", .scopes = {"*"}, .project = "churn"});
  EXPECT_EQ(With(limited->secret, "GET /p/churn/data").substr(0, 3), "200");
  EXPECT_EQ(With(limited->secret, "GET /p/fraud/data"), "403 GY1702");
  EXPECT_EQ(With(limited->secret, "POST /users"), "403 GY1702");
  EXPECT_EQ(With(limited->secret, "GET /jobs"), "200 token ann churn,");
  EXPECT_EQ(access_->CreateToken(dev, {.name = "x", .scopes = {"dataset.raed"}}).error().gy(),
            "GY1711");
  EXPECT_EQ(access_->CreateToken(dev, {.name = "x", .scopes = {}}).error().gy(), "GY1711");
}

TEST_F(AccessTest, TokensExpireAreRevokedAndRememberTheirUse) {
  AddUser("ann", {{"*", Role::kAdmin}});
  const auto login = access_->Login("ann", kPassword, "x:1");
  const net::Principal ann = PrincipalOf(*login, "user");
  const auto token =
      access_->CreateToken(ann, {.name = "ci", .lifetime_us = 60 * kMicrosPerSecond});
  EXPECT_EQ(With(token->secret, "GET /me"), "200 token ann *");
  const std::int64_t used_us = clock_.now_us;
  Open({});  // what was seen is written when the room closes
  bool seen = false;
  const auto tokens = access_->ListTokens(ann, "", 100);
  ASSERT_TRUE(tokens.has_value());
  for (const Token& each : *tokens) {
    if (each.id == token->token.id) seen = each.last_used_us == used_us;
  }
  EXPECT_TRUE(seen);
  clock_.now_us += 61 * kMicrosPerSecond;
  EXPECT_EQ(With(token->secret, "GET /me"), "401 GY1701");
  const auto next = access_->CreateToken(ann, {.name = "ci"});
  EXPECT_EQ(access_->RevokeToken(ann, "ffffffffffff").error().gy(), "GY1716");
  ASSERT_TRUE(access_->RevokeToken(ann, next->token.id.substr(0, 8)).has_value());
  EXPECT_EQ(With(next->secret, "GET /me"), "401 GY1701");
}

TEST_F(AccessTest, ATokenCannotMakeTokensAndUsersSeeTheirOwnOnly) {
  AddUser("ann", {{"*", Role::kAdmin}});
  AddUser("bob", {});
  const auto ann_login = access_->Login("ann", kPassword, "x:1");
  const auto bob_login = access_->Login("bob", kPassword, "x:1");
  const net::Principal ann = PrincipalOf(*ann_login, "user");
  const net::Principal bob = PrincipalOf(*bob_login, "user");
  const auto token = access_->CreateToken(bob, {.name = "b"});
  EXPECT_EQ(access_->CreateToken(PrincipalOf(*token, "token"), {.name = "c"}).error().gy(),
            "GY1706");
  EXPECT_EQ(access_->ListTokens(bob, "", 100)->size(), 2u);
  EXPECT_EQ(access_->ListTokens(ann, "", 100)->size(), 3u);
  EXPECT_EQ(access_->RevokeToken(bob, ann_login->token.id).error().gy(), "GY1716");
  EXPECT_TRUE(access_->RevokeToken(ann, token->token.id).has_value());
}

TEST_F(AccessTest, AProgramReadsItsProjectAndWritesItsRunOnly) {
  const auto secret = access_->IssueProgramToken("churn", "0123456789abcdef0123456789abcdef",
                                                 Owner(), 3600 * kMicrosPerSecond);
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(With(*secret, "GET /p/churn/data").substr(0, 11), "200 program");
  EXPECT_EQ(With(*secret, "POST /p/churn/runs/0123456789abcdef0123456789abcdef").substr(0, 3),
            "200");
  EXPECT_EQ(With(*secret, "POST /p/churn/runs/ffffffffffffffffffffffffffffffff"), "403 GY1702");
  EXPECT_EQ(With(*secret, "POST /p/churn/runs"), "403 GY1702");
  EXPECT_EQ(With(*secret, "GET /p/fraud/data"), "403 GY1702");
  EXPECT_EQ(With(*secret, "POST /p/churn/data"), "403 GY1702");
  EXPECT_EQ(With(*secret, "POST /p/churn/deploy"), "403 GY1702");
  EXPECT_EQ(With(*secret, "POST /users"), "403 GY1702");
  EXPECT_EQ(With(*secret, "GET /all"), "403 GY1702");
  EXPECT_EQ(With(*secret, "GET /jobs"), "200 program run 0123456789abcdef0123456789abcdef churn,");
  ASSERT_TRUE(access_->RevokeProgramTokens("0123456789abcdef0123456789abcdef").has_value());
  EXPECT_EQ(With(*secret, "GET /p/churn/data"), "401 GY1701");
}

TEST_F(AccessTest, AProgramMayAsItsUserInItsProjectOnTheRoutesForPrograms) {
  AddUser("ann", {{"*", Role::kAdmin}});
  AddUser("dev", {{"churn", Role::kDeveloper}, {"fraud", Role::kDeveloper}});
  AddUser("eve", {{"churn", Role::kViewer}});
  const std::string run = "0123456789abcdef0123456789abcdef";
  const auto program_of = [&](const net::Principal& by) {
    const auto secret = access_->IssueProgramToken("churn", run, by, 3600 * kMicrosPerSecond);
    EXPECT_TRUE(secret.has_value());
    return secret ? *secret : "";
  };
  const auto by_login = [&](std::string_view name) {
    return PrincipalOf(*access_->Login(name, kPassword, "x:1"), "user");
  };
  const std::string program = program_of(by_login("dev"));
  EXPECT_EQ(With(program, "POST /p/churn/door/runs").substr(0, 3), "200");
  EXPECT_EQ(With(program, "POST /door/models"), "200 program run " + run + " churn,");
  EXPECT_EQ(With(program, "POST /p/fraud/door/runs"), "403 GY1702") << "not its project";
  EXPECT_EQ(With(program, "POST /p/churn/runs"), "403 GY1702") << "another route";
  const std::string viewer = program_of(by_login("eve"));
  EXPECT_EQ(With(viewer, "POST /p/churn/door/runs"), "403 GY1702") << "its user may not";
  EXPECT_EQ(With(viewer, "POST /door/models"), "403 GY1702");
  const auto narrow = access_->CreateToken(by_login("dev"), {.name = "n", .scopes = {"run.write"}});
  const std::string limited = program_of(PrincipalOf(*narrow, "token"));
  EXPECT_EQ(With(limited, "POST /p/churn/door/runs").substr(0, 3), "200");
  EXPECT_EQ(With(limited, "POST /door/models"), "403 GY1702") << "the token that started it";
  const std::string owners = program_of(Owner());
  EXPECT_EQ(With(owners, "POST /p/churn/door/runs"), "403 GY1702") << "several users log in";
  EXPECT_EQ(With(owners, "POST /p/churn/runs/" + run).substr(0, 3), "200");
}

TEST_F(AccessTest, AProgramOfTheLocalOwnerMayWhatTheOwnerMay) {
  const auto program = access_->IssueProgramToken("churn", "0123456789abcdef0123456789abcdef",
                                                  Owner(), 3600 * kMicrosPerSecond);
  ASSERT_TRUE(program.has_value());
  EXPECT_EQ(With(*program, "POST /p/churn/door/runs").substr(0, 3), "200");
  EXPECT_EQ(With(*program, "POST /door/models").substr(0, 3), "200");
  EXPECT_EQ(With(*program, "POST /p/fraud/door/runs"), "403 GY1702");
}

TEST_F(AccessTest, AForeignPageCannotUseAToken) {
  AddUser("ann", {{"*", Role::kAdmin}});
  const std::string headers = "Host: localhost\r\nAuthorization: Bearer " + Session("ann") +
                              "\r\nOrigin: http://evil.example\r\n";
  EXPECT_EQ(Tcp("POST /users", headers), "403 GY1707");
}

}  // namespace
}  // namespace gyre::access
