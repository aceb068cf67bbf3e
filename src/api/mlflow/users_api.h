// Users and what they may, as MLflow's client for them asks. A level is a role in a project: READ
// is viewer, EDIT developer, MANAGE admin, NO_PERMISSIONS none of them; what a project holds has no
// levels of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/mlflow/call.h"
#include "ledger/access/access.h"

namespace gyre::mlflow {

class UsersApi final : public Noun {
 public:
  UsersApi(projects::Projects& projects, access::Access& access)
      : Noun(projects), access_(access) {}
  net::RouteTable table();

  Result<net::Response> Create(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> List(Call& call);
  Result<net::Response> Current(Call& call);
  Result<net::Response> SetPassword(Call& call);
  Result<net::Response> SetAdmin(Call& call);
  Result<net::Response> Delete(Call& call);

  Result<net::Response> OwnPermissions(Call& call);
  Result<net::Response> ListPermissions(Call& call);
  Result<net::Response> Grant(Call& call);
  Result<net::Response> Revoke(Call& call);
  Result<net::Response> GetPermission(Call& call);
  // Of clients before 3.10: on one experiment or one model.
  Result<net::Response> OfOneThing(Call& call);

  Result<net::Response> ListRoles(Call& call);
  Result<net::Response> AssignRole(Call& call);
  Result<net::Response> UnassignRole(Call& call);
  Result<net::Response> RolesOfUser(Call& call);
  Result<net::Response> ChangeRoles(Call& call);

 private:
  Result<access::User> Find(std::string_view name);
  // On routes that everybody has for what is their own.
  Result<> MayManageUsers(const Call& call);
  // Who has the role of an administrator in one project only gives nobody a role, as over the
  // native API: it would be his word alone who comes in.
  Result<> MayGiveRoles(const Call& call);
  // Takes the roles that are levels away, then gives the one that is asked for.
  Result<> SetLevel(const Call& call, std::string_view project,
                    const std::optional<access::Role>& role);
  // The project that a grant is for.
  Result<std::string> ProjectAsked(const Call& call);

  access::Access& access_;
};

}  // namespace gyre::mlflow
