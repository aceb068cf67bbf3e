#include "ml/training/onnx_file.h"

#include <gtest/gtest.h>

#include <string>

namespace gyre::training {
namespace {

std::string Number(int field, int value) {
  return {static_cast<char>(field << 3), static_cast<char>(value)};
}
std::string Nested(int field, const std::string& bytes) {
  return std::string{static_cast<char>(field << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}
std::string Tensor(int element, const std::string& dimensions) {
  return Nested(1, Number(1, element) + Nested(2, dimensions));
}
std::string Value(const std::string& name, const std::string& type) {
  return Nested(1, name) + Nested(2, type);
}

// One operator, an input of 4 numbers, a weight that is listed among the inputs, two outputs.
std::string Model() {
  const std::string any_by_four =
      Nested(1, Nested(2, "N")) + Nested(1, std::string()) + Nested(1, Number(1, 4));
  const std::string probabilities =
      Nested(4, Nested(1, Nested(5, Number(1, 7) + Nested(2, Tensor(1, "")))));
  const std::string graph =
      Nested(1, Nested(4, "Scaler") + Nested(7, "ai.onnx.ml")) + Nested(5, Nested(8, "w")) +
      Nested(11, Value("X", Tensor(1, any_by_four))) + Nested(11, Value("w", Tensor(11, ""))) +
      Nested(12, Value("label", Tensor(8, ""))) + Nested(12, Value("all", probabilities));
  return Number(1, 8) + Nested(2, "maker") + Nested(7, graph) +
         Nested(8, Nested(1, "") + Number(2, 17)) + Nested(14, Nested(1, "a") + Nested(2, "b"));
}

TEST(OnnxFile, SaysItsOperatorSetsInputsAndOutputs) {
  const std::string model = Model();
  ASSERT_TRUE(MayBeOnnx(model));
  const auto facts = InspectOnnx(model);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ((*facts)["opsets"].Dump(), R"([{"domain":"ai.onnx","version":17}])");
  EXPECT_EQ((*facts)["inputs"].Dump(),
            R"j([{"name":"X","type":"tensor(float)","shape":["N",null,4]}])j");
  EXPECT_EQ((*facts)["outputs"].items()[0]["type"].AsString(), "tensor(string)");
  EXPECT_EQ((*facts)["outputs"].items()[1]["type"].AsString(), "seq(map(int64,tensor(float)))");
  EXPECT_TRUE((*facts)["outputs"].items()[1]["shape"].is_null());
  EXPECT_EQ((*facts)["operators"].Dump(), R"(["ai.onnx.ml.Scaler"])");
  EXPECT_EQ((*facts)["metadata"]["a"].AsString(), "b");
  EXPECT_FALSE((*facts)["external_data"].AsBool());
}

TEST(OnnxFile, WhateverIsCutOffIsRefused) {
  const std::string model = Model();
  int refused = 0;
  for (std::size_t size = 0; size < model.size(); ++size) {
    const auto facts = InspectOnnx(std::string_view(model).substr(0, size));
    if (facts) continue;
    EXPECT_EQ(facts.error().gy(), "GY3547");
    ++refused;
  }
  // What stands behind the graph may be missing.
  EXPECT_GT(refused, static_cast<int>(model.size()) / 2);
  std::string type = Tensor(1, "");
  for (int i = 0; i < 20; ++i) type = Nested(4, Nested(1, type));
  EXPECT_FALSE(InspectOnnx(Number(1, 8) + Nested(7, Nested(11, Value("X", type)))));
  EXPECT_FALSE(InspectOnnx(Number(1, 8) + Nested(7, Nested(11, Value("\xff", Tensor(1, ""))))));
}

}  // namespace
}  // namespace gyre::training
