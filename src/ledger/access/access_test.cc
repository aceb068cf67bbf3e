#include "ledger/access/access.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <set>

#include "ledger/access/local_owner.h"
#include "platform/exec/thread_pool.h"
#include "platform/net/server.h"
#include "platform/net/testing/raw_client.h"

namespace gyre::access {
namespace {

constexpr std::string_view kPassword = "correct horse battery";

class MovableClock final : public Clock {
 public:
  std::int64_t NowMicros() const override { return now_us; }
  std::int64_t MonotonicMicros() const override { return now_us; }
  std::int64_t now_us = 1'700'000'000 * kMicrosPerSecond;
};

// Routes of every kind of permission; the handlers only say that they were reached.
class Rooms {
 public:
  Result<net::Response> Ok(net::Request& request) {
    std::string projects = request.principal.all_projects ? "*" : "";
    for (const std::string& project : request.principal.projects) projects += project + ",";
    return net::Response::Text(request.principal.kind + " " + request.principal.name + " " +
                               projects);
  }
  net::RouteTable table();
};
using net::Bind;
using net::Method;
using net::Permission;
constexpr net::Route kRooms[] = {
    {.method = Method::kGet,
     .path = "/public",
     .handler = Bind<&Rooms::Ok>,
     .permission = net::kPublic,
     .summary = "s"},
    {.method = Method::kGet,
     .path = "/me",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("self"),
     .summary = "s"},
    {.method = Method::kGet,
     .path = "/p/{project}/data",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("dataset.read"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/data",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("dataset.write"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/runs",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("run.write"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/runs/{run}",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("run.write"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/approve",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("model.approve"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/deploy",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("endpoint.deploy"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/e/{endpoint}",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("predict"),
     .summary = "s",
     .where = net::Where::kInline,
     .audited = false,
     .per_project = true},
    {.method = Method::kGet,
     .path = "/jobs",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("job.read"),
     .summary = "s",
     .per_project = true},
    {.method = Method::kGet,
     .path = "/all",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("dataset.read"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/users",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("access.admin"),
     .summary = "s"},
    {.method = Method::kGet,
     .path = "/unknown",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("no.such.permission"),
     .summary = "s"},
};
net::RouteTable Rooms::table() { return {"test", kRooms, this}; }

class AccessTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "gyre_access_" + std::to_string(getpid()) + "_" +
              std::to_string(serial_++);
    std::filesystem::create_directories(folder_);
    auto database = db::OpenSqlite({.path = folder_ + "/gyre.db"});
    ASSERT_TRUE(database.has_value()) << database.error().ToString();
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {AccessSchema()};
    ASSERT_TRUE(database_->Migrate(schemas).has_value());
    Open({});
  }
  void TearDown() override {
    server_.reset();
    access_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open(AccessSettings settings) {
    server_.reset();
    access_.reset();
    auto access = OpenAccess(*database_, clock_, settings);
    ASSERT_TRUE(access.has_value()) << access.error().ToString();
    access_ = *std::move(access);
    const net::RouteTable tables[] = {rooms_.table()};
    auto server = net::StartServer({.listen = "127.0.0.1:0",
                                    .unix_socket = folder_ + "/s",
                                    .behind_proxy = settings.behind_proxy},
                                   tables, *access_, nullptr);
    ASSERT_TRUE(server.has_value()) << server.error().ToString();
    server_ = *std::move(server);
  }
  // "200 kind name projects", or "401 GY1701".
  static std::string Ask(net::RawClient& client, std::string_view line, std::string_view headers) {
    client.Send(std::string(line) + " HTTP/1.1\r\n" + std::string(headers) +
                "Content-Length: 0\r\n\r\n");
    const std::string response = client.ReadResponse();
    std::string out = response.substr(9, 3);
    if (out == "200") return out + " " + response.substr(response.find("\r\n\r\n") + 4);
    const std::size_t code = response.find("\"code\":\"");
    return out + " " + (code == std::string::npos ? "" : response.substr(code + 8, 6));
  }
  std::string Tcp(std::string_view line, std::string_view headers = "Host: localhost\r\n") const {
    net::RawClient client(server_->port());
    return Ask(client, line, headers);
  }
  std::string Socket(std::string_view line, std::string_view headers = "Host: x\r\n") const {
    net::RawClient client(folder_ + "/s");
    return Ask(client, line, headers);
  }
  std::string With(std::string_view secret, std::string_view line) const {
    return Tcp(line, "Host: localhost\r\nAuthorization: Bearer " + std::string(secret) + "\r\n");
  }
  // A request of another user of this machine.
  std::string AsNobody(bool by_socket) const {
    int ends[2];
    if (pipe(ends) != 0) return "";
    const pid_t child = fork();
    if (child == 0) {
      if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
      const std::string answer = by_socket ? Socket("GET /me") : Tcp("GET /me");
      _exit(write(ends[1], answer.data(), answer.size()) > 0 ? 0 : 1);
    }
    close(ends[1]);
    char text[512] = "";
    const ssize_t size = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    return size > 0 ? text : "";
  }
  net::Principal Owner() const {
    return {.id = "local-owner", .name = "local-owner", .kind = "owner", .token_id = ""};
  }
  net::Principal PrincipalOf(const Issued& issued, std::string kind) const {
    return {.id = issued.token.user_id,
            .name = issued.token.user,
            .kind = std::move(kind),
            .token_id = issued.token.id};
  }
  void AddUser(std::string_view name, std::vector<Grant> grants) {
    const auto user = access_->CreateUser(Owner(), name, kPassword, std::move(grants));
    ASSERT_TRUE(user.has_value()) << user.error().ToString();
  }
  std::string Session(std::string_view name) {
    const auto issued = access_->Login(name, kPassword, "127.0.0.1:1");
    EXPECT_TRUE(issued.has_value());
    return issued ? issued->secret : "";
  }

  static inline int serial_ = 0;
  std::string folder_;
  MovableClock clock_;
  Rooms rooms_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<net::Server> server_;
};

constexpr std::string_view kOwnerAnswer = "200 owner local-owner *";

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
  for (const char* host :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1.", "127.1",
        "0.0.0.0", "192.168.0.1", "127.0.0.256", "[::2]", "@localhost"}) {
    EXPECT_EQ(Tcp("GET /me", "Host: " + std::string(host) + "\r\n"), "401 GY1701") << host;
  }
}

TEST_F(AccessTest, RequestsOfForeignPagesAreRefused) {
  for (const char* origin : {"http://evil.example", "http://localhost:9999",
                             "https://localhost.evil.example", "null", "file://", ""}) {
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
                                                 "local-owner", 3600 * kMicrosPerSecond);
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

TEST_F(AccessTest, AForeignPageCannotUseAToken) {
  AddUser("ann", {{"*", Role::kAdmin}});
  const std::string headers = "Host: localhost\r\nAuthorization: Bearer " + Session("ann") +
                              "\r\nOrigin: http://evil.example\r\n";
  EXPECT_EQ(Tcp("POST /users", headers), "403 GY1707");
}

// --- the record of changes

TEST_F(AccessTest, ChangesAreRecordedBeforeTheyAreAnswered) {
  server_.reset();
  struct Line {
    std::string who, path;
    int status;
  };
  std::vector<Line> lines;
  bool broken = false;
  access_->SetChangeHook(
      [&](const net::Request& request, const net::Route& route, int status) -> Result<> {
        if (broken) return Internal("GY1003", "the disk is full");
        lines.push_back({request.principal.name, std::string(route.path), status});
        return {};
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
