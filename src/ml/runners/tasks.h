// Tasks: what a `gyre worker` child computes. The child has no database; it reads blobs by path,
// writes files into a scratch folder and answers with a JSON document over a pipe. The process that
// owns the database commits the result.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/error.h"
#include "base/json.h"

namespace gyre::runners {

// Given to a task inside the worker.
class TaskContext {
 public:
  virtual ~TaskContext() = default;
  virtual const Json& input() const = 0;
  virtual const std::string& scratch_directory()
      const = 0;  // writable; files named in the answer are taken from here
  virtual void Progress(
      double fraction,
      std::string_view text) = 0;  // 0..1, or negative when unknown; rate-limited by the callee
  virtual void Log(std::string_view line) = 0;  // one line of the job's log
  virtual void Event(std::string_view kind,
                     const Json& data) = 0;  // structured news for the owner while running (metric
                                             // points, candidates)
  virtual bool cancelled() const = 0;        // ask at least every second
};
using TaskFunction = std::function<Result<Json>(TaskContext&)>;

// Name -> function; filled by compose.cc from each module's Tasks(), used only inside `gyre
// worker`.
class TaskRegistry {
 public:
  void Add(std::string name, TaskFunction function);
  const TaskFunction* Find(std::string_view name) const;

 private:
  std::map<std::string, TaskFunction, std::less<>> functions_;
};

// The body of `gyre worker`: reads one request per line on stdin, answers on fd 3, until stdin
// closes.
int WorkerMain(const TaskRegistry& registry);

}  // namespace gyre::runners
