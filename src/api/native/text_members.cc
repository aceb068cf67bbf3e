#include "api/native/text_members.h"

namespace gyre::native {

Result<std::map<std::string, std::string>> TextsOf(const Json& body, std::string_view member) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : body[member].members()) {
    if (value.is_array() || value.is_object()) {
      return InvalidArgument("GY3412", "`{}.{}` must be text, a number or true/false", member,
                             name);
    }
    texts[name] = value.is_string() ? value.AsString() : value.Dump();
  }
  return texts;
}

Result<TagChange> TagChangeOf(const Json& body) {
  TagChange change;
  GYRE_TRY(change.put, TextsOf(body, "tags"));
  for (const auto& [name, value] : body["tags"].members()) {
    if (!value.is_null()) continue;
    change.put.erase(name);
    change.removed.push_back(name);
  }
  if (!body.Has("note")) return change;
  const std::string& note = body["note"].AsString();
  if (note.empty()) {
    change.removed.emplace_back(kNoteTag);
  } else {
    change.put[std::string(kNoteTag)] = note;
  }
  return change;
}

}  // namespace gyre::native
