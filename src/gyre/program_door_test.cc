#include "gyre/program_door.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/net/testing/raw_client.h"

namespace gyre {
namespace {

// Takes everybody, as what the first word of its authorization says.
class Anyone : public net::Gatekeeper {
 public:
  Result<> Admit(net::Request& request, const net::Route&) override {
    request.principal.kind = std::string(request.Header("authorization").value_or("owner"));
    return {};
  }
  bool AdmitsWithoutWaiting(const net::Request&, const net::Route&) const override { return true; }
};

struct Room {
  static Result<net::Response> Ok(void*, net::Request&) { return net::Response::Text("ok"); }
};
constexpr net::Route kRoutes[] = {
    {.method = net::Method::kGet,
     .path = "/mine",
     .handler = Room::Ok,
     .permission = net::Permission("self"),
     .summary = "s"},
    {.method = net::Method::kGet,
     .path = "/public",
     .handler = Room::Ok,
     .permission = net::kPublic,
     .summary = "s"},
};
Room room;
const net::RouteTable kTables[] = {{"test", kRoutes, &room}};

std::string Ask(int port, std::string_view path, std::string_view headers) {
  net::RawClient client(port);
  client.Send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" +
              std::string(headers) + "\r\n");
  return client.ReadResponse().substr(9, 3);
}

TEST(ProgramDoorTest, OnlyProgramsPassIt) {
  Anyone everybody;
  ProgramsOnly gate(everybody);
  int port = 0;
  ProgramDoor door([&] {
    auto server = net::StartServer({.listen = "127.0.0.1:0"}, kTables, gate, nullptr);
    if (server) port = (*server)->port();
    return server;
  });
  EXPECT_EQ(port, 0) << "nobody listens before a program needs it";
  const std::string url = door.Open("r1", 0);
  EXPECT_EQ(url, "http://127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(door.Open("r2", 0), url);
  EXPECT_EQ(Ask(port, "/mine", ""), "401") << "the owner of the machine is nobody here";
  EXPECT_EQ(Ask(port, "/mine", "Authorization: token\r\n"), "401");
  EXPECT_EQ(Ask(port, "/mine", "Authorization: program\r\n"), "200");
  EXPECT_EQ(Ask(port, "/public", ""), "200");
  door.Drain();
}

TEST(ProgramDoorTest, TheOwnerStaysWhileAnotherProcessWaitsForItsProgram) {
  Anyone everybody;
  ProgramDoor door(
      [&] { return net::StartServer({.listen = "127.0.0.1:0"}, kTables, everybody, nullptr); });
  door.Open("own", getpid());
  door.Open("unknown", 0);
  EXPECT_FALSE(door.busy());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    char byte = 0;
    _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
  }
  door.Open("r1", child);
  EXPECT_TRUE(door.busy());
  door.Close("r1");
  EXPECT_FALSE(door.busy());
  door.Open("r2", child);
  close(ends[1]);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(door.busy()) << "who waited has died";
}

TEST(ProgramDoorTest, WhereNobodyMayListenProgramsWorkWithoutAnAddress) {
  ProgramDoor door(
      []() -> Result<std::unique_ptr<net::Server>> { return FailedPrecondition("GY1610", "no"); });
  EXPECT_EQ(door.Open("r1", 1), "");
  EXPECT_FALSE(door.busy());
}

}  // namespace
}  // namespace gyre
