// All SQL of the jobs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/runners/jobs.h"
#include "ml/runners/submission.h"

namespace gyre::runners {

// A job with what the queue needs to know of it.
struct QueuedJob {
  Job job;
  double cpu_slots = 1;
  std::int64_t memory_bytes = 0;
  bool cancel_asked = false;
  PartOf part{};
  std::string trace{};  // the span that it began in
};

// How a job ended.
struct Ending {
  std::string_view state{};
  Json result{};
  Json error{};  // null unless failed
  std::int64_t ended_us = 0;
  double cpu_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
  std::int64_t io_bytes = 0;
  double progress = 0;
};

class JobStore {
 public:
  explicit JobStore(db::Database& database) : database_(database) {}
  // Error: kAlreadyExists when the key (empty = none) has a job.
  Result<> Insert(const QueuedJob& job, std::string_view key);
  Result<std::optional<Job>> OfKey(std::string_view key);
  Result<> MarkRunning(std::string_view id, std::int64_t started_us);
  Result<> MarkQueued(std::string_view id);
  // When the books are damaged, it ends all the same.
  Result<> MarkEnded(std::string_view id, const Ending& ending);
  // An unfinished one.
  Result<> AskToCancel(std::string_view id, std::string_view by);
  Result<> SaveProgress(std::string_view id, double progress, std::string_view text);
  Result<Job> Get(std::string_view id_or_prefix);
  Result<std::vector<Job>> List(const JobQuery& query);
  Result<std::vector<QueuedJob>> Unfinished();  // oldest first
  // Removes those of a kind that ended before then; their ids.
  Result<std::vector<std::string>> Forget(std::string_view kind, std::int64_t before_us);

 private:
  Result<> WriteEnd(std::string_view id, const Ending& ending, bool booked);
  db::Database& database_;
};

void TakeEnding(const Ending& ending, Job* job);
// If its end cannot be written either, the next start finds it unfinished.
Error StopNotWritten(Error error);

}  // namespace gyre::runners
