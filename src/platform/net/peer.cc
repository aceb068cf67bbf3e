#include "platform/net/peer.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cstring>

namespace gyre::net {
namespace {

struct Endpoint {
  unsigned char family = 0;
  unsigned port = 0;      // network order
  unsigned address[4]{};  // network order
};

bool ToEndpoint(const sockaddr_storage& storage, Endpoint* out) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof in);
    out->family = AF_INET;
    out->port = in.sin_port;
    out->address[0] = in.sin_addr.s_addr;
    return true;
  }
  if (storage.ss_family != AF_INET6) return false;
  sockaddr_in6 in{};
  std::memcpy(&in, &storage, sizeof in);
  out->port = in.sin6_port;
  if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
    out->family = AF_INET;
    std::memcpy(out->address, in.sin6_addr.s6_addr + 12, 4);
  } else {
    out->family = AF_INET6;
    std::memcpy(out->address, &in.sin6_addr, 16);
  }
  return true;
}

bool Established(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         info.tcpi_state == TCP_ESTABLISHED;
}

struct DiagRequest {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

std::optional<unsigned> AskKernel(const Endpoint& client, const Endpoint& server) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) return std::nullopt;
  DiagRequest ask{};
  ask.header.nlmsg_len = sizeof ask;
  ask.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.header.nlmsg_flags = NLM_F_REQUEST;
  ask.request.sdiag_family = client.family;
  ask.request.sdiag_protocol = IPPROTO_TCP;
  ask.request.idiag_states = ~0U;
  ask.request.id.idiag_sport = static_cast<__be16>(client.port);
  ask.request.id.idiag_dport = static_cast<__be16>(server.port);
  std::memcpy(ask.request.id.idiag_src, client.address, 16);
  std::memcpy(ask.request.id.idiag_dst, server.address, 16);
  ask.request.id.idiag_cookie[0] = ask.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  alignas(nlmsghdr) char buffer[4096];
  ssize_t size = send(fd, &ask, sizeof ask, 0);
  if (size == sizeof ask) size = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  close(fd);
  if (size < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)))) return std::nullopt;
  nlmsghdr header{};
  std::memcpy(&header, buffer, sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  inet_diag_msg answer{};
  std::memcpy(&answer, buffer + NLMSG_HDRLEN, sizeof answer);
  // An orphaned or closing socket has no inode and would be reported as uid 0.
  if (answer.idiag_state != TCP_ESTABLISHED || answer.idiag_inode == 0) return std::nullopt;
  return answer.idiag_uid;
}

}  // namespace

std::optional<unsigned> UnixPeerUid(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials.uid;
}

std::optional<unsigned> LoopbackPeerUid(int fd) {
  sockaddr_storage theirs{};
  sockaddr_storage ours{};
  socklen_t size = sizeof theirs;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&theirs), &size) != 0) return std::nullopt;
  size = sizeof ours;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&ours), &size) != 0) return std::nullopt;
  Endpoint client;
  Endpoint server;
  if (!IsLoopback(theirs) || !ToEndpoint(theirs, &client) || !ToEndpoint(ours, &server))
    return std::nullopt;
  const std::optional<unsigned> uid = AskKernel(client, server);
  // Still established afterwards: so the socket that was found is the one that sent the request,
  // not a later one on the same port.
  if (!uid || !Established(fd)) return std::nullopt;
  return uid;
}

std::string AddressText(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(in.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(in.sin6_port));
  }
  return "unix";
}

bool IsLoopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return (ntohl(in.sin_addr.s_addr) >> 24) == 127;
  }
  if (address.ss_family != AF_INET6) return false;
  sockaddr_in6 in{};
  std::memcpy(&in, &address, sizeof in);
  if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) return in.sin6_addr.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&in.sin6_addr);
}

}  // namespace gyre::net
