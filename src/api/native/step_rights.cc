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

}  // namespace gyre::native
