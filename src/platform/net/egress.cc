#include "platform/net/egress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace gyre::net {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

enum class Kind : std::uint8_t { kMetadata, kLoopback, kPrivate, kOther };
struct Range {
  std::string_view network;
  Kind kind;
  std::string_view what;
};

// The first that fits decides, so what is special inside a larger range stands before it.
constexpr Range kRanges[] = {
    {"169.254.169.254/32", Kind::kMetadata, "the metadata address of clouds"},
    {"168.63.129.16/32", Kind::kMetadata, "the metadata address of a cloud"},
    {"100.100.100.200/32", Kind::kMetadata, "the metadata address of a cloud"},
    {"fd00:ec2::254/128", Kind::kMetadata, "the metadata address of a cloud"},
    {"127.0.0.0/8", Kind::kLoopback, "a loopback address"},
    {"::1/128", Kind::kLoopback, "a loopback address"},
    {"10.0.0.0/8", Kind::kPrivate, "a private address"},
    {"172.16.0.0/12", Kind::kPrivate, "a private address"},
    {"192.168.0.0/16", Kind::kPrivate, "a private address"},
    {"100.64.0.0/10", Kind::kPrivate, "a private address"},
    {"fc00::/7", Kind::kPrivate, "a private address"},
    {"169.254.0.0/16", Kind::kOther, "a link-local address"},
    {"fe80::/10", Kind::kOther, "a link-local address"},
    {"0.0.0.0/8", Kind::kOther, "no address of a receiver"},
    {"::/128", Kind::kOther, "no address of a receiver"},
    {"192.0.0.0/24", Kind::kOther, "a reserved address"},
    {"198.18.0.0/15", Kind::kOther, "a reserved address"},
    {"224.0.0.0/4", Kind::kOther, "a multicast address"},
    {"ff00::/8", Kind::kOther, "a multicast address"},
    {"240.0.0.0/4", Kind::kOther, "a reserved address"},
};

bool Begins(const Bytes& bytes, std::initializer_list<std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

Bytes Mapped(const std::uint8_t* four) {
  Bytes bytes{};
  bytes[10] = bytes[11] = 0xff;
  std::copy_n(four, 4, bytes.begin() + 12);
  return bytes;
}

// Forms of IPv6 that end up at an IPv4 address are judged as that: NAT64, 6to4 and the old
// compatible one.
Bytes Unwrapped(const Bytes& bytes) {
  if (Begins(bytes, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return Mapped(&bytes[12]);
  if (Begins(bytes, {0x20, 0x02})) return Mapped(&bytes[2]);
  const bool compatible = Begins(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) && bytes[12] != 0;
  return compatible ? Mapped(&bytes[12]) : bytes;
}

std::optional<Bytes> ParseAddress(const std::string& text) {
  std::uint8_t four[4];
  if (inet_pton(AF_INET, text.c_str(), four) == 1) return Mapped(four);
  Bytes bytes{};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

struct Parsed {
  Bytes bytes;
  int bits;
};
std::optional<Parsed> ParseNetwork(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto bytes = ParseAddress(std::string(text.substr(0, slash)));
  if (!bytes) return std::nullopt;
  const bool four = text.substr(0, slash).find(':') == std::string_view::npos;
  const int width = four ? 32 : 128;
  const auto bits = slash == std::string_view::npos ? std::optional<std::int64_t>(width)
                                                    : ParseInt(text.substr(slash + 1));
  if (!bits || *bits < 0 || *bits > width) return std::nullopt;
  return Parsed{*bytes, static_cast<int>(*bits) + 128 - width};
}

bool Inside(const Bytes& address, const Bytes& network, int bits) {
  for (int i = 0; i < 16 && bits > 0; ++i, bits -= 8) {
    const auto mask = static_cast<std::uint8_t>(bits >= 8 ? 0xff : 0xff << (8 - bits));
    const auto at = static_cast<std::size_t>(i);
    if ((address[at] & mask) != (network[at] & mask)) return false;
  }
  return true;
}

std::string TextOf(const Bytes& bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  const bool four = Begins(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff});
  inet_ntop(four ? AF_INET : AF_INET6, four ? &bytes[12] : bytes.data(), text, sizeof text);
  return text;
}

}  // namespace

Result<EgressGuard> EgressGuard::Parse(std::string_view allow) {
  EgressGuard guard;
  for (const std::string_view part : Split(allow, ',')) {
    const std::string_view word = Trim(part);
    if (word.empty()) continue;
    if (word == "loopback") {
      guard.loopback_ = true;
    } else if (word == "private") {
      guard.private_ = true;
    } else if (const auto network = ParseNetwork(word)) {
      guard.networks_.push_back({network->bytes, network->bits});
    } else {
      return InvalidArgument("GY1627", "egress.allow: `{}` is no network", word)
          .Fix("loopback, private, or networks such as 10.1.0.0/16, with commas between");
    }
  }
  return guard;
}

Result<> EgressGuard::Judge(const Bytes& bytes) const {
  for (const Network& network : networks_) {
    if (Inside(bytes, network.bytes, network.bits)) return {};
  }
  const Bytes address = Unwrapped(bytes);
  const auto range = std::ranges::find_if(kRanges, [&](const Range& each) {
    const auto network = ParseNetwork(each.network);
    return network && Inside(address, network->bytes, network->bits);
  });
  if (range == std::end(kRanges) || (range->kind == Kind::kLoopback && loopback_) ||
      (range->kind == Kind::kPrivate && private_))
    return {};
  const std::string text = TextOf(bytes);
  const std::string word = range->kind == Kind::kLoopback  ? "loopback"
                           : range->kind == Kind::kPrivate ? "private"
                                                           : text;
  return MakeError(Code::kPermissionDenied, "GY1626", "gyre does not connect to {}: {}", text,
                   range->what)
      .Why("it connects to public addresses, and to those that the setting egress.allow names")
      .Fix(fmt::format("GYRE_EGRESS_ALLOW={}, or egress.allow in the settings", word));
}

Result<> EgressGuard::Check(const sockaddr* address) const {
  Bytes bytes{};
  if (address->sa_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, address, sizeof four);
    std::uint8_t raw[4];
    std::memcpy(raw, &four.sin_addr, sizeof raw);
    bytes = Mapped(raw);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, address, sizeof six);
    std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
  } else {
    return MakeError(Code::kPermissionDenied, "GY1626", "gyre does not connect to {}: {}",
                     "an address of its kind", "it is no internet address");
  }
  return Judge(bytes);
}

Result<> EgressGuard::CheckHost(const std::string& host) const {
  const auto bytes = ParseAddress(host);
  return bytes ? Judge(*bytes) : Result<>();
}

}  // namespace gyre::net
