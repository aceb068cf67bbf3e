// Submitting once, however often it is tried: for callers that are repeated after a crash; and for
// whom: the step of a pipeline's run.
#pragma once

#include <string>
#include <string_view>

namespace gyre::runners {

struct PartOf {
  std::string run{}, label{}, step{};  // run empty: a part of nothing
};

// While it lives, a job that this thread submits is the job of the key: one that was submitted
// under the key before, by whichever process, is found again, and nothing is submitted. One at a
// time on a thread; of several jobs submitted meanwhile only the first has the key.
class SubmitOnce {
 public:
  explicit SubmitOnce(std::string key, PartOf part = {});
  ~SubmitOnce();
  SubmitOnce(const SubmitOnce&) = delete;
  SubmitOnce& operator=(const SubmitOnce&) = delete;

  // For Jobs: the key of this thread's next job, once; empty when there is none.
  static std::string TakeKey();
  static PartOf TakePart();  // likewise, of the same job
};

}  // namespace gyre::runners
