#include "base/base64.h"

#include <gtest/gtest.h>

namespace gyre {
namespace {

// RFC 4648, section 10.
TEST(Base64Test, WritesAndReadsTheValuesOfItsStandard) {
  const std::pair<std::string_view, std::string_view> kPairs[] = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"},
                                                                  {"\xff\xfe\xfd", "//79"}};
  for (const auto& [plain, text] : kPairs) {
    EXPECT_EQ(Base64Encode(plain), text);
    std::string bytes = "before";
    EXPECT_TRUE(Base64Decode(text, &bytes));
    EXPECT_EQ(bytes, plain);
  }
  std::string zeros(5, '\0'), back;
  ASSERT_TRUE(Base64Decode(Base64Encode(zeros), &back));
  EXPECT_EQ(back, zeros);
}

TEST(Base64Test, RefusesWhatItDidNotWrite) {
  std::string bytes = "before";
  for (const std::string_view text :
       {"Zg", "Zg=", "Z===", "====", "Zm9v=", "Z g=", "Zg==Zg==", "Zh==", "Zm9=", "Zm-v"})
    EXPECT_FALSE(Base64Decode(text, &bytes)) << text;
  EXPECT_EQ(bytes, "before");
}

}  // namespace
}  // namespace gyre
