#include "cli/credentials.h"

#include "base/json.h"
#include "platform/config/environment.h"

namespace gyre::cli {
namespace {

std::string CredentialsPath() { return config::UserConfigDirectory() + "/credentials.json"; }

Result<Json> ReadCredentials() {
  GYRE_TRY(const auto text, config::ReadSmallFile(CredentialsPath()));
  if (!text) return Json::Obj();
  return Json::Parse(*text);
}

}  // namespace

std::string FindToken(const std::string& audience) {
  if (auto token = config::Environment("GYRE_TOKEN"); token && !token->empty())
    return *std::move(token);
  const auto kept = ReadCredentials();
  return kept ? (*kept)[audience]["token"].AsString() : std::string();
}

Result<> KeepToken(const std::string& audience, const std::string& token) {
  GYRE_TRY(Json kept, ReadCredentials());
  kept.Set(audience, Json::Obj({{"token", token}}));
  GYRE_DO(config::MakeDirectories(config::UserConfigDirectory(), 0700));
  return config::WriteSmallFile(CredentialsPath(), kept.DumpPretty() + "\n", 0600);
}

}  // namespace gyre::cli
