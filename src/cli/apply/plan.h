// What must change so that the server is as the file says. Pure: a declaration and what is there
// in, a list of changes out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "cli/apply/declaration.h"

namespace gyre::cli::apply {

// What an earlier apply has brought about, kept by the server.
struct Record {
  std::string kind = {}, name = {};
  bool made = false;       // it was not there before
  std::string thing = {};  // IdentityOf what was made; empty: whatever has the name
  Json spec = {};
};

struct Field {
  std::string member = {};  // "window.rows"
  Json from = {}, to = {};  // null: was not there
};

// The server in the words of the file. What is not there has no spec.
struct Actual {
  bool has_project = false;
  std::map<std::pair<std::string, std::string>, Json> specs = {};  // {kind, name}
  std::vector<Record> records = {};
  // By entry: what only reading has found, such as a file that the server has not read.
  std::map<std::string, std::vector<Field>> found = {};
  std::vector<std::string> warnings = {};

  const Json* Find(std::string_view kind, std::string_view name) const;
  const Record* FindRecord(std::string_view kind, std::string_view name) const;
};

enum class Action : unsigned char { kAdd, kChange, kRemove };

struct Change {
  Action action = Action::kAdd;
  const Kind* kind = nullptr;
  std::string name = {};
  std::vector<Field> fields = {};
  const Entry* entry = nullptr;  // null: it is removed
  // Of a removal:
  bool made = false;           // by an earlier apply, so that the thing goes too
  std::string needed_by = {};  // "endpoint live": the removal is refused
  std::string fix = {};        // what to do about that

  std::string id() const;
};

struct Plan {
  std::vector<Change> changes = {};  // in the order in which they are made
  std::size_t unchanged = 0;

  std::size_t Count(Action action) const;
};

struct PlanOptions {
  bool prune = false;
};
Plan MakePlan(const Declaration& declaration, const Actual& actual, PlanOptions options = {});

// Only what is declared is compared. Numbers are equal by value; lists as a whole.
std::vector<Field> Differences(std::span<const Member> members, const Json& declared,
                               const Json& actual);

struct PlanMarks {
  std::string_view arrow = "->";
  bool colour = false;
};
std::string PlanText(const Plan& plan, const PlanMarks& marks);
Json PlanJson(const Plan& plan);

}  // namespace gyre::cli::apply
