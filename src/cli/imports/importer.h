// What `gyre import` is made of: one importer per kind of source, all with the same work and the
// same report. Private to cli.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cli/command.h"

namespace gyre::cli::imports {

// Each thing of the source, and what became of it.
class Report {
 public:
  void Taken(std::string_view name, std::string_view detail) { Add("taken", name, detail); }
  void WouldTake(std::string_view name, std::string_view detail) {
    Add("would take", name, detail);
  }
  void There(std::string_view name, std::string_view detail) { Add("there", name, detail); }
  void NotTaken(std::string_view name, std::string_view why) { Add("not taken", name, why); }
  // What could be taken if somebody said how: the import has not done all that was asked.
  void Refused(std::string_view name, std::string_view why) {
    NotTaken(name, why);
    refused_ = true;
  }
  void Failed(std::string_view name, const Error& error);

  bool all_well() const { return !refused_ && Count("failed") == 0; }

  const Json& rows() const { return rows_; }
  int Count(std::string_view state) const;

 private:
  void Add(std::string_view state, std::string_view name, std::string_view detail) {
    rows_.Push(Json::Obj({{"state", state}, {"name", name}, {"detail", detail}}));
  }
  Json rows_ = Json::Arr();
  bool refused_ = false;
};

struct Work {
  Invocation& in;
  Session& session;
  Output& out;
  std::string path;     // as it was given, without a slash at its end
  std::string scratch;  // a folder of our own, for what is put together before it is sent
  Report report = {};
  std::map<std::string, std::string> renamed = {};  // --as: thing of the source -> its name here
  std::set<std::string> met = {};                   // tables and model files of the source

  std::string project_path() const;
  // A name for what is made of the whole source: --name, else its last folder or file.
  std::string name() const;
  // What a table or model file of the source is called here: by --as, else `name`.
  std::string NameHere(const std::string& thing, std::string name);
};

// What only MLflow's clients say has its routes at their door: "runs/delete".
Result<> TellAsMlflow(Work& work, std::string_view what, const Json& body);

// The answer, or null where there is nothing of that name yet.
Result<Json> GetOrNull(Session& session, const std::string& path);

// A dataset version in the making. The same key is not taken twice.
struct DatasetSource {
  std::string name;                            // of the thing in its source, for the report
  std::string dataset;                         // name here
  std::string key;                             // "file:SHA-256"
  std::string filename;                        // tells the format
  std::string upload;                          // where the bytes lie
  std::string format;                          // "tar" for a folder; else by name and content
  std::pair<std::string, std::string> origin;  // the tag that names the table in its source
  std::vector<std::pair<std::string, std::string>> tags;
};
// A dataset that is not of this table alone takes no other columns, unless --join says so.
// Errors are of the server or of the connection; what is wrong with the source is reported.
Result<> BringDataset(Work& work, const DatasetSource& source);
// The version that holds what this key stands for, or null.
Result<Json> VersionOfKey(Work& work, const std::string& dataset, const std::string& key);
// SHA-256 of a file's bytes.
Result<std::string> HashOf(const std::string& path);

// "a/b.csv" -> "a-b"; with its ending (of a model file: the last `ending` bytes) where two files
// would have one name.
std::string NameOfPath(std::string path, std::size_t ending, std::set<std::string>* used);
// A link could lead out of the folder, or around in it.
Result<> ReportLinks(Work& work);

// A file: by its name, or by how it begins.
bool LooksLikeModel(const std::string& path);
// Model files of the folder that is the source. Errors are of the server or of the connection; what
// is wrong with a file is reported.
Result<> BringModelFiles(Work& work, const std::vector<std::string>& names);

struct Importer {
  std::string_view name;
  std::string_view brings;  // one line
  bool (*detects)(const std::string& path);
  Result<> (*bring)(Work& work);
};
// In the order in which they are asked what a path is: the particular before the general.
std::span<const Importer> Importers();

// The importers.
bool IsNeptune(const std::string& path);
Result<> BringNeptune(Work& work);
bool IsMlflow(const std::string& path);
Result<> BringMlflow(Work& work);
bool IsTensorBoard(const std::string& path);
Result<> BringTensorBoard(Work& work);
bool IsDvc(const std::string& path);
Result<> BringDvc(Work& work);
bool IsModel(const std::string& path);
Result<> BringModel(Work& work);
bool IsFolder(const std::string& path);
Result<> BringFolder(Work& work);

}  // namespace gyre::cli::imports
