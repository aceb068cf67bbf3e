// The words of a route table, so that every noun's table reads alike.
#pragma once

#include "platform/net/http.h"

namespace gyre::native {

using net::Bind;
using net::Body;
using net::Method;
using net::Permission;
using net::Where;

}  // namespace gyre::native
