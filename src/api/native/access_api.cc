#include "api/native/access_api.h"

#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/access/access.h"
#include "ledger/access/session_cookie.h"
#include "ml/projects/projects.h"

namespace gyre::native {
namespace {

using net::Response;

constexpr std::int64_t kSmall = 64 << 10;
constexpr net::Field kAs{"as", Type::kText,
                         "token: its secret is answered; cookie: a browser keeps it, and no script "
                         "sees it",
                         "token|cookie"};
constexpr Permission kSelf{"self"};
constexpr Permission kAdmin{"access.admin"};

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/setup",
     .handler = Bind<&AccessApi::Setup>,
     .permission = net::kPublic,
     .summary = "Make the first user, with the secret of the setup link",
     .body = Body::kBuffer,
     .body_bytes_max = kSmall,
     .request_type = "NewSetup",
     .response_type = "IssuedToken",
     .members = {{"token", Type::kText, "the secret of the setup link", "", net::kRequired},
                 {"name", Type::kText, "of the user", "", net::kRequired},
                 {"password", Type::kText, "at least 10 characters", "", net::kRequired},
                 kAs}},
    {.method = Method::kPost,
     .path = "/api/v1/login",
     .handler = Bind<&AccessApi::Login>,
     .permission = net::kPublic,
     .summary = "Exchange name and password for a session",
     .body = Body::kBuffer,
     .body_bytes_max = kSmall,
     .request_type = "NewLogin",
     .response_type = "IssuedToken",
     .members = {{"name", Type::kText, "of the user", "", net::kRequired},
                 {"password", Type::kText, "of the user", "", net::kRequired},
                 kAs}},
    {.method = Method::kPost,
     .path = "/api/v1/logout",
     .handler = Bind<&AccessApi::Logout>,
     .permission = kSelf,
     .summary = "End the token that is used"},
    {.method = Method::kGet,
     .path = "/api/v1/me",
     .handler = Bind<&AccessApi::Me>,
     .permission = kSelf,
     .summary = "Who is asking",
     .response_type = "Me"},
    {.method = Method::kPost,
     .path = "/api/v1/me/password",
     .handler = Bind<&AccessApi::ChangePassword>,
     .permission = kSelf,
     .summary = "Change one's own password; ends all sessions",
     .body = Body::kBuffer,
     .body_bytes_max = kSmall,
     .request_type = "PasswordChange",
     .members = {{"old", Type::kText, "the password until now", "", net::kRequired},
                 {"new", Type::kText, "the password from now on", "", net::kRequired}}},
    {.method = Method::kGet,
     .path = "/api/v1/users",
     .handler = Bind<&AccessApi::ListUsers>,
     .permission = kAdmin,
     .summary = "List users by name",
     .response_type = "UserList",
     .query = {kLimit, kPageToken}},
    {.method = Method::kPost,
     .path = "/api/v1/users",
     .handler = Bind<&AccessApi::CreateUser>,
     .permission = kAdmin,
     .summary = "Make a user",
     .body = Body::kBuffer,
     .body_bytes_max = kSmall,
     .request_type = "NewUser",
     .response_type = "User",
     .members = {{"name", Type::kText, "of the user", "", net::kRequired},
                 {"password", Type::kText, "at least 10 characters", "", net::kRequired},
                 {"roles", Type::kObjects, "{role, project} each; no project = everywhere"}}},
    {.method = Method::kGet,
     .path = "/api/v1/users/{user}",
     .handler = Bind<&AccessApi::GetUser>,
     .permission = kAdmin,
     .summary = "One user with its roles",
     .response_type = "User"},
    {.method = Method::kPatch,
     .path = "/api/v1/users/{user}",
     .handler = Bind<&AccessApi::ChangeUser>,
     .permission = kAdmin,
     .summary = "Set a password, disable or enable",
     .body = Body::kBuffer,
     .body_bytes_max = kSmall,
     .request_type = "UserChange",
     .response_type = "User",
     .members = {{"password", Type::kText, "a new one; ends all sessions"},
                 {"disabled", Type::kBool, "whether the user is shut out"}}},
    {.method = Method::kDelete,
     .path = "/api/v1/users/{user}",
     .handler = Bind<&AccessApi::DeleteUser>,
     .permission = kAdmin,
     .summary = "Remove a user with its roles and tokens, into the trash",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kPut,
     .path = "/api/v1/users/{user}/roles/{role}",
     .handler = Bind<&AccessApi::GrantRole>,
     .permission = kAdmin,
     .summary = "Give a role, in a project or everywhere",
     .response_type = "User",
     .query = {{"project", Type::kText, "where; * or nothing = everywhere"}}},
    {.method = Method::kDelete,
     .path = "/api/v1/users/{user}/roles/{role}",
     .handler = Bind<&AccessApi::RevokeRole>,
     .permission = kAdmin,
     .summary = "Take a role away",
     .response_type = "User",
     .query = {{"project", Type::kText, "where; * or nothing = everywhere"}}},
    {.method = Method::kGet,
     .path = "/api/v1/tokens",
     .handler = Bind<&AccessApi::ListTokens>,
     .permission = kSelf,
     .summary = "One's own tokens; an administrator sees all",
     .response_type = "TokenList",
     .query = {kLimit, kPageToken}},
    {.method = Method::kPost,
     .path = "/api/v1/tokens",
     .handler = Bind<&AccessApi::CreateToken>,
     .permission = kSelf,
     .summary = "Make a token; its secret is shown once",
     .body = Body::kBuffer,
     .body_bytes_max = kSmall,
     .request_type = "NewToken",
     .response_type = "IssuedToken",
     .members = {{"name", Type::kText, "what the token is for"},
                 {"scopes", Type::kTexts, "what it may: permissions, or read, write"},
                 {"project", Type::kText, "the only project that it opens"},
                 {"expires_in_seconds", Type::kWhole, "when it ends"}}},
    {.method = Method::kDelete,
     .path = "/api/v1/tokens/{token}",
     .handler = Bind<&AccessApi::RevokeToken>,
     .permission = kSelf,
     .summary = "End a token, by id or unique prefix"},
    {.method = Method::kGet,
     .path = "/api/v1/roles",
     .handler = Bind<&AccessApi::ListRoles>,
     .permission = kSelf,
     .summary = "What each role may",
     .response_type = "RoleList"},
};

