#include "api/mlflow/users_api.h"

#include <algorithm>
#include <array>

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/errors.h"
#include "ml/projects/projects.h"

namespace gyre::mlflow {
namespace {

using access::Role;
using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr Permission kSelf("self"), kAdmin("access.admin");
constexpr std::string_view kEverywhere = "*", kWorkspace = "workspace";
constexpr int kUsersMax = 10'000;
constexpr std::array kLevelRoles = {Role::kViewer, Role::kDeveloper, Role::kAdmin};

constexpr net::Field kUser = {"username", Type::kText, "of the user", "", kRequired};
constexpr net::Field kKind = {"resource_type", Type::kText, "workspace", "", kRequired};
constexpr net::Field kThing = {"resource_id", Type::kText, "the name of a project", "", kRequired};
constexpr net::Field kLevel = {"permission", Type::kText, "READ, EDIT, MANAGE or NO_PERMISSIONS",
                               "", kRequired};
constexpr net::Field kRole = {"role_id", Type::kWhole, "as roles/list numbers it", "", kRequired};

constexpr Endpoint OfOne(Method method, std::string_view path) {
  return {.method = method,
          .path = path,
          .handler = Serve<&UsersApi::OfOneThing>,
          .permission = kAdmin,
          .summary = "Says that levels are given by project"};
}
constexpr Endpoint Fixed(Method method, std::string_view path) {
  return {.method = method,
          .path = path,
          .handler = Serve<&UsersApi::ChangeRoles>,
          .permission = kAdmin,
          .summary = "Says that roles are fixed",
          .doors = Doors::kApi3};
}

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/users/create",
     .handler = Serve<&UsersApi::Create>,
     .permission = kAdmin,
     .summary = "Make a user, who may read in the project `default`",
     .fields = {{"username", Type::kText, "of the user"}, {"password", Type::kText, "of the user"}},
     .of_server = true},
    {.method = Method::kGet,
     .path = "/mlflow/users/get",
     .handler = Serve<&UsersApi::Get>,
     .permission = kSelf,
     .summary = "One user; others than oneself for administrators",
     .fields = {kUser},
     .of_server = true},
    {.method = Method::kGet,
     .path = "/mlflow/users/list",
     .handler = Serve<&UsersApi::List>,
     .permission = kAdmin,
     .summary = "All users",
     .of_server = true},
    {.method = Method::kGet,
     .path = "/mlflow/users/current",
     .handler = Serve<&UsersApi::Current>,
     .permission = kSelf,
     .summary = "Who is asking",
     .of_server = true},
    {.method = Method::kPatch,
     .path = "/mlflow/users/update-password",
     .handler = Serve<&UsersApi::SetPassword>,
     .permission = kSelf,
     .summary = "Change one's own password; that of others for administrators",
     .fields = {kUser,
                {"password", Type::kText, "the new one", "", kRequired},
                {"current_password", Type::kText, "one's own until now"}},
     .of_server = true},
    {.method = Method::kPatch,
     .path = "/mlflow/users/update-admin",
     .handler = Serve<&UsersApi::SetAdmin>,
     .permission = kAdmin,
     .summary = "Make somebody an administrator, or no longer",
     .fields = {kUser, {"is_admin", Type::kBool, "whether", "", kRequired}},
     .of_server = true},
    {.method = Method::kDelete,
     .path = "/mlflow/users/delete",
     .handler = Serve<&UsersApi::Delete>,
     .permission = kAdmin,
     .summary = "Remove a user, into the trash",
     .fields = {kUser},
     .of_server = true},
    {.method = Method::kGet,
     .path = "/mlflow/users/current/permissions",
     .handler = Serve<&UsersApi::OwnPermissions>,
     .permission = kSelf,
     .summary = "What whoever asks may",
     .doors = Doors::kApi3,
     .of_server = true},
    {.method = Method::kGet,
     .path = "/mlflow/users/permissions/list",
     .handler = Serve<&UsersApi::ListPermissions>,
     .permission = kAdmin,
     .summary = "What a user may",
     .fields = {kUser},
     .doors = Doors::kApi3,
     .of_server = true},
    {.method = Method::kPost,
     .path = "/mlflow/users/permissions/grant",
     .handler = Serve<&UsersApi::Grant>,
     .permission = kAdmin,
     .summary = "Give a user a level in a project",
     .fields = {kUser, kKind, kThing, kLevel},
     .doors = Doors::kApi3},
    {.method = Method::kPost,
     .path = "/mlflow/users/permissions/revoke",
     .handler = Serve<&UsersApi::Revoke>,
     .permission = kAdmin,
     .summary = "Take a user's level in a project away",
     .fields = {kUser, kKind, kThing},
     .doors = Doors::kApi3},
    {.method = Method::kGet,
     .path = "/mlflow/users/permissions/get",
     .handler = Serve<&UsersApi::GetPermission>,
     .permission = kAdmin,
     .summary = "A user's level where something is",
     .fields = {kUser, kKind, kThing},
     .doors = Doors::kApi3},
    OfOne(Method::kPost, "/mlflow/experiments/permissions/create"),
    OfOne(Method::kGet, "/mlflow/experiments/permissions/get"),
    OfOne(Method::kPatch, "/mlflow/experiments/permissions/update"),
    OfOne(Method::kDelete, "/mlflow/experiments/permissions/delete"),
    OfOne(Method::kPost, "/mlflow/registered-models/permissions/create"),
    OfOne(Method::kGet, "/mlflow/registered-models/permissions/get"),
    OfOne(Method::kPatch, "/mlflow/registered-models/permissions/update"),
    OfOne(Method::kDelete, "/mlflow/registered-models/permissions/delete"),
    {.method = Method::kGet,
     .path = "/mlflow/roles/list",
     .handler = Serve<&UsersApi::ListRoles>,
     .permission = kAdmin,
     .summary = "The roles that there are in a project",
     .doors = Doors::kApi3},
    {.method = Method::kPost,
     .path = "/mlflow/roles/assign",
     .handler = Serve<&UsersApi::AssignRole>,
     .permission = kAdmin,
     .summary = "Give a user a role in a project",
     .fields = {kUser, kRole},
     .doors = Doors::kApi3},
    {.method = Method::kDelete,
     .path = "/mlflow/roles/unassign",
     .handler = Serve<&UsersApi::UnassignRole>,
     .permission = kAdmin,
     .summary = "Take a role in a project away",
     .fields = {kUser, kRole},
     .doors = Doors::kApi3},
    {.method = Method::kGet,
     .path = "/mlflow/users/roles/list",
     .handler = Serve<&UsersApi::RolesOfUser>,
     .permission = kAdmin,
     .summary = "The roles of a user in a project",
     .fields = {kUser},
     .doors = Doors::kApi3},
    Fixed(Method::kPost, "/mlflow/roles/create"),
    Fixed(Method::kPatch, "/mlflow/roles/update"),
    Fixed(Method::kDelete, "/mlflow/roles/delete"),
    Fixed(Method::kPost, "/mlflow/roles/permissions/add"),
    Fixed(Method::kPatch, "/mlflow/roles/permissions/update"),
    Fixed(Method::kDelete, "/mlflow/roles/permissions/remove"),
};

