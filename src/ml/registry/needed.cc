#include "ml/registry/needed.h"

#include <fmt/format.h>

#include "base/text.h"

namespace gyre::registry {

Result<std::map<std::string, std::string>> NamedBySources(db::Reader& reader) {
  std::map<std::string, std::string> named;
  GYRE_DO(reader.Query(
      "SELECT m.name, v.version, v.source, v.location, v.logged_model FROM registry_version v JOIN "
      "registry_model m ON m.id = v.model_id WHERE v.source <> '' AND v.deleted_us = 0",
      {}, [&](const db::Row& row) -> Result<> {
        const std::string by = fmt::format("model {}:v{}", row.Text(0), row.Int(1));
        for (const int column : {2, 3, 4}) {
          for (const std::string_view part : Split(row.Text(column), '/'))
            if (!part.empty()) named.emplace(part, by);
        }
        return {};
      }));
  return named;
}

}  // namespace gyre::registry
