#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace gyre {
namespace {

Result<int> Half(int v) {
  if (v % 2 != 0)
    return InvalidArgument("GY9001", "{} is odd", v)
        .Why("only even numbers have halves")
        .Fix("use 4");
  return v / 2;
}
Result<int> Quarter(int v) {
  GYRE_TRY(const int half, Half(v));
  GYRE_TRY(const int quarter, Half(half));
  return quarter;
}
Result<> Check(int v) {
  GYRE_DO(Quarter(v));
  return {};
}

TEST(Result, TravelsUpWithItsText) {
  EXPECT_EQ(*Quarter(8), 2);
  const auto failed = Quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(failed.error().message(), "3 is odd");
  EXPECT_EQ(failed.error().fixes().at(0), "use 4");
  EXPECT_FALSE(Check(6));
  EXPECT_TRUE(Check(8));
}

TEST(Result, ErrorCopiesDeeply) {
  const Error original = InvalidArgument("GY9001", "a");
  Error copy = original;
  copy = std::move(copy).Context("reading b");
  EXPECT_EQ(original.message(), "a");
  EXPECT_EQ(copy.message(), "reading b: a");
}

TEST(Result, DiskFullHasItsOwnCode) {
  EXPECT_EQ(SystemError("write", ENOSPC).code(), Code::kOutOfSpace);
}

}  // namespace
}  // namespace gyre
