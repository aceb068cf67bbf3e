// Is the caller the user who runs this server, sitting at this machine? Pure: decides on facts that
// the kernel and the request state.
#pragma once

#include <string_view>

#include "platform/net/http.h"

namespace gyre::access {

enum class LocalVerdict : unsigned char {
  kOwner,
  kNotLocal,       // not a socket or loopback connection
  kUnknownUser,    // the kernel does not say who is at the other end
  kOtherUser,      // another user of this machine
  kForwarded,      // a proxy stands in between
  kForeignHost,    // the Host is no loopback name: DNS rebinding
  kForeignOrigin,  // a web page of somebody else: CSRF
};
std::string_view LocalVerdictText(LocalVerdict verdict);

LocalVerdict JudgeLocal(const net::Request& request, unsigned owner_uid);
bool IsLoopbackHost(std::string_view host);  // "localhost:7171", "127.0.0.1", "[::1]:80"
// "http://localhost:7171" belongs to "localhost:7171", with TLS "https://localhost:7171".
bool IsForeignOrigin(std::string_view origin, std::string_view host, bool tls);

}  // namespace gyre::access
