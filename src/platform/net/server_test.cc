// Addresses, base path, proxies, Unix sockets, who is at the other end, TLS, the OpenAPI document.
#include "platform/net/server.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/wait.h>

#include "platform/net/client.h"
#include "platform/net/listener.h"
#include "platform/net/peer.h"
#include "platform/net/testing/house.h"
#include "platform/net/testing/raw_client.h"

namespace gyre::net {
namespace {

TEST_F(ServerTest, ListensBeyondLoopbackOnlyWithTlsOrAProxy) {
  const RouteTable tables[] = {house_.table()};
  const auto start = [&](ServerSettings settings) {
    return StartServer(std::move(settings), tables, gate_, nullptr);
  };
  for (const char* address : {"0.0.0.0:0", "[::]:0"}) {
    const auto refused = start({.listen = address});
    ASSERT_FALSE(refused.has_value()) << address;
    EXPECT_EQ(refused.error().gy(), "GY1611");
    EXPECT_GE(refused.error().fixes().size(), 2u);
  }
  EXPECT_TRUE(start({.listen = "0.0.0.0:0", .behind_proxy = true}).has_value());
  EXPECT_TRUE(start({.listen = "localhost:0"}).has_value());
  for (const char* address :
       {"", "7171", ":7171", "example.com:80", "127.0.0.1:99999", "127.0.0.1:x", "[::1:80"}) {
    if (*address == '\0') continue;
    const auto refused = start({.listen = address});
    ASSERT_FALSE(refused.has_value()) << address;
    EXPECT_EQ(refused.error().gy(), "GY1612") << address;
  }
  auto first = start({.listen = "127.0.0.1:0"});
  ASSERT_TRUE(first.has_value());
  const auto second = start({.listen = "127.0.0.1:" + std::to_string((*first)->port())});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().gy(), "GY1610");
}

TEST_F(ServerTest, TheBasePathIsStrippedAndNothingIsServedOutside) {
  settings_.base_path = "/gyre/";
  Start();
  EXPECT_TRUE(server_->url().ends_with("/gyre"));
  RawClient client(port());
  for (const auto& [path, status] : {std::pair{"/gyre/hello", "200"},
                                     {"/hello", "404"},
                                     {"/gyreX/hello", "404"},
                                     {"/gyre", "404"}}) {
    client.Send("GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 " + std::string(status))) << path;
  }
}

// Tells what the kernel and the proxy say about the caller.
class Mirror final : public Gatekeeper {
 public:
  Result<> Admit(Request& request, const Route&) override {
    const Peer& peer = request.peer();
    return InvalidArgument("GY1601", "{}|{}|{}|{}", peer.address, peer.loopback,
                           peer.uid ? std::to_string(*peer.uid) : "none", peer.tls);
  }
  bool AdmitsWithoutWaiting(const Request&, const Route&) const override { return false; }
};

class PeerTest : public ServerTest {
 protected:
  void StartMirror() {
    settings_.listen = "127.0.0.1:0";
    settings_.unix_socket = testing::TempDir() + "gyre_peer_" + std::to_string(getpid()) + ".sock";
    const RouteTable tables[] = {house_.table()};
    auto server = StartServer(settings_, tables, mirror_, nullptr);
    ASSERT_TRUE(server.has_value()) << server.error().ToString();
    server_ = *std::move(server);
  }
  static std::string Ask(RawClient& client, std::string_view headers = "") {
    client.Send("GET /slow-hello HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n");
    const std::string response = client.ReadResponse();
    const std::size_t at = response.find("\"message\":\"");
    return at == std::string::npos
               ? response
               : response.substr(at + 11, response.find('"', at + 11) - at - 11);
  }
  Mirror mirror_;
};

TEST_F(PeerTest, TheKernelNamesTheUserAtTheOtherEnd) {
  StartMirror();
  const std::string me = std::to_string(getuid());
  RawClient tcp(port());
  EXPECT_TRUE(Ask(tcp).ends_with("|true|" + me + "|false")) << Ask(tcp);
  RawClient local(settings_.unix_socket);
  EXPECT_EQ(Ask(local), "unix|true|" + me + "|false");
}

TEST_F(PeerTest, AnotherUserIsNamedAsSuch) {
  if (getuid() != 0) GTEST_SKIP() << "needs root to become somebody else";
  StartMirror();
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    RawClient client(port());
    const std::string answer = Ask(client);
    _exit(write(pipe_ends[1], answer.data(), answer.size()) > 0 ? 0 : 1);
  }
  close(pipe_ends[1]);
  char text[256] = "";
  EXPECT_GT(read(pipe_ends[0], text, sizeof text - 1), 0);
  close(pipe_ends[0]);
  waitpid(child, nullptr, 0);
  EXPECT_NE(std::string_view(text).find("|true|65534|"), std::string_view::npos) << text;
}

