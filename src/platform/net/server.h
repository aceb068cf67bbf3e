// The HTTP/1.1 server: keep-alive, pipelining, chunked bodies, TLS, streaming both ways. One event
// loop per I/O thread; blocking handlers run on a bounded pool. Limits on header, body, time and
// connections; a full pool answers 503 with Retry-After.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "platform/net/http.h"

namespace gyre::net {

struct ServerSettings {
  std::string listen = "127.0.0.1:7171";  // port 0 = any free one; "[::1]:7171"; empty = no TCP
  std::string unix_socket = {};           // path, made with mode 0600; empty = none
  std::string base_path = {};             // "/gyre": stripped from requests, 404 outside it
  std::string tls_certificate_file = {}, tls_key_file = {};  // PEM; both or none
  bool behind_proxy = false;  // trust X-Forwarded-For and -Proto of the one hop in front
  int io_threads = 2;
  int blocking_threads = 16;
  int streams_max =
      64;  // uploads, downloads and event streams at once; each holds a thread while it lasts
  int connections_max = 10'000;
  int requests_pipelined_max = 64;
  std::int64_t header_bytes_max = 32 * 1024;
  std::int64_t body_bytes_max = std::int64_t{1} << 40;  // whatever the route allows
  std::int64_t header_timeout_ms = 10'000;
  std::int64_t idle_timeout_ms = 75'000;
  std::int64_t body_bytes_per_second_min = 500;
  std::int64_t drain_timeout_ms = 5'000;
};

class Server {
 public:
  virtual ~Server() = default;                 // stops at once
  virtual int port() const = 0;                // the bound one
  virtual const std::string& url() const = 0;  // "http://127.0.0.1:7171" + base path
  // Reads the certificate and its key again, for new connections. On an error (GY1619) the old ones
  // stay.
  virtual Result<> ReloadCertificate() = 0;
  virtual void
  Drain() = 0;  // no new connections; running requests finish (drain_timeout_ms), then closes
};

// Whether a server could listen there now. Errors: GY1610, GY1612.
Result<> CheckListen(const std::string& listen);
// Whether only this machine can reach such an address; false for one that cannot be read.
bool IsLoopbackListen(const std::string& listen);

// Errors: kFailedPrecondition GY1610 when the address is in use or may not be bound, GY1611 when it
// is not loopback and there is neither TLS nor behind_proxy, kInvalidArgument GY1612 for an address
// that cannot be read, GY1619 for a certificate or key that cannot be used.
Result<std::unique_ptr<Server>> StartServer(ServerSettings settings,
                                            std::span<const RouteTable> tables,
                                            Gatekeeper& gatekeeper, Observer* observer);

}  // namespace gyre::net
