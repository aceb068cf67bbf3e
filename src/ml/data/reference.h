// References to dataset versions: "sales", "sales:v3", "sales:latest", "project/sales:v3". Pure.
// Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::data {

struct Reference {
  std::string project, dataset;
  std::int64_t number = 0;  // 0 = the latest
};
// Errors: kInvalidArgument GY2103.
Result<Reference> ParseReference(std::string_view project, std::string_view text);
// "v3", "3", "latest" or "" (0).
Result<std::int64_t> ParseVersionNumber(std::string_view text);
// "age=text" for each.
Result<Json> ParseTypes(const std::vector<std::string>& types);
// True when `name` stands in `sql` as a word, in any case: then the query may need that table.
bool MentionsName(std::string_view sql, std::string_view name);
// The same, but for names that are only the beginning of a version's: "sales:v3".
bool MentionsNameAlone(std::string_view sql, std::string_view name);
// Of a query that names a table that is none of these: with what was meant, or what there is.
Error NoSuchTable(const Error& error, const std::vector<std::string>& names);

// A query as one line of a list.
std::string ShortTitle(std::string_view sql);
// GY2017 with the datasets that there are.
Error NoSuchTable(const Error& error, const std::vector<std::string>& names);

}  // namespace gyre::data
