#include "ml/training/pickle_file.h"

#include <gtest/gtest.h>

namespace gyre::training {
namespace {

using std::string_literals::operator""s;

TEST(PickleFile, NamesWhatWouldBeCalled) {
  const auto classic = InspectPickle("cos\nsystem\n(S'touch marker'\ntR.");
  ASSERT_TRUE(classic) << classic.error().ToString();
  EXPECT_EQ(classic->unknown, (std::vector<std::string>{"os.system"}));
  const auto modern =
      InspectPickle("\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x85R."s);
  ASSERT_TRUE(modern) << modern.error().ToString();
  EXPECT_EQ(modern->unknown, (std::vector<std::string>{"posix.system"}));
  // A name that is put together when the pickle runs is none that could be known.
  const auto computed = InspectPickle("\x80\x04N\x8c\x01x\x93."s);
  ASSERT_TRUE(computed);
  EXPECT_EQ(computed->unknown.size(), 1U);
  EXPECT_EQ(InspectPickle("cnumpy.testing\nruntest\n.")->unknown.size(), 1U);
}

TEST(PickleFile, ReadsTheStateOfAnEstimator) {
  const auto facts = InspectPickle(
      "\x80\x04\x8c\x0fsklearn.linear_\x8c\x05Ridge\x93)\x81}(\x8c\x05"
      "alphaG?\xf0\x00\x00\x00\x00\x00\x00"
      "\x8c\x05"
      "coef_K\x07\x8c\x0en_features_in_K\x03\x8c\x10_sklearn_version\x8c\x05"
      "1.4.2ub."s);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->class_name, "sklearn.linear_.Ridge");
  EXPECT_EQ(facts->params, (std::map<std::string, std::string>{{"alpha", "1"}}));
  EXPECT_EQ(facts->sklearn_version, "1.4.2");
  EXPECT_EQ(facts->features, 3);
  EXPECT_TRUE(facts->unknown.empty());
}

TEST(PickleFile, WhatIsBrokenEnds) {
  for (const std::string& broken :
       {""s, "\x80\x04"s, "\x80\x04."s, "R."s, "\x80\x04\x8c\xffx"s, "h\x09."s, "t."s, "\xff."s,
        "(((((("s, "\x80\x04X\xff\xff\xff\xff"s, "0"s, "s."s, "b."s}) {
    const auto facts = InspectPickle(broken);
    ASSERT_FALSE(facts) << broken.size();
    EXPECT_EQ(facts.error().gy(), "GY3546");
  }
}

// Each byte changed to each of a few others, and each length: read or refused, never more.
TEST(PickleFile, WhateverIsChangedItEnds) {
  const std::string whole =
      "\x80\x04\x95\x40\0\0\0\0\0\0\0\x8c\x06joblib\x8c\x11NumpyArrayWrapper\x93)\x81}("
      "\x8c\x05shapeK\x02"
      "K\x01\x86\x8c\x05"
      "dtype\x8c\x05numpy\x8c\x05"
      "dtype\x93\x8c\x02"
      "f8\x89\x88\x87R\x94ub"
      "0123456789abcdef\x8c\x02ok\x86."s;
  ASSERT_TRUE(InspectPickle(whole)) << InspectPickle(whole).error().ToString();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    (void)InspectPickle(std::string_view(whole).substr(0, i)).has_value();
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = whole;
      changed[i] = static_cast<char>(byte);
      (void)InspectPickle(changed).has_value();
    }
  }
}

TEST(PickleFile, CompressionsAreTold) {
  EXPECT_EQ(CompressionOf("\x78\x9c\x01"), "zlib");
  EXPECT_EQ(CompressionOf("\x1f\x8b\x08"), "gzip");
  EXPECT_EQ(CompressionOf("\x04\x22\x4d\x18"), "lz4");
  EXPECT_EQ(CompressionOf("BZh9"), "bzip2");
  EXPECT_EQ(CompressionOf("\x80\x04"), "");
}

}  // namespace
}  // namespace gyre::training
