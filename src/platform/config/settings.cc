#include "platform/config/settings.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "platform/config/environment.h"
#include "platform/config/yaml.h"

namespace gyre::config {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};
constexpr Unit kTimeUnits[] = {{"ms", 1e-3}, {"s", 1},    {"m", 60},
                               {"min", 60},  {"h", 3600}, {"d", 86400}};
constexpr Unit kByteUnits[] = {{"B", 1},
                               {"kB", 1e3},
                               {"KB", 1e3},
                               {"MB", 1e6},
                               {"GB", 1e9},
                               {"TB", 1e12},
                               {"K", 1024},
                               {"KiB", 1024},
                               {"M", 1048576},
                               {"MiB", 1048576},
                               {"G", 1073741824},
                               {"GiB", 1073741824},
                               {"T", 1099511627776},
                               {"TiB", 1099511627776}};

Result<double> ParseWithUnit(std::string_view text, std::span<const Unit> units,
                             std::string_view example) {
  const std::string_view whole = Trim(text);
  std::size_t digits = 0;
  while (digits < whole.size() &&
         ((whole[digits] >= '0' && whole[digits] <= '9') || whole[digits] == '.'))
    ++digits;
  const auto number = ParseDouble(whole.substr(0, digits));
  const std::string_view unit = Trim(whole.substr(digits));
  if (number && std::isfinite(*number)) {
    if (unit.empty()) return *number;
    for (const Unit& u : units) {
      if (u.name == unit) return *number * u.factor;
    }
  }
  return InvalidArgument("GY1821", "`{}` is not a value like {}", text, example);
}

Result<bool> ParseBool(std::string_view text) {
  for (std::string_view yes : {"true", "1", "yes", "on"}) {
    if (EqualsIgnoreCase(text, yes)) return true;
  }
  for (std::string_view no : {"false", "0", "no", "off"}) {
    if (EqualsIgnoreCase(text, no)) return false;
  }
  return InvalidArgument("GY1821", "`{}` is neither true nor false", text);
}

Result<double> Numeric(const Setting& setting, std::string_view text) {
  switch (setting.type) {
    case Type::kInt: {
      const auto n = ParseInt(Trim(text));
      if (!n) return InvalidArgument("GY1821", "`{}` is not a whole number", text);
      return static_cast<double>(*n);
    }
    case Type::kNumber: {
      const auto n = ParseDouble(Trim(text));
      if (!n || !std::isfinite(*n)) return InvalidArgument("GY1821", "`{}` is not a number", text);
      return *n;
    }
    case Type::kSeconds:
      return ParseSeconds(text);
    case Type::kBytes:
      return ParseBytes(text);
    case Type::kText:
    case Type::kBool:
      break;
  }
  return 0.0;
}

Result<> CheckValue(const Setting& setting, std::string_view text, std::string_view origin) {
  const auto named = [&](Error error) {
    return std::move(error)
        .Context(fmt::format("setting {}", setting.name))
        .Where(std::string(origin));
  };
  if (setting.type == Type::kText) return {};
  if (setting.type == Type::kBool) {
    if (auto b = ParseBool(text); !b) return Error(named(std::move(b).error()));
    return {};
  }
  auto number = Numeric(setting, text);
  if (!number) return Error(named(std::move(number).error()));
  if (*number < setting.min || *number > setting.max) {
    return Error(
        named(InvalidArgument("GY1822", "{} is outside {} to {}", text, setting.min, setting.max)));
  }
  return {};
}

std::string VariableOf(const Setting& setting) {
  if (!setting.variable.empty()) return std::string(setting.variable);
  std::string name = "GYRE_";
  for (char c : setting.name)
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return name;
}

std::string ScalarText(const Json& json) {
  return json.is_string() ? json.AsString() : json.Dump();
}

class Loader {
 public:
  explicit Loader(std::vector<Value>* values) : values_(values) {}

  Result<> Set(std::string_view name, std::string text, std::string_view origin,
               std::string_view shown_name) {
    for (Value& value : *values_) {
      if (value.setting->name != name) continue;
      GYRE_DO(CheckValue(*value.setting, text, origin));
      value.text = std::move(text);
      value.origin = std::string(origin);
      return {};
    }
    std::vector<std::string> names;
    for (const Value& value : *values_) names.emplace_back(value.setting->name);
    Error error = InvalidArgument("GY1820", "there is no setting `{}`", shown_name)
                      .Where(std::string(origin));
    if (const auto close = ClosestMatch(name, names))
      return Error(std::move(error).Fix(fmt::format("did you mean `{}`?", *close)));
    return Error(std::move(error).Fix("gyre config show   (lists every setting)"));
  }

