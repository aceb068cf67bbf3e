// Files that clients keep: of a run, of a logged model, and loose ones of a project. A file is a
// path and a blob; a folder is what paths have in common. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/tracking.h"
#include "platform/db/database.h"

namespace gyre::tracking {

struct FileOwner {
  enum class Kind : unsigned char { kRun, kLoggedModel, kProject };
  Kind kind = Kind::kProject;
  std::string project;
  std::string id = {};  // of the run or the logged model
};

// As which owner of blobs it is known.
struct BlobOwner {
  std::string kind, id;
};
BlobOwner BlobOwnerOf(const FileOwner& owner);

// A file, or everything below a folder ("" = all); how many files went.
Result<std::int64_t> RemoveFiles(db::Transaction& tx, const FileOwner& owner,
                                 std::string_view path);

struct FileEntry {
  std::string name;  // the last part of its path
  bool is_folder = false;
  std::int64_t size_bytes = 0;
};
struct FilePage {
  std::vector<FileEntry> entries;  // by name
  std::string next_page_token;     // empty at the end
};

class Files {
 public:
  explicit Files(db::Database& database) : database_(database) {}

  // Before bytes are taken: the run or logged model is there, in that project, and not deleted.
  // Errors: kNotFound GY3401, GY3441, kFailedPrecondition GY3426.
  Result<> CheckTaker(const FileOwner& owner);
  // Replaces the one of that path. What nobody refers to any more is collected. Errors: those of
  // CheckTaker, kInvalidArgument GY3405 a bad path, kFailedPrecondition GY3440 a folder stands
  // there, or a file where a folder would have to be.
  Result<> Put(const FileOwner& owner, const Artifact& file);
  Result<Artifact> Get(const FileOwner& owner, std::string_view path);  // GY3401, GY3403
  // What stands in a folder ("" = the root); nothing when there is none.
  Result<FilePage> List(const FileOwner& owner, std::string_view folder,
                        std::string_view page_token, int limit);
  // As RemoveFiles(). Error: GY3401.
  Result<std::int64_t> Remove(const FileOwner& owner, std::string_view path);

 private:
  db::Database& database_;
};

}  // namespace gyre::tracking
