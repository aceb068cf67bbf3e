#include "api/mlflow/artifact_path.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/id.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

constexpr int kDecodesMax = 10;
constexpr std::size_t kPathBytesMax = 4'096;
constexpr std::size_t kNameBytesMax = 255;

Error InvalidPath() { return InvalidArgument("GY5110", "Invalid path"); }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What is no escape stays, as in Python. So does one of a control character, as in MLflow: clients
// name images "key%step%3%timestamp%1795325810101".
std::string Unquote(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    const int byte = high * 16 + low;
    const bool is_control = byte > 0 && (byte < 0x20 || byte == 0x7f);
    if (low < 0 || is_control) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

bool HasForeignCharacter(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '\\' || c == '#';
  });
}

bool IsDrive(std::string_view text) {
  return text.size() >= 3 && text[1] == ':' && text[2] == '/' &&
         ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
}

bool IsUri(std::string_view text) {
  return text.find("://") != std::string_view::npos ||
         (text.size() >= 5 && EqualsIgnoreCase(text.substr(0, 5), "file:"));
}

std::string JoinFrom(const std::vector<std::string_view>& parts, std::size_t first) {
  std::string path;
  for (std::size_t i = first; i < parts.size(); ++i) {
    if (i > first) path += '/';
    path += parts[i];
  }
  return path;
}

struct MediaType {
  std::string_view extension, type;
};
constexpr auto kMediaTypes = std::to_array<MediaType>({
    {"avi", "video/x-msvideo"}, {"bmp", "image/bmp"},         {"css", "text/css"},
    {"flac", "audio/flac"},     {"gif", "image/gif"},         {"gz", "application/gzip"},
    {"htm", "text/html"},       {"html", "text/html"},        {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},      {"m4a", "audio/mp4"},         {"mkv", "video/x-matroska"},
    {"mov", "video/quicktime"}, {"mp3", "audio/mpeg"},        {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},       {"pdf", "application/pdf"},   {"png", "image/png"},
    {"svg", "image/svg+xml"},   {"tar", "application/x-tar"}, {"tif", "image/tiff"},
    {"tiff", "image/tiff"},     {"wav", "audio/x-wav"},       {"webm", "video/webm"},
    {"webp", "image/webp"},     {"zip", "application/zip"},
});
constexpr auto kPlainTexts = std::to_array<std::string_view>(
    {"MLmodel", "MLproject", "cf",   "cfg",  "cnf", "conf", "csv",  "err",        "hocon",
     "ini",     "ipynb",     "js",   "json", "log", "md",   "prop", "properties", "py",
     "py3",     "rst",       "toml", "tsv",  "txt", "xml",  "yaml", "yml"});

}  // namespace

Result<std::string> CleanArtifactPath(std::string_view path) {
  if (path.size() > kPathBytesMax) return InvalidPath();
  std::string text(path);
  for (int i = 0; text.find('%') != std::string::npos; ++i) {
    std::string decoded = Unquote(text);
    if (decoded == text) break;
    if (i == kDecodesMax) return InvalidPath();
    text = std::move(decoded);
  }
  if (HasForeignCharacter(text) || !IsValidUtf8(text) || text.starts_with('/') || IsDrive(text) ||
      IsUri(text))
    return InvalidPath();
  std::string clean;
  for (const std::string_view part : Split(text, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.size() > kNameBytesMax) return InvalidPath();
    if (!clean.empty()) clean += '/';
    clean += part;
  }
  if (IsDrive(clean) || IsUri(clean)) return InvalidPath();  // of "./C:/x"
  return clean;
}

bool IsLoggedModelId(std::string_view id) {
  return id.starts_with("m-") && LooksLikeId(id.substr(2));
}

ArtifactPlace PlaceOf(std::string_view clean_path) {
  using Kind = ArtifactPlace::Kind;
  const std::vector<std::string_view> parts = Split(clean_path, '/');
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view id = parts[i - 1];
    if (parts[i] != "artifacts") continue;
    const bool model = i >= 2 && parts[i - 2] == "models" && IsLoggedModelId(id);
    if (!model && !LooksLikeId(id)) continue;
    return {.kind = model ? Kind::kModel : Kind::kRun,
            .owner = std::string(id),
            .path = JoinFrom(parts, i + 1)};
  }
  return {.kind = Kind::kLoose, .owner = {}, .path = std::string(clean_path)};
}

std::string_view BaseName(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view MediaTypeOf(std::string_view path) {
  const std::string_view name = BaseName(path);
  const std::size_t dot = name.rfind('.');
  // A name without an extension may be one that is known as it is.
  const std::string_view extension =
      dot == std::string_view::npos || dot == 0 ? name : name.substr(dot + 1);
  if (std::ranges::find(kPlainTexts, extension) != kPlainTexts.end()) return "text/plain";
  const std::string lower = ToLower(extension);
  const auto known = std::ranges::find(kMediaTypes, lower, &MediaType::extension);
  return known == kMediaTypes.end() ? "application/octet-stream" : known->type;
}

}  // namespace gyre::mlflow