Json TimeOrNull(std::int64_t time_us) { return time_us == 0 ? Json() : Json(FormatTime(time_us)); }

Json GrantsJson(const std::vector<access::Grant>& grants) {
  Json list = Json::Arr();
  for (const access::Grant& grant : grants)
    list.Push(Json::Obj({{"project", grant.project}, {"role", access::RoleName(grant.role)}}));
  return list;
}

Json UserJson(const access::User& user) {
  return Json::Obj({{"id", user.id},
                    {"name", user.name},
                    {"disabled", user.disabled},
                    {"created_at", FormatTime(user.created_us)},
                    {"roles", GrantsJson(user.grants)}});
}

Json TokenJson(const access::Token& token) {
  Json scopes = Json::Arr();
  for (const std::string& scope : token.scopes) scopes.Push(scope);
  Json json = Json::Obj({{"id", token.id},
                         {"kind", token.kind},
                         {"user", token.user},
                         {"name", token.name},
                         {"scopes", std::move(scopes)}});
  json.Set("project", token.project.empty() ? Json() : Json(token.project));
  if (!token.run_id.empty()) json.Set("run", token.run_id);
  json.Set("created_at", FormatTime(token.created_us));
  json.Set("expires_at", TimeOrNull(token.expires_us));
  json.Set("last_used_at", TimeOrNull(token.last_used_us));
  return json;
}

Response IssuedResponse(const access::Issued& issued, int status) {
  return Response::JsonDoc(
             Json::Obj({{"secret", issued.secret}, {"token", TokenJson(issued.token)}}), status)
      .With("Cache-Control", "no-store");
}

Result<access::Grant> GrantOf(net::Request& request) {
  access::Grant grant;
  GYRE_TRY(grant.role, access::ParseRole(request.Param("role")));
  grant.project = request.Query("project").value_or("*");
  return grant;
}

