#include "platform/net/egress.h"

#include <gtest/gtest.h>

namespace gyre::net {
namespace {

bool Allows(std::string_view allow, const std::string& host) {
  const auto guard = EgressGuard::Parse(allow);
  EXPECT_TRUE(guard) << allow;
  const auto checked = guard->CheckHost(host);
  EXPECT_TRUE(checked || checked.error().gy() == "GY1626");
  return checked.has_value();
}

TEST(EgressTest, OnlyPublicAddressesUnlessASettingSaysMore) {
  for (const char* host : {"93.184.216.34", "2606:2800:220:1::1", "example.org", "172.32.0.1",
                           "100.128.0.1", "64:ff9b::5db8:d822"})
    EXPECT_TRUE(Allows("", host)) << host;
  for (const char* host : {"127.0.0.1",
                           "127.9.9.9",
                           "::1",
                           "0.0.0.0",
                           "::",
                           "10.0.0.1",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "100.64.0.1",
                           "169.254.169.254",
                           "169.254.1.1",
                           "fe80::1",
                           "fd00::1",
                           "fd00:ec2::254",
                           "168.63.129.16",
                           "100.100.100.200",
                           "224.0.0.1",
                           "255.255.255.255",
                           "ff02::1",
                           "198.18.0.1"})
    EXPECT_FALSE(Allows("", host)) << host;
}

TEST(EgressTest, WordsOpenWhatTheySayAndNothingBeside) {
  EXPECT_TRUE(Allows("loopback", "127.0.0.1"));
  EXPECT_TRUE(Allows("loopback", "::1"));
  EXPECT_FALSE(Allows("loopback", "10.0.0.1"));
  EXPECT_TRUE(Allows(" private , loopback ", "192.168.7.7"));
  EXPECT_TRUE(Allows("private", "fd12::1"));
  for (const char* host : {"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "fe80::1"})
    EXPECT_FALSE(Allows("private,loopback", host)) << host;
}

TEST(EgressTest, NetworksOpenExactlyThemselves) {
  EXPECT_TRUE(Allows("10.1.0.0/16", "10.1.255.255"));
  EXPECT_FALSE(Allows("10.1.0.0/16", "10.2.0.0"));
  EXPECT_TRUE(Allows("169.254.169.254", "169.254.169.254"));
  EXPECT_FALSE(Allows("169.254.169.254/32", "169.254.169.253"));
  EXPECT_TRUE(Allows("10.128.0.0/9", "10.255.0.1"));
  EXPECT_FALSE(Allows("10.128.0.0/9", "10.127.0.1"));
  EXPECT_TRUE(Allows("fd12:3456::/32", "fd12:3456::9"));
  EXPECT_FALSE(Allows("fd12:3456::/32", "fd12:3457::9"));
}

// Written as IPv6, an IPv4 address is still itself.
TEST(EgressTest, AnAddressInDisguiseIsJudgedAsWhatItIs) {
  for (const char* host : {"::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
                           "2002:a9fe:a9fe::1", "2002:7f00:1::", "::127.0.0.1"})
    EXPECT_FALSE(Allows("", host)) << host;
  EXPECT_TRUE(Allows("loopback", "::ffff:127.0.0.1"));
}

TEST(EgressTest, RefusesASettingThatIsNone) {
  for (const char* allow :
       {"everything", "10.0.0.0/33", "10.0.0/8", "::1/129", "10.0.0.0/-1", "lo"})
    EXPECT_EQ(EgressGuard::Parse(allow).error().gy(), "GY1627") << allow;
}

}  // namespace
}  // namespace gyre::net
