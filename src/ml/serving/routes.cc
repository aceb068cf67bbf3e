#include "ml/serving/routes.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace gyre::serving {

struct Routes::View::List {
  Mutex mutex;
  std::vector<View*> all GYRE_GUARDED_BY(mutex);
};

Routes::View::~View() {
  if (!list) return;
  const MutexLock lock(list->mutex);
  std::erase(list->all, this);
}

Routes::Routes() : views_(std::make_shared<View::List>()), table_(std::make_shared<RouteMap>()) {}

// A thread may outlive this table and keep its view: it must not keep the models.
Routes::~Routes() {
  generation_.fetch_add(1);
  ReleaseIdle();
}

Routes::Guard Routes::Enter() {
  thread_local View view;
  // Only ReleaseIdle can be in it, for the moment that it takes to let go of a table.
  while (view.busy.exchange(true, std::memory_order_acquire)) std::this_thread::yield();
  if (view.list != views_) {
    if (view.list) {
      const MutexLock lock(view.list->mutex);
      std::erase(view.list->all, &view);
    }
    view.list = views_;
    view.generation = 0;
    const MutexLock lock(views_->mutex);
    views_->all.push_back(&view);
  }
  if (view.generation != generation_.load()) Refresh(view);
  return Guard(view);
}

void Routes::Refresh(View& view) {
  const MutexLock lock(mutex_);
  view.table = table_;
  view.generation = generation_.load();
}

std::shared_ptr<const RouteMap> Routes::All() {
  const MutexLock lock(mutex_);
  return table_;
}

std::shared_ptr<const Route> Routes::Find(std::string_view endpoint) {
  const auto table = All();
  const auto found = table->by_name.find(endpoint);
  return found == table->by_name.end() ? nullptr : found->second;
}

void Routes::Publish(std::shared_ptr<const Route> route) {
  const MutexLock lock(mutex_);
  auto next = std::make_shared<RouteMap>(*table_);
  std::string name = route->endpoint;
  next->by_name[std::move(name)] = std::move(route);
  table_ = std::move(next);
  generation_.fetch_add(1);
}

void Routes::Remove(std::string_view endpoint) {
  const MutexLock lock(mutex_);
  auto next = std::make_shared<RouteMap>(*table_);
  if (const auto found = next->by_name.find(endpoint); found != next->by_name.end())
    next->by_name.erase(found);
  table_ = std::move(next);
  generation_.fetch_add(1);
}

void Routes::ReleaseIdle() {
  std::vector<std::shared_ptr<const RouteMap>> released;  // models are freed outside of the lock
  const MutexLock lock(views_->mutex);
  for (View* view : views_->all) {
    if (view->busy.exchange(true, std::memory_order_acquire)) continue;  // it will look by itself
    if (view->generation != generation_.load()) {
      released.push_back(std::exchange(view->table, nullptr));
      view->generation = 0;
    }
    view->busy.store(false, std::memory_order_release);
  }
}

}  // namespace gyre::serving
