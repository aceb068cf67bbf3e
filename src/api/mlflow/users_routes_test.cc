// What MLflow's client for users sends, before the gate that the server really has.
#include <gtest/gtest.h>

#include <optional>

#include "api/mlflow/testing/mlflow_house.h"
#include "api/mlflow/users_api.h"
#include "base/base64.h"
#include "ledger/trash/trash.h"

namespace gyre::mlflow {
namespace {

constexpr const char* kRoot = "root";
// One password for all: long enough for MLflow's rule.
const std::string kPassword = "a long password of a test";

class UsersRoutesTest : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase({access::AccessSchema(), trash::TrashSchema()});
    auto opened = access::OpenAccess(*database_, clock_, {.auth_required = true});
    ASSERT_TRUE(opened) << opened.error().ToString();
    access_ = *std::move(opened);
    const auto secret = access_->NewSetupSecret();
    ASSERT_TRUE(secret && access_->Setup(*secret, kRoot, kPassword));
    users_.emplace(*projects_, *access_);
    const net::RouteTable tables[] = {users_->table()};
    auto server = net::StartServer({.listen = "127.0.0.1:0"}, tables, *access_, nullptr);
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
    client_ = std::make_unique<net::Client>(net::ClientSettings{.url = server_->url()});
  }
  void TearDown() override {
    server_.reset();
    access_.reset();
  }

  // By `who`; a path that does not begin with "/p/" or "/api" is one of 2.0.
  net::ClientResponse By(const std::string& who, const std::string& method, std::string path,
                         const std::string& body = "") {
    if (!path.starts_with("/p/") && !path.starts_with("/api")) path.insert(0, "/api/2.0/mlflow/");
    return Send(method, path, body,
                {{"Authorization", "Basic " + Base64Encode(who + ":" + kPassword)},
                 {"Content-Type", "application/json"}});
  }
  Json Answer(const std::string& who, const std::string& method, const std::string& path,
              const std::string& body = "", int status = 200) {
    const auto response = By(who, method, path, body);
    EXPECT_EQ(response.status, status) << method << " " << path << " " << response.body;
    return Json::Parse(response.body).value_or(Json());
  }
  Json Make(const std::string& name, int status = 200) {
    return Answer(kRoot, "POST", "users/create",
                  R"({"username":")" + name + R"(","password":")" + kPassword + "\"}", status);
  }
  // A user with a role in one project, or everywhere.
  void MakeWith(const std::string& name, const std::string& project, access::Role role) {
    ASSERT_TRUE(access_->CreateUser({.id = "setup", .name = "setup", .kind = "owner"}, name,
                                    kPassword, {{project, role}}));
  }
  static std::string Grant(const std::string& user, const std::string& project,
                           const std::string& level) {
    return R"({"username":")" + user + R"(","resource_type":"workspace","resource_id":")" +
           project + R"(","permission":")" + level + "\"}";
  }
  std::string LevelOf(const std::string& user, const std::string& project) {
    return Answer(kRoot, "GET",
                  "/p/" + project + "/api/3.0/mlflow/users/permissions/get?username=" + user +
                      "&resource_type=workspace&resource_id=" + project)["permission"]
        .AsString();
  }

  std::unique_ptr<access::Access> access_;
  std::optional<UsersApi> users_;
};

