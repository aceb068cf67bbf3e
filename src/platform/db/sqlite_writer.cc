#include "platform/db/sqlite_writer.h"

#include <exception>
#include <utility>

#include "base/limits.h"

namespace gyre::db {
namespace {

constexpr std::int64_t kIdleMicros = 500'000;  // then the log is moved into the database
constexpr std::int64_t kCheckpointBytes = 16 * kMiB;
constexpr std::int64_t kTruncateBytes = 256 * kMiB;
// A commit costs several times the CPU of what it holds, and who waits in a group waits for others
// anyway.
constexpr std::int64_t kLingerMicros = 1'000;

thread_local const SqliteWriter* writer_of_this_thread = nullptr;

}  // namespace

class SqliteWriter::BatchTransaction : public Transaction {
 public:
  BatchTransaction(SqliteConnection& connection,
                   std::vector<std::move_only_function<void()>>& after_commit)
      : connection_(connection), after_commit_(after_commit) {}

  Result<> Query(std::string_view sql, Params params, const RowCallback& row) override {
    return connection_.Query(sql, {params.begin(), params.size()}, row);
  }
  Result<> QueryList(std::string_view sql, std::span<const Value> params,
                     const RowCallback& row) override {
    return connection_.Query(sql, params, row);
  }
  Result<> Execute(std::string_view sql, Params params) override {
    return connection_.Execute(sql, {params.begin(), params.size()});
  }
  Result<> ExecuteList(std::string_view sql, std::span<const Value> params) override {
    return connection_.Execute(sql, params);
  }
  std::int64_t last_insert_id() const override { return connection_.last_insert_id(); }
  std::int64_t changes() const override { return connection_.changes(); }
  void AfterCommit(std::move_only_function<void()> then) override {
    after_commit_.push_back(std::move(then));
  }

 private:
  SqliteConnection& connection_;
  std::vector<std::move_only_function<void()>>& after_commit_;
};

SqliteWriter::SqliteWriter(std::unique_ptr<SqliteConnection> connection, const Settings& settings)
    : connection_(std::move(connection)),
      queue_(settings.queue_length_max, settings.batch_length_max),
      thread_("db-writer", [this](const exec::StopFlag&) { Run(); }) {}

SqliteWriter::~SqliteWriter() { queue_.Close(); }

bool SqliteWriter::OnThisThread() const { return writer_of_this_thread == this; }

Result<> SqliteWriter::Write(Database::WriteBody body) {
  WriteRequest request{.body = std::move(body)};
  return queue_.Submit(request);
}

void SqliteWriter::WriteLater(Database::WriteBody body, Database::WriteDone done) {
  queue_.SubmitLater(std::make_unique<WriteRequest>(std::move(body), std::move(done)));
}

void SqliteWriter::Run() {
  writer_of_this_thread = this;
  while (!queue_.closed()) {
    const auto batch = queue_.Take(kIdleMicros, kLingerMicros);
    if (batch) {
      RunBatch(*batch);
      queue_.Finish(*batch);
    }
    CheckpointWhenDue(batch == nullptr);
  }
  // What stays in the log is not lost: the next start reads it.
  static_cast<void>(connection_->RunCheckpoint(SqliteConnection::Checkpoint::kTruncate));
}

void SqliteWriter::RunBatch(WriteBatch& batch) {
  std::vector<std::move_only_function<void()>> after_commit;
  Result<> outcome = RunClosures(batch, after_commit);
  if (outcome) outcome = connection_->Run("COMMIT");
  if (!outcome) {
    Rollback();
    // One error for all: nobody's change was kept. A closure that had failed before keeps its own.
    for (WriteRequest* request : batch.requests) {
      if (request->result) request->result = Result<>(outcome.error());
    }
    return;
  }
  for (auto& then : after_commit) then();
}

// An error means that the whole transaction is lost, not that a closure failed.
Result<> SqliteWriter::RunClosures(WriteBatch& batch,
                                   std::vector<std::move_only_function<void()>>& after_commit) {
  GYRE_DO(connection_->Run("BEGIN IMMEDIATE"));
  for (WriteRequest* request : batch.requests) {
    GYRE_DO(connection_->Run("SAVEPOINT closure"));
    const std::size_t callbacks = after_commit.size();
    BatchTransaction transaction(*connection_, after_commit);
    try {
      request->result = request->body(transaction);
    } catch (const std::exception&
                 e) {  // a library's, thrown on a thread where nobody else would catch it
      request->result = Internal("GY1412", "a write failed by an exception: {}", e.what());
    }
    request->body = nullptr;  // its captures end before its caller wakes
    if (!connection_->in_transaction()) {
      // Full disk or I/O error: SQLite has rolled back everything, the neighbours' changes too.
      return request->result ? Internal("GY1408", "the database gave up the transaction")
                             : Error(request->result.error());
    }
    if (!request->result) {
      after_commit.erase(after_commit.begin() + static_cast<std::ptrdiff_t>(callbacks),
                         after_commit.end());
      GYRE_DO(connection_->Run("ROLLBACK TO closure"));
    }
    GYRE_DO(connection_->Run("RELEASE closure"));
  }
  return {};
}

void SqliteWriter::Rollback() {
  if (connection_->in_transaction()) static_cast<void>(connection_->Run("ROLLBACK"));
  GYRE_CHECK(!connection_->in_transaction());
}

void SqliteWriter::CheckpointWhenDue(bool idle) {
  const std::int64_t bytes = connection_->wal_bytes();
  if (bytes == 0 || (!idle && bytes < kCheckpointBytes)) return;
  // An error other than a failed fsync (a full disk) loses nothing: the log stays, and the next
  // time comes.
  static_cast<void>(connection_->RunCheckpoint(bytes > kTruncateBytes
                                                   ? SqliteConnection::Checkpoint::kTruncate
                                                   : SqliteConnection::Checkpoint::kPassive));
}

}  // namespace gyre::db
