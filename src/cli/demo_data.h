// The data of `gyre demo`: customers of a telephone company, made up from a seed, with the flaws
// that real tables have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace gyre::cli {

struct DemoData {
  std::string csv;  // header and rows
  std::vector<std::string> columns;
  std::vector<double> risk;  // the true probability of leaving, by row
  std::vector<bool> left;    // what happened
  Json new_customer;  // a row as a client would send it, without the label and without what is
                      // known only later
};

inline constexpr std::string_view kDemoTarget = "churned";  // yes, no
// What is known only after a customer has left: a model that learns from it is worthless.
inline constexpr std::string_view kDemoLeaks[] = {"cancellation_date", "refund_amount"};
inline constexpr std::string_view kDemoConstant = "currency";

// The same seed and count give the same bytes.
DemoData MakeChurnData(std::uint64_t seed, std::size_t rows);

// What follows the table: days on which customers are asked about. On one of them the company
// raises its prices, which nobody tells the model: two columns move, and other people leave.
inline constexpr int kDemoDays = 30, kDemoDriftDay = 21;  // counted from 1
inline constexpr std::string_view kDemoDrifted[] = {"calls_last_month", "monthly_charge"};
inline constexpr int kNeverLabelled = -1;

struct DemoDay {
  std::vector<Json> inputs;      // as a client would send them
  std::vector<double> risk;      // the true probability of leaving
  std::vector<double> old_risk;  // what it would be had nothing happened: the best that the past
                                 // could teach
  std::vector<bool> left;        // what happened
  std::vector<int> label_delay;  // days until that is known, or kNeverLabelled
};
DemoDay MakeChurnDay(std::uint64_t seed, int day, std::size_t rows);
std::int64_t DemoDayMicros(int day);  // its midnight, UTC

}  // namespace gyre::cli
