// What a request may say, by the row of its route. Private to platform/net.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "platform/net/http.h"

namespace gyre::net {

// Error: kInvalidArgument GY1631 for a parameter that the row does not list or that comes twice,
// GY1601 for a value that it cannot have.
Result<> CheckQuery(const Request& request, const Route& route);

// Error: kInvalidArgument GY1630 names the member and the one that was probably meant.
Result<> CheckMembers(const Json& body, const Route& route);

}  // namespace gyre::net
