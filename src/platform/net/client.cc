#include "platform/net/client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/text.h"
#include "base/time.h"
#include "platform/net/dial.h"
#include "platform/net/listener.h"
#include "platform/net/message_parser.h"
#include "platform/net/reply.h"
#include "platform/net/transport.h"

namespace gyre::net {
namespace {

constexpr std::int64_t kHeaderBytesMax = 256 << 10;
constexpr std::size_t kBodyBytesMax = std::size_t{1}
                                      << 30;  // of an answer that is collected in memory
constexpr std::size_t kPiece = 64 << 10;
constexpr int kInterruptPollMillis = 100;  // an interrupt just before the wait is seen after it

Error Broke(std::string_view what) {
  return MakeError(Code::kUnavailable, "GY1624", "the connection to the server broke: {}", what);
}
Error TooLate() {
  return MakeError(Code::kDeadlineExceeded, "GY1621", "the server did not answer in time");
}

struct Url {
  bool tls = false;
  std::string host, port, base, authority;
};

Result<Url> ParseUrl(const std::string& text) {
  const auto bad = [&] {
    return InvalidArgument("GY1623", "`{}` is no server address", text)
        .Fix("http://127.0.0.1:7171");
  };
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad();
  }
  const std::size_t slash = rest.find('/');
  url.authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) url.base = rest.substr(slash);
  while (url.base.ends_with('/')) url.base.pop_back();
  const std::size_t colon = url.authority.rfind(':');
  const bool has_port =
      colon != std::string::npos && url.authority.find(']', colon) == std::string::npos;
  url.host = url.authority.substr(0, has_port ? colon : std::string::npos);
  url.port = has_port ? url.authority.substr(colon + 1) : url.tls ? "443" : "80";
  if (url.host.size() > 2 && url.host.front() == '[')
    url.host = url.host.substr(1, url.host.size() - 2);
  const auto port = ParseInt(url.port);
  if (url.host.empty() || !port || *port < 1 || *port > 65535) return bad();
  if (text.find_first_of(" \r\n\t@") != std::string::npos) return bad();
  return url;
}

struct Wire {
  int fd;
  Transport transport;
  Wire(int descriptor, const TlsClient* tls, const std::string& host)
      : fd(descriptor), transport(fd, tls, host) {}
  ~Wire() { close(fd); }
};

// One request and its answer on a connected wire: a loop that sends and receives as the socket
// allows.
class Exchanging {
 public:
  Exchanging(Wire& wire, ClientRequest& request, std::string head)
      : wire_(wire), request_(request), out_(std::move(head)), buffer_(kPiece, '\0') {
    chunked_ = request.body_source && !request.content_length;
    if (!request.body_source) {
      out_ += request.body;
      body_sent_ = true;
    }
    if (request.timeout_ms > 0)
      until_us_ = SystemClock().MonotonicMicros() + request.timeout_ms * 1000;
  }

  Result<ClientResponse> Run() {
    while (!done_) {
      GYRE_DO(SendSome());
      GYRE_DO(ReceiveSome());
      if (done_) break;
      pollfd waiting{wire_.fd, POLLIN, 0};
      if (HasToSend() || wire_.transport.wants_write_to_read()) waiting.events |= POLLOUT;
      if (request_.interrupted && request_.interrupted())
        return Error(Code::kCancelled, "GY1625", "stopped before the server had answered");
      const int ready = poll(&waiting, 1, PollMillis());
      if (ready == 0 && MillisUntil(until_us_) == 0) return TooLate();
      if (ready < 0 && errno != EINTR) return SystemError("waiting for the server", errno);
    }
    if (!body_sent_ || sent_ < out_.size()) keep_ = false;
    return std::move(response_);
  }
  bool keep() const { return keep_; }
  bool heard_anything() const { return heard_; }
  // The server never had a whole request, and the caller's body is untouched.
  bool nothing_done() const { return !heard_ && !body_begun_ && sent_ < out_.size(); }

 private:
  int PollMillis() const {
    const int left = MillisUntil(until_us_);
    if (!request_.interrupted) return left;
    return left < 0 ? kInterruptPollMillis : std::min(left, kInterruptPollMillis);
  }
  bool HasToSend() const { return !cut_ && (sent_ < out_.size() || !body_sent_); }