// Longer than ledger/access asks for: what MLflow promises.
Result<> CheckPassword(std::string_view password) {
  constexpr std::size_t kCharactersMin = 12;
  if (password.size() >= kCharactersMin) return {};
  return InvalidParameter("Password must be at least 12 characters long.");
}

bool Administers(const std::vector<access::Grant>& grants) {
  return std::ranges::any_of(grants, [](const access::Grant& grant) {
    return grant.project == kEverywhere && grant.role == Role::kAdmin;
  });
}

std::string_view LevelOf(Role role) {
  return role == Role::kAdmin ? "MANAGE" : role == Role::kDeveloper ? "EDIT" : "READ";
}

// In a project, of all roles that hold there.
std::string_view LevelIn(const access::User& user, std::string_view project) {
  std::string_view level = "NO_PERMISSIONS";
  if (user.disabled) return level;
  for (const access::Grant& grant : user.grants) {
    if (grant.project != kEverywhere && grant.project != project) continue;
    const std::string_view here = LevelOf(grant.role);
    if (here == "MANAGE" || level == "NO_PERMISSIONS" || (here == "EDIT" && level == "READ"))
      level = here;
  }
  return level;
}

// The role of a level; empty for NO_PERMISSIONS.
Result<std::optional<Role>> RoleOfLevel(std::string_view level) {
  if (level == "NO_PERMISSIONS") return std::optional<Role>();
  for (const Role role : kLevelRoles) {
    if (level == LevelOf(role)) return std::optional<Role>(role);
  }
  return InvalidParameter(
      fmt::format("Invalid permission '{}'. Valid permissions are: ('READ', 'EDIT', 'MANAGE', "
                  "'NO_PERMISSIONS')",
                  level.substr(0, 100)));
}

