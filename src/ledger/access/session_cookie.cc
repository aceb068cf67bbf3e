#include "ledger/access/session_cookie.h"

#include <algorithm>

#include "base/text.h"
#include "ledger/access/local_owner.h"

namespace gyre::access {
namespace {

// Browsers do not tell ports of a host apart when they send cookies: two servers on one machine
// would log each other out.
std::string CookieName(const net::Request& request) {
  const std::string_view host = request.Header("host").value_or("");
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) return "gyre_session";
  const std::string_view port = host.substr(colon + 1);
  const bool digits = std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? fmt::format("gyre_session_{}", port) : "gyre_session";
}

std::string Attributes(const net::Request& request, std::string_view base_path) {
  return fmt::format("; Path={}/; HttpOnly; SameSite=Strict{}", base_path,
                     request.peer().tls ? "; Secure" : "");
}

}  // namespace

std::string_view SessionCookie(const net::Request& request) {
  const auto header = request.Header("cookie");
  if (!header) return {};
  const std::string_view site = request.Header("sec-fetch-site").value_or("same-origin");
  if (site != "same-origin" && site != "none") return {};
  const std::string name = CookieName(request);
  for (const std::string_view item : Split(*header, ';')) {
    const std::string_view pair = Trim(item);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name)
      return pair.substr(equals + 1);
  }
  return {};
}

Result<> CheckBrowserChange(const net::Request& request) {
  const auto origin = request.Header("origin");
  const bool foreign =
      origin && IsForeignOrigin(*origin, request.Header("host").value_or(""), request.peer().tls);
  if (request.Header(kBrowserHeader) && !foreign) return {};
  return Error(Code::kPermissionDenied, "GY1721",
               "with a browser's session only gyre's own pages change anything")
      .Why(foreign ? "the page is of another origin"
                   : fmt::format("the request has no header {}", kBrowserHeader))
      .Fix("programs send Authorization: Bearer TOKEN (gyre tokens add)");
}

std::string KeepSession(const net::Request& request, std::string_view secret, std::int64_t seconds,
                        std::string_view base_path) {
  return fmt::format("{}={}; Max-Age={}{}", CookieName(request), secret, seconds,
                     Attributes(request, base_path));
}

std::string EndSession(const net::Request& request, std::string_view base_path) {
  return KeepSession(request, "", 0, base_path);
}

}  // namespace gyre::access
