// Conditions that several stores have: one of several values ("only these projects"), ids that
// begin alike.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/db/database.h"

namespace gyre::db {

// "project IN (?3, ?4)", with the wanted ones appended to the parameters, which must outlive the
// query; true for nothing = all, false for an empty list.
inline std::string AmongText(std::string_view column,
                             const std::optional<std::vector<std::string>>& wanted,
                             std::vector<Value>* parameters) {
  if (!wanted) return "1 = 1";
  if (wanted->empty()) return "1 = 0";
  std::string list;
  for (const std::string& one : *wanted) {
    parameters->emplace_back(std::string_view(one));
    list += fmt::format("{}?{}", list.empty() ? "" : ", ", parameters->size());
  }
  return fmt::format("{} IN ({})", column, list);
}

// For `id >= prefix AND id < BeyondPrefix(prefix)`: ids are hexadecimal, and "g" is beyond every
// digit.
inline std::string BeyondPrefix(std::string_view prefix) { return std::string(prefix) + "g"; }

}  // namespace gyre::db
