#include "ml/training/mlmodel_file.h"

#include <algorithm>

#include "base/text.h"
#include "platform/config/yaml.h"

namespace gyre::training {
namespace {

constexpr std::size_t kTextBytesMax = 2'000, kSignatureBytesMax = 256'000;
// Below these, files are read by whoever makes an environment, and by no loader of models.
constexpr std::string_view kEnvironment[] = {"conda", "env", "virtualenv"};

// MLflow's own, and none that is found by its beginning.
bool IsKnownLoader(std::string_view module) {
  constexpr std::string_view kOfMlflow[] = {"ag2",
                                            "catboost",
                                            "diviner",
                                            "dspy",
                                            "fastai",
                                            "h2o",
                                            "keras",
                                            "langchain",
                                            "lightgbm",
                                            "llama_index",
                                            "onnx",
                                            "openai",
                                            "paddle",
                                            "pmdarima",
                                            "prophet",
                                            "promptflow",
                                            "pyfunc.model",
                                            "pytorch",
                                            "sentence_transformers",
                                            "shap",
                                            "sklearn",
                                            "spacy",
                                            "spark",
                                            "statsmodels",
                                            "tensorflow",
                                            "transformers",
                                            "xgboost"};
  constexpr std::string_view kRoot = "mlflow.";
  return module.starts_with(kRoot) &&
         std::ranges::find(kOfMlflow, module.substr(kRoot.size())) != std::end(kOfMlflow);
}

bool IsEnvironment(std::string_view key) {
  return std::ranges::find(kEnvironment, key) != std::end(kEnvironment);
}

void NoteTexts(const Json& node, std::set<std::string>* texts) {
  if (node.is_string() && !node.AsString().empty()) texts->insert(node.AsString());
  for (const Json& item : node.items()) NoteTexts(item, texts);
  for (const auto& [key, value] : node.members()) {
    if (!IsEnvironment(key)) NoteTexts(value, texts);
  }
}

bool IsShort(const Json& value) {
  return value.is_bool() || value.is_number() ||
         (value.is_string() && value.AsString().size() <= kTextBytesMax);
}

Json FlavorsOf(const Json& flavors) {
  Json all = Json::Obj();
  for (const auto& [name, says] : flavors.members()) {
    Json one = Json::Obj();
    for (const auto& [key, value] : says.members()) {
      if (IsShort(value)) one.Set(key, value);
    }
    all.Set(name, std::move(one));
  }
  return all;
}

// Its parts are JSON within text.
Json SignatureOf(const Json& signature) {
  Json parts = Json::Obj();
  for (const char* part : {"inputs", "outputs", "params"}) {
    const std::string& text = signature[part].AsString();
    if (text.empty() || text.size() > kSignatureBytesMax) continue;
    if (auto value = Json::Parse(text); value && value->is_array())
      parts.Set(part, *std::move(value));
  }
  return parts;
}

}  // namespace

Result<MlmodelFacts> ReadMlmodel(std::string_view text) {
  const auto unreadable = [](std::string_view why) {
    return InvalidArgument("GY3551", "MLmodel cannot be read: {}", why);
  };
  if (text.size() > kMlmodelBytesMax) return unreadable("it is larger than 1 MB");
  const auto read = config::ParseYaml(text, "MLmodel");
  if (!read) return unreadable(read.error().message());
  const Json& yaml = *read;
  if (!yaml["flavors"].is_object()) return unreadable("it names no flavors");
  MlmodelFacts facts;
  facts.document.Set("flavors", FlavorsOf(yaml["flavors"]));
  facts.document.Set("signature", SignatureOf(yaml["signature"]));
  const Json& function = yaml["flavors"]["python_function"];
  const std::pair<const char*, const Json&> says[] = {
      {"input_example", yaml["saved_input_example_info"]["artifact_path"]},
      {"loader_module", function["loader_module"]},
      {"python_version", function["python_version"]},
      {"mlflow_version", yaml["mlflow_version"]},
      {"created_at", yaml["utc_time_created"]},
      {"run", yaml["run_id"]},
      {"logged_model", yaml["model_id"]}};
  for (const auto& [key, value] : says) {
    if (IsShort(value)) facts.document.Set(key, value);
  }
  NoteTexts(yaml["flavors"], &facts.loaded);
  const std::string& loader = function["loader_module"].AsString();
  if (function.is_object() && !IsKnownLoader(loader))
    facts.odd_loader = loader.empty() ? "no module" : loader.substr(0, kTextBytesMax);
  return facts;
}

}  // namespace gyre::training
