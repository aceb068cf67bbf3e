#include "ledger/access/local_owner.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::access {
namespace {

// Whoever sets one of these is not the one who asks.
constexpr std::string_view kForwardingHeaders[] = {"forwarded",
                                                   "x-forwarded-for",
                                                   "x-forwarded-host",
                                                   "x-forwarded-proto",
                                                   "x-forwarded-server",
                                                   "x-real-ip",
                                                   "via",
                                                   "true-client-ip",
                                                   "cf-connecting-ip",
                                                   "x-client-ip",
                                                   "x-cluster-client-ip",
                                                   "x-original-forwarded-for"};

// Only digits are a port: "[::1].example" and "localhost:80.example" are other names.
std::string_view WithoutPort(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) return host;
  const std::string_view port = host.substr(colon + 1);
  const bool digits = std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? host.substr(0, colon) : host;
}

}  // namespace

std::string_view LocalVerdictText(LocalVerdict verdict) {
  switch (verdict) {
    case LocalVerdict::kOwner:
      return "this is the owner";
    case LocalVerdict::kNotLocal:
      return "the connection does not come from this machine";
    case LocalVerdict::kUnknownUser:
      return "the system does not say which user is at the other end";
    case LocalVerdict::kOtherUser:
      return "the connection belongs to another user of this machine";
    case LocalVerdict::kForwarded:
      return "the request was forwarded by a proxy";
    case LocalVerdict::kForeignHost:
      return "the request was addressed to a name that is not this machine's loopback";
    case LocalVerdict::kForeignOrigin:
      return "the request was made by a web page of another site";
  }
  return "";
}

bool IsLoopbackHost(std::string_view host) {
  const std::string_view name = WithoutPort(host);
  if (name == "127.0.0.1" || EqualsIgnoreCase(name, "localhost") || name == "[::1]") return true;
  if (!name.starts_with("127.")) return false;
  const auto parts = Split(name, '.');
  if (parts.size() != 4) return false;
  for (const std::string_view part : parts) {
    const auto number = ParseInt(part);
    if (!number || *number < 0 || *number > 255) return false;
  }
  return true;
}

bool IsForeignOrigin(std::string_view origin, std::string_view host, bool tls) {
  const std::string_view scheme = tls ? "https://" : "http://";
  // Also "null": a sandboxed page or a file.
  return !origin.starts_with(scheme) || !EqualsIgnoreCase(origin.substr(scheme.size()), host);
}

LocalVerdict JudgeLocal(const net::Request& request, unsigned owner_uid) {
  const net::Peer& peer = request.peer();
  if (!peer.loopback) return LocalVerdict::kNotLocal;
  for (const std::string_view name : kForwardingHeaders) {
    if (request.Header(name)) return LocalVerdict::kForwarded;
  }
  const std::string_view host = request.Header("host").value_or("");
  // Only a program of this machine reaches a Unix socket, whatever name it writes there.
  if (peer.address != "unix" && !IsLoopbackHost(host)) return LocalVerdict::kForeignHost;
  if (const auto origin = request.Header("origin");
      origin && IsForeignOrigin(*origin, host, peer.tls))
    return LocalVerdict::kForeignOrigin;
  if (const auto site = request.Header("sec-fetch-site");
      site && *site != "same-origin" && *site != "none") {
    return LocalVerdict::kForeignOrigin;
  }
  if (!peer.uid) return LocalVerdict::kUnknownUser;
  return *peer.uid == owner_uid ? LocalVerdict::kOwner : LocalVerdict::kOtherUser;
}

}  // namespace gyre::access
