#include "platform/exec/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace gyre::exec {
namespace {

// What a manager hears that waits at an address: a path, or "@name" without a file.
std::string Heard(const std::string& address, const char* state) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, address.data(), address.size());
  if (address[0] == '@') name.sun_path[0] = '\0';
  const int manager = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  EXPECT_EQ(::bind(manager, reinterpret_cast<const sockaddr*>(&name), size), 0);
  ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
  EXPECT_TRUE(TellServiceManager(state));
  ::unsetenv("NOTIFY_SOCKET");
  char text[64];
  const ssize_t length = ::recv(manager, text, sizeof text, 0);
  ::close(manager);
  return length < 0 ? std::string() : std::string(text, static_cast<std::size_t>(length));
}

TEST(ServiceManager, HearsByPathAndByName) {
  const std::string path = testing::TempDir() + "/gyre-notify-" + std::to_string(::getpid());
  EXPECT_EQ(Heard(path, "READY=1"), "READY=1");
  ::unlink(path.c_str());
  EXPECT_EQ(Heard("@gyre-notify-" + std::to_string(::getpid()), "STOPPING=1"), "STOPPING=1");
}

TEST(ServiceManager, NobodyWaits) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(TellServiceManager("READY=1"));
  ::setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
  EXPECT_FALSE(TellServiceManager("READY=1"));
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace gyre::exec
