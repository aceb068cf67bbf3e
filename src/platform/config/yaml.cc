#include "platform/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <limits>
#include <set>
#include <sstream>

#include "base/limits.h"
#include "base/text.h"

namespace gyre::config {
namespace {

constexpr int kNodesMax = 100'000;

Error YamlError(std::string_view source, const YAML::Mark& mark, std::string_view what) {
  std::string where(source);
  if (!mark.is_null()) where += fmt::format(":{}:{}", mark.line + 1, mark.column + 1);
  return InvalidArgument("GY1810", "{} is not valid YAML: {}", source, what)
      .Where(std::move(where));
}

Json PlainScalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return Json();
  if (text == "true" || text == "True" || text == "TRUE") return Json(true);
  if (text == "false" || text == "False" || text == "FALSE") return Json(false);
  if (text == ".inf" || text == "+.inf" || text == ".Inf")
    return Json(std::numeric_limits<double>::infinity());
  if (text == "-.inf" || text == "-.Inf") return Json(-std::numeric_limits<double>::infinity());
  if (text == ".nan" || text == ".NaN") return Json(std::numeric_limits<double>::quiet_NaN());
  const bool numeric_start =
      (text[0] >= '0' && text[0] <= '9') || text[0] == '-' || text[0] == '.' || text[0] == '+';
  if (!numeric_start) return Json(text);
  const std::string_view digits =
      text[0] == '+' ? std::string_view(text).substr(1) : std::string_view(text);
  if (const auto n = ParseInt(digits)) return Json(*n);
  const bool spelled =
      digits.find_first_of("iInN") != std::string_view::npos;  // "-inf", "1nan" are text in YAML
  if (!spelled) {
    if (const auto d = ParseDouble(digits)) return Json(*d);
  }
  return Json(text);
}

class Converter {
 public:
  explicit Converter(std::string_view source) : source_(source) {}

  Result<Json> Convert(const YAML::Node& node, int depth) {
    if (depth > kJsonDepthMax)
      return YamlError(source_, node.Mark(), "nested deeper than 64 levels");
    if (++nodes_ > kNodesMax) return YamlError(source_, node.Mark(), "more than 100,000 nodes");
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        // yaml-cpp tags quoted scalars "!" and plain ones "?".
        return node.Tag() == "?" ? PlainScalar(node.Scalar()) : Json(node.Scalar());
      case YAML::NodeType::Sequence:
        return Sequence(node, depth);
      case YAML::NodeType::Map:
        return Map(node, depth);
      default:
        return Json();
    }
  }

 private:
  Result<Json> Sequence(const YAML::Node& node, int depth) {
    Json::Array items;
    for (const auto& item : node) {
      GYRE_TRY(Json value, Convert(item, depth + 1));
      items.push_back(std::move(value));
    }
    return Json(std::move(items));
  }

  Result<Json> Map(const YAML::Node& node, int depth) {
    Json::Object members;
    std::set<std::string> seen;
    for (const auto& member : node) {
      if (!member.first.IsScalar())
        return YamlError(source_, member.first.Mark(), "a key must be text");
      const std::string& key = member.first.Scalar();
      if (!seen.insert(key).second)
        return YamlError(source_, member.first.Mark(), fmt::format("`{}` stands here twice", key));
      GYRE_TRY(Json value, Convert(member.second, depth + 1));
      members.emplace_back(key, std::move(value));
    }
    return Json(std::move(members));
  }

  std::string_view source_;
  int nodes_ = 0;
};

class Ignore : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// YAML::LoadAll never ends on some texts (a single comma), because the parser finds one more empty
// document each time.
bool HasSecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Ignore ignore;
  return parser.HandleNextDocument(ignore) && parser.HandleNextDocument(ignore);
}

void Emit(const Json& json, YAML::Emitter& out) {
  switch (json.kind()) {
    case Json::Kind::kNull:
      out << YAML::Null;
      break;
    case Json::Kind::kBool:
      out << json.AsBool();
      break;
    case Json::Kind::kInt:
      out << json.AsInt();
      break;
    case Json::Kind::kDouble: {
      const double d = json.AsDouble();
      std::string text;
      if (std::isnan(d))
        text = ".nan";
      else if (std::isinf(d))
        text = d > 0 ? ".inf" : "-.inf";
      else
        AppendJsonNumber(d, &text);
      out << YAML::Value << text;
      break;
    }
    case Json::Kind::kString: {
      const bool reads_back = PlainScalar(json.AsString()).is_string();
      if (reads_back)
        out << json.AsString();
      else
        out << YAML::DoubleQuoted << json.AsString();
      break;
    }
    case Json::Kind::kArray:
      if (json.size() == 0) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const Json& item : json.items()) Emit(item, out);
      out << YAML::EndSeq;
      break;
    case Json::Kind::kObject:
      if (json.size() == 0) out << YAML::Flow;
      out << YAML::BeginMap;
      for (const auto& [key, value] : json.members()) {
        out << YAML::Key;
        Emit(Json(key), out);
        out << YAML::Value;
        Emit(value, out);
      }
      out << YAML::EndMap;
      break;
  }
}

}  // namespace

Result<Json> ParseYaml(std::string_view text, std::string_view source) {
  if (!IsValidUtf8(text)) return YamlError(source, YAML::Mark::null_mark(), "it is not UTF-8 text");
  try {
    const std::string copy(text);
    if (HasSecondDocument(copy))
      return YamlError(source, YAML::Mark::null_mark(), "it holds more than one document");
    return Converter(source).Convert(YAML::Load(copy), 0);
  } catch (const YAML::Exception& e) {
    return YamlError(source, e.mark, e.msg);
  } catch (const std::exception& e) {
    return YamlError(source, YAML::Mark::null_mark(), e.what());
  }
}

int YamlLineOf(std::string_view text, const std::string& key, std::size_t item) {
  try {
    const YAML::Node document = YAML::Load(std::string(text));
    const YAML::Mark mark = document[key][item].Mark();
    return mark.is_null() ? 0 : mark.line + 1;
  } catch (const std::exception&) {
    return 0;
  }
}

int YamlLineAt(std::string_view text, std::span<const std::string> path) {
  try {
    YAML::Node node = YAML::Load(std::string(text));
    YAML::Mark mark = node.Mark();
    for (const std::string& part : path) {
      bool found = false;
      if (node.IsSequence()) {
        const auto index = ParseInt(part);
        found = index && *index >= 0 && static_cast<std::size_t>(*index) < node.size();
        if (found) node.reset(node[static_cast<std::size_t>(*index)]);
        if (found) mark = node.Mark();
      } else if (node.IsMap()) {
        for (const auto& member : node) {
          if (!member.first.IsScalar() || member.first.Scalar() != part) continue;
          mark = member.first.Mark();
          node.reset(member.second);
          found = true;
          break;
        }
      }
      if (!found) break;
    }
    return mark.is_null() ? 0 : mark.line + 1;
  } catch (const std::exception&) {
    return 0;
  }
}

std::string DumpYaml(const Json& json) {
  YAML::Emitter out;
  Emit(json, out);
  return std::string(out.c_str()) + "\n";
}

}  // namespace gyre::config
