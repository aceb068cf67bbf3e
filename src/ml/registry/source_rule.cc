#include "ml/registry/source_rule.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/text.h"

namespace gyre::registry {
namespace {

constexpr int kLayersMax = 10;
// What clients write for a version that has no files.
constexpr std::string_view kNoFiles[] = {"dummy-source", "prompt-template"};
constexpr std::string_view kProxyRoute[] = {"mlflow-artifacts", "artifacts"};

Error Bad(std::string_view source, std::string why) {
  return InvalidArgument("GY3640", "Invalid model version source: '{}'", source.substr(0, 500))
      .Why(std::move(why));
}

bool IsAlnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// "s3" of "s3://bucket/x", in lower case; "" of a path. One letter is a drive.
std::string SchemeOf(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon < 2) return {};
  const std::string_view scheme = text.substr(0, colon);
  const bool sound = std::isalpha(static_cast<unsigned char>(scheme[0])) != 0 &&
                     std::ranges::all_of(scheme, [](char c) {
                       return IsAlnum(c) || c == '+' || c == '-' || c == '.';
                     });
  return sound ? ToLower(scheme) : std::string();
}

// "host:9" and "/a/b" of "http://host:9/a/b"; no authority of "file:/a" and of paths.
struct Parts {
  std::string scheme, authority, path;
};
Parts PartsOf(std::string_view text) {
  Parts parts{.scheme = SchemeOf(text), .authority = {}, .path = {}};
  if (parts.scheme.empty()) {
    parts.path = text;
    return parts;
  }
  text.remove_prefix(parts.scheme.size() + 1);
  if (text.starts_with("//")) {
    const std::size_t end = std::min(text.find('/', 2), text.size());
    parts.authority = ToLower(text.substr(2, end - 2));
    text.remove_prefix(end);
  }
  parts.path = text;
  return parts;
}

bool HasControl(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

bool GoesUp(std::string_view text) {
  std::string slashes(text);
  std::ranges::replace(slashes, '\\', '/');
  return std::ranges::any_of(Split(slashes, '/'),
                             [](std::string_view part) { return Trim(part) == ".."; });
}

// `text` without its layers of %xx; each layer has passed.
Result<std::string> Bare(std::string_view source) {
  std::string text(source);
  for (int layer = 0; layer <= kLayersMax; ++layer) {
    if (!IsValidUtf8(text) || HasControl(text))
      return Bad(source, "it has control characters or is no text");
    if (GoesUp(text)) return Bad(source, "it has a part '..'");
    if (text.find_first_of("#?;") != std::string::npos)
      return Bad(source, "it has '#', '?' or ';', behind which other programs read other paths");
    bool sound = true;
    std::string next = PercentDecode(text, false, &sound);
    if (!sound || next == text) return text;
    text = std::move(next);
  }
  return Bad(source, fmt::format("it is encoded more than {} times", kLayersMax));
}

std::vector<std::string_view> SegmentsOf(std::string_view path) {
  std::vector<std::string_view> segments;
  for (const std::string_view part : Split(path, '/')) {
    if (!part.empty() && part != ".") segments.push_back(part);
  }
  return segments;
}

// "/api/2.0/mlflow-artifacts/artifacts/...": the files of some server of this kind, perhaps ours.
bool IsProxied(std::string_view path) {
  const auto segments = SegmentsOf(path);
  return !std::ranges::search(segments, kProxyRoute).empty();
}

bool IsLocal(const Parts& parts) { return parts.scheme.empty() || parts.scheme == "file"; }

bool IsInside(const Parts& source, std::string_view root_text) {
  if (root_text.empty()) return false;
  const Parts root = PartsOf(root_text);
  const auto own = [](const Parts& parts) {
    return parts.authority == "localhost" ? std::string() : parts.authority;
  };
  if (IsLocal(source) != IsLocal(root)) return false;
  if (!IsLocal(root) && source.scheme != root.scheme) return false;
  if (own(source) != own(root)) return false;
  if (source.path.starts_with('/') != root.path.starts_with('/')) return false;
  const auto inner = SegmentsOf(source.path), outer = SegmentsOf(root.path);
  return !outer.empty() && inner.size() >= outer.size() &&
         std::equal(outer.begin(), outer.end(), inner.begin());
}

Result<Source> ReadOwn(std::string_view text, const Parts& parts, const SourceOwners& owners) {
  if (IsInside(parts, owners.run_root) || IsInside(parts, owners.logged_model_root))
    return Source{.kind = Source::Kind::kInside, .id = {}, .model = {}, .what = {}};
  return Bad(text,
             IsLocal(parts)
                 ? "a path of this machine is taken only inside the artifacts of the run or the "
                   "logged model that the version names"
                 : "the run or the logged model that the version names must contain it");
}

Result<Source> ReadRun(std::string_view text, const Parts& parts, const SourceOwners& owners) {
  const auto segments = SegmentsOf(parts.path);
  if (!parts.authority.empty() || segments.empty() || !parts.path.starts_with('/'))
    return Bad(text, "it is not like runs:/RUN_ID/model");
  if (segments[0] != owners.run_id)
    return Bad(text, "the run that the version names must contain it");
  return Source{
      .kind = Source::Kind::kRun, .id = std::string(segments[0]), .model = {}, .what = {}};
}

bool IsLoggedModelId(std::string_view text) {
  return text.size() > 2 && text.starts_with("m-") && std::ranges::all_of(text.substr(2), IsAlnum);
}

Result<Source> ReadModel(std::string_view text, const Parts& parts, const SourceOwners& owners) {
  const auto segments = SegmentsOf(parts.path);
  const auto unclear = [&] {
    return Bad(text, "it is not like models:/m-ID, models:/NAME/3 or models:/NAME@ALIAS");
  };
  if (!parts.authority.empty() || !parts.path.starts_with('/')) return unclear();
  if (segments.empty() || segments.size() > 2) return unclear();
  const std::string first(segments[0]);
  if (segments.size() == 2)
    return Source{
        .kind = Source::Kind::kVersion, .id = {}, .model = first, .what = std::string(segments[1])};
  if (const std::size_t at = first.rfind('@'); at != std::string::npos && at > 0)
    return Source{.kind = Source::Kind::kVersion,
                  .id = {},
                  .model = first.substr(0, at),
                  .what = first.substr(at)};
  if (!IsLoggedModelId(first)) return unclear();
  if (first != owners.logged_model)
    return Bad(text, "the logged model that the version names must be the one that it comes from");
  return Source{.kind = Source::Kind::kLoggedModel, .id = first, .model = {}, .what = {}};
}

}  // namespace

Result<Source> ReadSource(std::string_view text, const SourceOwners& owners) {
  if (text.empty()) return Bad(text, "it is empty");
  if (text.size() > kSourceBytesMax)
    return Bad(text, fmt::format("it has more than {} bytes", kSourceBytesMax));
  GYRE_TRY(const std::string bare, Bare(text));
  if (std::ranges::find(kNoFiles, text) != std::end(kNoFiles)) return Source{};
  // What hides in the layers is another scheme, or none: it is judged by what it comes to.
  const Parts parts = PartsOf(bare);
  if (parts.scheme != SchemeOf(text)) return Bad(text, "its scheme is encoded");
  if (IsLocal(parts)) return ReadOwn(text, parts, owners);
  if (parts.scheme == "runs") return ReadRun(text, parts, owners);
  if (parts.scheme == "models") return ReadModel(text, parts, owners);
  const bool web = parts.scheme == "http" || parts.scheme == "https";
  if (parts.scheme == "mlflow-artifacts" || (web && IsProxied(parts.path)))
    return ReadOwn(text, parts, owners);
  return Source{};
}

std::string LoggedModelOf(std::string_view text) {
  constexpr std::string_view kPrefix = "models:/";
  if (!text.starts_with(kPrefix)) return {};
  const std::string_view id = text.substr(kPrefix.size());
  return IsLoggedModelId(id) ? std::string(id) : std::string();
}

}  // namespace gyre::registry
