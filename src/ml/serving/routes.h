// The table of what runs: swapped as a whole, read without a lock. Private.
//
// Each thread looks through a view of its own and takes the lock only after a change, so that a
// request touches nothing that other threads write. A view that nobody looks through keeps nothing
// alive for long: ReleaseIdle empties those that are behind.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "ml/inference_log/recorder.h"
#include "ml/serving/answer.h"
#include "ml/serving/route.h"
#include "ml/serving/rows.h"

namespace gyre::serving {

struct RouteMap {
  std::map<std::string, std::shared_ptr<const Route>, std::less<>> by_name;
};

class Routes {
 public:
  Routes();
  ~Routes();

  // What one thread keeps between requests.
  struct View {
    ~View();
    std::shared_ptr<const RouteMap> table;
    RowReader reader;
    Answer answer;
    inference_log::Recorder recorder;
    unsigned requests = 0;  // on this thread

   private:
    friend class Routes;
    struct List;
    std::shared_ptr<List> list;
    std::uint64_t generation = 0;
    std::atomic<bool> busy{false};  // its own thread, or ReleaseIdle, is in it
  };
  // A view in use: what it shows stays until the guard goes. One at a time on a thread.
  class Guard {
   public:
    explicit Guard(View& view) : view_(view) {}
    ~Guard() { view_.busy.store(false, std::memory_order_release); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    View* operator->() const { return &view_; }
    View& operator*() const { return view_; }

   private:
    View& view_;
  };

  Guard Enter();
  void Refresh(View& view);  // after a change that the view's own thread has made

  std::shared_ptr<const Route> Find(std::string_view endpoint);
  std::shared_ptr<const RouteMap> All();
  void Publish(std::shared_ptr<const Route> route);
  void Remove(std::string_view endpoint);
  void ReleaseIdle();

 private:
  std::atomic<std::uint64_t> generation_{1};
  const std::shared_ptr<View::List> views_;
  Mutex mutex_;
  std::shared_ptr<const RouteMap> table_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::serving
