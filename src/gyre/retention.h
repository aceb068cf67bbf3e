// What is forgotten when it is old: one rule for each noun that grows, carried out by the collector
// and shown by `gyre retention`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "platform/db/database.h"

namespace gyre {

struct RetentionRule {
  std::string noun;
  std::string setting;       // or what else says how long
  std::int64_t keep_us = 0;  // 0 = for ever
  std::string_view held;     // SELECT of how many there are, and the time of the oldest; 0 = none
  // Forgets what is older than that; how many it were. Empty: others do it.
  std::function<Result<std::int64_t>(std::int64_t before_us)> forget = {};
};

class Retention {
 public:
  Retention(db::Database& database, const Clock& clock, std::vector<RetentionRule> rules)
      : database_(database), clock_(clock), rules_(std::move(rules)) {}

  // In the order of the rules: {"events_removed": 12, ...}.
  Result<Json> Forget() const;
  // {"items": [{"noun", "setting", "kept_seconds" (null = for ever), "held", "oldest", "due",
  // "next_run"}]}; due: whether the next run finds something. 0 = nothing runs by itself.
  Result<Json> Report(std::int64_t next_run_us) const;

 private:
  db::Database& database_;
  const Clock& clock_;
  const std::vector<RetentionRule> rules_;
};

}  // namespace gyre
