// The state of the code in a folder, as git knows it; and a copy of a recorded state to run in.
#pragma once

#include <string>

#include "base/error.h"
#include "base/json.h"

namespace gyre::cli {

struct CodeState {
  Json facts;  // {"commit", "branch", "remote", "dirty", "root", "folder", "ignored"}: folder is
               // where we stand below the root; ignored, some of the files that git leaves out and
               // a copy lacks; null without git
  std::string root;  // of the working tree
  std::string diff;  // binary patch of everything that is not in the commit, new files too; what
                     // .gitignore names and outputs/ left out
};
// Never fails: no git, no repository and no commit give empty facts.
CodeState ReadCodeState(const std::string& directory);

// A detached working tree of `commit` with `diff` applied, removed by the destructor.
class CodeCopy {
 public:
  // Errors: kFailedPrecondition GY4035 with git's words.
  static Result<CodeCopy> Make(const std::string& root, const std::string& commit,
                               const std::string& diff_file);
  CodeCopy(CodeCopy&& other) noexcept;
  CodeCopy& operator=(CodeCopy&& other) noexcept;
  ~CodeCopy();
  const std::string& directory() const { return directory_; }

 private:
  CodeCopy(std::string root, std::string parent, std::string directory)
      : root_(std::move(root)), parent_(std::move(parent)), directory_(std::move(directory)) {}
  std::string root_, parent_, directory_;
};

}  // namespace gyre::cli