Error OnlyByProject(std::string_view user) {
  return InvalidArgument("GY5130", "permissions are given by project, not for one thing in it")
      .Why(
          fmt::format("grant_user_permission('{0}', 'workspace', PROJECT, LEVEL) gives one, and so "
                      "does `gyre roles grant {0} developer --in PROJECT`",
                      user.substr(0, 128)));
}

void WriteUser(const access::User& user, std::string_view name, AnswerWriter* out) {
  out->Object(name)
      .Text("id", user.id)
      .Text("username", user.name)
      .Bool("is_admin", Administers(user.grants));
  // Clients before 3.10 read them.
  for (const char* list : {"experiment_permissions", "registered_model_permissions"})
    out->List(list).End();
  out->End();
}

net::Response PermissionsAnswer(const std::vector<access::Grant>& grants) {
  return AnswerOf([&](AnswerWriter& out) {
    out.Bool("is_admin", Administers(grants)).List("permissions");
    for (const access::Grant& grant : grants) {
      out.Object()
          .Whole("role_id", static_cast<int>(grant.role) + 1)
          .Text("role_name", access::RoleName(grant.role))
          .Text("workspace", grant.project)
          .Text("resource_type", kWorkspace)
          .Text("resource_pattern", kEverywhere)
          .Text("permission", LevelOf(grant.role))
          .End();
    }
    out.End();
  });
}

void WriteRole(Role role, std::string_view project, AnswerWriter* out) {
  out->Object()
      .Whole("id", static_cast<int>(role) + 1)
      .Text("name", access::RoleName(role))
      .Text("workspace", project)
      .List("permissions")
      .End()
      .End();
}

Result<Role> RoleAsked(const Call& call) {
  const std::int64_t number = call.arguments.Whole("role_id");
  if (number >= 1 && number <= access::kRoleCount) return static_cast<Role>(number - 1);
  return NotFound("GY5131", "Role with id={} not found", number);
}

}  // namespace

net::RouteTable UsersApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<access::User> UsersApi::Find(std::string_view name) {
  auto user = access_.GetUser(name);
  if (!user && user.error().code() == Code::kNotFound)
    return Error(Code::kNotFound, "GY1714",
                 fmt::format("User with username={} not found", name.substr(0, 128)));
  return user;
}

// Of a token the rights may be fewer than its user's: it manages nobody here.
Result<> UsersApi::MayManageUsers(const Call& call) {
  const net::Principal& caller = call.request.principal;
  if (caller.kind == "owner") return {};
  if (caller.kind == "user") {
    GYRE_TRY(const access::Me me, access_.WhoAmI(caller));
    if (Administers(me.grants)) return {};
  }
  return Error(Code::kPermissionDenied, "GY5133", "only an administrator may do this")
      .Why("somebody with the role admin everywhere, who comes with a name and a password");
}

// The gate has asked for the permission in the project of the address only. A token may be one for
// that project, which does not show here: it comes by the address of all projects.
Result<> UsersApi::MayGiveRoles(const Call& call) {
  const net::Principal& caller = call.request.principal;
  const bool of_project = std::ranges::any_of(
      call.request.params, [](const auto& param) { return param.first == "project"; });
  if (caller.all_projects && !(of_project && caller.kind == "token")) {
    GYRE_TRY(const access::Me me, access_.WhoAmI(caller));
    if (Administers(me.grants)) return {};
  }
  return Error(Code::kPermissionDenied, "GY5133", "only an administrator may do this")
      .Why("roles are given by who has the role admin everywhere, not in one project");
}

// --- users

