// The end of the audit chain, written down outside of the database: a line of a file that only
// grows, and an event of the log. Who rewrites the database with all its hashes does not fit these
// any more. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "ledger/audit/audit.h"
#include "platform/exec/thread_pool.h"

namespace gyre::audit {

class Anchors {
 public:
  // Writes the present end at once, then after an hour or 1,000 entries, whichever comes first, and
  // when it is destroyed. An end that was written already is not repeated.
  Anchors(const Audit& audit, std::string path, const Clock& clock);
  ~Anchors();
  Anchors(const Anchors&) = delete;
  Anchors& operator=(const Anchors&) = delete;

  // Oldest first; none when there is no file. A line that a crash cut off is left out. Error:
  // kDataLoss GY4165 another line is no anchor.
  static Result<std::vector<Anchor>> Read(const std::string& path);
  const std::string& path() const { return path_; }

  // For a database that goes back to an earlier state: leaves the anchors up to the entry that its
  // chain ends with, and puts the file as it was at `aside`. Nothing when none are later. The
  // caller holds the directory. Errors: of Read.
  static Result<> CutAfter(const std::string& path, std::int64_t sequence,
                           const std::string& aside);

 private:
  void WriteWhenDue();
  Result<> Write(const Anchor& end);

  const Audit& audit_;
  const std::string path_;
  const Clock& clock_;
  Anchor last_;
  exec::Worker worker_;
};

}  // namespace gyre::audit
