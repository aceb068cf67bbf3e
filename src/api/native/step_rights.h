// Who starts a pipeline must be allowed what its steps do.
#pragma once

#include <string>
#include <vector>

#include "platform/net/http.h"

namespace gyre::access {
class Access;
}

namespace gyre::native {

// Errors: those of Access::Admit, for the first permission that the caller lacks.
Result<> AdmitSteps(access::Access& access, net::Request& request,
                    const std::vector<std::string>& permissions);

}  // namespace gyre::native