Result<net::Response> UsersApi::Create(Call& call) {
  const std::string name = call.arguments.Text("username");
  const std::string password = call.arguments.Text("password");
  if (name.empty() || password.empty())
    return InvalidArgument("GY5132", "Username and password cannot be empty.");
  GYRE_DO(CheckPassword(password));
  const auto made =
      access_.CreateUser(call.request.principal, name, password, {{call.project, Role::kViewer}});
  if (made) return AnswerOf([&](AnswerWriter& out) { WriteUser(*made, "user", &out); });
  if (made.error().code() != Code::kAlreadyExists) return made.error();
  return Error(Code::kAlreadyExists, "GY1713",
               fmt::format("User (username={}) already exists.", name));
}

Result<net::Response> UsersApi::Get(Call& call) {
  const std::string name = call.arguments.Text("username");
  if (name != call.request.principal.name) GYRE_DO(MayManageUsers(call));
  GYRE_TRY(const access::User user, Find(name));
  return AnswerOf([&](AnswerWriter& out) { WriteUser(user, "user", &out); });
}

Result<net::Response> UsersApi::List(Call& /*call*/) {
  GYRE_TRY(const auto users, access_.ListUsers("", kUsersMax));
  return AnswerOf([&](AnswerWriter& out) {
    out.List("users");
    for (const access::User& user : users) WriteUser(user, {}, &out);
    out.End();
  });
}

Result<net::Response> UsersApi::Current(Call& call) {
  GYRE_TRY(const access::Me me, access_.WhoAmI(call.request.principal));
  return AnswerOf([&](AnswerWriter& out) {
    out.Object("user")
        .Text("id", me.principal.id)
        .Text("username", me.principal.name)
        .Bool("is_admin", Administers(me.grants))
        .End()
        .Bool("is_basic_auth", true);
  });
}

Result<net::Response> UsersApi::SetPassword(Call& call) {
  const std::string name = call.arguments.Text("username");
  const std::string password = call.arguments.Text("password");
  const net::Principal& caller = call.request.principal;
  GYRE_DO(CheckPassword(password));
  if (name != caller.name) {
    GYRE_DO(MayManageUsers(call));
    GYRE_TRY([[maybe_unused]] const access::User user, Find(name));
    GYRE_DO(access_.SetPassword(caller, name, password));
    return EmptyAnswer();
  }
  const std::string old_password = call.arguments.Text("current_password");
  if (old_password.empty())
    return InvalidParameter("Current password is required when changing your own password.");
  const auto done = access_.ChangePassword(caller, old_password, password);
  if (done) return EmptyAnswer();
  if (done.error().gy() == "GY1704") return InvalidParameter("Current password does not match.");
  return done.error();
}

Result<net::Response> UsersApi::SetAdmin(Call& call) {
  GYRE_TRY(const access::User user, Find(call.arguments.Text("username")));
  const access::Grant grant{std::string(kEverywhere), Role::kAdmin};
  const net::Principal& by = call.request.principal;
  GYRE_DO(call.arguments.Bool("is_admin") ? access_.GrantRole(by, user.name, grant)
                                          : access_.RevokeRole(by, user.name, grant));
  return EmptyAnswer();
}

Result<net::Response> UsersApi::Delete(Call& call) {
  const std::string name = call.arguments.Text("username");
  if (name == call.request.principal.name)
    return InvalidParameter(
        "Users cannot delete their own account. Ask another admin to delete "
        "this user instead.");
  GYRE_TRY(const access::User user, Find(name));
  GYRE_DO(access_.DeleteUser(call.request.principal, user.name));
  return EmptyAnswer();
}

// --- levels

Result<std::string> UsersApi::ProjectAsked(const Call& call) {
  if (call.arguments.Text("resource_type") != kWorkspace)
    return OnlyByProject(call.arguments.Text("username"));
  const std::string name = call.arguments.Text("resource_id");
  if (name == call.project) return name;
  const auto& params = call.request.params;
  const bool of_another =
      std::ranges::any_of(params, [](const auto& param) { return param.first == "project"; });
  if (of_another || !call.request.principal.AllowsProject(name))
    return NotFound("GY5134", "no project `{}` is within reach here", name.substr(0, 128));
  GYRE_TRY(const projects::Project project, projects().Get(name));
  return project.name;
}

Result<> UsersApi::SetLevel(const Call& call, std::string_view project,
                            const std::optional<Role>& role) {
  GYRE_TRY(const access::User user, Find(call.arguments.Text("username")));
  for (const access::Grant& grant : user.grants) {
    const bool is_level = std::ranges::find(kLevelRoles, grant.role) != kLevelRoles.end();
    if (grant.project != project || !is_level || role == grant.role) continue;
    GYRE_DO(access_.RevokeRole(call.request.principal, user.name, grant));
  }
  if (!role) return {};
  GYRE_DO(access_.GrantRole(call.request.principal, user.name, {std::string(project), *role}));
  return {};
}

