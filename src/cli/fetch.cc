#include "cli/fetch.h"

#include "base/text.h"
#include "cli/transfer.h"
#include "platform/exec/signals.h"
#include "platform/net/client.h"
#include "platform/net/egress.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kBytesMax = std::int64_t{16} << 30;
constexpr int kRedirectionsMax = 5;
constexpr std::string_view kSecure = "https://", kPlain = "http://";

struct Address {
  std::string server;  // "https://example.org:8443"
  std::string path;    // "/a/b.csv?x=1"
};

Result<Address> AddressOf(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const std::size_t begin = url.find("://") + 3;
  const std::size_t end = std::min(url.find_first_of("/?", begin), url.size());
  if (url.substr(begin, end - begin).find('@') != std::string_view::npos)
    return InvalidArgument("GY4918", "{} holds a name or password",
                           fmt::format("{}...", url.substr(0, begin)))
        .Why("an address is shown and kept; what opens it must not be part of it")
        .Fix("fetch the file with a program that has the password, then gyre add FILE");
  std::string path(url.substr(end));
  if (!path.starts_with('/')) path.insert(0, "/");
  return Address{std::string(url.substr(0, end)), std::move(path)};
}

Error Answered(const std::string& url, std::string_view what) {
  return MakeError(Code::kUnavailable, "GY4919", "{} {}", url, what)
      .Fix("open it in a browser, or: curl -LO URL, then gyre add FILE");
}

// Where an answer leads: a whole address, or a path on the same server.
Result<std::string> NextUrl(const std::string& url, const Address& from,
                            const net::ClientResponse& answer) {
  const std::string to = answer.Header("location");
  const std::string next = to.starts_with('/') ? from.server + to : to;
  if (!IsUrl(next)) return Answered(url, "leads to no address of a file");
  if (url.starts_with(kSecure) && next.starts_with(kPlain))
    return Answered(url, "leads from https to http, where anybody could change the file");
  return next;
}

struct Download {
  FileSink sink;
  std::int64_t bytes = 0;
};

Result<net::ClientResponse> Get(const Address& address, const std::string& url,
                                const net::EgressGuard& guard, Download* download, Output& out) {
  net::Client client({.url = address.server, .guard = &guard});
  net::ClientRequest request;
  request.path = address.path;
  request.body_bytes_kept = 1 << 16;
  request.interrupted = [] { return exec::InterruptCounter::count() > 0; };
  request.body_sink = [&](std::string_view piece) -> Result<> {
    download->bytes += static_cast<std::int64_t>(piece.size());
    if (download->bytes > kBytesMax)
      return Answered(url, "is larger than " + HumanBytes(kBytesMax));
    out.Progress(-1, fmt::format("fetching {}  {}", url, HumanBytes(download->bytes)));
    return download->sink.Write(piece);
  };
  return client.Send(std::move(request));
}

}  // namespace

bool IsUrl(std::string_view text) { return text.starts_with(kSecure) || text.starts_with(kPlain); }

std::string FileNameOfUrl(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t slash = url.rfind('/');
  const bool named =
      slash != std::string_view::npos && slash > kSecure.size() - 1 && slash + 1 < url.size();
  return named ? std::string(url.substr(slash + 1)) : "data";
}

Result<> FetchFile(const std::string& url, const std::string& file, const std::string& allow,
                   Output& out) {
  const exec::InterruptCounter interrupts;
  GYRE_TRY(const net::EgressGuard guard, net::EgressGuard::Parse(allow));
  std::string at = url;
  for (int i = 0; i <= kRedirectionsMax; ++i) {
    GYRE_TRY(const Address address, AddressOf(at));
    GYRE_TRY(FileSink sink, FileSink::Open(file));
    Download download{std::move(sink)};
    const auto answer = Get(address, url, guard, &download, out);
    out.EndProgress();
    if (!answer) return answer.error();
    if (answer->status == 200) return download.sink.Commit();
    if (answer->status < 300 || answer->status >= 400)
      return Answered(url, fmt::format("answers {}", answer->status));
    GYRE_TRY(at, NextUrl(at, address, *answer));
  }
  return Answered(url, fmt::format("leads on more than {} times", kRedirectionsMax));
}

}  // namespace gyre::cli
