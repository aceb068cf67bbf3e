#include "ml/training/pickle_file.h"

#include <gtest/gtest.h>

#include "ml/training/first_bytes.h"

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
      "\x80\x04\x8c\x1bsklearn.linear_model._ridge\x8c\x05Ridge\x93)\x81}(\x8c\x05"
      "alphaG?\xf0\x00\x00\x00\x00\x00\x00"
      "\x8c\x05"
      "coef_K\x07\x8c\x0en_features_in_K\x03\x8c\x10_sklearn_version\x8c\x05"
      "1.4.2ub."s);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->class_name, "sklearn.linear_model._ridge.Ridge");
  EXPECT_EQ(facts->params, (std::map<std::string, std::string>{{"alpha", "1"}}));
  EXPECT_EQ(facts->sklearn_version, "1.4.2");
  EXPECT_EQ(facts->features, 3);
  EXPECT_TRUE(facts->unknown.empty());
}

// "os.system" in a module that imports os, and what reads any file or any module's names.
TEST(PickleFile, NoNameIsKnownByItsBeginning) {
  for (const auto& [module, name] : std::vector<std::pair<std::string, std::string>>{
           {"joblib.numpy_pickle", "os.system"},
           {"sklearn.pipeline", "Pipeline.fit"},
           {"sklearn", "pipeline.Pipeline"},
           {"sklearn.pipeline", "clone"},
           {"sklearn.datasets._base", "rmtree"},
           {"numpy", "load"},
           {"numpy._core", "_ufunc_reconstruct"},
           {"joblib", "load"},
           {"scipy.stats._continuous_distns", "norm_gen"},
           {"collections.OrderedDict", "x"},
           {"builtins", "eval"}}) {
    const std::string text = "\x80\x04\x8c" + std::string(1, static_cast<char>(module.size())) +
                             module + "\x8c" + std::string(1, static_cast<char>(name.size())) +
                             name + "\x93\x8c\x04true\x85R.";
    const auto facts = InspectPickle(text);
    ASSERT_TRUE(facts) << facts.error().ToString();
    EXPECT_EQ(facts->unknown, (std::vector<std::string>{module + "." + name}));
    EXPECT_EQ(InspectPickle("c" + module + "\n" + name + "\n.")->unknown.size(), 1U);
    EXPECT_EQ(InspectPickle("(i" + module + "\n" + name + "\n.")->unknown.size(), 1U);
  }
  EXPECT_TRUE(InspectPickle("cjoblib.numpy_pickle\nNumpyArrayWrapper\n.")->unknown.empty());
}

std::string ArrayOf(const std::string& type, const std::string& bytes,
                    const std::string& more = "") {
  return "\x80\x04\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81}(\x8c\x05shapeK\x01"
         "\x85\x8c\x05"
         "dtype\x8c\x05numpy\x8c\x05"
         "dtype\x93" +
         type + more + "ub" + bytes + ".";
}

// Bytes that gyre would pass over and that joblib would carry out are never passed over.
TEST(PickleFile, NothingHidesInAnArray) {
  const std::string call = "cos\nsystem\n(S'x'\ntR.";
  EXPECT_TRUE(InspectPickle(ArrayOf("\x8c\x02"
                                    "f8\x85R",
                                    "01234567"))
                  ->unknown.empty());
  EXPECT_TRUE(InspectPickle(ArrayOf("\x8c\x02U2\x85R", "01234567"))->unknown.empty());
  EXPECT_EQ(InspectPickle(ArrayOf("\x8c\x02O8\x85R", call))->unknown.size(), 1U);
  EXPECT_EQ(InspectPickle(ArrayOf("\x8c\x03|O8\x85R", call))->unknown.size(), 1U);
  // A state that says "objects" over a code that says numbers; a code that is no such; a padding
  // that only one side reads; another reader; an escaped key; a frame that goes on.
  const std::string state = "(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK";
  EXPECT_TRUE(
      InspectPickle(ArrayOf("\x8c\x02"
                            "f8\x85R" +
                                state + "\x08tb",
                            "01234567")));
  for (const std::string& hidden :
       {ArrayOf("\x8c\x02"
                "f8\x85R" +
                    state + "\x3ftb",
                call),
        ArrayOf("\x8c\x06object\x85R", call),
        ArrayOf("\x8c\x05"
                "f8,O8\x85R",
                call),
        ArrayOf("\x8c\x02"
                "f8\x85R",
                call, "\x8c\x1bnumpy_array_alignment_bytes\x88"),
        ArrayOf("\x8c\x02"
                "f8\x85R",
                call, "\x8c\x04readcbuiltins\ndict\n"),
        ArrayOf("\x8c\x02"
                "f8\x85R",
                call, "S'sh\\x61pe'\nK\x07\x85"),
        "\x80\x04\x95\x00\x01\0\0\0\0\0\0"s + ArrayOf("\x8c\x02"
                                                      "f8\x85R",
                                                      call + std::string(300, 'x'))
                                                  .substr(2),
        ArrayOf("\x8c\x02O8\x85R", ArrayOf("\x8c\x02"
                                           "f8\x85R",
                                           call)),
        "\x80\x04"
        "cjoblib.numpy_pickle\nNumpyArrayWrapper\nN}\x8c\x04readcbuiltins\ndict\ns\x86"
        "b."s}) {
    const auto facts = InspectPickle(hidden);
    ASSERT_FALSE(facts) << hidden;
    EXPECT_EQ(facts.error().gy(), "GY3546");
  }
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
      "\x80\x04\x95\x40\0\0\0\0\0\0\0\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81}"
      "("
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