  Result<> SendSome() {
    while (HasToSend()) {
      if (sent_ == out_.size()) GYRE_DO(NextPiece());
      const ssize_t n = wire_.transport.Send(out_.data() + sent_, out_.size() - sent_);
      if (n == kAgain) return {};
      if (n == kBroken) {
        cut_ = true;  // the server may have said why before it closed
        keep_ = false;
        return {};
      }
      sent_ += static_cast<std::size_t>(n);
    }
    return {};
  }
  Result<> NextPiece() {
    body_begun_ = true;
    out_.clear();
    sent_ = 0;
    GYRE_TRY(const std::string piece, request_.body_source());
    if (piece.empty()) body_sent_ = true;
    if (!chunked_) {
      out_ = piece;
    } else if (piece.empty()) {
      out_ = "0\r\n\r\n";
    } else {
      AppendChunk(piece, &out_);
    }
    return {};
  }
  Result<> ReceiveSome() {
    while (!done_) {
      const ssize_t n = wire_.transport.Recv(buffer_.data(), buffer_.size());
      if (n == kAgain) return {};
      if (n == kBroken || n == 0) return OnEnd(n == 0);
      heard_ = true;
      GYRE_DO(Take({buffer_.data(), static_cast<std::size_t>(n)}));
      if (HasToSend()) return {};  // turn about, so that neither side waits for the other
    }
    return {};
  }
  Result<> OnEnd(bool orderly) {
    keep_ = false;
    // Some end a TLS connection without a goodbye: who reads only the beginning need not mind.
    if (to_the_end_ && (orderly || request_.body_bytes_kept > 0)) {
      done_ = true;
      return {};
    }
    const std::string why = wire_.transport.failure();
    Error broke = Broke(why.empty() ? "it ended before the answer did" : why);
    if (!wire_.transport.distrusts()) return broke;
    return std::move(broke)
        .Fix("SSL_CERT_FILE=cert.pem gyre ...   with the server's certificate, or its authority's")
        .Fix("address the server by a name that its certificate holds");
  }
  Result<> Take(std::string_view bytes) {
    pending_ += bytes;
    std::string_view in = pending_;
    while (!parser_.head_done() && !in.empty()) {
      GYRE_TRY(const std::size_t used, parser_.ParseHead(in));
      in.remove_prefix(used);
      if (!parser_.head_done()) break;
      if (parser_.head().status >= 100 && parser_.head().status < 200) {
        parser_.Reset();
        continue;
      }
      OnHead();
    }
    if (parser_.head_done()) {
      GYRE_DO(TakeBody(&in));
    }
    pending_.erase(0, pending_.size() - in.size());
    return {};
  }
  void OnHead() {
    const Head& head = parser_.head();
    response_.status = head.status;
    for (const Head::Field& field : head.fields)
      response_.headers.emplace_back(head.Name(field), head.Value(field));
    keep_ = head.version == 11 && !EqualsIgnoreCase(response_.Header("connection"), "close");
    const bool bodiless = request_.method == "HEAD" || head.status == 204 || head.status == 304;
    left_ = bodiless ? 0 : head.content_length;
    to_the_end_ = !bodiless && !head.chunked && left_ < 0;
    if (bodiless || left_ == 0) done_ = true;
  }
  Result<> TakeBody(std::string_view* in) {
    if (done_) return {};
    std::string piece;
    if (parser_.head().chunked) {
      GYRE_TRY(const std::size_t used, parser_.ParseChunks(*in, &piece));
      in->remove_prefix(used);
      done_ = parser_.chunks_done();
    } else {
      const std::size_t size =
          to_the_end_ ? in->size()
                      : std::min<std::size_t>(in->size(), static_cast<std::size_t>(left_));
      piece.assign(in->substr(0, size));
      in->remove_prefix(size);
      if (!to_the_end_) {
        left_ -= static_cast<std::int64_t>(size);
        done_ = left_ == 0;
      }
    }
    if (piece.empty()) return {};
    if (request_.body_sink && response_.status >= 200 && response_.status < 300)
      return request_.body_sink(piece);
    if (request_.body_bytes_kept > 0) return KeepBeginning(piece);
    if (response_.body.size() + piece.size() > kBodyBytesMax)
      return Broke("the answer is too large to keep in memory");
    response_.body += piece;
    return {};
  }
  // What is longer is not waited for.
  Result<> KeepBeginning(std::string_view piece) {
    response_.body += piece.substr(0, request_.body_bytes_kept - response_.body.size());
    if (done_ || response_.body.size() < request_.body_bytes_kept) return {};
    done_ = true;
    keep_ = false;
    return {};
  }

