#include "ml/monitoring/reference.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "platform/table/reader.h"

namespace gyre::monitoring {
namespace {

constexpr std::string_view kSchema = "gyre.reference.v1";

// Of numbers spread evenly in their bins.
double DeviationOf(const std::vector<double>& edges, std::span<const std::uint64_t> counts) {
  double n = 0, mean = 0, squares = 0;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    const auto weight = static_cast<double>(counts[i]);
    const double middle = (edges[i] + edges[i + 1]) / 2, width = edges[i + 1] - edges[i];
    n += weight;
    if (n == 0) continue;
    const double step = middle - mean;
    mean += step * weight / n;
    squares += weight * (step * (middle - mean) + width * width / 12);
  }
  return n > 0 ? std::sqrt(squares / n) : 0;
}

// A bin belongs to the tenth in which its middle row lies.
std::vector<std::size_t> TenthsOf(std::span<const std::uint64_t> counts) {
  constexpr std::uint64_t kGroups = 10;
  const std::uint64_t rows = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  std::vector<std::size_t> tenths;
  std::uint64_t before = 0, last = kGroups;
  for (const std::uint64_t count : counts) {
    const std::uint64_t tenth =
        rows == 0 ? 0 : std::min(kGroups - 1, (2 * before + count) * kGroups / (2 * rows));
    before += count;
    tenths.push_back(tenths.empty() ? 0 : tenths.back() + (tenth != last ? 1 : 0));
    last = tenth;
  }
  return tenths;
}

ReferenceColumn ReadNumbers(const Json& json, ReferenceColumn column) {
  for (const Json& edge : json["edges"].items()) column.bins.edges.push_back(edge.AsDouble());
  std::vector<std::uint64_t> bins;
  for (const Json& count : json["counts"].items())
    bins.push_back(static_cast<std::uint64_t>(count.AsInt()));
  column.bins.is_number = true;
  column.bins.deviation = DeviationOf(column.bins.edges, bins);
  column.bins.tenths = {0};
  for (const std::size_t tenth : TenthsOf(bins)) column.bins.tenths.push_back(tenth + 1);
  column.bins.tenths.push_back(column.bins.tenths.back() + 1);
  column.counts.counts = {0};
  column.counts.counts.insert(column.counts.counts.end(), bins.begin(), bins.end());
  column.counts.counts.push_back(0);
  return column;
}

ReferenceColumn ReadValues(const Json& json, ReferenceColumn column) {
  for (const Json& value : json["values"].items()) {
    column.bins.values.emplace(value["value"].AsString(), column.counts.counts.size());
    column.counts.counts.push_back(static_cast<std::uint64_t>(value["count"].AsInt()));
  }
  column.counts.counts.push_back(static_cast<std::uint64_t>(json["other"].AsInt()));
  return column;
}

Result<ReferenceColumn> ReadColumn(const Json& json) {
  ReferenceColumn column;
  column.bins.name = json["name"].AsString();
  const auto type = table::ParseType(json["type"].AsString());
  const bool numbers = json.Has("edges");
  const bool fits = !numbers || json["counts"].size() + 1 == json["edges"].size() ||
                    (json["counts"].size() == 0 && json["edges"].size() == 0);
  if (!type || !fits || numbers == json.Has("values"))
    return InvalidArgument("GY4506", "column `{}` of the reference profile cannot be read",
                           column.bins.name);
  column.bins.type = *type;
  column.counts.rows = json["rows"].AsInt();
  column.counts.missing = json["missing"].AsInt();
  return numbers ? ReadNumbers(json, std::move(column)) : ReadValues(json, std::move(column));
}

void CountNumbers(const Bins& bins, const table::Column& column, BinCounts* counts) {
  counts->counts.assign(bins.edges.empty() ? 2 : bins.edges.size() + 1, 0);
  for (const double value : table::AsDoubles(column)) {
    if (!std::isfinite(value)) {
      ++counts->missing;
    } else if (bins.edges.empty()) {
      ++counts->counts.back();
    } else if (value < bins.edges.front()) {
      ++counts->counts.front();
      counts->below_by += bins.edges.front() - value;
    } else if (value > bins.edges.back()) {
      ++counts->counts.back();
      counts->above_by += value - bins.edges.back();
    } else {
      const auto after = std::ranges::upper_bound(bins.edges, value) - bins.edges.begin();
      const std::size_t last = counts->counts.size() - 2;
      ++counts->counts[std::min(static_cast<std::size_t>(after), last)];
    }
  }
}

void CountValues(const Bins& bins, const table::Column& column, BinCounts* counts) {
  counts->counts.assign(bins.values.size() + 1, 0);
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (!column.IsValid(row)) {
      ++counts->missing;
      continue;
    }
    const auto known = bins.values.find(table::CellText(column, row));
    ++counts->counts[known == bins.values.end() ? bins.values.size() : known->second];
  }
}

