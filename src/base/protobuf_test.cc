#include "base/protobuf.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gyre {
namespace {

TEST(Protobuf, FieldsOfEachWidth) {
  const std::string bytes(
      "\x08\x96\x01\x12\x03"
      "abc"
      "\x1d\x00\x00\x80\x3f"
      "\x21\x00\x00\x00\x00\x00\x00\xf0\x3f",
      22);
  ProtoReader reader(bytes);
  ProtoField field;
  ASSERT_TRUE(reader.Next(&field));
  EXPECT_EQ(field.number, 1U);
  EXPECT_EQ(field.AsInt(), 150);
  ASSERT_TRUE(reader.Next(&field));
  EXPECT_EQ(field.bytes, "abc");
  ASSERT_TRUE(reader.Next(&field));
  EXPECT_EQ(field.AsReal(), 1.0);
  ASSERT_TRUE(reader.Next(&field));
  EXPECT_EQ(field.number, 4U);
  EXPECT_EQ(field.AsReal(), 1.0);
  EXPECT_FALSE(reader.Next(&field));
  EXPECT_TRUE(reader.ok());
}

TEST(Protobuf, WhatIsCutOffOrBrokenEnds) {
  const std::vector<std::string> broken = {"\x08",
                                           "\x12\x05"
                                           "abc",
                                           "\x1d\x01",
                                           std::string("\x00\x01", 2),
                                           "\x0b",
                                           std::string(11, '\xff'),
                                           "\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f"};
  for (const std::string& bytes : broken) {
    ProtoReader reader(bytes);
    ProtoField field;
    while (reader.Next(&field)) {
    }
    EXPECT_FALSE(reader.ok()) << bytes.size();
  }
}

}  // namespace
}  // namespace gyre
