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

// Where a thing's name stands, so that it can come back under another one.
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
  // In the transaction, when the rows are back under `name`: news, for those who listen. Does no
  // work that may fail for long.
  std::function<Result<>(db::Transaction&, const Item&, std::string_view name)> back = {};
  // After it, outside: what runs in memory takes it up. A crash before it is healed by a start.
  std::function<Result<>(const Item&, std::string_view name)> wake = {};
};

struct Filter {
  std::optional<std::vector<std::string>> projects = {};  // nothing = all
  std::string noun = {}, name = {};
  std::int64_t before = 0;  // number: older ones; 0 = from the newest
  int limit = 100;
};

struct Purged {
  std::int64_t items = 0, bytes = 0;
};

// Thread-safe.
class Trash {
 public:
  Trash(db::Database& database, const Clock& clock, std::int64_t keep_us)
      : database_(database), clock_(clock), keep_us_(keep_us) {}
  void Register(Kind kind);  // before the first request
  const Kind* Find(std::string_view noun) const;
  std::int64_t keep_us() const { return keep_us_; }

  Result<std::vector<Item>> List(const Filter& filter) const;  // newest first
  // The newest of that name. Error: kNotFound GY5002.
  Result<Item> Newest(std::string_view project, std::string_view noun, std::string_view name) const;
  Result<Item> Get(std::int64_t number) const;  // kNotFound GY5002

  // Errors: those of its room; kNotFound GY5002 there is no such noun.
  Result<Item> Remove(std::string_view noun, const Asked& asked) const;
  // All its rows go back to where they were. Errors: kAlreadyExists GY5003 something else has the
  // name now; kFailedPrecondition GY5004 what it belongs to is not there; kInvalidArgument GY5005
  // it cannot have another name.
  Result<> Restore(const Item& item, std::string_view as);
  // Ends what was removed before that time, one by one.
  Result<Purged> Purge(std::int64_t removed_before_us,
                       const std::optional<std::vector<std::string>>& projects = {});
  // Ends what was kept for as long as the setting says.
  Result<Purged> PurgeOld() { return Purge(clock_.NowMicros() - keep_us_); }

 private:
  Item Made(const db::Row& row) const;
  db::Database& database_;
  const Clock& clock_;
  const std::int64_t keep_us_;
  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace gyre::trash
