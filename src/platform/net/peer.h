// Who is at the other end, as the kernel sees it. Private to platform/net.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>

namespace gyre::net {

std::optional<unsigned> UnixPeerUid(int fd);
// The owner of the client's end of a loopback TCP connection, asked from sock_diag. Empty when the
// kernel does not know for certain: the client has closed its end (an orphan would look like
// root's), or the connection is not established any more.
std::optional<unsigned> LoopbackPeerUid(int fd);

std::string AddressText(const sockaddr_storage& address);  // "127.0.0.1:80", "[::1]:80", "unix"
bool IsLoopback(const sockaddr_storage& address);          // also ::ffff:127.0.0.1

}  // namespace gyre::net
