#include "api/native/step_rights.h"

#include "ledger/access/access.h"

namespace gyre::native {

Result<> AdmitSteps(access::Access& access, net::Request& request,
                    const std::vector<std::string>& permissions) {
  for (const std::string& permission : permissions) {
    net::Route needed = *request.route;
    needed.permission.name = permission;
    GYRE_DO(access.Admit(request, needed));
  }
  return {};
}

Result<> AdmitAlso(access::Access& access, net::Request& request, std::string_view project,
                   std::string_view permission) {
  net::Route needed = *request.route;
  needed.permission.name = permission;
  const net::Principal before = request.principal;
  const auto admitted = access.Admit(request, needed);
  const bool here = admitted && request.principal.AllowsProject(project);
  request.principal = before;
  if (!admitted) return admitted.error();
  if (here) return {};
  return MakeError(Code::kPermissionDenied, "GY1702", "{} may not do this: it needs `{}` in `{}`",
                   before.name, permission, project)
      .Fix("gyre roles");
}

}  // namespace gyre::native
