// Changes of runs, each in three steps: checked and encoded by the caller, put into the database by
// the thread that writes, and done once they are durable. Private.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/names.h"
#include "ml/tracking/run_store.h"
#include "ml/tracking/tracking.h"
#include "platform/db/database.h"

namespace gyre::tracking {

// Texts with the numbers of their names. A name that nobody has used before gets its number in the
// transaction, and the book hears of it when that is durable. `texts` must live on.
class NumberedTexts {
 public:
  NumberedTexts(const NameBook& names, const std::map<std::string, std::string>& texts);
  Result<> Number(db::Transaction& tx);
  void Done(NameBook& names) const;
  const NamedTexts& texts() const { return texts_; }

 private:
  NamedTexts texts_;
  std::vector<std::size_t> news_;
};

class BatchWrite {
 public:
  static Result<std::shared_ptr<BatchWrite>> Prepare(const NameBook& names, std::string_view run_id,
                                                     Batch batch, std::int64_t now_us);
  BatchWrite(const NameBook& names, std::string_view run_id, Batch batch);
  Result<> Put(db::Transaction& tx);
  void Done(NameBook& names) const;
  const std::string& run_id() const { return run_id_; }
  std::int64_t run_number() const { return run_number_; }  // once it is put
  const std::vector<ParamConflict>& conflicts() const { return conflicts_; }
  bool compacts() const;  // so much waits that it is worth it

 private:
  const std::string run_id_;
  const Batch batch_;
  NumberedTexts params_, tags_;
  std::string points_;        // encoded
  std::int64_t run_number_ = 0;
  std::int64_t waiting_ = 0;  // batches of the run that wait for compaction
  std::vector<ParamConflict> conflicts_;
};

class RunWrite {
 public:
  static Result<std::shared_ptr<RunWrite>> Prepare(const NameBook& names, NewRun from,
                                                   std::int64_t now_us);
  RunWrite(const NameBook& names, NewRun from, Run run);
  Result<> Put(db::Transaction& tx);
  void Done(NameBook& names) const;
  const std::string& run_id() const { return run_.id; }
  Run Take() { return std::move(run_); }

 private:
  Result<Experiment> ExperimentOf(db::Transaction& tx) const;
  Result<> Insert(db::Transaction& tx);

  const NewRun from_;  // without what went into the run
  Run run_;
  const RunTexts texts_;
  NumberedTexts params_, tags_;
};

class ChangeWrite {
 public:
  static Result<std::shared_ptr<ChangeWrite>> Prepare(const NameBook& names,
                                                      std::string_view run_id, RunChange change);
  ChangeWrite(const NameBook& names, std::string_view run_id, RunChange change);
  Result<> Put(db::Transaction& tx);
  void Done(NameBook& names) const { tags_.Done(names); }
  const std::string& run_id() const { return run_id_; }
  std::int64_t run_number() const { return run_.number; }  // once it is put
  bool ends_run() const { return change_.ended_us.has_value(); }
  Run Take() { return std::move(run_); }

 private:
  const std::string run_id_;
  const RunChange change_;
  NumberedTexts tags_;
  Run run_;
};

}  // namespace gyre::tracking
