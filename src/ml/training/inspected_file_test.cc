#include "ml/training/inspected_file.h"

#include <gtest/gtest.h>

#include "ml/training/archives_for_tests.h"
#include "ml/training/mlmodel_file.h"

namespace gyre::training {
namespace {

using std::string_literals::operator""s;

const std::string kCall = "cos\nsystem\n(S'touch marker'\ntR.";
const std::string kPlain = "\x80\x04\x8c\x1bsklearn.linear_model._ridge\x8c\x05Ridge\x93)\x81}b."s;

std::string VerdictOf(std::string_view path, std::string_view bytes) {
  const InspectedFile found = InspectFile(path, bytes);
  EXPECT_EQ(found.why.empty(), found.safety == Safety::kSafe) << found.why;
  return fmt::format("{}: {}", SafetyName(found.safety), found.kind);
}

TEST(InspectedFile, DataIsSafe) {
  const std::string safetensors = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  EXPECT_EQ(
      VerdictOf("model.safetensors", LittleEndian(safetensors.size(), 8) + safetensors + "1234"),
      "safe: safetensors");
  EXPECT_EQ(VerdictOf("a.json", R"({"learner": {"x": 1}})"), "safe: XGBoost JSON");
  EXPECT_EQ(VerdictOf("a.json", "[1, 2]"), "safe: JSON");
  EXPECT_EQ(VerdictOf("model.ubj", "{L"s + std::string(7, '\0') + "\x07learner{}}"s),
            "safe: XGBoost UBJSON");
  EXPECT_EQ(VerdictOf("model.lgb", "tree\nversion=v4\n"), "safe: LightGBM text");
  EXPECT_EQ(VerdictOf("notes.txt", "nothing much\n"), "safe: text");
  EXPECT_EQ(VerdictOf("x", ""), "safe: empty");
  EXPECT_EQ(VerdictOf("a.npy", "\x93NUMPY\x01\0\x14\0{'descr': '<f8', }  12345678"s),
            "safe: numpy array");
  EXPECT_EQ(VerdictOf("model.pkl", kPlain), "safe: pickle");
}

TEST(InspectedFile, WhatRunsCodeIsNamed) {
  const InspectedFile call = InspectFile("model.pkl", kCall);
  EXPECT_EQ(call.safety, Safety::kUnsafe);
  EXPECT_EQ(call.unknown, (std::vector<std::string>{"os.system"}));
  EXPECT_TRUE(call.why.find("os.system") != std::string::npos) << call.why;
  EXPECT_EQ(VerdictOf("code/x.py", "print(1)"), "unsafe: program");
  EXPECT_EQ(VerdictOf("data/pickle_module_info.txt", "mlflow.pytorch.pickle_module"), "safe: text");
  EXPECT_EQ(VerdictOf("data/pickle_module_info.txt", "antigravity"), "unsafe: name of a module");
  EXPECT_EQ(VerdictOf("a.npy", "\x93NUMPY\x01\0\x13\0{'descr': '|O', }  "s + kCall),
            "unsafe: numpy array of objects");
  EXPECT_EQ(VerdictOf("model.joblib", Deflated(kCall, 15)), "unsafe: pickle, compressed with zlib");
}

// A pickle is what a reader of pickles takes for one, whatever it is called and looks like.
TEST(InspectedFile, NothingHidesAPickle) {
  for (const std::string& hidden :
       {kCall + "\n", "I1\n" + kCall, kCall.substr(0, kCall.size() - 1), kPlain + kCall,
        kPlain.substr(0, kPlain.size() - 1) + "0" + kCall, "(" + kCall + " and so on",
        kPlain.substr(0, kPlain.size() - 1) + "\xff" + kCall, "U\x10{\"data\": [1, 2]}"s + kCall}) {
    EXPECT_NE(InspectFile("notes.txt", hidden).safety, Safety::kSafe) << hidden;
  }
  EXPECT_EQ(VerdictOf("notes.txt", kPlain + kCall), "unsafe: pickle");
}

TEST(InspectedFile, ArchivesByWhatLoadsThem) {
  const std::string tensors =
      "\x80\x02"
      "ccollections\nOrderedDict\n)R(X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(X\x07\0\0\0"
      "storageQK\0tRs."s;
  EXPECT_EQ(VerdictOf("model.pth",
                      ZipOf({{"m/data.pkl", tensors}, {"m/data/0", kCall}, {"m/version", "3\n"}})),
            "safe: PyTorch archive");
  EXPECT_EQ(VerdictOf("model.pth", ZipOf({{"m/data.pkl", kCall}})), "unsafe: PyTorch archive");
  EXPECT_EQ(VerdictOf("model.pth", ZipOf({{"m/data.pkl", tensors}, {"m/code/a.py", ""}})),
            "unclear: PyTorch archive");
  const std::string node = R"({"__class__":"Ridge","__module__":"sklearn.linear_model._ridge",
      "__loader__":"ObjectNode","content":%})";
  const auto skops = [&](std::string_view content) {
    std::string schema = node;
    schema.replace(schema.find('%'), 1, content);
    return ZipOf({{"schema.json", schema}});
  };
  EXPECT_EQ(VerdictOf("model.skops", skops("{}")), "safe: skops archive");
  EXPECT_EQ(VerdictOf("model.skops", skops(R"({"__class__":"Mine","__module__":"my.own",
      "__loader__":"ObjectNode"})")),
            "unclear: skops archive");
  EXPECT_EQ(VerdictOf("model.skops", skops(R"({"__class__":"dict","__module__":"builtins",
      "__loader__":"OperatorFuncNode"})")),
            "unsafe: skops archive");
  EXPECT_EQ(VerdictOf("m.keras", ZipOf({{"config.json", R"({"class_name": "Lambda"})"},
                                        {"metadata.json", "{}"}})),
            "unsafe: Keras archive");
  EXPECT_EQ(VerdictOf("a.npz", ZipOf({{"a.npy", "\x93NUMPY\x01\0\x14\0{'descr': '<f8', }  "s}})),
            "safe: numpy arrays");
  const InspectedFile within = InspectFile("a.zip", ZipOf({{"deep/m.pkl", kCall}}));
  EXPECT_EQ(within.safety, Safety::kUnsafe);
  EXPECT_TRUE(within.why.starts_with("deep/m.pkl: ")) << within.why;
}

