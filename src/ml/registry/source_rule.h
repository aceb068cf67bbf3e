// Where the files of a version that somebody else logged are said to be. The text is kept and given
// back; nothing here, and nobody later, opens it. What it may say is decided by its letters alone.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::registry {

inline constexpr std::size_t kSourceBytesMax = 2'048;

// What a source names by one of our own schemes.
struct Source {
  enum class Kind : unsigned char {
    kText,         // another store, or a word that stands for one: kept as it is
    kInside,       // files of the run or the logged model that the version names
    kRun,          // runs:/ID/path
    kLoggedModel,  // models:/m-ID
    kVersion,      // models:/NAME/3, models:/NAME/Production, models:/NAME@ALIAS
  };
  Kind kind = Kind::kText;
  std::string id;           // of the run or the logged model
  std::string model, what;  // of kVersion: title, and "3", "latest", a stage or "@alias"
};

// The run and the logged model that the version names, with the folders of their files; empty =
// none is named.
struct SourceOwners {
  std::string run_id = {}, run_root = {};
  std::string logged_model = {}, logged_model_root = {};
};

// A path of this machine, and any of our own stores, only inside the folders of `owners`; no "..",
// NUL, '#', '?' or ';', in however many layers of %xx. Error: kInvalidArgument GY3640 with the
// rule.
Result<Source> ReadSource(std::string_view text, const SourceOwners& owners);

// Of "models:/m-ID" that ID, of anything else "".
std::string LoggedModelOf(std::string_view text);

}  // namespace gyre::registry
