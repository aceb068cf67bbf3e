#include "platform/exec/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace gyre::exec {
namespace {

TEST(ThreadPool, RunsWhatIsQueuedBeforeItEnds) {
  std::atomic<int> done = 0;
  {
    ThreadPool pool({.name = "test", .threads = 3, .queue_length_max = 100});
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(pool.Post([&] { ++done; }));
  }
  EXPECT_EQ(done, 100);
}

TEST(ThreadPool, RefusesWhenItsQueueIsFull) {
  std::promise<void> started, release;
  ThreadPool pool({.name = "test", .threads = 1, .queue_length_max = 2});
  ASSERT_TRUE(pool.Post([&] {
    started.set_value();
    release.get_future().wait();
  }));
  started.get_future().wait();
  ASSERT_TRUE(pool.Post([] {}));
  ASSERT_TRUE(pool.Post([] {}));
  EXPECT_EQ(pool.queue_length(), 2);
  const auto refused = pool.Post([] { FAIL() << "must not have been taken"; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY1301");
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  release.set_value();
}

TEST(Worker, IsWokenAndJoinedAtItsEnd) {
  std::atomic<bool> saw_stop = false;
  {
    Worker worker("test", [&](const StopFlag& stop) {
      while (!stop.WaitMicros(3'600'000'000)) {
      }
      saw_stop = stop.stopped();
    });
  }
  EXPECT_TRUE(saw_stop);
}

TEST(Worker, WaitTellsTimeFromStop) {
  std::promise<bool> first;
  Worker worker("test", [&](const StopFlag& stop) { first.set_value(stop.WaitMicros(1000)); });
  EXPECT_FALSE(first.get_future().get());
}

TEST(Worker, AssignmentEndsTheOldOne) {
  std::atomic<int> ended = 0;
  const auto body = [&](const StopFlag& stop) {
    while (!stop.WaitMicros(3'600'000'000)) {
    }
    ++ended;
  };
  Worker worker("one", body);
  worker = Worker("two", body);
  EXPECT_EQ(ended, 1);
}

}  // namespace
}  // namespace gyre::exec
