// The one connection that writes and checkpoints, on the one thread that may.
#pragma once

#include <memory>
#include <vector>

#include "platform/db/sqlite_connection.h"
#include "platform/db/write_queue.h"
#include "platform/exec/thread_pool.h"

namespace gyre::db {

class SqliteWriter {
 public:
  SqliteWriter(std::unique_ptr<SqliteConnection> connection, const Settings& settings);
  ~SqliteWriter();  // finishes what waits, then checkpoints

  Result<> Write(Database::WriteBody body);
  void WriteLater(Database::WriteBody body, Database::WriteDone done);
  bool OnThisThread() const;

 private:
  class BatchTransaction;
  void Run();
  void RunBatch(WriteBatch& batch);
  Result<> RunClosures(WriteBatch& batch,
                       std::vector<std::move_only_function<void()>>& after_commit);
  void Rollback();
  void CheckpointWhenDue(bool idle);

  std::unique_ptr<SqliteConnection> connection_;
  WriteQueue queue_;
  exec::Worker thread_;         // last: it uses all of the above
};

}  // namespace gyre::db