TEST(PeerUidTest, AClientThatHasGoneIsNobody) {
  // The kernel reports sockets without an owner as root's; that must never be believed.
  auto listener = Listener::Tcp("127.0.0.1:0", false);
  ASSERT_TRUE(listener.has_value());
  const auto accepted = [&] {
    pollfd waiting{(*listener)->fd(), POLLIN, 0};
    poll(&waiting, 1, 10'000);
    return accept((*listener)->fd(), nullptr, nullptr);
  };
  char byte = 0;
  RawClient half((*listener)->port());
  const int first = accepted();
  EXPECT_EQ(LoopbackPeerUid(first), getuid());
  half.HalfClose();
  EXPECT_EQ(recv(first, &byte, 1, 0), 0);
  EXPECT_EQ(LoopbackPeerUid(first), std::nullopt);
  close(first);
  auto gone = std::make_unique<RawClient>((*listener)->port());
  const int second = accepted();
  gone.reset();
  EXPECT_EQ(recv(second, &byte, 1, 0), 0);
  EXPECT_EQ(LoopbackPeerUid(second), std::nullopt);
  close(second);
}

TEST_F(PeerTest, ForwardingHeadersCountOnlyBehindAProxy) {
  StartMirror();
  RawClient direct(port());
  EXPECT_TRUE(Ask(direct, "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n")
                  .starts_with("127.0.0.1:"));
  settings_.behind_proxy = true;
  server_.reset();
  StartMirror();
  RawClient proxied(port());
  EXPECT_EQ(Ask(proxied, "X-Forwarded-For: 6.6.6.6, 9.9.9.9\r\nX-Forwarded-Proto: https\r\n"),
            "9.9.9.9|false|none|true");
}

TEST_F(PeerTest, ADeadOwnersSocketIsReplacedAndALivingOneIsNot) {
  StartMirror();
  const RouteTable tables[] = {house_.table()};
  const auto second =
      StartServer({.listen = "", .unix_socket = settings_.unix_socket}, tables, gate_, nullptr);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().gy(), "GY1610");
  server_.reset();
  // What a killed process leaves behind: a file that nobody listens on.
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, settings_.unix_socket.c_str());
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(fd);
  StartMirror();
}

