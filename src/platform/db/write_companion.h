// What must be written together with a change, whoever makes the change: rides on the first write
// of its thread that succeeds, in the same transaction. For the record of a request: a crash leaves
// both the change and its record, or neither.
#pragma once

#include <functional>

#include "platform/db/database.h"

namespace gyre::db {

class WriteCompanion {
 public:
  // `make` is called on this thread, once for each write that is tried until one succeeds.
  explicit WriteCompanion(std::function<Database::WriteBody()> make);
  ~WriteCompanion();
  WriteCompanion(const WriteCompanion&) = delete;
  WriteCompanion& operator=(const WriteCompanion&) = delete;

  bool written() const { return written_; }

  // Whether something waits on this thread to ride along.
  static bool Waits();

  // For backends: writes the body, together with what rides along on this thread.
  using WriteAlone = std::function<Result<>(Database::WriteBody)>;
  static Result<> Write(Database::WriteBody body, const WriteAlone& write);

 private:
  const std::function<Database::WriteBody()> make_;
  WriteCompanion* const outer_;
  bool written_ = false;
};

}  // namespace gyre::db
