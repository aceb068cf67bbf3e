#include "ledger/access/access.h"

#include "ledger/access/testing/rooms.h"
#include "platform/db/write_companion.h"

namespace gyre::access {
namespace {

// --- the local owner

TEST_F(AccessTest, TheOwnerNeedsNoLoginOnSocketAndLoopback) {
  EXPECT_EQ(Socket("GET /me"), kOwnerAnswer);
  EXPECT_EQ(Tcp("GET /me"), kOwnerAnswer);
  EXPECT_EQ(Tcp("POST /users"), kOwnerAnswer);
  for (const char* host :
       {"localhost:7171", "127.0.0.1", "127.1.2.3:80", "[::1]:7171", "LOCALHOST"}) {
    EXPECT_EQ(Tcp("GET /me", "Host: " + std::string(host) + "\r\n"), kOwnerAnswer) << host;
  }
}

TEST_F(AccessTest, AnotherLocalUserGets401) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  EXPECT_EQ(AsNobody(false), "401 GY1701");
  // Even when the socket's mode does not keep him out.
  chmod(folder_.c_str(), 0755);
  chmod((folder_ + "/s").c_str(), 0666);
  EXPECT_EQ(AsNobody(true), "401 GY1701");
  // And root is no exception when somebody else runs the server.
  Open({.owner_uid = 65534});
  EXPECT_EQ(Tcp("GET /me"), "401 GY1701");
  EXPECT_EQ(AsNobody(false), kOwnerAnswer);
}

TEST_F(AccessTest, AForwardedRequestIsNotTheOwners) {
  for (const char* header : {"X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1",
                             "X-Real-IP: 127.0.0.1", "Via: 1.1 proxy", "X-Forwarded-Proto: http"}) {
    EXPECT_EQ(Tcp("GET /me", "Host: localhost\r\n" + std::string(header) + "\r\n"), "401 GY1701")
        << header;
    EXPECT_EQ(Socket("GET /me", "Host: localhost\r\n" + std::string(header) + "\r\n"), "401 GY1701")
        << header;
  }
}

TEST_F(AccessTest, DnsRebindingIsRefused) {
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
                           "127.0.0.1.", "127.1", "0.0.0.0", "192.168.0.1", "127.0.0.256", "[::2]",
                           "@localhost", "[::1].evil.example", "localhost:80.evil.example"}) {
    EXPECT_EQ(Tcp("GET http://" + std::string(host) + "/me", "Host: localhost\r\n").substr(0, 2),
              "40")
        << host;
    EXPECT_EQ(Tcp("GET /me", "Host: " + std::string(host) + "\r\n"), "401 GY1701") << host;
  }
}

