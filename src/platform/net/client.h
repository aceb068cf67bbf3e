// HTTP client over TCP, TLS (libcurl) or a Unix socket. Synchronous.
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

struct ClientRequest {
  std::string method = "GET";
  std::string path;  // "/api/v1/projects?limit=5", already encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Instead of body: called for the next piece, empty at the end. content_length says the size when it is known (else chunked).
  std::function<Result<std::string>()> body_source;
  std::optional<std::int64_t> content_length;
  // Instead of collecting the answer's body: called per piece (only for 2xx); an error ends the transfer.
  std::function<Result<>(std::string_view)> body_sink;
  std::int64_t timeout_ms = 0;  // of the whole exchange; 0 = none
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string Header(std::string_view name) const;  // "" when absent
};

struct ClientSettings {
  std::string url;          // "http://127.0.0.1:7171/base", "https://..."; ignored for a Unix socket
  std::string unix_socket;  // path
  std::string token;        // sent as Authorization: Bearer
};

class Client {
 public:
  explicit Client(ClientSettings settings);
  ~Client();
  Client(Client&&) noexcept;
  // Errors: kUnavailable GY1620 (cannot connect), kDeadlineExceeded GY1621. An HTTP error status is a response, not an error.
  Result<ClientResponse> Send(ClientRequest request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The error inside a problem+json answer (code, message, why, fix), or one made from the status.
Error ErrorOfResponse(const ClientResponse& response);

}  // namespace gyre::net
