// What was used, by whom, at what price. Whole numbers only: sums are exact, in whatever order
// samples come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "platform/db/database.h"

namespace gyre::usage {

db::ModuleSchema UsageSchema();

struct Quantities {
  std::int64_t cpu_us = 0;         // microseconds of CPU time
  std::int64_t memory_mib_ms = 0;  // mebibytes held, times milliseconds
  std::int64_t bytes = 0;          // read and written
  std::int64_t requests = 0;
  Quantities& operator+=(const Quantities& other);
  friend bool operator==(const Quantities&, const Quantities&) = default;
};
// Of a finished child: CPU seconds, peak memory held over the wall time, bytes. Rounded up.
Quantities QuantitiesOf(double cpu_seconds, double wall_seconds, std::int64_t memory_bytes_peak,
                        std::int64_t bytes);

struct Sample {
  std::string_view project;
  std::string_view subject_kind;  // "run", "job", "endpoint", "query"
  std::string_view subject_id;
  std::string_view subject_label = {};
  std::int64_t at_us = 0;
  Quantities quantities = {};
};
// Adds to the sums of its hour, in the transaction of what it belongs to.
Result<> Record(db::Transaction& tx, const Sample& sample);

// Prices in millionths of the currency. The default book is all zeros in EUR.
struct PriceBook {
  std::string currency = "EUR";
  std::int64_t cpu_hour_micros = 0;
  std::int64_t memory_gib_hour_micros = 0;
  std::int64_t gigabyte_micros = 0;  // 10^9 bytes
  std::int64_t thousand_requests_micros = 0;
  std::int64_t valid_from_us = 0;
};

enum class GroupBy { kProject, kSubject };

struct Line {
  std::string project = {}, subject_kind = {}, subject_id = {}, subject_label = {};
  Quantities quantities = {};
  std::int64_t cost_micros = 0;  // rounded half to even, once per line and price
};

struct Report {
  std::vector<Line> lines = {};  // the dearest first, then by CPU time
  Quantities total = {};
  std::int64_t cost_micros = 0;  // the sum of the lines, exactly
  std::string currency = {};
};

struct ReportFilter {
  std::optional<std::vector<std::string>> projects = {};  // only these; nothing = all
  std::string subject_kind = {}, subject_id = {};
  std::int64_t from_us = 0, to_us = 0;  // whole hours count; 0 = open
  GroupBy group_by = GroupBy::kSubject;
};

class Usage {
 public:
  Usage(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}
  Result<> Record(const Sample& sample);
  // From now on, or from valid_from_us; hours before keep their price. kInvalidArgument GY4131 for
  // negative prices or another currency.
  Result<> SetPrices(PriceBook book);
  Result<std::vector<PriceBook>> Prices() const;  // oldest first, at least one
  Result<Report> Sum(const ReportFilter& filter) const;

 private:
  db::Database& database_;
  const Clock& clock_;
};

// cost = quantity x price / unit, rounded half to even; exact for all inputs (128 bits inside).
std::int64_t CostMicros(const Quantities& quantities, const PriceBook& book);

}  // namespace gyre::usage
