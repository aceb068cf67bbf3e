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

}  // namespace gyre::cli
