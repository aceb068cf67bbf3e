// What a file of somebody's model would do to the program that loads it, read without loading it.
// Pure. Private.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::training {

struct PickleFacts;

// In the order of how bad it is.
enum class Safety : unsigned char {
  kSafe,     // data, or objects of classes that fitted models are made of
  kUnclear,  // gyre cannot tell
  kUnsafe,   // loading it runs what its author wrote, or may
};
std::string_view SafetyName(Safety safety);  // "safe", "unclear", "unsafe"

struct InspectedFile {
  std::string kind;  // "pickle", "safetensors", ...
  Safety safety = Safety::kSafe;
  std::string why = {};                   // of what is not safe; no dot at its end
  std::vector<std::string> unknown = {};  // names that no fitted model needs
  Json facts = Json::Obj();               // what else it says of itself
};

// Adds names that no fitted model needs: a file with any of them is unsafe.
void Accuse(std::vector<std::string> unknown, InspectedFile* file);

// {"class", "sklearn_version", "features"} of a pickle.
Json FactsToJson(const PickleFacts& facts);

// By its bytes, and where those are any text by its name. Each of the bytes may be hostile: the
// work is bounded by their number, and by what archives may unfold to.
InspectedFile InspectFile(std::string_view path, std::string_view bytes);

}  // namespace gyre::training
