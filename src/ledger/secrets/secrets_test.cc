#include "ledger/secrets/secrets.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/id.h"
#include "ledger/secrets/seal.h"
#include "ledger/secrets/trash_kind.h"
#include "platform/blob/blob_store.h"

namespace gyre::secrets {
namespace {

namespace fs = std::filesystem;

class SecretsTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_secrets_" + NewId().substr(0, 12);
    fs::create_directories(directory_);
    key_path_ = directory_ + "/master.key";
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), trash::TrashSchema(), SecretsSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    Reopen();
  }
  void TearDown() override {
    secrets_.reset();
    database_.reset();
    fs::remove_all(directory_);
  }
  void Reopen() {
    auto opened = OpenSecrets(*database_, key_path_, SystemClock());
    ASSERT_TRUE(opened) << opened.error().ToString();
    secrets_ = *std::move(opened);
  }
  // Every byte that is on the disk.
  std::string Everything() {
    std::string bytes;
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      bytes += std::string(std::istreambuf_iterator<char>(file), {});
    }
    return bytes;
  }

  std::string directory_, key_path_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Secrets> secrets_;
};

TEST_F(SecretsTest, KeepsValuesAndShowsOnlyNames) {
  ASSERT_TRUE(secrets_->Put("p", "token", "open sesame", "ada"));
  ASSERT_TRUE(secrets_->Put("p", "other", std::string(1, '\0') + "\xff", "ada"));
  ASSERT_TRUE(secrets_->Put("q", "token", "another", "bob"));
  Reopen();
  EXPECT_EQ(*secrets_->Resolve("p", "secret:token"), "open sesame");
  EXPECT_EQ(*secrets_->Resolve("q", "secret:token"), "another");
  EXPECT_EQ(*secrets_->Resolve("p", "secret:other"), std::string(1, '\0') + "\xff");
  EXPECT_EQ(*secrets_->Resolve("p", "plain text"), "plain text");
  const auto list = *secrets_->List("p");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[1].name, "token");
  EXPECT_EQ(list[1].changed_by, "ada");
  ASSERT_TRUE(secrets_->Put("p", "token", "changed", "eve"));
  EXPECT_EQ(*secrets_->Resolve("p", "secret:token"), "changed");
  ASSERT_TRUE(secrets_->Remove("p", "token"));
  EXPECT_EQ(secrets_->Resolve("p", "secret:token").error().gy(), "GY4142");
  EXPECT_EQ(secrets_->Remove("p", "token").error().code(), Code::kNotFound);
}

TEST_F(SecretsTest, ARemovedOneIsReadByNobodyAndComesBack) {
  trash::Trash trash(*database_, SystemClock(), kMicrosPerSecond);
  trash.Register(SecretTrash(*database_, SystemClock()));
  ASSERT_TRUE(secrets_->Put("p", "token", "easy to find", "ada"));
  const auto gone = trash.Remove("secret", {.project = "p", .name = "token", .by = "ada"});
  ASSERT_TRUE(gone) << gone.error().ToString();
  EXPECT_EQ(secrets_->Resolve("p", "secret:token").error().gy(), "GY4142");
  ASSERT_TRUE(trash.Restore(*gone, ""));
  EXPECT_EQ(*secrets_->Resolve("p", "secret:token"), "easy to find");
  ASSERT_TRUE(trash.Remove("secret", {.project = "p", .name = "token", .by = "ada"}));
  ASSERT_TRUE(secrets_->RotateMasterKey());
  EXPECT_TRUE(trash.List({})->empty()) << "its key has ended";
}

