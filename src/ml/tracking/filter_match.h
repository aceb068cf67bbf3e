// A filter held against one thing in memory, and the order of two. Pure functions.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "ml/tracking/filter.h"

namespace gyre::tracking {

// What a thing has under a name; nothing = it has none.
using FieldValue = std::variant<std::monostate, double, std::string>;
using FieldOf = std::function<FieldValue(Entity entity, const std::string& key)>;

// A comparison with what the thing does not have is false, also `!=`.
bool Holds(const Filter& filter, const FieldOf& field);
bool Holds(const Comparison& comparison, const FieldValue& value);

// Numbers before NaN before nothing, both ways.
std::weak_ordering CompareFields(const FieldValue& a, const FieldValue& b, bool ascending);

}  // namespace gyre::tracking
