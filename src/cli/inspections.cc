// gyre models inspect, gyre runs inspect: what files of a model are, before anybody loads them.
#include <algorithm>

#include "base/text.h"
#include "cli/command.h"
#include "cli/model_name.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table_text.h"

namespace gyre::cli {
namespace {

constexpr int kNotSafe = 5;
constexpr std::size_t kFilesShown = 40;

// "m-" and 32 digits: a model as a client logged it, whether or not it is registered.
bool IsLoggedModel(std::string_view name) {
  constexpr std::size_t kDigits = 32;
  return name.size() == kDigits + 2 && name.starts_with("m-") &&
         name.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

void Line(std::string_view label, const std::string& value, std::string* text) {
  if (!value.empty()) *text += fmt::format("{:<10} {}\n", label, OneLineText(value));
}

// "sklearn 1.9.1, python_function"
std::string Flavors(const Json& flavors) {
  std::string text;
  for (const auto& [name, says] : flavors.members()) {
    const std::string& version = says[name + "_version"].AsString();
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", name, version.empty() ? "" : " ",
                        version);
  }
  return text;
}

// "a double, b double, tensor"
std::string Values(const Json& values) {
  constexpr std::size_t kShown = 12;
  std::string text;
  for (std::size_t i = 0; i < std::min(values.size(), kShown); ++i) {
    const Json& value = values.items()[i];
    const std::string& type = value["type"].AsString();
    text += fmt::format("{}{}{}{}", i == 0 ? "" : ", ", value["name"].AsString(),
                        value.Has("name") ? " " : "",
                        type == "tensor" ? value["tensor-spec"]["dtype"].StringOr(type) : type);
  }
  if (values.size() > kShown) text += fmt::format(" and {} more", values.size() - kShown);
  return text;
}

std::string Requirements(const Json& lines) {
  constexpr std::size_t kShown = 6;
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), kShown); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", lines.items()[i].AsString());
  if (lines.size() > kShown) text += fmt::format(" and {} more", lines.size() - kShown);
  return text;
}

std::string_view MarkOf(const Json& verdict) {
  return verdict.AsString() == "safe" ? "ok" : verdict.AsString() == "unsafe" ? "fail" : "dot";
}

// What is not safe comes first.
std::string Files(const Json& report, const Output& out) {
  std::vector<const Json*> files;
  for (const Json& file : report["files"].items()) files.push_back(&file);
  std::ranges::stable_sort(files, {}, [](const Json* file) {
    const std::string& verdict = (*file)["verdict"].AsString();
    return verdict == "unsafe" ? 0 : verdict == "unclear" ? 1 : 2;
  });
  std::string text = "files\n";
  for (std::size_t i = 0; i < std::min(files.size(), kFilesShown); ++i) {
    const Json& file = *files[i];
    text += fmt::format("  {} {:<32} {:>8}  {}\n", out.Mark(MarkOf(file["verdict"])),
                        OneLineText(file["path"].AsString()),
                        HumanBytes(file["size_bytes"].AsInt()), file["kind"].AsString());
    if (file.Has("why")) text += fmt::format("      {}\n", OneLineText(file["why"].AsString()));
  }
  if (files.size() > kFilesShown)
    text += fmt::format("  and {} more (-o json lists them)\n", files.size() - kFilesShown);
  return text;
}

int Show(const Json& report, Output& out) {
  const std::string& verdict = report["verdict"].AsString();
  const Json& model = report["model"];
  std::string text;
  Line("of", report["of"].AsString(), &text);
  Line("verdict",
       fmt::format("{} {}{}{}", out.Mark(MarkOf(report["verdict"])), verdict,
                   verdict == "safe" ? "" : ": ", report["why"].AsString()),
       &text);
  Line("flavors", Flavors(model["flavors"]), &text);
  Line("loader", model["loader_module"].AsString(), &text);
  Line("inputs", Values(model["signature"]["inputs"]), &text);
  Line("outputs", Values(model["signature"]["outputs"]), &text);
  Line("params", Values(model["signature"]["params"]), &text);
  Line("example", model["input_example"].AsString(), &text);
  Line("needs", Requirements(report["requirements"]), &text);
  for (const Json& note : report["notes"].items()) Line("note", note.AsString(), &text);
  Line("size",
       fmt::format("{} in {} {}", HumanBytes(report["size_bytes"].AsInt()),
                   report["file_count"].AsInt(),
                   report["file_count"].AsInt() == 1 ? "file" : "files"),
       &text);
  out.Document(report, text + Files(report, out));
  return verdict == "safe" ? 0 : kNotSafe;
}

std::string ProjectPath(const std::string& project) {
  return "/api/v1/projects/" + PercentEncode(project);
}

Result<int> InspectModel(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  NamedModel named = NameModel(in, in.Get("MODEL"));
  std::string path = ProjectPath(named.project);
  if (IsLoggedModel(named.model) && named.version.empty()) {
    path += fmt::format("/logged-models/{}/inspection", named.model);
  } else {
    const std::string model = fmt::format("{}/models/{}", path, PercentEncode(named.model));
    if (named.version.empty()) {
      GYRE_TRY(const Json found, session->Get(model));
      named.version = found["aliases"]["champion"].is_null() ? "latest" : "champion";
    }
    path = fmt::format("{}/versions/{}/inspection", model, PercentEncode(named.version));
  }
  GYRE_TRY(const Json report, session->Get(path));
  return Show(report, in.out());
}

Result<int> InspectRun(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  std::string path =
      fmt::format("{}/runs/{}/inspection", ProjectPath(in.project()), PercentEncode(in.Get("RUN")));
  if (in.Has("PATH")) path += "?path=" + PercentEncode(in.Get("PATH"));
  GYRE_TRY(const Json report, session->Get(path));
  return Show(report, in.out());
}

constexpr Positional kModel[] = {
    {.name = "MODEL",
     .help = "NAME, NAME:vN, NAME@ALIAS, or the id of a logged model (m-...)",
     .completes = "models"}};
constexpr Positional kRun[] = {
    {.name = "RUN", .help = "id, its beginning, a name, or - for the newest", .completes = "runs"},
    {.name = "PATH", .help = "only the files in this folder", .required = false}};
constexpr Command kCommands[] = {
    {"models inspect",
     "what the files of a model are, and whether loading them runs somebody's code; exit code 5 "
     "unless it is safe",
     "gyre models inspect churn:v2\ngyre models inspect m-0123456789abcdef0123456789abcdef -o json",
     kModel,
     {},
     InspectModel},
    {"runs inspect",
     "what the files of a run are, and whether loading them runs somebody's code; exit code 5 "
     "unless they are safe",
     "gyre runs inspect - model",
     kRun,
     {},
     InspectRun},
};

}  // namespace

std::span<const Command> InspectionsCommands() { return kCommands; }

}  // namespace gyre::cli
