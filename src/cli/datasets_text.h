// Datasets in words, for people. Private to cli.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace gyre::cli {

class Output;

// "exports/Sales 2024.csv.gz" -> "Sales-2024".
std::string DatasetNameOf(std::string_view file);
std::string VersionText(const Json& version, const Json& profile, const Output& out);
std::string ProfileText(const Json& profile, const Output& out);
std::string DiffText(const Json& diff);
std::string CheckText(const Json& result, const Output& out);

}  // namespace gyre::cli