  Wire& wire_;
  ClientRequest& request_;
  std::string out_, buffer_, pending_;
  std::size_t sent_ = 0;
  bool chunked_ = false, body_begun_ = false, body_sent_ = false, cut_ = false, done_ = false,
       heard_ = false, keep_ = false, to_the_end_ = false;
  std::int64_t left_ = -1;
  std::int64_t until_us_ = std::numeric_limits<std::int64_t>::max();
  MessageParser parser_{MessageParser::Kind::kResponse, kHeaderBytesMax};
  ClientResponse response_;
};

// Between two exchanges a server has nothing to say but its goodbye.
bool StillOpen(const Wire& wire) {
  pollfd waiting{wire.fd, POLLIN, 0};
  return poll(&waiting, 1, 0) == 0;
}

bool OneLine(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

std::string ClientResponse::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

struct Client::Impl {
  ClientSettings settings;
  std::unique_ptr<TlsClient> tls;
  std::unique_ptr<Wire> wire;

  Result<> Connect(const ClientRequest& request) {
    if (!settings.unix_socket.empty()) {
      GYRE_TRY(const int fd, ConnectUnix(settings.unix_socket));
      fcntl(fd, F_SETFL, O_NONBLOCK);
      wire = std::make_unique<Wire>(fd, nullptr, "");
      return {};
    }
    GYRE_TRY(const Url url, ParseUrl(settings.url));
    if (url.tls && !tls) {
      GYRE_TRY(tls, TlsClient::Make(settings.tls_ca_file));
    }
    const std::int64_t until_us =
        SystemClock().MonotonicMicros() + settings.connect_timeout_ms * 1000;
    GYRE_TRY(const int fd,
             Dial(url.host, url.port, {until_us, request.interrupted, settings.guard}));
    wire = std::make_unique<Wire>(fd, url.tls ? tls.get() : nullptr, url.host);
    return {};
  }

  Result<std::string> HeadOf(const ClientRequest& request) const {
    std::string base;
    std::string authority = "localhost";
    if (settings.unix_socket.empty()) {
      GYRE_TRY(const Url url, ParseUrl(settings.url));
      base = url.base;
      authority = url.authority;
    }
    if (!OneLine(request.path) || request.path.find(' ') != std::string::npos ||
        !request.path.starts_with('/')) {
      return InvalidArgument("GY1623", "`{}` is no path of a request", request.path);
    }
    std::string head =
        request.method + " " + base + request.path + " HTTP/1.1\r\nHost: " + authority + "\r\n";
    if (!settings.token.empty()) head += "Authorization: Bearer " + settings.token + "\r\n";
    for (const auto& [name, value] : request.headers) {
      if (!OneLine(name) || !OneLine(value))
        return InvalidArgument("GY1623", "the header `{}` is not one line", name);
      head += name + ": " + value + "\r\n";
    }
    if (request.body_source) {
      head += request.content_length ? "Content-Length: " + std::to_string(*request.content_length)
                                     : "Transfer-Encoding: chunked";
      head += "\r\n";
    } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
               request.method == "PATCH") {
      head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    }
    return head + "\r\n";
  }
};

Client::Client(ClientSettings settings) : impl_(std::make_unique<Impl>()) {
  impl_->settings = std::move(settings);
  if (!OneLine(impl_->settings.token)) impl_->settings.token.clear();
}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

Result<ClientResponse> Client::Send(ClientRequest request) {
  GYRE_TRY(const std::string head, impl_->HeadOf(request));
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  while (true) {
    if (impl_->wire && !StillOpen(*impl_->wire)) impl_->wire.reset();
    const bool reused = impl_->wire != nullptr;
    if (!reused) GYRE_DO(impl_->Connect(request));
    Exchanging exchanging(*impl_->wire, request, head);
    auto response = exchanging.Run();
    if (!response || !exchanging.keep()) impl_->wire.reset();
    if (response || response.error().code() != Code::kUnavailable) return response;
    // A kept connection may have been closed meanwhile: once more on a new one, if that does no
    // harm.
    const bool harmless = exchanging.nothing_done() || (is_read && !exchanging.heard_anything());
    if (harmless && reused) continue;
    if (exchanging.nothing_done() && impl_->tls == nullptr)  // TLS has its own reasons
      return MakeError(Code::kUnavailable, "GY1620", "the server went before it took the request");
    return response;
  }
}

}  // namespace gyre::net
