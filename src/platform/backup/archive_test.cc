#include "platform/backup/archive.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "platform/backup/compression.h"
#include "platform/backup/reader.h"

namespace gyre::backup {
namespace {

struct Kept : MemberSink {
  Result<> Begin(const Member& member) override {
    text += fmt::format("[{}:{}]", member.name, member.size);
    return {};
  }
  Result<> Data(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  Result<> End() override {
    text += ";";
    return {};
  }
  std::string text;
};

std::string TwoMembers() {
  std::string out;
  ArchiveWriter writer(
      [&](std::string_view bytes) -> Result<> {
        out += bytes;
        return {};
      },
      1'700'000'000 * kMicrosPerSecond);
  EXPECT_TRUE(writer.Add("empty", ""));
  EXPECT_TRUE(writer.Add("one", "hello"));
  EXPECT_TRUE(writer.Add("block", std::string(512, 'x')));
  EXPECT_TRUE(writer.Finish());
  return out;
}

Result<std::string> ReadBack(std::string_view bytes, std::size_t piece = 7) {
  Kept kept;
  ArchiveReader reader(kept);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    GYRE_DO(reader.Feed(bytes.substr(0, piece)));
  GYRE_DO(reader.Finish());
  return kept.text;
}

TEST(Archive, ReadsWhatItWroteWhateverThePieces) {
  const std::string archive = TwoMembers();
  EXPECT_EQ(archive.size() % 512, 0U);
  const std::string expected = "[empty:0];[one:5]hello;[block:512]" + std::string(512, 'x') + ";";
  for (const std::size_t piece : {1U, 7U, 512U, 100'000U})
    EXPECT_EQ(ReadBack(archive, piece).value(), expected);
}

TEST(Archive, EveryFlippedBitIsDamage) {
  const std::string archive = TwoMembers();
  for (std::size_t at = 0; at < archive.size(); ++at) {
    std::string broken = archive;
    broken[at] = static_cast<char>(broken[at] ^ (1 << (at % 8)));
    const auto read = ReadBack(broken, 512);
    ASSERT_FALSE(read) << at;
    ASSERT_TRUE(read.error().gy() == "GY1902" || read.error().gy() == "GY1901" ||
                read.error().gy() == "GY1903")
        << at << read.error().ToString();
  }
}

TEST(Archive, EveryMissingByteIsNoticed) {
  const std::string archive = TwoMembers();
  for (std::size_t size = 0; size < archive.size(); size += 13)
    EXPECT_FALSE(ReadBack(std::string_view(archive).substr(0, size), 512)) << size;
  EXPECT_FALSE(ReadBack(archive + "x"));
  const auto cut = ReadBack(std::string_view(archive).substr(0, 1030), 512);
  EXPECT_EQ(cut.error().gy(), "GY1903");
  EXPECT_EQ(cut.error().where(), "byte 1030, in one (which begins at 512)");
}

TEST(Archive, ASourceThatChangesIsAnError) {
  ArchiveWriter writer([](std::string_view) -> Result<> { return {}; }, 0);
  int calls = 0;
  const Source two = [&]() -> Result<std::string> { return ++calls <= 2 ? "abc" : ""; };
  EXPECT_EQ(writer.AddStream("a", 5, two).error().gy(), "GY1900");
}

TEST(Compression, FramesSayTheirSizeAndNothingMoreComesOut) {
  const std::string text(300'000, 'a');
  std::string packed;
  std::size_t at = 0;
  ASSERT_TRUE(Compress(
      [&]() -> Result<std::string> {
        std::string piece = text.substr(std::min(at, text.size()), 70'000);
        at += 70'000;
        return piece;
      },
      std::ssize(text),
      [&](std::string_view bytes) -> Result<> {
        packed += bytes;
        return {};
      }));
  EXPECT_LT(packed.size(), 1000U);
  Decompressor whole;
  std::string out;
  const Sink sink = [&](std::string_view bytes) -> Result<> {
    out += bytes;
    return {};
  };
  for (const char c : packed) EXPECT_TRUE(whole.Feed(std::string_view(&c, 1), sink).value());
  EXPECT_TRUE(whole.complete());
  EXPECT_EQ(out, text);
  EXPECT_FALSE(whole.Feed("x", sink).value()) << "nothing may follow";
  Decompressor half;
  EXPECT_TRUE(half.Feed(std::string_view(packed).substr(0, packed.size() / 2), sink).value());
  EXPECT_FALSE(half.complete());
  EXPECT_TRUE(CompressIfItPays("x").empty());
}

// A tar of another hand that would write outside of its folder, or is no backup at all.
Error ErrorOf(const std::vector<std::string>& names) {
  std::string out;
  ArchiveWriter writer(
      [&](std::string_view bytes) -> Result<> {
        out += bytes;
        return {};
      },
      0);
  for (const std::string& name : names) {
    EXPECT_TRUE(writer.Add(name, name == "gyre-backup.json" ? R"({"format": 1})" : "x"));
  }
  EXPECT_TRUE(writer.Finish());
  NoPartSink sink;
  BackupReader reader(sink);
  const auto read = [&]() -> Result<> {
    GYRE_DO(reader.Feed(out));
    return reader.Finish();
  }();
  EXPECT_FALSE(read);
  return read.error();
}

TEST(BackupReader, KnowsItsNamesAndTheirOrder) {
  EXPECT_EQ(ErrorOf({"readme.txt"}).gy(), "GY1901");
  for (const char* name :
       {"../../etc/passwd", "/etc/passwd", "files/../x", "files/other", "blobs/ab", "blobs/../x"}) {
    const Error error = ErrorOf({"gyre-backup.json", name});
    EXPECT_EQ(error.gy(), "GY1902") << name;
    EXPECT_NE(error.message().find(name), std::string::npos) << error.message();
  }
  EXPECT_EQ(ErrorOf({"gyre-backup.json", "files/master.key"}).message(),
            "the backup is damaged: its members are out of order");
  EXPECT_EQ(ErrorOf({"gyre-backup.json", "gyre-backup.json"}).gy(), "GY1902");
}

}  // namespace
}  // namespace gyre::backup