  Result<> Document(const Json& json, const std::string& prefix, const std::string& origin) {
    for (const auto& [key, value] : json.members()) {
      const std::string name = prefix.empty() ? key : prefix + "." + key;
      if (value.is_object()) {
        GYRE_DO(Document(value, name, origin));
      } else {
        GYRE_DO(Set(name, ScalarText(value), origin, name));
      }
    }
    return {};
  }

  Result<> File(const std::string& path, bool must_exist, bool settings_part) {
    if (path.empty()) return {};
    GYRE_TRY(const auto text, ReadSmallFile(path));
    if (!text) {
      if (!must_exist) return {};
      return NotFound("GY1823", "the settings file {} is not there", path);
    }
    GYRE_TRY(const Json json, ParseYaml(*text, path));
    if (json.is_null()) return {};
    if (!json.is_object())
      return InvalidArgument("GY1824", "{} must hold names and values", path)
          .Fix("server:\n    listen: 127.0.0.1:7171");
    return Document(settings_part ? json["settings"] : json, "", path);
  }

 private:
  std::vector<Value>* values_;
};

}  // namespace

std::string_view TypeName(Type type) {
  constexpr std::string_view kNames[] = {"text",          "whole number", "number",
                                         "true or false", "duration",     "size"};
  return kNames[static_cast<int>(type)];
}

Result<double> ParseSeconds(std::string_view text) {
  return ParseWithUnit(text, kTimeUnits, "90, 250ms, 60s, 5m, 1h");
}
Result<double> ParseBytes(std::string_view text) {
  return ParseWithUnit(text, kByteUnits, "512, 64MiB, 2GB");
}

Sources DefaultSources() {
  Sources sources;
  sources.user_file = UserConfigDirectory() + "/config.yaml";
  sources.project_file = FindProjectFile();
  return sources;
}

Result<Settings> Settings::Load(SettingTables tables, const Sources& sources) {
  Settings settings;
  for (const auto& table : tables) {
    for (const Setting& setting : table) {
      GYRE_DO(CheckValue(setting, setting.default_value, "default"));
      settings.values_.push_back({&setting, std::string(setting.default_value), "default"});
    }
  }
  Loader loader(&settings.values_);
  GYRE_DO(loader.File(sources.system_file, false, false));
  GYRE_DO(loader.File(sources.user_file, false, false));
  GYRE_DO(loader.File(sources.project_file, false, true));
  GYRE_DO(loader.File(sources.explicit_file, true, false));
  if (sources.use_environment) {
    for (Value& value : settings.values_) {
      const std::string variable = VariableOf(*value.setting);
      if (auto text = Environment(variable); text && !text->empty()) {
        GYRE_DO(loader.Set(value.setting->name, *std::move(text), variable, variable));
      }
    }
  }
  for (const Sources::Flag& flag : sources.flags) {
    GYRE_DO(loader.Set(flag.setting, flag.text, flag.flag, flag.flag));
  }
  return settings;
}

const Value& Settings::Find(std::string_view name) const {
  const auto found = std::find_if(values_.begin(), values_.end(),
                                  [&](const Value& v) { return v.setting->name == name; });
  GYRE_CHECK(found != values_.end());
  return *found;
}

const std::string& Settings::Text(std::string_view name) const { return Find(name).text; }

double Settings::Number(std::string_view name) const {
  const Value& value = Find(name);
  return Numeric(*value.setting, value.text).value_or(0);
}

std::int64_t Settings::Int(std::string_view name) const {
  return static_cast<std::int64_t>(Number(name));
}
bool Settings::Bool(std::string_view name) const {
  return ParseBool(Find(name).text).value_or(false);
}

Json Settings::ToJson() const {
  Json list = Json::Arr();
  for (const Value& value : values_) {
    const Setting& s = *value.setting;
    Json entry = Json::Obj({{"name", s.name},
                            {"value", value.text},
                            {"origin", value.origin},
                            {"default", s.default_value}});
    entry.Set("type", TypeName(s.type)).Set("variable", VariableOf(s));
    if (s.type != Type::kText && s.type != Type::kBool) entry.Set("min", s.min).Set("max", s.max);
    entry.Set("doc", s.doc).Set("hot", s.hot);
    list.Push(std::move(entry));
  }
  return list;
}

}  // namespace gyre::config
