// What was removed, by whom, and until when it can be put back. The rooms put things in (parcel.h);
// this puts them back, or ends them: each in one transaction, so that a crash leaves a thing in its
// tables, or in the trash, or gone, and never in between.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ledger/trash/parcel.h"
#include "ledger/trash/taken_row.h"
#include "platform/db/database.h"

namespace gyre::trash {

db::ModuleSchema TrashSchema();

struct Item {
  std::int64_t number = 0;
  std::string noun = {}, project = {}, name = {}, what = {}, removed_by = {};
  std::int64_t removed_us = 0, until_us = 0;
  std::int64_t rows = 0, bytes = 0;  // its rows and the blobs that it refers to
};
Json ItemToJson(const Item& item);

// Where a thing's name stands, so that it can come back under another one: cells that hold it.
struct NameColumn {
  std::string_view table, column;
};

struct Asked {
  std::string_view project, name, by;
  bool force = false;  // although others need it
};

// What the trash must know of a noun; its room says it.
struct Kind {
  std::string noun;
  std::string permission;              // who may put one back
  std::vector<NameColumn> names = {};  // empty: it comes back under its own name only
  // Takes the thing out of its tables (parcel.h). Its name in the trash.
  std::function<Result<std::string>(const Asked&)> remove = {};
  // Tables whose rows give way to what stands in their place by then: an alias that was moved.
  std::vector<std::string_view> yields = {};
  // Numbers that only order things: one that another row has by then is replaced by the next.
  std::vector<NameColumn> counters = {};
  // Before anything is put back: what it belongs to is there.
  std::function<Result<>(const Item&)> ready = {};
  // In the transaction, before the rows: takes away what only kept their place.
  std::function<Result<>(db::Transaction&, const Item&, std::string_view name)> make_room = {};
  // In the transaction, when the rows are back under `name`: news, for those who listen. Does no
  // work that may fail for long.
  std::function<Result<>(db::Transaction&, const Item&, std::string_view name)> back = {};
  // After it, outside: what runs in memory takes it up. A crash before it is healed by a start.
  std::function<Result<>(const Item&, std::string_view name)> wake = {};
};

// What a project holds of a noun, for the removal of all of it. `?1` of each text is its name.
struct Holding {
  std::string_view what = {};   // "datasets"; empty: nobody counts them
  std::string_view count = {};  // SELECT of how many there are
  std::string_view busy = {};   // SELECT of how many are at work: none may be
  std::string_view see = {};    // the command that shows them
  struct Blobs {
    std::string_view owner_kind, owners;  // owners: SELECT of their ids
  };
  std::vector<Blobs> blobs = {};
  struct Rows {
    std::string table, condition = "project = ?1";
  };
  std::vector<Rows> rows = {};  // those that refer to others before those
  std::vector<std::string_view> yields = {};
  std::vector<NameColumn> counters = {};
  std::function<Result<>(std::string_view project)> before = {};  // writes what is in memory
  std::function<Result<>()> changed = {};  // after removal and return: memory follows
};
struct Held {
  std::string what;
  std::int64_t count = 0;
};

struct Filter {
  std::optional<std::vector<std::string>> projects = {};  // nothing = all
  std::string noun = {}, name = {};
  std::int64_t before = 0;  // number: older ones; 0 = from the newest
  int limit = 100;
};

// What is ended: all that was removed then or before, of those projects (nothing = all), of that
// noun and name where they are said.
struct PurgeFilter {
  std::int64_t removed_before_us = 0;
  std::optional<std::vector<std::string>> projects = {};
  std::string noun = {}, name = {};
};
struct Purged {
  std::int64_t items = 0, bytes = 0;
};

// Thread-safe.
class Trash {
 public:
  Trash(db::Database& database, const Clock& clock, std::int64_t keep_us)
      : database_(database), clock_(clock), keep_us_(keep_us) {}
  void Register(Kind kind);    // before the first request
  void Hold(Holding holding);  // likewise; in the order in which they are counted
  void AddReshape(Reshape reshape) { reshapes_.push_back(std::move(reshape)); }  // likewise
  // Whether a project is there: nothing comes back into one that is not.
  void SetProjects(std::function<Result<bool>(db::Reader&, std::string_view)> exists) {
    project_exists_ = std::move(exists);
  }
  const Kind* Find(std::string_view noun) const;
  std::int64_t keep_us() const { return keep_us_; }

  Result<std::vector<Item>> List(const Filter& filter) const;  // newest first
  // The newest of that name. Error: kNotFound GY5002.
  Result<Item> Newest(std::string_view project, std::string_view noun, std::string_view name) const;
  Result<Item> Get(std::int64_t number) const;  // kNotFound GY5002

  // Errors: those of its room; kNotFound GY5002 there is no such noun.
  Result<Item> Remove(std::string_view noun, const Asked& asked) const;
  // All its rows go back to where they were.
  // Errors: kAlreadyExists GY5003 something else has the name now; kFailedPrecondition GY5004 what
  // it belongs to, GY5011 its project is not there; kInvalidArgument GY5005 it cannot have another
  // name.
  Result<> Restore(const Item& item, std::string_view as);
  // Of a whole project: what it holds, without what it has none of.
  Result<std::vector<Held>> HeldBy(std::string_view project) const;
  // Calls `before` of each holding, then takes all they hold, and what `with` takes, into a parcel;
  // then memory follows. Error: kFailedPrecondition GY5010 something is at work.
  Result<> TakeAll(const Removal& removal,
                   const std::function<Result<>(db::Transaction&, Parcel&)>& with) const;
  Result<> FollowAll() const;  // calls `changed` of each holding

  // One by one.
  Result<Purged> Purge(const PurgeFilter& filter);
  // Ends what was kept for as long as the setting says.
  Result<Purged> PurgeOld() { return Purge({clock_.NowMicros() - keep_us_}); }

 private:
  Item Made(const db::Row& row) const;
  bool Yields(std::string_view table) const;
  Result<> CheckProject(db::Reader& reader, const Item& item) const;
  Result<> CountAnew(db::Transaction& tx, std::string_view table, std::vector<Cell>* cells) const;
  Result<> TakeHolding(db::Transaction& tx, Parcel& parcel, const Holding& holding,
                       std::string_view project) const;
  db::Database& database_;
  const Clock& clock_;
  const std::int64_t keep_us_;
  std::map<std::string, Kind, std::less<>> kinds_;
  std::vector<Holding> holdings_;
  std::vector<Reshape> reshapes_;
  std::function<Result<bool>(db::Reader&, std::string_view)> project_exists_;
};

}  // namespace gyre::trash