double Area(double left, double right, double width) {
  if ((left < 0) == (right < 0)) return std::abs(left + right) / 2 * width;
  // The line crosses zero: two triangles.
  return (left * left + right * right) / (2 * (std::abs(left) + std::abs(right))) * width;
}

}  // namespace

BinCounts CountInto(const Bins& bins, const table::Column& column) {
  BinCounts counts;
  counts.rows = static_cast<std::int64_t>(column.size());
  if (bins.is_number)
    CountNumbers(bins, column, &counts);
  else
    CountValues(bins, column, &counts);
  return counts;
}

Json CountsToJson(const BinCounts& counts) {
  Json list = Json::Arr();
  for (const std::uint64_t count : counts.counts) list.Push(count);
  return Json::Obj({{"rows", counts.rows},
                    {"missing", counts.missing},
                    {"counts", std::move(list)},
                    {"below_by", counts.below_by},
                    {"above_by", counts.above_by}});
}

std::optional<BinCounts> CountsFromJson(const Bins& bins, const Json& json) {
  const std::size_t expected = !bins.is_number      ? bins.values.size() + 1
                               : bins.edges.empty() ? 2
                                                    : bins.edges.size() + 1;
  if (json["counts"].size() != expected) return std::nullopt;
  BinCounts counts;
  counts.rows = json["rows"].AsInt();
  counts.missing = json["missing"].AsInt();
  counts.below_by = json["below_by"].AsDouble();
  counts.above_by = json["above_by"].AsDouble();
  for (const Json& count : json["counts"].items())
    counts.counts.push_back(static_cast<std::uint64_t>(count.AsInt()));
  return counts;
}

Result<Reference> ReadReference(const Json& document, std::span<const std::string> inputs) {
  if (document["schema"].AsString() != kSchema)
    return InvalidArgument("GY4506", "the reference profile is not a {} document", kSchema);
  Reference reference;
  for (const std::string& name : inputs) {
    for (const Json& column : document["columns"].items()) {
      if (column["name"].AsString() != name) continue;
      GYRE_TRY(ReferenceColumn read, ReadColumn(column));
      reference.inputs.push_back(std::move(read));
    }
  }
  for (const Json& column : document["predictions"]["columns"].items()) {
    GYRE_TRY(ReferenceColumn read, ReadColumn(column));
    reference.predictions.push_back(std::move(read));
  }
  return reference;
}

BinDistance Compare(const Bins& bins, const BinCounts& reference, const BinCounts& current) {
  const auto n = static_cast<double>(reference.present());
  const auto m = static_cast<double>(current.present());
  BinDistance distance;
  distance.wasserstein = std::abs(current.below_by / m - reference.below_by / n) +
                         std::abs(current.above_by / m - reference.above_by / n);
  double before = 0, f = 0, g = 0;
  for (std::size_t i = 0; i < reference.counts.size(); ++i) {
    f += static_cast<double>(reference.counts[i]) / n;
    g += static_cast<double>(current.counts[i]) / m;
    const double now = g - f;
    distance.ks = std::max(distance.ks, std::abs(now));
    const bool inside = i > 0 && i < bins.edges.size();
    if (inside) distance.wasserstein += Area(before, now, bins.edges[i] - bins.edges[i - 1]);
    before = now;
  }
  return distance;
}

std::vector<std::uint64_t> InTenths(const Bins& bins, const BinCounts& counts) {
  std::vector<std::uint64_t> groups(bins.tenths.back() + 1);
  for (std::size_t i = 0; i < counts.counts.size(); ++i) groups[bins.tenths[i]] += counts.counts[i];
  return groups;
}

}  // namespace gyre::monitoring