TEST(InspectedFile, BombsAreUnclearAndCheap) {
  const std::string zeros(50'000'000, '\0');
  std::vector<Packed> members;
  const std::string packed = Deflated(zeros);
  for (int i = 0; i < 20; ++i)
    members.push_back({fmt::format("{}", i), packed, zeros.size(), true});
  EXPECT_EQ(VerdictOf("a.zip", ZipOf(members)), "unclear: zip archive");
  std::string nested = Deflated(std::string(140'000'000, '\0'), 15);
  EXPECT_EQ(VerdictOf("a.pkl", nested), "unclear: compressed with zlib");
  for (int i = 0; i < 4; ++i) nested = Deflated(nested, 31);
  EXPECT_TRUE(VerdictOf("a.pkl", nested).starts_with("unclear: "));
  std::string within = ZipOf({{"m.pkl", kCall}});
  for (int i = 0; i < 5; ++i) within = ZipOf({{"a.zip", within}});
  EXPECT_EQ(VerdictOf("a.zip", within), "unclear: zip archive");
}

TEST(Mlmodel, SaysWhatLoadsIt) {
  const auto facts = ReadMlmodel(R"(flavors:
  python_function:
    env: {conda: conda.yaml}
    loader_module: mlflow.sklearn
    model_path: model.pkl
  sklearn: {pickled_model: model.pkl, sklearn_version: 1.9.1}
saved_input_example_info: {artifact_path: input_example.json}
signature:
  inputs: '[{"type": "double", "name": "a"}]'
  outputs: '[{"type": "long"}]'
)");
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->document["flavors"]["sklearn"]["sklearn_version"].AsString(), "1.9.1");
  EXPECT_EQ(facts->document["signature"]["inputs"].items()[0]["name"].AsString(), "a");
  EXPECT_EQ(facts->document["input_example"].AsString(), "input_example.json");
  EXPECT_TRUE(facts->loaded.contains("model.pkl"));
  EXPECT_FALSE(facts->loaded.contains("conda.yaml"));
  EXPECT_EQ(facts->odd_loader, "");
  EXPECT_EQ(
      ReadMlmodel("flavors: {python_function: {loader_module: mlflow.sklearn.evil}}")->odd_loader,
      "mlflow.sklearn.evil");
  EXPECT_EQ(ReadMlmodel("flavors: {python_function: {loader_module: os}}")->odd_loader, "os");
  EXPECT_FALSE(ReadMlmodel("flavors: ["));
  EXPECT_FALSE(ReadMlmodel("no flavors"));
  EXPECT_FALSE(
      ReadMlmodel("a: &a [x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b]\nd: &d "
                  "[*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nflavors: "
                  "[*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"));
}

}  // namespace
}  // namespace gyre::training
