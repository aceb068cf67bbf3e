// Files from the web, fetched where the command runs: through the guard that holds for whatever
// gyre connects to by itself, as the address may stand in a file that somebody else wrote.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/output.h"

namespace gyre::cli {

bool IsUrl(std::string_view text);  // http:// or https://
// "https://example.org/a/b.csv?x=1" -> "b.csv"; "data" where it has no name.
std::string FileNameOfUrl(std::string_view url);
// Redirections are followed a few times, never from https to http. `allow`: the setting
// egress.allow. Errors: kInvalidArgument GY4918 the address, kPermissionDenied GY1626 the guard,
// kUnavailable GY4919 what was answered, GY1620 and others of the connection.
Result<> FetchFile(const std::string& url, const std::string& file, const std::string& allow,
                   Output& out);

}  // namespace gyre::cli
