#include "ml/registry/reference.h"

#include <gtest/gtest.h>

namespace gyre::registry {
namespace {

TEST(Reference, Forms) {
  for (const char* text : {"churn", "churn:v3", "churn@champion", "shop/churn", "shop/churn:v12",
                           "shop/churn@champion"}) {
    const auto reference = ParseReference(text);
    ASSERT_TRUE(reference) << text;
    EXPECT_EQ(reference->ToString(), text);
  }
  EXPECT_EQ(ParseReference("shop/churn:v12")->version, 12);
  EXPECT_EQ(ParseReference("shop/churn:v12")->project, "shop");
  EXPECT_EQ(ParseReference("churn@champion")->alias, "champion");
}

TEST(Reference, BadOnes) {
  for (const char* text :
       {"", ":v1", "@champion", "churn:", "churn:3", "churn:v", "churn:v0", "churn:v-1",
        "churn:v1x", "churn:v+1", "churn@", "churn:v1@champion", "churn@v1:2", "a/b/c", "/churn",
        "churn/", "ch urn", "../churn", "churn:v99999999999999999999"}) {
    const auto reference = ParseReference(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().gy(), "GY3601") << text;
  }
}

}  // namespace
}  // namespace gyre::registry