// A self-signed certificate for localhost.
void WriteCertificate(const std::string& certificate_file, const std::string& key_file) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  for (const auto& [id, value] : {std::pair{NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1"},
                                  {NID_basic_constraints, "critical,CA:TRUE"}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(certificate, key, EVP_sha256());
  std::FILE* file = std::fopen(certificate_file.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(key_file.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

class TlsTest : public ServerTest {
 protected:
  void SetUp() override {
    certificate_ = testing::TempDir() + "gyre_tls_" + std::to_string(getpid()) + ".pem";
    key_ = certificate_ + ".key";
    WriteCertificate(certificate_, key_);
    settings_.listen = "0.0.0.0:0";
    settings_.tls_certificate_file = certificate_;
    settings_.tls_key_file = key_;
  }
  void TearDown() override {
    unlink(certificate_.c_str());
    unlink(key_.c_str());
  }
  std::string Url(std::string_view host) const {
    return "https://" + std::string(host) + ":" + std::to_string(port());
  }
  std::string certificate_, key_;
};

TEST_F(TlsTest, ServesWhoTrustsTheCertificateAndStreamsBothWays) {
  Start();
  Client client({.url = Url("127.0.0.1"), .tls_ca_file = certificate_});
  const auto hello = client.Send({.path = "/hello"});
  ASSERT_TRUE(hello.has_value()) << hello.error().ToString();
  EXPECT_EQ(hello->body, "hello");
  const std::string large(500'000, 'q');
  const auto echoed = client.Send({.method = "POST", .path = "/slow-echo", .body = large});
  ASSERT_TRUE(echoed.has_value()) << echoed.error().ToString();
  EXPECT_EQ(echoed->body, large);
  int pieces = 0;
  std::size_t received = 0;
  ClientRequest mirror{.method = "POST", .path = "/mirror"};
  mirror.body_source = [&]() -> Result<std::string> {
    return pieces++ < 100 ? std::string(50'000, 'z') : std::string();
  };
  mirror.body_sink = [&](std::string_view piece) -> Result<> {
    received += piece.size();
    return {};
  };
  const auto mirrored = client.Send(std::move(mirror));
  ASSERT_TRUE(mirrored.has_value()) << mirrored.error().ToString();
  EXPECT_EQ(received, 5'000'000u);
}

TEST_F(TlsTest, AStrangersCertificateOrNameIsRefused) {
  Start();
  const auto untrusted = Client({.url = Url("127.0.0.1")}).Send({.path = "/hello"});
  ASSERT_FALSE(untrusted.has_value());
  EXPECT_NE(untrusted.error().message().find("self"), std::string::npos)
      << untrusted.error().ToString();
  ASSERT_FALSE(untrusted.error().fixes().empty());
  EXPECT_TRUE(untrusted.error().fixes()[0].starts_with("SSL_CERT_FILE="));
  char name[256] = {};
  ASSERT_EQ(gethostname(name, sizeof name - 1), 0);
  EXPECT_EQ(server_->url(), Url(name)) << "nobody can go to 0.0.0.0";
  const auto misnamed =
      Client({.url = Url("127.0.0.2"), .tls_ca_file = certificate_}).Send({.path = "/hello"});
  ASSERT_FALSE(misnamed.has_value());
  RawClient plain(port());
  plain.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(plain.ReadToEnd().find("hello"), std::string::npos);
}

TEST_F(TlsTest, NewConnectionsGetTheNewCertificateAndABrokenOneChangesNothing) {
  Start();
  const std::string old = certificate_ + ".old";
  ASSERT_EQ(std::rename(certificate_.c_str(), old.c_str()), 0);
  Client client({.url = Url("127.0.0.1"), .tls_ca_file = old});
  ASSERT_TRUE(client.Send({.path = "/hello"}));
  const auto missing = server_->ReloadCertificate();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().gy(), "GY1619");
  EXPECT_TRUE(Client({.url = Url("127.0.0.1"), .tls_ca_file = old}).Send({.path = "/hello"}));
  WriteCertificate(certificate_, key_);
  ASSERT_TRUE(server_->ReloadCertificate());
  EXPECT_TRUE(
      Client({.url = Url("127.0.0.1"), .tls_ca_file = certificate_}).Send({.path = "/hello"}));
  EXPECT_FALSE(Client({.url = Url("127.0.0.1"), .tls_ca_file = old}).Send({.path = "/hello"}));
  EXPECT_TRUE(client.Send({.path = "/hello"})) << "an open connection goes on";
  unlink(old.c_str());
}

TEST_F(TlsTest, FilesThatDoNotFitAreRefusedAtStart) {
  const RouteTable tables[] = {house_.table()};
  const std::string other = certificate_ + ".other";
  WriteCertificate(other, other + ".key");
  for (const auto& [certificate, key] : {std::pair{certificate_, other + ".key"},
                                         {std::string("/nowhere"), key_},
                                         {certificate_, std::string()}}) {
    const auto refused = StartServer(
        {.listen = "127.0.0.1:0", .tls_certificate_file = certificate, .tls_key_file = key}, tables,
        gate_, nullptr);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().gy(), "GY1619");
  }
  unlink(other.c_str());
  unlink((other + ".key").c_str());
}

TEST_F(ServerTest, OpenApiDescribesEveryRoute) {
  const RouteTable tables[] = {house_.table()};
  const Json document = OpenApi(tables, Json::Obj(), "gyre", "1.2.3");
  EXPECT_EQ(document["openapi"].AsString(), "3.1.0");
  std::size_t operations = 0;
  for (const auto& [path, item] : document["paths"].members()) operations += item.size();
  EXPECT_EQ(operations, std::size(kHouseRoutes));
  const Json& name = document["paths"]["/names/{name}"]["get"];
  EXPECT_EQ(name["parameters"].items()[0]["name"].AsString(), "name");
  EXPECT_EQ(name["x-permission"].AsString(), "dataset.read");
  EXPECT_EQ(name["responses"]["2XX"]["content"]["application/json"]["schema"]["$ref"].AsString(),
            "#/components/schemas/Name");
  EXPECT_TRUE(document["components"]["schemas"].Has("Name"));
  EXPECT_EQ(document["paths"]["/hello"]["get"]["security"].size(), 0u);
  EXPECT_TRUE(document["paths"].Has("/files/{path}"));
  const Json& asked = document["paths"]["/ask"]["post"];
  EXPECT_EQ(asked["parameters"].Dump(),
            R"([{"name":"colour","in":"query","description":"of it","schema":)"
            R"({"type":"string","enum":["red","blue"]}},)"
            R"({"name":"tag","in":"query","description":"of it","schema":)"
            R"({"type":"array","items":{"type":"string"}}}])");
  EXPECT_EQ(document["components"]["schemas"]["Question"].Dump(),
            R"({"type":"object","properties":{"text":{"type":"string","description":"what"}},)"
            R"("required":["text"],"additionalProperties":false})");
}

TEST_F(ServerTest, WhatARowDoesNotListIsRefused) {
  Start();
  Client client({.url = server_->url()});
  const auto ask = [&](const std::string& query, const std::string& body) {
    const auto answer = client.Send({.method = "POST", .path = "/ask" + query, .body = body});
    return answer ? answer->body : answer.error().ToString();
  };
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_EQ(ask("?colour=red&tag=a&tag=b", R"({"text": "x"})"), "red a b x");
  const std::string unknown = ask("?color=red", R"({"text": "x"})");
  EXPECT_TRUE(has(unknown, "GY1631") && has(unknown, "`color`") &&
              has(unknown, "did you mean `colour`?") && has(unknown, "colour, tag"))
      << unknown;
  EXPECT_TRUE(has(ask("?colour=red&colour=blue", R"({"text": "x"})"), "twice"));
  const std::string value = ask("?colour=green", R"({"text": "x"})");
  EXPECT_TRUE(has(value, "GY1601") && has(value, "red, blue")) << value;
  const std::string member = ask("", R"({"txt": "x"})");
  EXPECT_TRUE(has(member, "GY1630") && has(member, "did you mean `text`?")) << member;
  const auto lenient = client.Send({.path = "/names/all?whatever=1"});
  ASSERT_TRUE(lenient);
  EXPECT_EQ(lenient->status, 200);
}

}  // namespace
}  // namespace gyre::net
