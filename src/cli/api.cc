// gyre api, completion: commands about the program itself.
#include "base/text.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/config/environment.h"

namespace gyre::cli {
namespace {

Result<Json> BodyOf(const Invocation& in) {
  std::string text = in.Get("body");
  if (text.starts_with('@')) {
    const std::string path = text.substr(1);
    GYRE_TRY(const auto file, config::ReadSmallFile(path, 8u << 20));
    if (!file) return NotFound("GY4009", "{} is not there", path);
    text = *file;
  }
  if (text.empty()) return Json::Obj();
  return Json::Parse(text);
}

Result<int> RunApi(Invocation& in) {
  std::string path = in.Get("PATH");
  if (!path.starts_with('/')) path = "/" + path;
  if (!path.starts_with("/api/") && !path.starts_with("/e/") && !path.starts_with("/v2") &&
      path != "/healthz" && path != "/readyz" && path != "/metrics") {
    path = "/api/v1" + path;
  }
  std::string method = ToLower(in.Get("METHOD"));
  GYRE_TRY(const Json body, BodyOf(in));
  GYRE_TRY(Session* const session, in.session());
  const auto answer = [&]() -> Result<Json> {
    if (method == "get") return session->Get(path);
    if (method == "post") return session->Post(path, body);
    if (method == "put") return session->Put(path, body);
    if (method == "patch") return session->Patch(path, body);
    if (method == "delete") return session->Delete(path);
    return InvalidArgument("GY4010", "there is no method `{}`", in.Get("METHOD"))
        .Fix("GET, POST, PUT, PATCH or DELETE");
  };
  GYRE_TRY(const Json json, answer());
  in.out().Document(json, json.is_string() ? json.AsString() : json.DumpPretty());
  return 0;
}

Result<int> RunCompletion(Invocation& in) {
  const std::string_view script = CompletionScript(in.Get("SHELL"));
  if (script.empty())
    return InvalidArgument("GY4011", "there is no completion for `{}`", in.Get("SHELL"))
        .Fix("gyre completion bash, zsh or fish");
  in.out().Print(script);
  return 0;
}

constexpr Positional kApiPositionals[] = {{"METHOD", "GET, POST, PUT, PATCH or DELETE"},
                                          {"PATH", "/projects or /api/v1/projects"}};
constexpr Option kApiOptions[] = {{"--body", "JSON", "the request's document, or @FILE"}};
constexpr Positional kShell[] = {{"SHELL", "bash, zsh or fish", true, false, "shells"}};

constexpr Command kCommands[] = {
    {"api", "call the API as any program would",
     "gyre api GET /projects\ngyre api POST /projects --body '{\"name\":\"churn\"}'",
     kApiPositionals, kApiOptions, RunApi},
    {"completion",
     "completion script of your shell",
     "source <(gyre completion bash)\ngyre completion fish | source",
     kShell,
     {},
     RunCompletion},
};

}  // namespace

std::span<const Command> ApiCommands() { return kCommands; }

}  // namespace gyre::cli
