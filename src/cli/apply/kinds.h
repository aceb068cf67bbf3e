// What gyre.yaml may say, as data. Checks with file and line, the schema for editors, the reference
// page, the comparison with the server and `gyre export` all come from these tables. Pure.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/json.h"

namespace gyre::cli::apply {

enum class Shape : unsigned char {
  kText,
  kWhole,
  kNumber,
  kBool,
  kSeconds,    // 90, 60s, 5m, 1h, 1d; kept as seconds
  kTexts,      // a list
  kTextMap,    // names to texts
  kFreeMap,    // names to anything; only those that are written are compared
  kObjects,    // a list of objects
  kObject,     // with members of its own
  kFree,       // anything, compared as a whole
  kObjectMap,  // names to objects with members; only those that are written are compared
  kClock,      // a time of the day; kept as 07:00
};

// Whether a member says something that the server can tell back.
enum class Seen : unsigned char {
  kCompared,
  kLocal,  // where the file lies, how it is read: nothing that can drift
};

struct Member {
  std::string_view name;
  Shape shape = Shape::kText;
  std::string_view doc;
  std::string_view fallback = {};  // what holds when nobody says it, as JSON
  std::string_view allowed = {};   // "keep|append|skip"
  bool required = false;
  std::span<const Member> members = {};  // of an object, or of each of a map
  std::string_view refers = {};          // its text names an entry of that kind
  std::string_view actual = {};          // where the server's document has it, else under its name
  Seen seen = Seen::kCompared;
};

struct Kind {
  std::string_view noun;      // its key in the file: "datasets"
  std::string_view singular;  // "dataset"
  std::string_view doc;
  std::string_view example;  // YAML of entries
  std::span<const Member> members;
};

// In the order in which they are brought about: what is named stands before what names it.
std::span<const Kind> Kinds();
const Kind* FindKind(std::string_view noun);
const Member* FindMember(std::span<const Member> members, std::string_view name);

// The project's problem, which is no list of entries: `problem:` of the file.
inline constexpr std::string_view kProblem = "problem";

// What the server's document says, in the words of the file.
Json InFileWords(std::span<const Member> members, const Json& document);
// Without what holds anyway and what is empty: as somebody would write it.
Json WithoutDefaults(std::span<const Member> members, const Json& spec);
// Durations as people write them: 3600 -> "1h".
Json ForPeople(std::span<const Member> members, const Json& spec);

}  // namespace gyre::cli::apply
