// Bytes in and out of one accepted socket, plain or TLS. Never blocks. Private to platform/net.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "base/mutex.h"

struct ssl_ctx_st;
struct ssl_st;

namespace gyre::net {

constexpr ssize_t kAgain = -1;
constexpr ssize_t kBroken = -2;

// The server's certificate. Thread-safe.
class TlsServer {
 public:
  // Error: kInvalidArgument GY1619.
  static Result<std::unique_ptr<TlsServer>> Load(std::string certificate_file,
                                                 std::string key_file);
  ~TlsServer();
  // Reads the files again, for connections that come after; on an error (GY1619) all stays as it
  // was.
  Result<> Reload();
  ssl_st* NewConnection() const;

 private:
  TlsServer(std::string certificate_file, std::string key_file);

  const std::string certificate_file_, key_file_;
  mutable Mutex mutex_;
  ssl_ctx_st* context_ GYRE_GUARDED_BY(mutex_) = nullptr;  // connections hold theirs
};

// The client's side of TLS: the server's certificate is checked against the system's authorities
// (or `ca_file`) and its name.
class TlsClient {
 public:
  // Error: kInvalidArgument GY1619.
  static Result<std::unique_ptr<TlsClient>> Make(const std::string& ca_file);
  ~TlsClient();
  ssl_ctx_st* context() const { return context_; }

 private:
  explicit TlsClient(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

class Transport {
 public:
  Transport(int fd, const TlsServer* tls);
  Transport(int fd, const TlsClient* tls, const std::string& host);  // plain when tls is null
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  ssize_t Recv(char* buffer, std::size_t size);       // 0 at the end, kAgain, kBroken
  ssize_t Send(const char* bytes, std::size_t size);  // kAgain, kBroken
  bool wants_write_to_read() const {
    return wants_write_;
  }  // a TLS handshake that waits for the socket to take bytes
  bool tls() const { return ssl_ != nullptr; }
  void ShutdownSend();
  void ShutdownReceive();                        // what has arrived can still be received
  std::string failure() const;                   // why TLS refused, after kBroken; may be empty
  bool distrusts() const { return distrusts_; }  // it refused the other side's certificate

 private:
  ssize_t Judge(int result);

  int fd_;
  ssl_st* ssl_ = nullptr;
  bool wants_write_ = false, distrusts_ = false;
  std::string failure_;
};

}  // namespace gyre::net
