#include "cli/code_state.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/git.h"
#include "platform/exec/capture.h"
#include "platform/exec/files.h"

namespace gyre::cli {
namespace {

// What git prints, without the last line end; empty when it fails.
std::optional<std::string> Git(const std::string& directory, std::vector<std::string> arguments,
                               std::map<std::string, std::string> environment = {}) {
  exec::SpawnOptions spawn = ReadingGit(directory, std::move(arguments));
  spawn.environment.merge(environment);
  auto captured = exec::RunAndRead(std::move(spawn));
  if (!captured || captured->status.code != 0) return std::nullopt;
  std::string& text = captured->output;
  if (text.ends_with('\n')) text.pop_back();
  return std::move(text);
}

// An address may hold a password: https://user:secret@host/... becomes https://host/...
std::string WithoutPassword(std::string address) {
  const std::size_t scheme = address.find("://"), at = address.find('@');
  if (scheme != std::string::npos && at != std::string::npos && at > scheme)
    address.erase(scheme + 3, at - scheme - 2);
  return address;
}

// Everything beside the commit, through an index of our own: the user's stays as it is.
std::string DiffOf(const std::string& root) {
  const auto scratch = exec::MakeTemporaryDirectory();
  if (!scratch) return {};
  const std::map<std::string, std::string> own_index = {{"GIT_INDEX_FILE", *scratch + "/index"}};
  std::string diff;
  if (Git(root, {"read-tree", "HEAD"}, own_index) &&
      // As a pattern: a plain name that .gitignore has too would be an error of git's.
      Git(root, {"add", "-A", "--", ".", ":(exclude,glob)**/outputs/**"}, own_index)) {
    diff = Git(root, {"diff", "--no-ext-diff", "--no-textconv", "--cached", "--binary", "HEAD"},
               own_index)
               .value_or("");
  }
  (void)exec::RemoveTree(*scratch);
  if (!diff.empty()) diff += '\n';
  return diff;
}

// The first files and folders that .gitignore names: no commit and no diff holds them.
Json IgnoredIn(const std::string& root) {
  constexpr std::size_t kNamesMax = 20;
  const std::string text =
      Git(root, {"ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"})
          .value_or("");
  Json names = Json::Arr();
  for (const std::string_view name : Split(text, '\0')) {
    if (!name.empty() && names.size() < kNamesMax && IsValidUtf8(name)) names.Push(name);
  }
  return names;
}

}  // namespace

CodeState ReadCodeState(const std::string& directory) {
  CodeState state;
  const auto root = Git(directory, {"rev-parse", "--show-toplevel"});
  const auto commit = root ? Git(directory, {"rev-parse", "--verify", "HEAD"}) : std::nullopt;
  if (!commit) return state;
  state.root = *root;
  state.diff = DiffOf(*root);
  state.facts = Json::Obj(
      {{"commit", *commit},
       {"branch", Git(directory, {"rev-parse", "--abbrev-ref", "HEAD"}).value_or("")},
       {"remote", WithoutPassword(Git(directory, {"remote", "get-url", "origin"}).value_or(""))},
       {"dirty", !state.diff.empty()},
       {"root", *root},
       {"folder", Git(directory, {"rev-parse", "--show-prefix"}).value_or("")},
       {"ignored", IgnoredIn(*root)}});
  return state;
}

Result<CodeCopy> CodeCopy::Make(const std::string& root, const std::string& commit,
                                const std::string& diff_file) {
  GYRE_TRY(const std::string parent, exec::MakeTemporaryDirectory());
  CodeCopy copy(root, parent, parent + "/code");
  const auto git = [](const std::string& where, std::vector<std::string> arguments) -> Result<> {
    exec::SpawnOptions spawn;
    spawn.argv = {"git", "-C", where};
    spawn.argv.insert(spawn.argv.end(), arguments.begin(), arguments.end());
    GYRE_TRY(const exec::Captured captured, exec::RunAndRead(std::move(spawn)));
    if (captured.status.code == 0) return {};
    return FailedPrecondition("GY4035", "the recorded code cannot be brought back: git says: {}",
                              Trim(captured.errors))
        .Why("a rerun needs the repository with the commit that the run recorded");
  };
  GYRE_DO(git(root, {"worktree", "add", "--detach", copy.directory_, commit}));
  if (!diff_file.empty())
    GYRE_DO(git(copy.directory_, {"apply", "--binary", "--whitespace=nowarn", diff_file}));
  return copy;
}

CodeCopy::CodeCopy(CodeCopy&& other) noexcept
    : root_(std::move(other.root_)),
      parent_(std::exchange(other.parent_, {})),
      directory_(std::move(other.directory_)) {}

CodeCopy& CodeCopy::operator=(CodeCopy&& other) noexcept {
  std::swap(root_, other.root_);
  std::swap(parent_, other.parent_);
  std::swap(directory_, other.directory_);
  return *this;
}

CodeCopy::~CodeCopy() {
  if (parent_.empty()) return;
  (void)Git(root_, {"worktree", "remove", "--force", directory_});
  (void)exec::RemoveTree(parent_);
}

}  // namespace gyre::cli
