#include "api/mlflow/run_words.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <vector>

#include "api/mlflow/errors.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

constexpr std::array<std::string_view, 5> kStatusWords = {"SCHEDULED", "RUNNING", "FINISHED",
                                                          "FAILED", "KILLED"};
constexpr std::string_view kProxyScheme = "mlflow-artifacts:/";

constexpr std::array<std::string_view, 32> kAdjectives = {
    "able",   "bold",  "brisk", "calm",   "clever", "crisp",  "eager",  "fair",
    "fleet",  "frank", "glad",  "grand",  "handy",  "jolly",  "keen",   "kind",
    "lively", "lucid", "mild",  "neat",   "nimble", "placid", "proud",  "quick",
    "quiet",  "rapid", "sharp", "steady", "swift",  "tidy",   "upbeat", "vivid"};
constexpr std::array<std::string_view, 32> kNouns = {
    "ant",   "bat",  "bear", "bird", "crane", "crow", "deer",  "dove",  "duck", "eel", "elk",
    "finch", "fox",  "frog", "goat", "goose", "hare", "heron", "hound", "ibex", "jay", "koi",
    "lark",  "lynx", "mole", "newt", "otter", "owl",  "panda", "seal",  "swan", "wren"};

char32_t CodePoint(std::string_view sequence) {
  if (sequence.size() == 1) return static_cast<unsigned char>(sequence[0]);
  char32_t point = static_cast<unsigned char>(sequence[0]) & (0x7fU >> sequence.size());
  for (const char c : sequence.substr(1))
    point = point << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  return point;
}

// Letters and digits of any script, nearly as Unicode has them: what is neither punctuation nor a
// symbol nor a picture.
bool IsWordPoint(char32_t point) {
  if (point < 0x80) return std::isalnum(static_cast<int>(point)) != 0 || point == '_';
  struct Range {
    char32_t first, last;
  };
  static constexpr Range kOthers[] = {
      {0x80, 0xa9},       {0xab, 0xb1},       {0xb4, 0xb4},     {0xb6, 0xb8},     {0xbb, 0xbb},
      {0xbf, 0xbf},       {0xd7, 0xd7},       {0xf7, 0xf7},     {0x2000, 0x206f}, {0x20a0, 0x20cf},
      {0x2190, 0x245f},   {0x2500, 0x2775},   {0x2794, 0x2bff}, {0x2e00, 0x2e7f}, {0x3000, 0x3004},
      {0x3008, 0x3020},   {0xd800, 0xf8ff},   {0xfe10, 0xfe6f}, {0xff01, 0xff0f}, {0xff1a, 0xff20},
      {0x1f000, 0x1faff}, {0xe0000, 0x10ffff}};
  return std::ranges::none_of(kOthers,
                              [&](const Range& r) { return point >= r.first && point <= r.last; });
}

bool HasOnlyNameCharacters(std::string_view key) {
  while (!key.empty()) {
    const std::size_t length = std::max<std::size_t>(Utf8SequenceLength(key), 1);
    const char32_t point = CodePoint(key.substr(0, length));
    const bool fits =
        IsWordPoint(point) ||
        (point < 0x80 && std::string_view("/.- :").contains(static_cast<char>(point)));
    if (!fits) return false;
    key.remove_prefix(length);
  }
  return true;
}

// posixpath.normpath of Python.
std::string NormalPath(std::string_view path) {
  if (path.empty()) return ".";
  std::size_t slashes = 0;
  while (slashes < path.size() && path[slashes] == '/') ++slashes;
  const std::string root(slashes == 2 ? 2 : std::min<std::size_t>(slashes, 1), '/');
  std::vector<std::string> parts;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    const bool may_drop = !parts.empty() && parts.back() != "..";
    if (part != "..") {
      parts.emplace_back(part);
    } else if (may_drop) {
      parts.pop_back();
    } else if (root.empty()) {
      parts.emplace_back(part);
    }
  }
  const std::string normal = root + Join(parts, "/");
  return normal.empty() ? "." : normal;
}

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

Error InvalidName(std::string_view path, std::string_view key, std::string_view why) {
  return InvalidParameter(
      fmt::format("Invalid value {} for parameter '{}' supplied: {}", Quoted(key), path, why));
}

std::size_t PointCount(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

Error Said(const Error& error, std::string message) {
  return Error(error.code(), error.gy(), std::move(message));
}

}  // namespace

std::string_view StatusWord(tracking::RunStatus status) {
  return kStatusWords[static_cast<std::size_t>(status)];
}

std::optional<tracking::RunStatus> StatusOf(std::string_view word) {
  constexpr std::array<std::string_view, 5> kNumbers = {"2", "1", "3", "4", "5"};
  for (std::size_t i = 0; i < kStatusWords.size(); ++i) {
    if (word == kStatusWords[i] || word == kNumbers[i]) return static_cast<tracking::RunStatus>(i);
  }
  return std::nullopt;
}

Result<std::int64_t> ExperimentNumber(std::string_view id) {
  if (id.empty()) return 0;
  const auto number = ParseInt(id);
  if (number && *number >= 0) return *number;
  return InvalidParameter(fmt::format(
      "Invalid experiment ID '{}'. Experiment ID must be a valid integer.", id.substr(0, 100)));
}

