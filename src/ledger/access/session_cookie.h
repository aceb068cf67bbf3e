// A browser's login: the secret of a session in a cookie that no script reads and no other site's
// page sends. Pure: decides on what the request says.
//
// A cookie is sent whether or not our page asked, and by pages of other ports of this host too. So
// it counts only in requests that the browser calls our own, and a change needs a header besides,
// which a page of another origin could send only with a permission that nobody gives.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/net/http.h"

namespace gyre::access {

inline constexpr std::string_view kBrowserHeader = "X-Gyre-Browser";

// The secret in the cookie of this request; empty without one that counts.
std::string_view SessionCookie(const net::Request& request);
// Error: kPermissionDenied GY1721, a change without the header, or from a page of another origin.
Result<> CheckBrowserChange(const net::Request& request);
// Values of Set-Cookie: for `seconds`, and away with it. `base_path` as in the server's settings.
std::string KeepSession(const net::Request& request, std::string_view secret, std::int64_t seconds,
                        std::string_view base_path);
std::string EndSession(const net::Request& request, std::string_view base_path);

}  // namespace gyre::access
