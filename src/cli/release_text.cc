#include "cli/release_text.h"

#include "base/text.h"

namespace gyre::cli {
namespace {

std::string Baking(const Json& release) {
  const Json& progress = release["progress"];
  if (progress.is_null()) return "baking: nobody has looked since the server started";
  const std::int64_t seconds = progress["seconds"].AsInt();
  const std::int64_t left = std::max<std::int64_t>(0, progress["bake_seconds"].AsInt() - seconds);
  return fmt::format(
      "step {} of {} at {:.4g} %, {}, {} of {} rows, {} requests", progress["step"].AsInt(),
      progress["steps"].AsInt(), 100 * progress["share"].AsDouble(),
      left == 0 ? std::string("baked")
                : fmt::format("bakes {} more", HumanSeconds(static_cast<double>(left))),
      GroupDigits(progress["rows"].AsInt()), GroupDigits(progress["rows_wanted"].AsInt()),
      GroupDigits(progress["requests"].AsInt()));
}

}  // namespace

std::string ReleaseText(const Json& release) {
  if (!release.is_object()) return {};
  const bool bakes = release["state"].AsString() == "baking";
  std::string text = fmt::format("canary     {}   {}\n", release["model"].AsString(),
                                 bakes ? Baking(release) : release["state"].AsString());
  const Json* checks = &release["progress"]["checks"];
  if (!bakes && release["history"].size() > 0) {
    const Json& last = release["history"].items().back();
    text += fmt::format("  {}\n", last["reason"].AsString());
    checks = &last["checks"];
  }
  for (const Json& check : checks->items()) text += fmt::format("  {}\n", check.AsString());
  return text;
}

}  // namespace gyre::cli