TEST_F(UsersRoutesTest, AUserLives) {
  const Json made = Make("ben")["user"];
  EXPECT_EQ(made["username"].AsString(), "ben");
  EXPECT_FALSE(made["is_admin"].AsBool());
  EXPECT_TRUE(made["experiment_permissions"].is_array()) << "older clients read them";
  EXPECT_EQ(Make("ben", 400)["error_code"].AsString(), "RESOURCE_ALREADY_EXISTS");
  EXPECT_EQ(Answer("ben", "GET", "users/get?username=ben")["user"]["id"], made["id"]);
  EXPECT_EQ(Answer("ben", "GET", "users/current")["user"]["username"].AsString(), "ben");
  EXPECT_EQ(Answer(kRoot, "GET", "users/list")["users"].size(), 2u);
  Answer(kRoot, "PATCH", "users/update-admin", R"({"username":"ben","is_admin":true})");
  EXPECT_TRUE(Answer("ben", "GET", "users/get?username=root")["user"]["is_admin"].AsBool());
  Answer(kRoot, "PATCH", "users/update-admin", R"({"username":"ben","is_admin":false})");
  EXPECT_EQ(By("ben", "GET", "users/get?username=root").status, 403);
  EXPECT_EQ(Answer(kRoot, "DELETE", "users/delete", R"({"username":"root"})", 400)["message"]
                .AsString()
                .substr(0, 19),
            "Users cannot delete");
  Answer(kRoot, "DELETE", "users/delete", R"({"username":"ben"})");
  EXPECT_EQ(Answer(kRoot, "GET", "users/get?username=ben", "", 404)["message"].AsString(),
            "User with username=ben not found");
  EXPECT_EQ(By("ben", "GET", "users/current").status, 401);
}

TEST_F(UsersRoutesTest, WhatIsWrongIsSaidInMlflowsWords) {
  const auto said = [&](const std::string& body) {
    const Json answer = Answer(kRoot, "POST", "users/create", body, 400);
    return answer["error_code"].AsString() + " " + answer["message"].AsString();
  };
  EXPECT_EQ(said("{}"), "BAD_REQUEST Username and password cannot be empty.");
  EXPECT_EQ(said(R"({"username":"x","password":"eleven char"})"),
            "INVALID_PARAMETER_VALUE Password must be at least 12 characters long.");
  EXPECT_EQ(Answer(kRoot, "PATCH", "users/update-password",
                   R"({"username":"root","password":"another long password"})", 400)["message"]
                .AsString(),
            "Current password is required when changing your own password.");
  const auto stranger = Send("GET", "/api/2.0/mlflow/users/current");
  EXPECT_EQ(stranger.status, 401);
  EXPECT_NE(stranger.body[0], '{') << "in plain words, as clients expect";
  EXPECT_EQ(Answer(kRoot, "POST", "/api/3.0/mlflow/users/permissions/grant",
                   Grant("nobody", "blue", "READ"), 404)["error_code"]
                .AsString(),
            "RESOURCE_DOES_NOT_EXIST");
  EXPECT_EQ(By(kRoot, "POST", "/api/3.0/mlflow/users/permissions/grant",
               Grant("root", "no-project", "READ"))
                .status,
            404);
}

TEST_F(UsersRoutesTest, ALevelIsARoleInAProject) {
  Make("ben");
  const std::string path = "/api/3.0/mlflow/users/permissions/";
  EXPECT_EQ(LevelOf("ben", "default"), "READ");
  EXPECT_EQ(LevelOf("ben", "blue"), "NO_PERMISSIONS");
  for (const char* level : {"READ", "MANAGE", "EDIT"}) {
    Answer(kRoot, "POST", path + "grant", Grant("ben", "blue", level));
    EXPECT_EQ(LevelOf("ben", "blue"), level);
  }
  const Json own = Answer("ben", "GET", "/api/3.0/mlflow/users/current/permissions");
  EXPECT_FALSE(own["is_admin"].AsBool());
  EXPECT_EQ(own["permissions"].size(), 2u);
  EXPECT_EQ(Answer(kRoot, "GET", path + "list?username=ben")["permissions"], own["permissions"]);
  EXPECT_EQ(By("ben", "GET", path + "list?username=ben").status, 403);
  Answer(kRoot, "POST", path + "revoke",
         R"({"username":"ben","resource_type":"workspace","resource_id":"blue"})");
  EXPECT_EQ(LevelOf("ben", "blue"), "NO_PERMISSIONS");
  EXPECT_EQ(By(kRoot, "POST", path + "grant", Grant("ben", "blue", "GOD")).status, 400);
  // No thing has levels of its own; the text says what there is instead.
  for (const char* things : {"experiments", "registered-models"}) {
    const Json refused = Answer(kRoot, "POST", std::string(things) + "/permissions/create",
                                R"({"username":"ben","permission":"READ"})", 400);
    EXPECT_NE(refused["message"].AsString().find("given by project"), std::string::npos);
  }
}

