// What a window is compared with: the bins of the reference profile that training stored with the
// model version (`gyre.reference.v1`), and any rows counted into the same bins. Counts are whole
// numbers in fixed bins, so that the order of rows changes nothing.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "platform/table/frame.h"

namespace gyre::monitoring {

// Numbers: `edges` ascending; a bin holds its lower edge, the last one both. Else `values` that
// have a count of their own.
struct Bins {
  std::string name;
  table::Type type = table::Type::kText;
  std::vector<double> edges;
  std::unordered_map<std::string, std::size_t> values;
  double deviation = 0;  // of the reference's numbers
  // Of numbers, for each of the counts its group: what is below the bins, about ten groups of bins
  // with equal shares of the training rows, what is above.
  std::vector<std::size_t> tenths;
  bool is_number = false;
};

// One column of some rows. counts, for numbers: below the first edge, the bins, above the last
// edge; else the values, then all others.
struct BinCounts {
  std::int64_t rows = 0, missing = 0;
  std::vector<std::uint64_t> counts;
  double below_by = 0, above_by = 0;  // by how much values lie outside, summed

  std::uint64_t present() const { return static_cast<std::uint64_t>(rows - missing); }
  friend bool operator==(const BinCounts&, const BinCounts&) = default;
};
BinCounts CountInto(const Bins& bins, const table::Column& column);
Json CountsToJson(const BinCounts& counts);
// Null where the document does not fit the bins.
std::optional<BinCounts> CountsFromJson(const Bins& bins, const Json& json);

struct ReferenceColumn {
  Bins bins;
  BinCounts counts;
};
struct Reference {
  std::vector<ReferenceColumn> inputs;  // that the model reads, in its order
  std::vector<ReferenceColumn> predictions;
};
// Error: kInvalidArgument GY4506 the document is none.
Result<Reference> ReadReference(const Json& document, std::span<const std::string> inputs);

// How two columns in the same bins of numbers lie apart.
struct BinDistance {
  double ks = 0;           // between the edges it may be more, by at most the share of a bin
  double wasserstein = 0;  // rows lie evenly in their bin; what lies outside counts exactly
};
// Both hold a value.
BinDistance Compare(const Bins& bins, const BinCounts& reference, const BinCounts& current);
// The counts of numbers in their tenths: few rows in many bins differ by chance alone.
std::vector<std::uint64_t> InTenths(const Bins& bins, const BinCounts& counts);

}  // namespace gyre::monitoring
