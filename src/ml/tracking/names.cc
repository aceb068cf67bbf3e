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

std::int64_t NameBook::Known(std::string_view name) const {
  const MutexLock held(mutex_);
  const auto found = known_.find(name);
  return found == known_.end() ? 0 : found->second;
}

void NameBook::Remember(std::string_view name, std::int64_t number) {
  const MutexLock held(mutex_);
  if (known_.size() >= kKnownMax) known_.clear();
  known_.emplace(name, number);
}

Result<std::vector<std::int64_t>> NameBook::NumbersOf(const std::vector<std::string_view>& names) {
  std::vector<std::int64_t> numbers;
  std::vector<std::size_t> unknown;
  for (const std::string_view name : names) {
    numbers.push_back(Known(name));
    if (numbers.back() == 0) unknown.push_back(numbers.size() - 1);
  }
  if (unknown.empty()) return numbers;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const std::size_t i : unknown) {
      GYRE_TRY(numbers[i], Ensure(tx, names[i]));
    }
    return {};
  }));
  for (const std::size_t i : unknown) Remember(names[i], numbers[i]);
  return numbers;
}

}  // namespace gyre::tracking
