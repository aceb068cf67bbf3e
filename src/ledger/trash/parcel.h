// How a room removes: it takes the rows of a thing out of its tables and into the trash, in the
// transaction of the removal. Nobody who reads the tables sees them any more; the bytes that they
// refer to stay until the parcel is purged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/db/database.h"

namespace gyre::trash {

struct Removal {
  std::string_view noun = {};  // "dataset"
  std::string_view project = {};
  std::string_view name = {};  // as people say it: "sales", "sales:v3"
  std::string_view what = {};  // "3 versions"; may be empty
  std::string_view by = {};
  std::int64_t now_us = 0;
};

// Stands on a transaction and ends with it.
class Parcel {
 public:
  static Result<Parcel> Begin(db::Transaction& tx, const Removal& removal);

  // The newest of that name which is in the trash already, so that more is laid into it; null when
  // there is none.
  static Result<std::optional<Parcel>> Reopen(db::Transaction& tx, std::string_view noun,
                                              std::string_view project, std::string_view name);

  // Rows that refer to others before those: they go back the other way round. `table` and
  // `condition` are the room's own text. Errors: those of the database; kFailedPrecondition GY1403
  // when a row that stays refers to one of them.
  Result<> Take(std::string_view table, std::string_view condition, db::Params params);
  // What an owner needs of the blob store.
  Result<> TakeBlobs(std::string_view owner_kind, std::string_view owner_id);

  std::int64_t number() const { return number_; }

 private:
  Parcel(db::Transaction& tx, std::int64_t number, std::int64_t rows = 0)
      : tx_(tx), number_(number), rows_(rows) {}
  db::Transaction& tx_;
  std::int64_t number_;
  std::int64_t rows_;
};

// Whether a row of that table which has this text in it lies in the trash.
Result<bool> Holds(db::Reader& reader, std::string_view table, std::string_view text);

// Ends the rows of that table wherever they lie in the trash: what was removed comes back without
// them, and what was nothing else is gone.
Result<> EndRows(db::Transaction& tx, std::string_view table);

}  // namespace gyre::trash
