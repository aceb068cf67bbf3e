// The only file that includes yaml-cpp; its exceptions end here.
#include <yaml-cpp/yaml.h>

#include "base/text.h"
#include "ml/recipes/spec.h"

namespace gyre::recipes {
namespace {

Error SyntaxError(const YAML::Mark& mark, std::string_view what) {
  Error error = InvalidArgument("GY3101", "the recipe is not valid YAML: {}", what);
  if (!mark.is_null()) return std::move(error).Where(fmt::format("recipe:{}:{}", mark.line + 1, mark.column + 1));
  return error;
}

class Converter {
 public:
  Result<Json> Convert(const YAML::Node& node, int depth) {
    // Aliases are expanded, so a small file could stand for a huge document, or for one that holds itself.
    if (++nodes_ > kYamlNodesMax) return SyntaxError(node.Mark(), "it is too large when its aliases are written out");
    if (depth > 32) return SyntaxError(node.Mark(), "it is nested too deeply");
    switch (node.Type()) {
      case YAML::NodeType::Scalar: return Scalar(node);
      case YAML::NodeType::Sequence: {
        Json list = Json(Json::Array());
        for (const auto& item : node) {
          GYRE_TRY(Json value, Convert(item, depth + 1));
          list.Push(std::move(value));
        }
        return list;
      }
      case YAML::NodeType::Map: return Map(node, depth);
      default: return Json();
    }
  }

 private:
  Result<Json> Map(const YAML::Node& node, int depth) {
    Json::Object members;
    for (const auto& item : node) {
      if (!item.first.IsScalar()) return SyntaxError(item.first.Mark(), "a key must be a plain text");
      const std::string& key = item.first.Scalar();
      if (!IsValidUtf8(key)) return SyntaxError(item.first.Mark(), "a key is not UTF-8");
      for (const auto& [other, value] : members) {
        if (other == key) return SyntaxError(item.first.Mark(), fmt::format("the key `{}` stands there twice", key));
      }
      GYRE_TRY(Json value, Convert(item.second, depth + 1));
      members.emplace_back(key, std::move(value));
      if (members.size() > kStepsMax) return SyntaxError(node.Mark(), "a mapping has too many keys");
    }
    return Json(std::move(members));
  }

  static Result<Json> Scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (!IsValidUtf8(text)) return SyntaxError(node.Mark(), "a text is not UTF-8");
    if (node.Tag() == "!") return Json(text);  // quoted
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return Json();
    if (text == "true" || text == "True" || text == "TRUE") return Json(true);
    if (text == "false" || text == "False" || text == "FALSE") return Json(false);
    const bool looks_numeric = text.find_first_of("0123456789") != std::string::npos && text.find_first_not_of("+-.0123456789eE") == std::string::npos;
    if (looks_numeric) {
      if (const auto whole = ParseInt(text)) return Json(*whole);
      if (const auto number = ParseDouble(text); number && *number - *number == 0) return Json(*number);
    }
    return Json(text);
  }

  std::size_t nodes_ = 0;
};

}  // namespace

Result<Json> YamlToJson(std::string_view text) {
  if (text.size() > kRecipeBytesMax) return InvalidArgument("GY3101", "the recipe is larger than {} bytes", kRecipeBytesMax);
  try {
    return Converter().Convert(YAML::Load(std::string(text)), 0);
  } catch (const YAML::Exception& e) {
    return SyntaxError(e.mark, e.msg);
  } catch (const std::exception& e) {
    return InvalidArgument("GY3101", "the recipe is not valid YAML: {}", e.what());
  }
}

Result<Spec> Spec::FromYaml(std::string_view text) {
  GYRE_TRY(const Json json, YamlToJson(text));
  return FromJson(json);
}

}  // namespace gyre::recipes