Result<tracking::View> ViewOf(std::string_view word) {
  if (word.empty() || word == "ACTIVE_ONLY" || word == "1") return tracking::View::kActive;
  if (word == "DELETED_ONLY" || word == "2") return tracking::View::kDeleted;
  if (word == "ALL" || word == "3") return tracking::View::kAll;
  return InvalidParameter(fmt::format("Invalid view type '{}'", word.substr(0, 100)));
}

Result<std::int64_t> MicrosOf(std::string_view path, std::int64_t millis) {
  constexpr std::int64_t kMillisMax = std::numeric_limits<std::int64_t>::max() / kMicrosPerMilli;
  if (millis >= 0 && millis <= kMillisMax) return millis * kMicrosPerMilli;
  return InvalidParameter(
      fmt::format("Invalid value {} for parameter '{}' supplied: Timestamp must be a nonnegative "
                  "long (64-bit integer) ",
                  millis, path));
}

std::string ArtifactUri(const tracking::Experiment& experiment) {
  if (!experiment.artifact_root.empty()) return experiment.artifact_root;
  return fmt::format("{}{}", kProxyScheme, experiment.number);
}

std::string ArtifactUri(const tracking::Run& run) {
  if (!run.artifact_root.empty()) return run.artifact_root;
  return fmt::format("{}{}/{}/artifacts", kProxyScheme, run.experiment_number, run.id);
}

std::string ArtifactUri(const tracking::LoggedModel& model) {
  if (!model.artifact_root.empty()) return model.artifact_root;
  return fmt::format("{}{}/models/{}/artifacts", kProxyScheme, model.experiment, model.id);
}

Result<> CheckArtifactRoot(std::string_view root) {
  constexpr int kDecodesMax = 10;
  std::string text(root);
  for (int i = 0; i < kDecodesMax; ++i) {
    bool ok = true;
    std::string decoded = PercentDecode(text, false, &ok);
    if (!ok || decoded == text) break;
    text = std::move(decoded);
  }
  if (text.starts_with("runs:/"))
    return InvalidParameter(
        fmt::format("Artifact location cannot be a runs:/ URI. Given: '{}'", root.substr(0, 200)));
  if (text.contains('#'))
    return InvalidParameter("'artifact_location' URL can't include fragments or params.");
  const bool has_query = text.contains('?');
  if (has_query && text.find("..", text.find('?')) != std::string::npos)
    return InvalidParameter("Invalid query string");
  const bool bad = has_query || text.contains("..") || std::ranges::any_of(text, [](char c) {
                     return c == ';' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
                   });
  if (!bad) return {};
  return InvalidParameter(fmt::format("Invalid artifact_location: '{}'", root.substr(0, 200)));
}

Result<> CheckKeyName(std::string_view path, std::string_view key) {
  if (!HasOnlyNameCharacters(key))
    return InvalidName(path, key,
                       "Names may only contain alphanumerics, underscores (_), dashes (-), periods "
                       "(.), spaces ( ), colon(:) and slashes (/).");
  if (!key.empty() && key.find_first_of("/.") == std::string_view::npos) return {};
  const std::string normal = NormalPath(key);
  if (normal != key || normal == "." || normal.starts_with("..") || normal.starts_with('/'))
    return InvalidName(path, key,
                       fmt::format("Names may be treated as files in certain cases, and must not "
                                   "resolve to other names when treated as such. This name would "
                                   "resolve to '{}'",
                                   normal));
  return {};
}

Result<> CheckLength(std::string_view what, std::string_view text, std::size_t characters_max) {
  if (text.size() <= characters_max || PointCount(text) <= characters_max) return {};
  return InvalidParameter(
      fmt::format("'{}' exceeds the maximum length of {} characters", what, characters_max));
}

std::string_view Truncated(std::string_view text, std::size_t characters_max) {
  if (text.size() <= characters_max) return text;
  std::size_t at = 0;
  for (std::size_t points = 0; at < text.size() && points < characters_max; ++points)
    at += std::max<std::size_t>(Utf8SequenceLength(text.substr(at)), 1);
  return text.substr(0, at);
}

std::string MadeUpName(std::string_view id) {
  const std::string hash = Sha256Hex(id);
  const auto part = [&](std::size_t at, std::size_t digits) {
    return std::stoul(hash.substr(at, digits), nullptr, 16);
  };
  return fmt::format("{}-{}-{}", kAdjectives[part(0, 4) % kAdjectives.size()],
                     kNouns[part(4, 4) % kNouns.size()], part(8, 6) % 1'000);
}

std::string PythonText(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + quote;
}

double Clamped(double value) {
  constexpr double kMax = std::numeric_limits<double>::max();
  if (value > kMax) return kMax;
  return value < -kMax ? -kMax : value;
}

Error InRunWords(const Error& error, std::string_view run_id) {
  const std::string_view id = run_id.substr(0, 100);
  if (error.gy() == "GY3401") return Said(error, fmt::format("Run with id={} not found", id));
  if (error.gy() == "GY3426")
    return Said(error, fmt::format("The run {} must be in the 'active' state. Current state is "
                                   "deleted.",
                                   id));
  return error;
}

Error InExperimentWords(const Error& error, std::string_view experiment_id) {
  const std::string_view id = experiment_id.empty() ? "0" : experiment_id.substr(0, 500);
  if (error.gy() == "GY3422")
    return Said(error, fmt::format("No Experiment with id={} exists", id));
  if (error.gy() == "GY3423")
    return Said(error, fmt::format("The experiment {} must be in the 'active' state. Current state "
                                   "is deleted.",
                                   id));
  return error;
}

}  // namespace gyre::mlflow
