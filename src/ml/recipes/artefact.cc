// The fitted recipe as bytes, and the golden vectors in it: each loader computes them again and
// must find the recorded bits.
#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "ml/recipes/fitted.h"

namespace gyre::recipes {
namespace {

using table::Cell;
using table::Type;

constexpr std::size_t kSampledValues = 16, kGoldenTextBytesMax = 1000;

// --- cells as JSON -------------------------------------------------------------------------------
Json CellToJson(const Cell& cell) {
  if (!cell.valid) return Json();
  if (cell.type == Type::kDouble) return DoubleToJson(cell.d);
  if (cell.type == Type::kText)
    return IsValidUtf8(cell.text) ? Json(cell.text) : Json::Obj({{"hex", HexEncode(cell.text)}});
  return Json(cell.i);
}

// `storage` keeps the bytes that the cell points into.
Result<Cell> CellFromJson(const Json& json, Type type, std::string* storage) {
  Cell cell = Cell::Null(type);
  if (json.is_null()) return cell;
  cell.valid = true;
  if (type == Type::kDouble) {
    GYRE_TRY(cell.d, DoubleFromJson(json));
  } else if (type == Type::kText) {
    *storage = json.AsString();
    if (json.is_object() && !HexDecode(json["hex"].AsString(), storage))
      return BrokenState("a text of a golden row cannot be read");
    cell.text = *storage;
  } else if (json.is_int()) {
    cell.i = json.AsInt();
  } else {
    return BrokenState("a value of a golden row has the wrong type");
  }
  return cell;
}

// --- rows ----------------------------------------------------------------------------------------
std::uint64_t HashCell(const Cell& cell) {
  if (cell.type == Type::kText) return Xxh3(cell.text, 7);
  const std::uint64_t bits = cell.type == Type::kDouble
                                 ? std::bit_cast<std::uint64_t>(Canonical(cell.d))
                                 : static_cast<std::uint64_t>(cell.i);
  char bytes[8];
  for (int b = 0; b < 8; ++b) bytes[b] = static_cast<char>(bits >> (8 * b));
  return Xxh3(std::string_view(bytes, 8), 7);
}

// The values with the smallest hashes: a sample that does not depend on the order of rows. Columns
// are sampled apart, so that no row of the training data is kept as it was.
std::vector<Json> SampleColumn(const table::Column& column, Type wanted, std::size_t rows) {
  std::vector<std::pair<std::uint64_t, Json>> best;
  std::uint64_t limit = ~std::uint64_t{0};
  for (std::size_t row = 0; row < rows && column.type == wanted; ++row) {
    const Cell cell = table::CellAt(column, row);
    if (!cell.valid || (cell.type == Type::kText && cell.text.size() > kGoldenTextBytesMax))
      continue;
    const std::uint64_t hash = HashCell(cell);
    if (hash >= limit) continue;
    const auto at =
        std::lower_bound(best.begin(), best.end(), hash,
                         [](const auto& entry, std::uint64_t h) { return entry.first < h; });
    if (at != best.end() && at->first == hash) continue;
    Cell canonical = cell;
    canonical.d = Canonical(cell.d);
    best.insert(at, {hash, CellToJson(canonical)});
    if (best.size() > kSampledValues) best.pop_back();
    if (best.size() == kSampledValues) limit = best.back().first;
  }
  std::vector<Json> values;
  for (auto& [hash, value] : best) values.push_back(std::move(value));
  return values;
}

std::vector<Json> EdgeValues(Type type) {
  const auto bits = [](std::uint64_t b) { return Json(fmt::format("{:016x}", b)); };
  switch (type) {
    case Type::kDouble:  // missing, 0, -0, smallest denormal, infinities, largest, a NaN with a
                         // payload, 1
      return {Json(),
              bits(0),
              bits(1ull << 63),
              bits(1),
              bits(0x7ff0000000000000),
              bits(0xfff0000000000000),
              bits(0x7fefffffffffffff),
              bits(0x7ff800000000beef),
              bits(0x3ff0000000000000)};
    case Type::kText:
      return {Json(), "", "never seen before", Json::Obj({{"hex", "ff00fe"}}),
              "Ünïcödé 12 words, it's"};
    case Type::kBool:
      return {Json(), 0, 1};
    case Type::kInt:
      return {Json(), 0, -1, 1, INT64_MAX, INT64_MIN};
    case Type::kDate:
      return {Json(),   0,         11016,     19782,
              -719'162, 2'932'896, INT64_MAX, INT64_MIN};  // 2000-02-29, 2024-02-29
    case Type::kTimestamp:
      return {Json(), 0, 951'782'400'000'000, 1'709'251'199'999'999, -1, INT64_MAX, INT64_MIN};
  }
  return {Json()};
}

// One hash per output step, so that a difference can be named.
Json HashOutputs(const Fitted::Body& body, std::span<const double> out) {
  Json hashes = Json(Json::Array());
  std::string bytes;
  for (std::size_t s : body.spec.body().outputs) {
    bytes.clear();
    for (std::size_t i = 0; i < body.steps[s].width; ++i) {
      const auto bits = std::bit_cast<std::uint64_t>(out[body.steps[s].offset + i]);
      for (int b = 0; b < 8; ++b) bytes.push_back(static_cast<char>(bits >> (8 * b)));
    }
    hashes.Push(fmt::format("{:016x}", Xxh3(bytes)));
  }
  return hashes;
}

Result<Json> ComputeGolden(const Fitted& fitted, const Json& values, RowScratch& scratch) {
  const table::Schema& schema = fitted.input();
  if (values.size() != schema.size())
    return BrokenState("a golden row has not one value per column");
  std::vector<std::string> storage(schema.size());
  std::vector<Cell> cells;
  for (std::size_t c = 0; c < schema.size(); ++c) {
    GYRE_TRY(const Cell cell, CellFromJson(values.items()[c], schema[c].type, &storage[c]));
    cells.push_back(cell);
  }
  std::vector<double> out(fitted.width());
  fitted.ApplyRow(cells, out, scratch);
  return HashOutputs(fitted.body(), out);
}

}  // namespace

Json MakeGolden(const Fitted& fitted, const std::vector<const table::Column*>& columns,
                std::size_t rows) {
  const table::Schema& schema = fitted.input();
  std::vector<std::vector<Json>> sampled, edges;
  std::size_t row_count = 0, edge_count = 0;
  for (std::size_t c = 0; c < schema.size(); ++c) {
    sampled.push_back(SampleColumn(*columns[c], schema[c].type, rows));
    edges.push_back(EdgeValues(schema[c].type));
    row_count = std::max(row_count, sampled[c].size());
    edge_count = std::max(edge_count, edges[c].size());
  }
  Json golden = Json(Json::Array());
  RowScratch scratch;
  for (std::size_t r = 0; r < row_count + edge_count; ++r) {
    Json values = Json(Json::Array());
    for (std::size_t c = 0; c < schema.size(); ++c) {
      const auto& from = r < row_count ? sampled[c] : edges[c];
      values.Push(from.empty() ? Json() : from[(r < row_count ? r : r - row_count) % from.size()]);
    }
    auto out = ComputeGolden(fitted, values, scratch);
    GYRE_CHECK(out.has_value());
    golden.Push(Json::Obj({{"in", std::move(values)}, {"out", *std::move(out)}}));
  }
  return golden;
}

Result<> ReplayGolden(const Fitted& fitted) {
  RowScratch scratch;
  const Fitted::Body& body = fitted.body();
  std::size_t number = 0;
  for (const Json& row : body.golden.items()) {
    GYRE_TRY(const Json out, ComputeGolden(fitted, row["in"], scratch));
    ++number;
    if (out == row["out"]) continue;
    std::string step = "the outputs";
    for (std::size_t i = 0; i < out.size() && i < row["out"].size(); ++i) {
      if (out.items()[i] != row["out"].items()[i]) {
        const Step& differs = body.spec.body().steps[body.spec.body().outputs[i]];
        step = fmt::format("step `{}` ({})", differs.id, differs.operation->name);
        break;
      }
    }
    return MakeError(Code::kDataLoss, "GY3110",
                     "golden row {} of the recipe does not give the recorded bits: {} differs",
                     number, step)
        .Why(
            "the artefact was changed, or this machine's mathematical library computes other bits "
            "than the one it was fitted on")
        .Fix("train again on this machine");
  }
  return {};
}

// --- Save and Load -------------------------------------------------------------------------------
std::string Fitted::Save() const {
  Json steps = Json(Json::Array());
  const Spec::Body& spec = body_->spec.body();
  for (std::size_t s = 0; s < spec.steps.size(); ++s) {
    steps.Push(Json::Obj(
        {{"op_version", spec.steps[s].operation->version}, {"state", body_->steps[s].state}}));
  }
  return Json::Obj({{"format", "gyre.recipe"},
                    {"version", 1},
                    {"spec", body_->spec.ToJson()},
                    {"steps", std::move(steps)},
                    {"rows", body_->trained_rows},
                    {"golden", body_->golden}})
      .DumpCanonical();
}

Result<Fitted> Fitted::Load(std::string_view bytes) {
  GYRE_TRY(const Json json, Json::Parse(bytes));
  if (json["format"].AsString() != "gyre.recipe" || json["version"].AsInt() != 1)
    return BrokenState("it does not say format gyre.recipe, version 1");
  GYRE_TRY(Spec spec, Spec::FromJson(json["spec"]));
  auto body = std::make_shared<Body>(std::move(spec));
  const Spec::Body& program = body->spec.body();
  const Json::Array& steps = json["steps"].items();
  if (steps.size() != program.steps.size()) return BrokenState("it has not one state per step");
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const Step& step = program.steps[s];
    if (steps[s]["op_version"].AsInt() != step.operation->version) {
      return BrokenState(fmt::format(
          "step `{}` was fitted by version {} of {}; this program has version {}", step.id,
          steps[s]["op_version"].AsInt(), step.operation->name, step.operation->version));
    }
    FittedStep fitted;
    fitted.state = steps[s]["state"];
    GYRE_TRY(fitted.kernel, step.operation->load(step.input_type, step.args, fitted.state));
    body->steps.push_back(std::move(fitted));
  }
  body->golden = json["golden"];
  body->trained_rows = json["rows"].AsInt();
  GYRE_DO(FinishBody(*body));
  if (body->golden.size() == 0) return BrokenState("it holds no golden rows");
  Fitted fitted(std::move(body));
  GYRE_DO(ReplayGolden(fitted));
  return fitted;
}

}  // namespace gyre::recipes
