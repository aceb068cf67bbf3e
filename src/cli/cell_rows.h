// An answer of the API that holds cells, {"columns": [{"name"}], "rows": [[...]]}, as a table.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "cli/output.h"

namespace gyre::cli {

inline void ShowRows(const Json& answer, Output& out) {
  std::vector<std::string> names;
  for (const Json& column : answer["columns"].items()) names.push_back(column["name"].AsString());
  std::vector<ColumnSpec> columns;
  for (const std::string& name : names) columns.push_back({name, name});
  Json rows = Json::Arr();
  for (const Json& row : answer["rows"].items()) {
    Json object = Json::Obj();
    for (std::size_t i = 0; i < names.size(); ++i) object.Set(names[i], row.items()[i]);
    rows.Push(std::move(object));
  }
  out.Table(columns, rows, names.empty() ? "" : names[0]);
  if (answer["truncated"].AsBool())
    out.Note(fmt::format("cut off after {} rows: --limit N shows more, --out FILE writes all",
                         GroupDigits(static_cast<std::int64_t>(rows.size()))));
}

}  // namespace gyre::cli
