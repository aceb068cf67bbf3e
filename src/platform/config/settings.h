// Typed settings. Each module states its own as a constexpr table; one Settings object holds the
// values and where each came from. defaults < /etc/gyre/config.yaml < ~/.config/gyre/config.yaml <
// ./gyre.yaml (its `settings:` part) < --config FILE < GYRE_* < flags.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::config {

enum class Type : unsigned char {
  kText,
  kInt,
  kNumber,
  kBool,     // true, false, 1, 0, yes, no, on, off
  kSeconds,  // "90", "90s", "5m", "1h", "2d", "250ms"; kept in seconds
  kBytes,    // "512", "64MiB", "2GB"; kept in bytes
};
std::string_view TypeName(Type type);

struct Setting {
  std::string_view name;  // "server.listen": file key server: {listen: ...}, variable
                          // GYRE_SERVER_LISTEN, or the one in `variable`
  Type type;
  std::string_view default_value;
  double min, max;                 // of numbers, seconds and bytes; ignored for text and bool
  std::string_view doc;            // one sentence
  bool hot = false;                // takes effect without a restart
  std::string_view variable = {};  // "GYRE_LISTEN"
};

struct Value {
  const Setting* setting;
  std::string text;    // as written
  std::string origin;  // "default", "/etc/gyre/config.yaml", "GYRE_LISTEN", "--listen"
};

// Where to look. Empty paths are skipped; a named file of `explicit_file` must exist.
struct Sources {
  std::string system_file = "/etc/gyre/config.yaml";
  std::string user_file;     // UserConfigDirectory() + "/config.yaml"
  std::string project_file;  // FindProjectFile(): only its `settings:` member counts
  std::string explicit_file;
  struct Flag {
    std::string setting, text, flag;  // {"server.listen", "0.0.0.0:80", "--listen"}
  };
  std::vector<Flag> flags;
  bool use_environment = true;
};
Sources DefaultSources();

using SettingTables = std::span<const std::span<const Setting>>;

class Settings {
 public:
  // Errors, each naming file or variable: GY1820 unknown name (did you mean), GY1821 wrong type,
  // GY1822 out of bounds.
  static Result<Settings> Load(SettingTables tables, const Sources& sources);

  // The name must be in a table (GYRE_CHECK).
  const std::string& Text(std::string_view name) const;
  std::int64_t Int(std::string_view name) const;
  double Number(std::string_view name) const;  // also seconds and bytes
  bool Bool(std::string_view name) const;
  const std::vector<Value>& values() const { return values_; }  // in the order of the tables
  Json ToJson() const;  // [{name, value, origin, default, type, min, max, doc, hot}]

 private:
  const Value& Find(std::string_view name) const;
  std::vector<Value> values_;
};

Result<double> ParseSeconds(std::string_view text);  // GY1821
Result<double> ParseBytes(std::string_view text);    // GY1821

}  // namespace gyre::config
