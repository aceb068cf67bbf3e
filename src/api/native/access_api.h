// /api/v1/setup, login, logout, me, users, tokens, roles.
#pragma once

#include <string>
#include <utility>

#include "platform/net/http.h"

namespace gyre::access {
class Access;
struct Issued;
}  // namespace gyre::access

namespace gyre::projects {
class Projects;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

class AccessApi {
 public:
  AccessApi(access::Access& access, projects::Projects& projects, trash::Trash& trash,
            std::string base_path)
      : access_(access), projects_(projects), trash_(trash), base_path_(std::move(base_path)) {}
  net::RouteTable table();

  Result<net::Response> Setup(net::Request& request);
  Result<net::Response> Login(net::Request& request);
  Result<net::Response> Logout(net::Request& request);
  Result<net::Response> Me(net::Request& request);
  Result<net::Response> ChangePassword(net::Request& request);
  Result<net::Response> ListUsers(net::Request& request);
  Result<net::Response> CreateUser(net::Request& request);
  Result<net::Response> GetUser(net::Request& request);
  Result<net::Response> ChangeUser(net::Request& request);
  Result<net::Response> DeleteUser(net::Request& request);
  Result<net::Response> GrantRole(net::Request& request);
  Result<net::Response> RevokeRole(net::Request& request);
  Result<net::Response> ListTokens(net::Request& request);
  Result<net::Response> CreateToken(net::Request& request);
  Result<net::Response> RevokeToken(net::Request& request);
  Result<net::Response> ListRoles(net::Request& request);

 private:
  // A right in a project that is not there would hold in whichever gets its name later.
  Result<> CheckProject(const std::string& project);
  net::Response SessionResponse(const net::Request& request, const access::Issued& issued,
                                bool as_cookie, int status) const;

  access::Access& access_;
  projects::Projects& projects_;
  trash::Trash& trash_;
  const std::string base_path_;  // where the browser's session holds
};

}  // namespace gyre::native
