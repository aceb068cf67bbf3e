// What a pipeline is, read from its YAML. Pure: a document in, a checked Spec or an error that
// names file, line, key and remedy out. Values stay as they are written; references (`${...}`) are
// only checked here and filled when a task starts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::pipelines {

constexpr std::size_t kSpecBytesMax = std::size_t{4} << 20;
constexpr std::size_t kStepsMax = 10'000;
constexpr std::size_t kItemsMax = 200'000;  // tasks of one run

// text, int, number, bool, list, json; of outputs also file.
enum class ValueType : unsigned char { kText, kInt, kNumber, kBool, kList, kJson, kFile };

// The value of a kFile: this, then the SHA-256 of its bytes in hex.
inline constexpr std::string_view kFilePrefix = "sha256:";
std::string_view ValueTypeName(ValueType type);
std::optional<ValueType> ParseValueType(std::string_view name);
// Whether the value is one of that type; whole numbers are numbers too.
bool Fits(ValueType type, const Json& value);
// Whether a value that is declared as `from` may stand where `to` is asked for.
bool Suits(ValueType from, ValueType to);
// A text as a value of that type, for `-p key=value` and output files. Error: GY4706.
Result<Json> ValueFromText(ValueType type, std::string_view name, std::string_view text);

struct Param {
  std::string name;
  ValueType type = ValueType::kText;
  std::optional<Json> default_value;  // none = must be given
};

struct OutputSpec {
  std::string name;
  ValueType type = ValueType::kText;
};

struct Retries {
  int max = 0;                          // attempts after the first
  std::int64_t backoff_us = 1'000'000;  // before the second attempt
  double factor = 2;                    // of each further pause
  double memory_factor = 1;             // of the limit, after an attempt that ran out of memory
};

struct Resources {
  int cpus = 0;                   // 0 = no limit
  std::int64_t memory_bytes = 0;  // 0 = no limit
  int gpus = 0;                   // that it alone sees
};

struct Step {
  std::string name, kind;
  std::vector<std::string> needs;       // as written, then those that references name
  Json with;                            // what the kind takes, references unfilled
  Json inputs;                          // name -> value or reference
  std::vector<OutputSpec> input_types;  // of those inputs that say one
  std::vector<OutputSpec> outputs;
  std::string when;      // a condition; empty = always true
  Json for_each;         // a list, or a reference to one; null = one task
  int parallel_max = 0;  // tasks of this step at once; 0 = no limit of its own
  Retries retries;
  std::int64_t timeout_us = 0, stall_us = 0;  // 0 = none
  Resources resources;
  bool always = false;                   // runs however its needs ended
  bool effects_external = false;         // a lost attempt is not begun again by itself
  std::optional<std::int64_t> cache_us;  // none = no cache; 0 = for ever
  bool has_loop() const { return !for_each.is_null(); }
};

struct Spec {
  std::string name, description;
  bool is_component = false;  // a single step that pipelines `use`
  std::vector<Param> params;
  std::vector<Step> steps;  // of a component: one
  Json outputs;             // of the whole: name -> reference
  int parallel_max = 0;
  bool takes_nothing = false;  // of a run: nothing comes from the cache; what it makes goes there
};

// What a kind of step takes, besides what every step has.
struct KindKey {
  std::string_view name;
  bool required = false;
  bool verbatim = false;  // code: references are not filled, values come as environment variables
  ValueType type = ValueType::kJson;  // what a reference there must lead to; json = anything
};
struct KindFacts {
  std::string_view name;
  std::span<const KindKey> keys;
  std::span<const OutputSpec> outputs;  // that every step of this kind has
  bool declares_outputs = false;        // `outputs:` may be written in the step
};

// A component by reference, for `use:`. Error: not found.
using FindComponent = std::function<Result<Spec>(std::string_view reference)>;

// Errors, all kInvalidArgument with file:line: GY4701 a key, GY4702 a value, GY4703 a reference or
// a circle, GY4704 a kind, GY4728 a reference to a value of another type.
Result<Spec> ParseSpec(std::string_view text, std::string_view source,
                       std::span<const KindFacts> kinds, const FindComponent& find);

// Every parameter has its value: given ones checked by type, then defaults. Error: GY4705.
Result<Json> BindParams(const Spec& spec, const Json& given);
// The same from `key=value` texts.
Result<Json> ParamsFromTexts(const Spec& spec, std::span<const std::string> texts);

// As it stands in a run's record, and back: components are in it, nothing is looked up any more.
Json SpecToJson(const Spec& spec);
Spec SpecFromJson(const Json& json);

}  // namespace gyre::pipelines
