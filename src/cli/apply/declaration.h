// gyre.yaml as a checked list of entries. Reads that file and those that it names, nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cli/apply/kinds.h"

namespace gyre::cli::apply {

struct Entry {
  const Kind* kind = nullptr;
  std::string name = {};  // empty: the problem
  Json spec = {};         // durations in seconds, documents of named files in their place
  int line = 0;

  std::string id() const;  // "datasets.customers", "problem"
};

struct Declaration {
  std::string file = {};     // as it was named
  std::string folder = {};   // absolute: what paths are read from
  std::string project = {};  // empty: the file names none
  std::string text = {};
  std::vector<Entry> entries = {};  // in the order of Kinds()

  const Entry* Find(std::string_view noun, std::string_view name) const;
  std::string PathOf(std::string_view relative) const;  // "~/x" and "/x" stay
  std::string Where(int line) const;                    // "gyre.yaml:12"
};

// Everything that is wrong with it is found, up to a hundred things: the last is returned, the
// others go to `also`. Errors: kNotFound GY4901 no such file; GY1810 broken YAML; GY4902 to GY4909
// with the line, the member, what it may be.
Result<Declaration> ReadDeclaration(const std::string& file, std::vector<Error>* also);
// The same of a text whose files lie in `folder`.
Result<Declaration> ParseDeclaration(std::string text, std::string file, std::string folder,
                                     std::vector<Error>* also);

// GY4906, without the line.
Error NoFile(const Declaration& declaration, const Entry& entry, std::string_view path);

// GY4910: a dataset that must be read and says not from where.
Error NoRows(const Declaration& declaration, const Entry& dataset);

// A goal as the server keeps it: "auc>=0.840" -> "auc >= 0.84". What is none stays.
std::string GoalText(std::string_view text);

// Where a dataset's rows come from: one of them, or none.
struct RowsPlace {
  std::string path = {};  // a file or folder, from the root
  std::string url = {};
  std::string sql = {};

  bool empty() const { return path.empty() && url.empty() && sql.empty(); }
};
RowsPlace PlaceOfRows(const Declaration& declaration, const Entry& dataset);

// Whether `sql` may need the dataset: its name stands there as a word. Rather once too often.
bool Mentions(std::string_view sql, std::string_view name);

}  // namespace gyre::cli::apply