TEST_F(SecretsTest, NoPlainValueReachesTheDisk) {
  ASSERT_TRUE(secrets_->Put("p", "token", "a value that is easy to find", "ada"));
  EXPECT_EQ(Everything().find("easy to find"), std::string::npos);
  struct stat info;
  ASSERT_EQ(stat(key_path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(info.st_size, 32);
}

TEST_F(SecretsTest, RefusesBadNamesAndValues) {
  EXPECT_EQ(secrets_->Put("p", "no/slash", "x", "").error().gy(), "GY1200");
  EXPECT_EQ(secrets_->Put("p", "name", "", "").error().gy(), "GY4141");
  EXPECT_EQ(secrets_->Put("p", "name", std::string(70'000, 'x'), "").error().gy(), "GY4141");
}

TEST_F(SecretsTest, AKeyThatOthersCanReadIsRefused) {
  secrets_.reset();
  ASSERT_EQ(chmod(key_path_.c_str(), 0640), 0);
  EXPECT_EQ(OpenSecrets(*database_, key_path_, SystemClock()).error().gy(), "GY1333");
  ASSERT_EQ(chmod(key_path_.c_str(), 0600), 0);
  std::ofstream(key_path_) << "short";
  EXPECT_EQ(OpenSecrets(*database_, key_path_, SystemClock()).error().gy(), "GY4145");
}

TEST_F(SecretsTest, AChangedValueOrAnotherKeyIsNoticed) {
  ASSERT_TRUE(secrets_->Put("p", "a", "one", ""));
  ASSERT_TRUE(secrets_->Put("p", "b", "two", ""));
  // The value of b under the key of a: both are sound on their own.
  ASSERT_TRUE(database_->Write([](db::Transaction& tx) {
    return tx.Execute(
        "UPDATE secret SET sealed_value = (SELECT sealed_value FROM secret WHERE name = 'b') WHERE "
        "name = 'a'",
        {});
  }));
  EXPECT_EQ(secrets_->Resolve("p", "secret:a").error().gy(), "GY4143");
  secrets_.reset();
  fs::remove(key_path_);
  Reopen();
  EXPECT_EQ(secrets_->Resolve("p", "secret:b").error().code(), Code::kDataLoss);
}

TEST_F(SecretsTest, TheMasterKeyCanBeRotated) {
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(secrets_->Put("p", fmt::format("s{}", i), fmt::format("value {}", i), ""));
  std::string before, after;
  std::getline(std::ifstream(key_path_, std::ios::binary), before);
  ASSERT_TRUE(secrets_->RotateMasterKey());
  std::getline(std::ifstream(key_path_, std::ios::binary), after);
  EXPECT_NE(before, after);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 5; ++i)
      EXPECT_EQ(*secrets_->Resolve("p", fmt::format("secret:s{}", i)), fmt::format("value {}", i));
    Reopen();
  }
  EXPECT_FALSE(fs::exists(key_path_ + ".next"));
}

TEST_F(SecretsTest, ARotationThatWasCutShortIsFinished) {
  ASSERT_TRUE(secrets_->Put("p", "s", "value", ""));
  const std::string old_copy = directory_ + "/old";
  fs::copy_file(key_path_, old_copy);
  ASSERT_TRUE(secrets_->RotateMasterKey());
  secrets_.reset();
  // Killed between the commit and the rename: both files are there, the rows need the new one.
  fs::rename(key_path_, key_path_ + ".next");
  fs::rename(old_copy, key_path_);
  Reopen();
  EXPECT_EQ(*secrets_->Resolve("p", "secret:s"), "value");
  // Killed before the commit: the new key is of no use.
  secrets_.reset();
  fs::copy_file(key_path_, key_path_ + ".next");
  std::ofstream(key_path_ + ".next", std::ios::binary) << std::string(32, 'k');
  Reopen();
  EXPECT_EQ(*secrets_->Resolve("p", "secret:s"), "value");
  EXPECT_FALSE(fs::exists(key_path_ + ".next"));
}

TEST(Seal, EveryFlippedBitIsNoticed) {
  const Key key = Key::Random();
  const std::string sealed = Seal(key, "text");
  EXPECT_EQ(*Unseal(key, sealed), "text");
  for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
    std::string changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    EXPECT_FALSE(Unseal(key, changed)) << i;
  }
  EXPECT_FALSE(Unseal(key, sealed.substr(0, 10)));
  EXPECT_FALSE(Unseal(Key::Random(), sealed));
  EXPECT_NE(Seal(key, "text"), sealed) << "every nonce is new";
}

}  // namespace
}  // namespace gyre::secrets
