#include "platform/net/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace gyre::net {
namespace {

std::string TlsReason() {
  char text[256] = "unknown reason";
  if (const unsigned long code = ERR_get_error(); code != 0)
    ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

using Context = std::unique_ptr<SSL_CTX, decltype([](SSL_CTX* c) { SSL_CTX_free(c); })>;

Result<Context> ServerContext(const std::string& certificate_file, const std::string& key_file) {
  Context owned(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = owned.get();
  GYRE_CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return InvalidArgument("GY1619", "cannot read the TLS certificate {}", certificate_file)
        .Why(TlsReason());
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return InvalidArgument("GY1619", "cannot read the TLS key {}", key_file).Why(TlsReason());
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return InvalidArgument("GY1619", "the TLS key {} does not belong to the certificate {}",
                           key_file, certificate_file);
  }
  return owned;
}

}  // namespace

TlsServer::TlsServer(std::string certificate_file, std::string key_file)
    : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

TlsServer::~TlsServer() { SSL_CTX_free(context_); }

Result<std::unique_ptr<TlsServer>> TlsServer::Load(std::string certificate_file,
                                                   std::string key_file) {
  std::unique_ptr<TlsServer> server(
      new TlsServer(std::move(certificate_file), std::move(key_file)));
  GYRE_DO(server->Reload());
  return server;
}

Result<> TlsServer::Reload() {
  GYRE_TRY(Context fresh, ServerContext(certificate_file_, key_file_));
  const MutexLock lock(mutex_);
  SSL_CTX_free(context_);
  context_ = fresh.release();
  return {};
}

ssl_st* TlsServer::NewConnection() const {
  const MutexLock lock(mutex_);
  return SSL_new(context_);
}

Result<std::unique_ptr<TlsClient>> TlsClient::Make(const std::string& ca_file) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  GYRE_CHECK(context != nullptr);
  std::unique_ptr<TlsClient> client(new TlsClient(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const bool loaded = ca_file.empty()
                          ? SSL_CTX_set_default_verify_paths(context) == 1
                          : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) == 1;
  if (!loaded)
    return InvalidArgument("GY1619", "cannot read the TLS authorities {}", ca_file)
        .Why(TlsReason());
  return client;
}

TlsClient::~TlsClient() { SSL_CTX_free(context_); }

Transport::Transport(int fd, const TlsClient* tls, const std::string& host) : fd_(fd) {
  if (tls == nullptr) return;
  ssl_ = SSL_new(tls->context());
  GYRE_CHECK(ssl_ != nullptr);
  SSL_set_fd(ssl_, fd);
  SSL_set_connect_state(ssl_);
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host.c_str()) != 1) {
    ERR_clear_error();
    SSL_set1_host(ssl_, host.c_str());
    SSL_set_tlsext_host_name(ssl_, host.c_str());
  }
}

std::string Transport::failure() const { return failure_; }

Transport::Transport(int fd, const TlsServer* tls) : fd_(fd) {
  if (tls == nullptr) return;
  ssl_ = tls->NewConnection();
  GYRE_CHECK(ssl_ != nullptr);
  SSL_set_fd(ssl_, fd);
  SSL_set_accept_state(ssl_);
}

Transport::~Transport() {
  if (ssl_ != nullptr) SSL_free(ssl_);
}

ssize_t Transport::Judge(int result) {
  wants_write_ = false;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return kAgain;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return kAgain;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      if (const long verify = SSL_get_verify_result(ssl_); verify != X509_V_OK) {
        distrusts_ = true;
        failure_ = X509_verify_cert_error_string(verify);
        ERR_clear_error();
      } else {
        failure_ = TlsReason();
      }
      return kBroken;
  }
}

ssize_t Transport::Recv(char* buffer, std::size_t size) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    const int n = SSL_read(ssl_, buffer, static_cast<int>(size));
    return n > 0 ? n : Judge(n);
  }
  while (true) {
    const ssize_t n = recv(fd_, buffer, size, 0);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    return errno == EAGAIN ? kAgain : kBroken;
  }
}

ssize_t Transport::Send(const char* bytes, std::size_t size) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    const int n = SSL_write(ssl_, bytes, static_cast<int>(std::min<std::size_t>(size, 1 << 20)));
    if (n > 0) return n;
    const ssize_t judged = Judge(n);
    return judged == 0 ? kBroken : judged;
  }
  while (true) {
    const ssize_t n = send(fd_, bytes, size, MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    return errno == EAGAIN ? kAgain : kBroken;
  }
}

void Transport::ShutdownSend() {
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  shutdown(fd_, SHUT_WR);
}

void Transport::ShutdownReceive() { shutdown(fd_, SHUT_RD); }

}  // namespace gyre::net
