// A filter held against the rows of a search of runs, and what its conditions say about where to
// look. Private.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/tracking/run_fields.h"

namespace gyre::tracking {

// What every run that is found has.
struct NumberRange {
  std::optional<double> from = {}, to = {};
  bool from_open = false, to_open = false;  // without the bound itself
  bool empty() const { return !from && !to; }
};
struct StartRange {
  std::optional<std::int64_t> from_us = {}, to_us = {};  // both may be met
  bool empty() const { return !from_us && !to_us; }
};

// Comparisons of which all must hold.
using Required = std::vector<const Comparison*>;
Required RequiredOf(const FilterNode& node);
NumberRange RangeOf(const Required& required, std::string_view metric);
StartRange StartRangeOf(const Required& required);

class RunMatcher {
 public:
  // Adds the fields that the filter asks for.
  static Result<RunMatcher> Make(db::Reader& reader, const Filter& filter, RunFields* fields);

  // `reader` is asked about data sets only.
  Result<bool> Holds(db::Reader& reader, const RunFields::Columns& columns,
                     const db::Row& row) const;

  const Filter& filter() const { return *filter_; }
  const Required& required() const { return required_; }
  // Whether a run without this param, tag or metric cannot be found.
  bool Requires(ValueTable table, std::string_view key) const;

 private:
  struct Node {
    FilterNode::Kind kind = FilterNode::Kind::kComparison;
    const Comparison* comparison = nullptr;
    std::size_t field = 0;
    std::vector<Node> children = {};
  };
  struct RowOf;

  explicit RunMatcher(std::unique_ptr<Filter> filter) : filter_(std::move(filter)) {}
  Result<Node> Compile(db::Reader& reader, const FilterNode& node, RunFields* fields);
  Result<bool> HoldsNode(const Node& node, const RowOf& row) const;

  std::unique_ptr<Filter> filter_;  // its comparisons are pointed to
  std::optional<Node> root_;
  Required required_;
};

}  // namespace gyre::tracking