// Where the caller wants to keep the session.
Result<bool> AsCookie(const net::Request& request, const Json& body) {
  const std::string as = body["as"].StringOr("token");
  if (as == "token") return false;
  if (as != "cookie") {
    return InvalidArgument("GY1722", "a session is kept as token or cookie, not as `{}`",
                           std::string_view(as).substr(0, 100));
  }
  GYRE_DO(access::CheckBrowserChange(request));
  return true;
}

}  // namespace

net::RouteTable AccessApi::table() { return {"native", kRoutes, this}; }

Response AccessApi::SessionResponse(const net::Request& request, const access::Issued& issued,
                                    bool as_cookie, int status) const {
  if (!as_cookie) return IssuedResponse(issued, status);
  const std::int64_t seconds =
      (issued.token.expires_us - issued.token.created_us) / kMicrosPerSecond;
  return Response::JsonDoc(Json::Obj({{"token", TokenJson(issued.token)}}), status)
      .With("Cache-Control", "no-store")
      .With("Set-Cookie", access::KeepSession(request, issued.secret, seconds, base_path_));
}

Result<Response> AccessApi::Setup(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string secret, body.GetString("token"));
  GYRE_TRY(const std::string name, body.GetString("name"));
  GYRE_TRY(const std::string password, body.GetString("password"));
  GYRE_TRY(const bool as_cookie, AsCookie(request, body));
  GYRE_TRY(const access::Issued issued, access_.Setup(secret, name, password, &request.principal));
  return SessionResponse(request, issued, as_cookie, 201);
}

Result<Response> AccessApi::Login(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string name, body.GetString("name"));
  GYRE_TRY(const std::string password, body.GetString("password"));
  GYRE_TRY(const bool as_cookie, AsCookie(request, body));
  GYRE_TRY(const access::Issued issued,
           access_.Login(name, password, request.peer().address, &request.principal));
  return SessionResponse(request, issued, as_cookie, 200);
}

Result<Response> AccessApi::Logout(net::Request& request) {
  GYRE_DO(access_.Logout(request.principal));
  Response response = Response::Empty();
  if (!access::SessionCookie(request).empty())
    response.headers.emplace_back("Set-Cookie", access::EndSession(request, base_path_));
  return response;
}

Result<Response> AccessApi::Me(net::Request& request) {
  GYRE_TRY(const access::Me me, access_.WhoAmI(request.principal));
  Json scopes = Json::Arr();
  for (const std::string& scope : me.scopes) scopes.Push(scope);
  std::string why_not;
  const bool local = access_.local_owner_allowed(&why_not);
  return Response::JsonDoc(
      Json::Obj({{"id", me.principal.id},
                 {"name", me.principal.name},
                 {"kind", me.principal.kind},
                 {"roles", GrantsJson(me.grants)},
                 {"scopes", std::move(scopes)},
                 {"local_owner", Json::Obj({{"allowed", local}, {"why_not", why_not}})}}));
}

Result<Response> AccessApi::ChangePassword(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string old_password, body.GetString("old"));
  GYRE_TRY(const std::string password, body.GetString("new"));
  GYRE_DO(access_.ChangePassword(request.principal, old_password, password));
  return Response::Empty();
}

Result<Response> AccessApi::ListUsers(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto users, access_.ListUsers(page.after, page.limit));
  return PageOf(users, page.limit, UserJson, &access::User::name);
}

Result<Response> AccessApi::CreateUser(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string name, body.GetString("name"));
  GYRE_TRY(const std::string password, body.GetString("password"));
  std::vector<access::Grant> grants;
  if (body.Has("roles") && !body["roles"].is_array()) {
    return InvalidArgument("GY1719", "`roles` must be a list")
        .Fix(R"([{"role": "developer", "project": "churn"}])");
  }
  for (const Json& item : body["roles"].items()) {
    access::Grant grant;
    GYRE_TRY(grant.role, access::ParseRole(item["role"].AsString()));
    grant.project = item["project"].StringOr("*");
    GYRE_DO(CheckProject(grant.project));
    grants.push_back(std::move(grant));
  }
  GYRE_TRY(const access::User user,
           access_.CreateUser(request.principal, name, password, std::move(grants)));
  return Response::JsonDoc(UserJson(user), 201);
}