TEST_F(UsersRoutesTest, RolesAreAssignedByNumber) {
  Make("ben");
  const Json roles = Answer(kRoot, "GET", "/p/blue/api/3.0/mlflow/roles/list")["roles"];
  ASSERT_EQ(roles.size(), static_cast<std::size_t>(access::kRoleCount));
  const std::string number = std::to_string(roles.items()[2]["id"].AsInt());
  const std::string body = R"({"username":"ben","role_id":)" + number + "}";
  const auto held = [&] {
    std::string names;
    const Json list =
        Answer(kRoot, "GET", "/p/blue/api/3.0/mlflow/users/roles/list?username=ben")["roles"];
    for (const Json& role : list.items()) names += role["name"].AsString() + " ";
    return names;
  };
  Answer(kRoot, "POST", "/p/blue/api/3.0/mlflow/roles/assign", body);
  EXPECT_EQ(held(), roles.items()[2]["name"].AsString() + " ");
  Answer(kRoot, "DELETE", "/p/blue/api/3.0/mlflow/roles/unassign", body);
  EXPECT_EQ(held(), "");
  EXPECT_EQ(
      By(kRoot, "POST", "/p/blue/api/3.0/mlflow/roles/assign", R"({"username":"ben","role_id":99})")
          .status,
      404);
  EXPECT_EQ(By(kRoot, "POST", "/p/blue/api/3.0/mlflow/roles/create", R"({"name":"x"})").status,
            400);
}

// As over the native API, whose routes for roles are of all projects.
TEST_F(UsersRoutesTest, AnAdministratorOfOneProjectGivesNobodyARole) {
  Make("ben");
  MakeWith("carl", "blue", access::Role::kAdmin);
  const std::string grant = Grant("ben", "blue", "EDIT");
  for (const char* door : {"", "/p/blue"}) {
    const std::string at = std::string(door) + "/api/3.0/mlflow/";
    EXPECT_EQ(By("carl", "POST", at + "users/permissions/grant", grant).status, 403) << at;
    EXPECT_EQ(By("carl", "POST", at + "users/permissions/revoke", grant).status, 403);
    EXPECT_EQ(By("carl", "POST", at + "roles/assign", R"({"username":"ben","role_id":1})").status,
              403);
    EXPECT_EQ(
        By("carl", "DELETE", at + "roles/unassign", R"({"username":"ben","role_id":1})").status,
        403);
    EXPECT_EQ(By("carl", "GET", at + "users/roles/list?username=root").status, 403);
    EXPECT_EQ(By("carl", "GET", at + "roles/list").status, 200) << "the same everywhere";
  }
  EXPECT_EQ(By("carl", "GET", "users/list").status, 403);
  // A token of who may, for one project, is as little.
  const auto root = access_->GetUser(kRoot);
  const auto token = access_->CreateToken({.id = root->id, .name = kRoot, .kind = "user"},
                                          {.name = "t", .scopes = {"*"}, .project = "blue"});
  ASSERT_TRUE(token) << token.error().ToString();
  for (const char* at : {"/api/3.0/mlflow/", "/p/blue/api/3.0/mlflow/"})
    EXPECT_EQ(
        Send("POST", std::string(at) + "users/permissions/grant", grant,
             {{"Authorization", "Bearer " + token->secret}, {"Content-Type", "application/json"}})
            .status,
        403);
  EXPECT_EQ(LevelOf("ben", "blue"), "NO_PERMISSIONS");
}

}  // namespace
}  // namespace gyre::mlflow
