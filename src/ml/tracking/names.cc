#include "ml/tracking/names.h"

namespace gyre::tracking {
namespace {

constexpr std::size_t kKnownMax = 100'000;

}  // namespace

Result<std::int64_t> NameBook::Ensure(db::Transaction& tx, std::string_view name) {
  GYRE_DO(
      tx.Execute("INSERT INTO tracking_name (id, name) VALUES ((SELECT COALESCE(MAX(id), 0) + "
                 "1 FROM tracking_name), ?1) ON CONFLICT (name) DO NOTHING",
                 {name}));
  return Find(tx, name);
}

Result<std::int64_t> NameBook::Find(db::Reader& reader, std::string_view name) {
  std::int64_t id = 0;
  GYRE_TRY([[maybe_unused]] const bool found,
           reader.QueryOne("SELECT id FROM tracking_name WHERE name = ?1", {name},
                           [&](const db::Row& row) { id = row.Int(0); }));
  return id;
}

Result<std::vector<std::int64_t>> NameBook::NumbersOf(const std::vector<std::string_view>& names) {
  std::vector<std::int64_t> numbers(names.size(), 0);
  std::vector<std::size_t> unknown;
  {
    const MutexLock held(mutex_);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto found = known_.find(std::string(names[i]));
      if (found == known_.end()) {
        unknown.push_back(i);
      } else {
        numbers[i] = found->second;
      }
    }
  }
  if (unknown.empty()) return numbers;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const std::size_t i : unknown) {
      GYRE_TRY(numbers[i], Ensure(tx, names[i]));
    }
    return {};
  }));
  const MutexLock held(mutex_);
  if (known_.size() + unknown.size() > kKnownMax) known_.clear();
  for (const std::size_t i : unknown) known_.emplace(names[i], numbers[i]);
  return numbers;
}

}  // namespace gyre::tracking