TEST_F(AccessTest, RequestsOfForeignPagesAreRefused) {
  for (const char* origin :
       {"http://evil.example", "http://localhost:9999", "https://localhost.evil.example",
        "https://localhost:7171", "null", "file://", ""}) {
    EXPECT_EQ(Tcp("POST /users", "Host: localhost:7171\r\nOrigin: " + std::string(origin) + "\r\n"),
              "401 GY1701")
        << origin;
  }
  EXPECT_EQ(Tcp("POST /users", "Host: localhost:7171\r\nOrigin: http://localhost:7171\r\n"),
            kOwnerAnswer);
  EXPECT_EQ(Tcp("GET /me", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"), "401 GY1701");
  EXPECT_EQ(Tcp("GET /me", "Host: localhost\r\nSec-Fetch-Site: none\r\n"), kOwnerAnswer);
}

TEST_F(AccessTest, ItEndsWithTheSecondUser) {
  AddUser("ann", {{"*", Role::kAdmin}});
  EXPECT_EQ(Tcp("GET /me"), kOwnerAnswer);
  EXPECT_FALSE(access_->several_users());
  AddUser("bob", {});
  EXPECT_EQ(Tcp("GET /me"), "401 GY1701");
  EXPECT_EQ(Socket("GET /me"), "401 GY1701");
  EXPECT_TRUE(access_->several_users());
  std::string why;
  EXPECT_FALSE(access_->local_owner_allowed(&why));
  EXPECT_FALSE(why.empty());
  EXPECT_EQ(With(Session("ann"), "GET /me"), "200 user ann *");
  Open({});
  EXPECT_EQ(Tcp("GET /me"), "401 GY1701") << "also after a restart";
}

TEST_F(AccessTest, TheOwnersTokensEndWithTheSecondUser) {
  AddUser("ann", {{"*", Role::kAdmin}});
  const auto token = access_->CreateToken(Owner(), {.name = "early"});
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(With(token->secret, "POST /users"), "200 token local-owner *");
  AddUser("bob", {});
  EXPECT_EQ(With(token->secret, "POST /users"), "401 GY1701");
  EXPECT_EQ(With(token->secret, "GET /me"), "401 GY1701");
}

// Comparing a password takes long: meanwhile an administrator acts.
TEST_F(AccessTest, ALoginThatIsOvertakenGivesNothing) {
  AddUser("ann", {{"*", Role::kAdmin}});
  const auto overtaken_by = [&](const std::function<void()>& act) {
    AddUser("eve", {{"churn", Role::kViewer}});
    Result<Issued> issued = Internal("GY1000", "not run");
    {
      const exec::Worker login("login", [&](const exec::StopFlag&) {
        issued = access_->Login("eve", kPassword, "x:1");
      });
      usleep(10'000);
      act();
    }
    const std::string answer = issued ? With(issued->secret, "POST /users") : issued.error().gy();
    static_cast<void>(access_->DeleteUser(Owner(), "eve"));
    return answer;
  };
  const std::set<std::string> fair = {"GY1704", "GY1720", "401 GY1701"};
  for (int i = 0; i < 3; ++i) {
    const std::string removed =
        overtaken_by([&] { ASSERT_TRUE(access_->DeleteUser(Owner(), "eve").has_value()); });
    EXPECT_TRUE(fair.contains(removed)) << removed;
    const std::string disabled =
        overtaken_by([&] { ASSERT_TRUE(access_->SetDisabled(Owner(), "eve", true).has_value()); });
    EXPECT_TRUE(fair.contains(disabled)) << disabled;
  }
}

TEST_F(AccessTest, ATokenOfNobodyOpensNothing) {
  AddUser("ann", {{"*", Role::kAdmin}});
  AddUser("eve", {{"churn", Role::kViewer}});
  const auto login = access_->Login("eve", kPassword, "x:1");
  ASSERT_TRUE(login.has_value());
  // As a damaged or hand-edited database could have it.
  ASSERT_TRUE(database_
                  ->Write([](db::Transaction& tx) {
                    return tx.Execute("UPDATE access_token SET user_id = ?1", {"gone"});
                  })
                  .has_value());
  Open({});
  EXPECT_EQ(With(login->secret, "POST /users"), "401 GY1701");
  const net::Principal gone{.id = "gone", .name = "gone", .kind = "user", .token_id = ""};
  EXPECT_EQ(access_->CreateToken(gone, {.name = "x"}).error().gy(), "GY1720");
}

TEST_F(AccessTest, ItEndsWithAuthRequiredAProxyOrAListenerBeyondLoopback) {
  Open({.auth_required = true});
  EXPECT_EQ(Tcp("GET /me"), "401 GY1701");
  EXPECT_EQ(Socket("GET /me"), "401 GY1701");
  Open({.behind_proxy = true});
  EXPECT_EQ(Tcp("GET /me"), "401 GY1701");
  Open({.beyond_loopback = true});
  EXPECT_EQ(Tcp("GET /me"), "401 GY1701");
  Open({});
  EXPECT_EQ(Tcp("GET /me"), kOwnerAnswer);
}

TEST_F(AccessTest, AWrongTokenIsRefusedAndNotTakenForTheOwners) {
  EXPECT_EQ(With("gyre_pat_wrong", "GET /me"), "401 GY1701");
  EXPECT_EQ(
      Tcp("GET /public", "Host: localhost\r\nAuthorization: Bearer nonsense\r\n").substr(0, 3),
      "200");
}

// --- setup

TEST_F(AccessTest, TheSetupSecretWorksOnceAndForThirtyMinutes) {
  const auto first = access_->NewSetupSecret();
  ASSERT_TRUE(first.has_value());
  const auto second = access_->NewSetupSecret();
  EXPECT_EQ(access_->Setup(*first, "ann", kPassword).error().gy(), "GY1703")
      << "a new start replaces the secret";
  EXPECT_EQ(access_->Setup("gyre_setup_guess", "ann", kPassword).error().gy(), "GY1703");
  EXPECT_EQ(access_->Setup(*second, "ann", "short").error().gy(), "GY1712");
  clock_.now_us += 30 * 60 * kMicrosPerSecond + 1;
  EXPECT_EQ(access_->Setup(*second, "ann", kPassword).error().gy(), "GY1703") << "expired";
  const auto third = access_->NewSetupSecret();
  clock_.now_us += 29 * 60 * kMicrosPerSecond;
  const auto issued = access_->Setup(*third, "ann", kPassword);
  ASSERT_TRUE(issued.has_value()) << issued.error().ToString();
  EXPECT_EQ(With(issued->secret, "POST /users"), "200 user ann *");
  EXPECT_EQ(access_->Setup(*third, "eve", kPassword).error().gy(), "GY1703") << "single use";
  EXPECT_EQ(*access_->NewSetupSecret(), "") << "none once there is a user";
}

TEST_F(AccessTest, SecretsAreStoredAsHashesOnly) {
  const auto setup = access_->NewSetupSecret();
  const auto issued = access_->Setup(*setup, "ann", kPassword);
  const auto token = access_->CreateToken(PrincipalOf(*issued, "user"), {.name = "ci"});
  ASSERT_TRUE(token.has_value());
  EXPECT_TRUE(token->secret.starts_with("gyre_pat_"));
  EXPECT_EQ(token->secret.size(), 9u + 64u);
  std::string everything;
  ASSERT_TRUE(database_
                  ->Read([&](db::Reader& reader) -> Result<> {
                    for (const char* sql :
                         {"SELECT password_hash FROM access_user", "SELECT hash FROM access_token",
                          "SELECT hash FROM access_setup"}) {
                      GYRE_DO(reader.Query(sql, {}, [&](const db::Row& row) -> Result<> {
                        everything += row.Str(0) + "\n";
                        return {};
                      }));
                    }
                    return {};
                  })
                  .has_value());
  for (const std::string& secret :
       {*setup, issued->secret, token->secret, std::string(kPassword)}) {
    EXPECT_EQ(everything.find(secret), std::string::npos);
    EXPECT_EQ(everything.find(secret.substr(9)), std::string::npos);
  }
  EXPECT_NE(everything.find("$argon2id$"), std::string::npos);
}

// --- login

TEST_F(AccessTest, LoginTellsNothingAndSlowsDownGuessing) {
  AddUser("ann", {{"*", Role::kAdmin}});
  const auto wrong = access_->Login("ann", "wrong password", "10.0.0.1:5");
  const auto unknown = access_->Login("nobody", "wrong password", "10.0.0.2:5");
  ASSERT_FALSE(wrong.has_value() || unknown.has_value());
  EXPECT_EQ(wrong.error().ToString(), unknown.error().ToString());
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(access_->Login("ann", "wrong password", "10.0.0.3:5").error().gy(), "GY1704");
  EXPECT_EQ(access_->Login("ann", kPassword, "10.0.0.9:5").error().gy(), "GY1705")
      << "even the right one has to wait now";
  clock_.now_us += 61 * kMicrosPerSecond;
  EXPECT_TRUE(access_->Login("ann", kPassword, "10.0.0.9:5").has_value());
}

TEST_F(AccessTest, SessionsEndByLogoutTimePasswordChangeAndDisabling) {
  AddUser("ann", {{"*", Role::kAdmin}});
  AddUser("bob", {{"churn", Role::kViewer}});
  const auto session = access_->Login("bob", kPassword, "x:1");
  EXPECT_EQ(With(session->secret, "GET /me").substr(0, 3), "200");
  ASSERT_TRUE(access_->Logout(PrincipalOf(*session, "user")).has_value());
  EXPECT_EQ(With(session->secret, "GET /me"), "401 GY1701");
  const std::string second = Session("bob");
  ASSERT_TRUE(access_->SetPassword(Owner(), "bob", "another good one").has_value());
  EXPECT_EQ(With(second, "GET /me"), "401 GY1701");
  const auto third = access_->Login("bob", "another good one", "x:1");
  clock_.now_us += 31 * kMicrosPerDay;
  EXPECT_EQ(With(third->secret, "GET /me"), "401 GY1701");
  const auto fourth = access_->Login("bob", "another good one", "x:1");
  EXPECT_EQ(With(fourth->secret, "GET /me").substr(0, 3), "200");
  ASSERT_TRUE(access_->SetDisabled(Owner(), "bob", true).has_value());
  EXPECT_EQ(With(fourth->secret, "GET /me"), "401 GY1701");
  EXPECT_FALSE(access_->Login("bob", "another good one", "x:1").has_value());
  ASSERT_TRUE(access_->SetDisabled(Owner(), "bob", false).has_value());
  ASSERT_TRUE(access_->DeleteUser(Owner(), "bob").has_value());
  EXPECT_EQ(With(fourth->secret, "GET /me"), "401 GY1701");
}

// --- the record of changes

TEST_F(AccessTest, TheRecordOfALoginNamesWhoCameIn) {
  net::Principal who;
  std::vector<std::string> names;
  const auto recorded = [&](const auto& enter) {
    const db::WriteCompanion record([&] {
      return [&, name = who.kind + " " + who.name](db::Transaction&) -> Result<> {
        names.push_back(name);
        return {};
      };
    });
    return enter();
  };
  const auto secret = access_->NewSetupSecret();
  EXPECT_FALSE(recorded([&] { return access_->Setup("wrong", "ann", kPassword, &who); }));
  EXPECT_EQ(who.id, "") << "a stranger stays one";
  const auto first = recorded([&] { return access_->Setup(*secret, "ann", kPassword, &who); });
  ASSERT_TRUE(first) << first.error().ToString();
  EXPECT_EQ(who.id, first->token.user_id);
  who = {};
  EXPECT_FALSE(recorded([&] { return access_->Login("ann", "wrong password", "x:1", &who); }));
  EXPECT_EQ(who.id, "");
  const auto again = recorded([&] { return access_->Login("ann", kPassword, "x:1", &who); });
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(who.token_id, again->token.id);
  EXPECT_EQ(names, (std::vector<std::string>{"user ann", "user ann"}));
}

TEST_F(AccessTest, ChangesAreRecordedBeforeTheyAreAnswered) {
  server_.reset();
  struct Line {
    std::string who, path;
    int status;
  };
  std::vector<Line> lines;
  bool broken = false;
  access_->SetChangeRecorder([&](const net::Request& request, const net::Route& route,
                                 std::optional<int> status) -> db::Database::WriteBody {
    return [&, line = Line{request.principal.name, std::string(route.path), status.value_or(0)}](
               db::Transaction&) -> Result<> {
      if (broken) return Internal("GY1003", "the disk is full");
      lines.push_back(line);
      return {};
    };
  });
  const net::RouteTable tables[] = {rooms_.table()};
  server_ = *net::StartServer({.listen = "127.0.0.1:0"}, tables, *access_, nullptr);
  EXPECT_EQ(Tcp("POST /p/churn/data").substr(0, 3), "200");
  EXPECT_EQ(Tcp("GET /p/churn/data").substr(0, 3), "200");
  EXPECT_EQ(Tcp("POST /e/churn").substr(0, 3), "200");
  const auto token = access_->CreateToken(Owner(), {.name = "r", .scopes = {"read"}});
  EXPECT_EQ(With(token->secret, "POST /p/churn/data"), "403 GY1702");
  EXPECT_EQ(With("wrong", "POST /p/churn/data"), "401 GY1701");
  ASSERT_EQ(lines.size(), 2u) << "reads, predictions and strangers are not recorded";
  EXPECT_EQ(lines[0].who, "local-owner");
  EXPECT_EQ(lines[0].status, 200);
  EXPECT_EQ(lines[1].status, 403);
  broken = true;
  EXPECT_EQ(Tcp("POST /p/churn/data").substr(0, 3), "500")
      << "an unrecorded change is not acknowledged";
}

}  // namespace
}  // namespace gyre::access
