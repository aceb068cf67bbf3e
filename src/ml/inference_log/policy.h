// What of an endpoint's traffic is kept, and for how long.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "platform/table/frame.h"

namespace gyre::inference_log {

enum class Keep : unsigned char { kKeep, kHash, kDrop };
std::string_view KeepName(Keep keep);  // "keep", "hash", "drop"

struct Policy {
  bool on = true;
  double sample = 1;                                      // share of the rows that is kept
  std::map<std::string, Keep, std::less<>> columns = {};  // of input columns; others are kept
  // Labels may come by its value; empty = by inference id only. It need not be one of the inputs.
  std::string key_column = {};
  std::int64_t retention_us = 90 * kMicrosPerDay;
  std::int64_t lateness_us = 30 * kMicrosPerDay;  // a label that comes later is counted as late

  Keep Of(std::string_view column) const {
    const auto found = columns.find(column);
    return found == columns.end() ? Keep::kKeep : found->second;
  }
};

Json PolicyToJson(const Policy& policy);
// The members of `change` in the place of those of `policy`; `columns` are merged. Errors:
// kInvalidArgument GY4602 names the member.
Result<Policy> ChangedPolicy(Policy policy, const Json& change);
// Errors: kInvalidArgument GY4603 names a column that the model does not read, GY4604 a dropped
// key.
Result<> CheckColumns(const Policy& policy, const table::Schema& inputs);

}  // namespace gyre::inference_log
