// Members of a body that hold text by name: params and tags. Private to api/native.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::native {

// Where people's notes are kept, and where other tools show them.
inline constexpr std::string_view kNoteTag = "mlflow.note.content";

// Texts, numbers and true/false as text. Error: kInvalidArgument GY3412.
Result<std::map<std::string, std::string>> TextsOf(const Json& body, std::string_view member);

// `tags` and `note` of a change: null takes a tag away, and the empty note is none.
struct TagChange {
  std::map<std::string, std::string> put;
  std::vector<std::string> removed;
};
Result<TagChange> TagChangeOf(const Json& body);

}  // namespace gyre::native
