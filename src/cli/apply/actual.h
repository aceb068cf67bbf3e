// The server in the words of the file: what stands behind each entry that is declared.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/apply/declaration.h"
#include "cli/apply/plan.h"
#include "cli/output.h"
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

// What rows are read with.
struct Reading {
  Session& session;
  Output& out;
  std::string project;
  std::string egress;  // the setting egress.allow: where an address may lead
};

// Rows as they are sent: a file, a folder as one archive, what an address or a query answers. What
// was made for it goes with it.
class Rows {
 public:
  // Errors: what the file system says, a folder without tables, those of FetchFile, of the query.
  static Result<Rows> Open(const RowsPlace& place, Reading& reading);
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();
  Result<std::string> Digest() const;  // SHA-256 of what is sent
  // Of a query: fetches its answer. Nothing to do for the others.
  Result<> Load(Reading& reading);
  const std::string& file() const { return file_; }
  const std::string& format() const { return format_; }
  // Ids of the dataset versions that a query read.
  const std::vector<std::string>& made_from() const { return made_from_; }

 private:
  Rows() = default;
  Result<> Pack(const std::string& folder);
  Result<> Fetch(const std::string& url, Reading& reading);
  Result<> Ask(const std::string& sql, Reading& reading);
  Result<> MakeFolder();

  std::string file_, format_, folder_;
  std::string answer_, digest_;  // of a query
  std::vector<std::string> made_from_;
};

// An endpoint without its captures: its model as it follows it, what stands beside it.
Json EndpointSpec(const Json& document);

// What tells the thing of that name from one that has had the name before or gets it later; empty
// when it is not there, or the kind has no such things.
Result<std::string> IdentityOf(Session& session, std::string_view project, std::string_view kind,
                               std::string_view name);

// What a version of a model was trained with, as the file would say it; null when no training of
// this server made it. `version` gets the rest: {"dataset_version", "recipe_hash"}.
Result<Json> TrainedWith(Session& session, std::string_view project, const Json& version);

// Errors: what the server says; kNotFound GY4908 an entry names what is neither in the file nor on
// the server.
Result<Actual> ReadActual(Reading& reading, const Declaration& declaration);

}  // namespace gyre::cli::apply
