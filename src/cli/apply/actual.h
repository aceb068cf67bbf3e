// The server in the words of the file: what stands behind each entry that is declared.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/apply/declaration.h"
#include "cli/apply/plan.h"
#include "cli/session.h"

namespace gyre::cli::apply {

// The tag of a dataset version that says which file it was read from.
inline constexpr std::string_view kFileTag = "file-sha256";

// The path of the project's API, and of one thing in it.
std::string ProjectPath(std::string_view project);
std::string ThingPath(std::string_view project, std::string_view noun, std::string_view name);

// All pages of a list.
Result<Json> ListOf(Session& session, const std::string& path);

// "churn@champion" of a gate; the alias is champion when none is said.
struct GateName {
  std::string model, alias;
};
GateName GateNameOf(std::string_view name);
std::string GatePath(std::string_view project, std::string_view name);

// Whether what is trained so may become the champion.
bool MayPromote(const Json& training);

// A file as it is sent: a folder as one archive, which goes with it.
class Rows {
 public:
  // Errors: what the file system says, a folder without tables.
  static Result<Rows> Open(const std::string& path);
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();
  Result<std::string> Digest() const;  // SHA-256 of what is sent
  const std::string& file() const { return file_; }
  const std::string& format() const { return format_; }

 private:
  Rows() = default;
  std::string file_, format_;
  bool temporary_ = false;
};

// What a version of a model was trained with, as the file would say it; null when no training of
// this server made it. `version` gets the rest: {"dataset_version", "recipe_hash"}.
Result<Json> TrainedWith(Session& session, std::string_view project, const Json& version);

// Errors: what the server says; kNotFound GY4908 an entry names what is neither in the file nor on
// the server.
Result<Actual> ReadActual(Session& session, const std::string& project,
                          const Declaration& declaration);

}  // namespace gyre::cli::apply
