#include "platform/config/settings.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "platform/config/environment.h"

namespace gyre::config {
namespace {

constexpr Setting kTable[] = {
    {"server.listen", Type::kText, "127.0.0.1:7171", 0, 0, "Address and port.", false,
     "GYRE_LISTEN"},
    {"server.idle_timeout", Type::kSeconds, "75s", 1, 3600,
     "Idle connections are closed after this time."},
    {"jobs.cpu_slots", Type::kNumber, "2", 0.1, 1024, "CPU slots."},
    {"server.compress", Type::kBool, "true", 0, 0, "Compress answers."},
};
const std::span<const Setting> kTables[] = {kTable};

class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-settings-XXXXXX";
    directory_ = mkdtemp(pattern);
    sources_.system_file = directory_ + "/system.yaml";
    sources_.user_file = directory_ + "/user.yaml";
    sources_.project_file = directory_ + "/gyre.yaml";
    unsetenv("GYRE_LISTEN");
    unsetenv("GYRE_JOBS_CPU_SLOTS");
  }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteSmallFile(directory_ + "/" + name, text));
  }

  std::string directory_;
  Sources sources_;
};

TEST_F(SettingsTest, EachSourceOverridesTheOneBelow) {
  Write("system.yaml", "server:\n  listen: a:1\n  idle_timeout: 5m\njobs:\n  cpu_slots: 3\n");
  Write("user.yaml", "server:\n  listen: b:2\n");
  Write("gyre.yaml", "project: churn\nsettings:\n  jobs:\n    cpu_slots: 4.5\n");
  auto settings = Settings::Load(kTables, sources_);
  ASSERT_TRUE(settings) << settings.error().ToString();
  EXPECT_EQ(settings->Text("server.listen"), "b:2");
  EXPECT_EQ(settings->Int("server.idle_timeout"), 300);
  EXPECT_EQ(settings->Number("jobs.cpu_slots"), 4.5);
  EXPECT_TRUE(settings->Bool("server.compress"));
  EXPECT_EQ(settings->values()[0].origin, directory_ + "/user.yaml");
  EXPECT_EQ(settings->values()[2].origin, directory_ + "/gyre.yaml");
  EXPECT_EQ(settings->values()[3].origin, "default");

  setenv("GYRE_LISTEN", "c:3", 1);
  setenv("GYRE_JOBS_CPU_SLOTS", "7", 1);
  sources_.flags = {{"jobs.cpu_slots", "8", "--cpu-slots"}};
  settings = Settings::Load(kTables, sources_);
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->Text("server.listen"), "c:3");
  EXPECT_EQ(settings->values()[0].origin, "GYRE_LISTEN");
  EXPECT_EQ(settings->Int("jobs.cpu_slots"), 8);
  EXPECT_EQ(settings->values()[2].origin, "--cpu-slots");
}

TEST_F(SettingsTest, AnUnknownNameIsRefusedWithAGuess) {
  Write("user.yaml", "server:\n  lisen: b:2\n");
  const auto settings = Settings::Load(kTables, sources_);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().gy(), "GY1820");
  EXPECT_EQ(settings.error().where(), directory_ + "/user.yaml");
  ASSERT_FALSE(settings.error().fixes().empty());
  EXPECT_NE(settings.error().fixes()[0].find("server.listen"), std::string::npos);
}

TEST_F(SettingsTest, TypesAndBoundsAreChecked) {
  for (const char* text :
       {"server: {idle_timeout: soon}", "jobs: {cpu_slots: many}", "server: {compress: perhaps}"}) {
    Write("user.yaml", text);
    const auto settings = Settings::Load(kTables, sources_);
    ASSERT_FALSE(settings) << text;
    EXPECT_EQ(settings.error().gy(), "GY1821") << text;
  }
  Write("user.yaml", "jobs: {cpu_slots: 5000}");
  const auto settings = Settings::Load(kTables, sources_);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().gy(), "GY1822");
}

TEST_F(SettingsTest, ANamedFileMustBeThere) {
  sources_.explicit_file = directory_ + "/missing.yaml";
  const auto settings = Settings::Load(kTables, sources_);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().code(), Code::kNotFound);
}

TEST(Settings, DurationsAndSizes) {
  EXPECT_EQ(*ParseSeconds("250ms"), 0.25);
  EXPECT_EQ(*ParseSeconds("90"), 90);
  EXPECT_EQ(*ParseSeconds("1.5h"), 5400);
  EXPECT_EQ(*ParseBytes("64MiB"), 67108864);
  EXPECT_EQ(*ParseBytes("2GB"), 2e9);
  EXPECT_FALSE(ParseSeconds("5 fortnights"));
  EXPECT_FALSE(ParseBytes("-3"));
}

}  // namespace
}  // namespace gyre::config