Result<Response> AccessApi::GetUser(net::Request& request) {
  GYRE_TRY(const access::User user, access_.GetUser(request.Param("user")));
  return Response::JsonDoc(UserJson(user));
}

Result<Response> AccessApi::ChangeUser(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  const std::string& name = request.Param("user");
  if (body.Has("disabled") && !body["disabled"].is_bool())
    return InvalidArgument("GY1719", "`disabled` must be true or false");
  if (body.Has("password")) {
    GYRE_TRY(const std::string password, body.GetString("password"));
    GYRE_DO(access_.SetPassword(request.principal, name, password));
  }
  if (body.Has("disabled"))
    GYRE_DO(access_.SetDisabled(request.principal, name, body["disabled"].AsBool()));
  GYRE_TRY(const access::User user, access_.GetUser(name));
  return Response::JsonDoc(UserJson(user));
}

Result<Response> AccessApi::DeleteUser(net::Request& request) {
  GYRE_TRY(const access::User user, access_.GetUser(request.Param("user")));
  return native::Remove(trash_, request, {.noun = "user", .name = user.name, .project = ""});
}

Result<> AccessApi::CheckProject(const std::string& project) {
  if (project != "*" && !project.empty()) GYRE_DO(projects_.Get(project));
  return {};
}

Result<Response> AccessApi::GrantRole(net::Request& request) {
  GYRE_TRY(const access::Grant grant, GrantOf(request));
  GYRE_DO(CheckProject(grant.project));
  GYRE_TRY(const access::User user,
           access_.GrantRole(request.principal, request.Param("user"), grant));
  return Response::JsonDoc(UserJson(user));
}

Result<Response> AccessApi::RevokeRole(net::Request& request) {
  GYRE_TRY(const access::Grant grant, GrantOf(request));
  GYRE_TRY(const access::User user,
           access_.RevokeRole(request.principal, request.Param("user"), grant));
  return Response::JsonDoc(UserJson(user));
}

Result<Response> AccessApi::ListTokens(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto tokens, access_.ListTokens(request.principal, page.after, page.limit));
  return PageOf(tokens, page.limit, TokenJson, &access::Token::id);
}

Result<Response> AccessApi::CreateToken(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  access::NewToken wanted;
  wanted.name = body["name"].AsString();
  wanted.project = body["project"].AsString();
  GYRE_DO(CheckProject(wanted.project));
  if (body.Has("scopes")) {
    if (!body["scopes"].is_array())
      return InvalidArgument("GY1719", "`scopes` must be a list of texts");
    wanted.scopes.clear();
    for (const Json& scope : body["scopes"].items()) wanted.scopes.push_back(scope.AsString());
  }
  if (body.Has("expires_in_seconds")) {
    GYRE_TRY(const std::int64_t seconds, body.GetInt("expires_in_seconds"));
    if (seconds < 1 || seconds > 100LL * 366 * 86'400)
      return InvalidArgument("GY1719", "`expires_in_seconds` is a number from 1 to 100 years");
    wanted.lifetime_us = seconds * kMicrosPerSecond;
  }
  GYRE_TRY(const access::Issued issued, access_.CreateToken(request.principal, std::move(wanted)));
  return IssuedResponse(issued, 201);
}

Result<Response> AccessApi::RevokeToken(net::Request& request) {
  GYRE_DO(access_.RevokeToken(request.principal, request.Param("token")));
  return Response::Empty();
}

Result<Response> AccessApi::ListRoles(net::Request& /*request*/) {
  Json items = Json::Arr();
  for (int i = 0; i < access::kRoleCount; ++i) {
    const auto role = static_cast<access::Role>(i);
    const access::PermissionSet set = access::PermissionsOf(role);
    Json permissions = Json::Arr();
    for (const access::PermissionRow& row : access::PermissionTable()) {
      if (set.test(*access::PermissionIndex(row.name))) permissions.Push(row.name);
    }
    items.Push(
        Json::Obj({{"name", access::RoleName(role)}, {"permissions", std::move(permissions)}}));
  }
  return Response::JsonDoc(Json::Obj({{"items", std::move(items)}}));
}

}  // namespace gyre::native
