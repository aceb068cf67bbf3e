// HTTP client over TCP, TLS or a Unix socket. Synchronous; keeps its connection between requests.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::net {

class EgressGuard;

struct ClientRequest {
  std::string method = "GET";
  std::string path = "/";  // "/api/v1/projects?limit=5", already encoded
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  // Instead of body: called for the next piece, empty at the end. content_length says the size when
  // it is known (else chunked).
  std::function<Result<std::string>()> body_source = {};
  std::optional<std::int64_t> content_length = {};
  // Instead of collecting the answer's body: called per piece (only for 2xx); an error ends the
  // transfer.
  std::function<Result<>(std::string_view)> body_sink = {};
  // Of an answer that is only looked at: this much of its body is enough; 0 = all of it.
  std::size_t body_bytes_kept = 0;
  std::int64_t timeout_ms = 0;             // of the whole exchange; 0 = none
  std::function<bool()> interrupted = {};  // asked now and then: true gives the exchange up
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string Header(std::string_view name) const;  // "" when absent
};

struct ClientSettings {
  std::string url = {};  // "http://127.0.0.1:7171/base", "https://..."; ignored for a Unix socket
  std::string unix_socket = {};  // path
  std::string token = {};        // sent as Authorization: Bearer
  std::string tls_ca_file = {};  // PEM; empty = the system's authorities
  std::int64_t connect_timeout_ms = 10'000;
  const EgressGuard* guard = nullptr;  // where it may connect to; null = anywhere. Must outlive it
};

class Client {
 public:
  explicit Client(ClientSettings settings);
  ~Client();
  Client(Client&&) noexcept;
  // Body and answer flow at the same time, so a handler may answer while it still reads. An HTTP
  // error status is a response. Errors: kUnavailable GY1620 (the server cannot be reached or went
  // before it took the request: nothing was done, and no body_source was called), GY1624 (the
  // connection broke: the request may have been carried out), kDeadlineExceeded GY1621,
  // kInvalidArgument GY1623 (the URL), kCancelled GY1625 (interrupted), kPermissionDenied GY1626
  // (the guard); those of body_source and body_sink. Redirections are answers: nobody follows them.
  Result<ClientResponse> Send(ClientRequest request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The error inside a problem+json answer (code, message, why, fix), or one made from the status.
Error ErrorOfResponse(const ClientResponse& response);

}  // namespace gyre::net
