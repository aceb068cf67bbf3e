// What a request does beyond its route's own permission must be allowed, too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/net/http.h"

namespace gyre::access {
class Access;
}

namespace gyre::native {

// Who starts a pipeline must be allowed what its steps do. Errors: those of Access::Admit, for the
// first permission that the caller lacks.
Result<> AdmitSteps(access::Access& access, net::Request& request,
                    const std::vector<std::string>& permissions);

// In that project, which the path need not name. Errors: those of Access::Admit, GY1702.
Result<> AdmitAlso(access::Access& access, net::Request& request, std::string_view project,
                   std::string_view permission);

}  // namespace gyre::native
