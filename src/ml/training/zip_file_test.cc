#include "ml/training/zip_file.h"

#include <gtest/gtest.h>

#include "ml/training/archives_for_tests.h"

namespace gyre::training {
namespace {

TEST(ZipFile, ReadsWhatPythonWrites) {
  const std::string archive = ZipOf({{"a/data.pkl", "one"}, {"b", ""}});
  const auto members = ReadZip(archive);
  ASSERT_TRUE(members) << members.error().ToString();
  ASSERT_EQ(members->size(), 2U);
  EXPECT_EQ((*members)[0].name, "a/data.pkl");
  EXPECT_EQ(Unfold((*members)[0], 100).value(), "one");
  EXPECT_EQ(Unfold((*members)[1], 100).value(), "");
  EXPECT_FALSE(Unfold((*members)[0], 2));
  EXPECT_TRUE(ReadZip(ZipOf({}))->empty());
}

// 50 MB of zeros in 50 kB: no more of them is unfolded than was said, and no more than may be.
TEST(ZipFile, ABombIsPutOut) {
  const std::string packed = Deflated(std::string(50'000'000, '\0'));
  ASSERT_LT(packed.size(), 60'000U);
  const std::string honest = ZipOf({{"bomb", packed, 50'000'000, true}});
  const auto bomb = ReadZip(honest);
  ASSERT_TRUE(bomb);
  EXPECT_EQ(Unfold((*bomb)[0], 1'000'000).error().gy(), "GY3548");
  const std::string lying = ZipOf({{"bomb", packed, 10, true}});
  EXPECT_EQ(Unfold(ReadZip(lying)->at(0), 1'000'000).error().gy(), "GY3548");
}

TEST(ZipFile, WhatTwoReadersCouldTakeDifferentlyIsRefused) {
  const std::string plain = ZipOf({{"x", "one"}});
  const std::string other = ZipOf({{"x", "two"}});
  std::string renamed = plain;
  renamed[30] = 'y';  // the name in the member's own header
  std::string encrypted = plain;
  encrypted[encrypted.find("PK\x01\x02") + 8] = 1;
  std::string method = plain;
  method[method.find("PK\x01\x02") + 10] = 9;
  for (const std::string& bad :
       {std::string(), std::string("PK"), "x" + plain, plain + "x", plain + other, renamed,
        encrypted, method, ZipOf({{"x", "one"}, {"x", "two"}}), plain.substr(0, plain.size() - 1),
        plain.substr(4)}) {
    const auto members = ReadZip(bad);
    ASSERT_FALSE(members) << bad.size();
    EXPECT_EQ(members.error().gy(), "GY3549");
  }
}

// Each byte changed, and each length: read or refused, never more.
TEST(ZipFile, WhateverIsChangedItEnds) {
  const std::string whole = ZipOf({{"a", "one"}, {"b", Deflated("two"), 3, true}});
  ASSERT_TRUE(ReadZip(whole));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    (void)ReadZip(std::string_view(whole).substr(0, i)).has_value();
    for (const char c : {'\0', '\x01', '\x7f', '\xff'}) {
      std::string changed = whole;
      changed[i] = c;
      if (const auto members = ReadZip(changed)) {
        for (const ZipMember& member : *members) (void)Unfold(member, 100).has_value();
      }
    }
  }
}

}  // namespace
}  // namespace gyre::training
