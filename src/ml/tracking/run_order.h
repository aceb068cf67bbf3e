// In which order found runs stand, where a page ends, and the best of those that come by. For
// whatever has a start and an id: traces, too.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/filter_match.h"

namespace gyre::tracking {

// Where a run stands in an order: what it has of each field, then its start and its id.
struct RunPlace {
  std::vector<FieldValue> keys = {};
  std::int64_t started_us = 0;
  std::string id = {};
};

class RunOrder {
 public:
  // `ascending`: of each field. `start_decides`: after the fields the later start comes first.
  RunOrder(std::vector<bool> ascending, bool start_decides)
      : ascending_(std::move(ascending)), start_decides_(start_decides) {}

  std::size_t fields() const { return ascending_.size(); }
  // By the first `terms` only: fields, then the start. All of them and the id: kAll.
  static constexpr std::size_t kAll = SIZE_MAX;
  std::weak_ordering Compare(const RunPlace& a, const RunPlace& b, std::size_t terms = kAll) const;

 private:
  std::vector<bool> ascending_;
  bool start_decides_;
};

// Opaque; `search` is a fingerprint of what was searched for. Error: GY3432.
std::string EncodePlace(const RunPlace& place, std::uint64_t search);
Result<RunPlace> DecodePlace(std::string_view token, std::uint64_t search, std::size_t fields);

// Keeps the first `limit` of the runs that come by in any order, of those beyond `after`.
class FirstRuns {
 public:
  struct Run {
    std::int64_t number = 0;
    RunPlace place = {};
  };
  FirstRuns(const RunOrder& order, std::size_t limit, const std::optional<RunPlace>& after)
      : order_(order), limit_(limit), after_(after) {}

  bool full() const { return runs_.size() == limit_; }
  // None that stands at or behind this place by the first `terms` is wanted any more.
  bool AreAllBefore(const RunPlace& place, std::size_t terms) const;
  bool Wants(const RunPlace& place) const;
  const RunPlace& last() const { return runs_.front().place; }  // not of none
  std::size_t size() const { return runs_.size(); }
  void Add(Run run);
  std::vector<Run> Take();  // in order

 private:
  const RunOrder& order_;
  std::size_t limit_;
  const std::optional<RunPlace>& after_;
  std::vector<Run> runs_;  // a heap, the last one first
};

}  // namespace gyre::tracking
