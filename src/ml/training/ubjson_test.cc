#include "ml/training/ubjson.h"

#include <gtest/gtest.h>

namespace gyre::training {
namespace {

using std::string_literals::operator""s;

TEST(Ubjson, ReadsListsOfOneType) {
  const auto json = ParseUbjson(
      "{L\0\0\0\0\0\0\0\x01"
      "a[$U#U\x02\x07\x09}"s);
  ASSERT_TRUE(json) << json.error().ToString();
  EXPECT_EQ(json->Dump(), R"({"a":[7,9]})");
  EXPECT_EQ(ParseUbjson("[$T#U\x03"s)->size(), 3U);
}

// Nulls in a list of one type take no bytes: what a file may ask for goes by its size.
TEST(Ubjson, FewBytesMakeFewValues) {
  for (const char type : {'Z', 'N', 'T', 'F'}) {
    const std::string bomb = "[$"s + type + "#L\0\0\0\0\x05\xf5\xe1\0"s;  // 100 million
    const auto json = ParseUbjson(bomb);
    ASSERT_FALSE(json) << type;
    EXPECT_EQ(json.error().gy(), "GY3544");
  }
  std::string many = "[";
  for (int i = 0; i < 1000; ++i) many += "[$Z#U\xff";
  EXPECT_FALSE(ParseUbjson(many + "]"));
}

TEST(Ubjson, WhatIsCutOffIsRefused) {
  const std::string whole =
      "{L\0\0\0\0\0\0\0\x01"
      "a[$d#U\x02"
      "01234567U\x01"
      "bSU\x02hi}"s;
  ASSERT_TRUE(ParseUbjson(whole));
  for (std::size_t i = 0; i < whole.size(); ++i)
    EXPECT_FALSE(ParseUbjson(std::string_view(whole).substr(0, i))) << i;
}

}  // namespace
}  // namespace gyre::training