Result<net::Response> UsersApi::Grant(Call& call) {
  GYRE_DO(MayGiveRoles(call));
  GYRE_TRY(const std::string project, ProjectAsked(call));
  GYRE_TRY(const auto role, RoleOfLevel(call.arguments.Text("permission")));
  GYRE_DO(SetLevel(call, project, role));
  return EmptyAnswer();
}

Result<net::Response> UsersApi::Revoke(Call& call) {
  GYRE_DO(MayGiveRoles(call));
  GYRE_TRY(const std::string project, ProjectAsked(call));
  GYRE_DO(SetLevel(call, project, {}));
  return EmptyAnswer();
}

// Of any thing: the level in its project is the level on it.
Result<net::Response> UsersApi::GetPermission(Call& call) {
  GYRE_DO(MayGiveRoles(call));
  std::string project = call.project;
  if (call.arguments.Text("resource_type") == kWorkspace) {
    GYRE_TRY(project, ProjectAsked(call));
  }
  GYRE_TRY(const access::User user, Find(call.arguments.Text("username")));
  const std::string_view level = LevelIn(user, project);
  return AnswerOf([&](AnswerWriter& out) {
    out.Bool("allowed", level == "EDIT" || level == "MANAGE").Text("permission", level);
  });
}

Result<net::Response> UsersApi::OfOneThing(Call& /*call*/) { return OnlyByProject("USER"); }

Result<net::Response> UsersApi::OwnPermissions(Call& call) {
  GYRE_TRY(const access::Me me, access_.WhoAmI(call.request.principal));
  return PermissionsAnswer(me.grants);
}

Result<net::Response> UsersApi::ListPermissions(Call& call) {
  GYRE_TRY(const access::User user, Find(call.arguments.Text("username")));
  return PermissionsAnswer(user.grants);
}

// --- roles

Result<net::Response> UsersApi::ListRoles(Call& call) {
  return AnswerOf([&](AnswerWriter& out) {
    out.List("roles");
    for (int i = 0; i < access::kRoleCount; ++i)
      WriteRole(static_cast<Role>(i), call.project, &out);
    out.End();
  });
}

Result<net::Response> UsersApi::AssignRole(Call& call) {
  GYRE_DO(MayGiveRoles(call));
  GYRE_TRY(const Role role, RoleAsked(call));
  GYRE_TRY(const access::User user, Find(call.arguments.Text("username")));
  GYRE_DO(access_.GrantRole(call.request.principal, user.name, {call.project, role}));
  return AnswerOf([&](AnswerWriter& out) {
    out.Object("assignment")
        .Text("id", fmt::format("{}-{}", user.id, static_cast<int>(role) + 1))
        .Text("user_id", user.id)
        .Whole("role_id", static_cast<int>(role) + 1)
        .End();
  });
}

Result<net::Response> UsersApi::UnassignRole(Call& call) {
  GYRE_DO(MayGiveRoles(call));
  GYRE_TRY(const Role role, RoleAsked(call));
  GYRE_TRY(const access::User user, Find(call.arguments.Text("username")));
  GYRE_DO(access_.RevokeRole(call.request.principal, user.name, {call.project, role}));
  return EmptyAnswer();
}

Result<net::Response> UsersApi::RolesOfUser(Call& call) {
  GYRE_DO(MayGiveRoles(call));
  GYRE_TRY(const access::User user, Find(call.arguments.Text("username")));
  return AnswerOf([&](AnswerWriter& out) {
    out.List("roles");
    for (const access::Grant& grant : user.grants) {
      if (grant.project == call.project) WriteRole(grant.role, call.project, &out);
    }
    out.End();
  });
}

Result<net::Response> UsersApi::ChangeRoles(Call& /*call*/) {
  return InvalidArgument("GY5135", "roles are fixed: viewer, developer, approver, deployer, admin")
      .Why(
          "roles/list numbers them, assign_role gives one in a project, and so does `gyre roles "
          "grant`");
}

}  // namespace gyre::mlflow
