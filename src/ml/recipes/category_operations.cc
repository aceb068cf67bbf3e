// Categories to numbers, without the label: one-hot, ordinal, frequency, hash.
#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "ml/recipes/kernel.h"

namespace gyre::recipes {
namespace {

using KernelResult = Result<std::unique_ptr<Kernel>>;

// An operation on categories is a struct with `void Eval(std::int32_t code, double* out) const`,
// width() and Suffixes().
template <class Op>
class CategoryKernel final : public Kernel {
 public:
  CategoryKernel(Dictionary dictionary, Op op)
      : dictionary_(std::move(dictionary)), op_(std::move(op)) {}
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace& work) const override {
    if (work.codes.size() < rows) work.codes.resize(rows);
    dictionary_.Encode(in, rows, work.codes.data());
    for (std::size_t i = 0; i < rows; ++i) op_.Eval(work.codes[i], out.numbers + i * out.stride);
  }
  std::size_t width() const override { return op_.width(); }
  std::vector<std::string> Suffixes() const override { return op_.Suffixes(dictionary_); }

 private:
  Dictionary dictionary_;
  Op op_;
};

// Codes by falling count, equal counts in key order.
std::vector<std::uint32_t> ByCount(const Distinct& distinct) {
  std::vector<std::uint32_t> codes(distinct.counts.size());
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint32_t>(i);
  std::stable_sort(codes.begin(), codes.end(), [&](std::uint32_t a, std::uint32_t b) {
    return distinct.counts[a] > distinct.counts[b];
  });
  return codes;
}

// --- encode.onehot -------------------------------------------------------------------------------
struct OneHot {
  std::size_t categories;
  int other, missing;  // position of these columns, or -1
  std::size_t width() const { return categories + (other >= 0 ? 1 : 0) + (missing >= 0 ? 1 : 0); }
  void Eval(std::int32_t code, double* out) const {
    for (std::size_t i = 0; i < width(); ++i) out[i] = 0;
    const int at = code >= 0 ? code : code == Dictionary::kMissing ? missing : other;
    if (at >= 0) out[at] = 1;
  }
  std::vector<std::string> Suffixes(const Dictionary& dictionary) const {
    std::vector<std::string> suffixes;
    for (std::size_t i = 0; i < categories; ++i) suffixes.push_back("=" + dictionary.Name(i));
    if (other >= 0) suffixes.emplace_back("=(other)");
    if (missing >= 0) suffixes.emplace_back("=(missing)");
    return suffixes;
  }
};

constexpr Argument kOneHotArguments[] = {
    {"max", ArgumentKind::kInteger, "20", 1, 4096},
    {"min_count", ArgumentKind::kInteger, "1", 1, 1e15},
    {"missing", ArgumentKind::kText, "\"zeros\"", 0, 0, "zeros|column"},
    {"rare", ArgumentKind::kText, "\"other\"", 0, 0, "other|zeros"},
};

Result<Json> FitOneHot(const FitInput& input, std::vector<double>*) {
  std::vector<std::uint32_t> kept = ByCount(input.distinct);
  const auto max = static_cast<std::size_t>(input.args["max"].AsInt());
  if (kept.size() > max) kept.resize(max);
  std::erase_if(kept, [&](std::uint32_t code) {
    return input.distinct.counts[code] < input.args["min_count"].AsInt();
  });
  std::sort(kept.begin(), kept.end());
  return Json::Obj({{"categories", input.distinct.dictionary.Pick(kept).ToJson()}});
}

KernelResult LoadOneHot(table::Type type, const Json& args, const Json& state) {
  GYRE_TRY(Dictionary dictionary,
           Dictionary::FromJson(Dictionary::KindOf(type), state["categories"]));
  const auto count = static_cast<int>(dictionary.size());
  const bool other = args["rare"].AsString() == "other",
             missing = args["missing"].AsString() == "column";
  OneHot op{dictionary.size(), other ? count : -1, missing ? count + (other ? 1 : 0) : -1};
  return std::make_unique<CategoryKernel<OneHot>>(std::move(dictionary), op);
}

// --- encode.ordinal ------------------------------------------------------------------------------
struct Ordinal {
  double unseen, missing;
  std::size_t width() const { return 1; }
  void Eval(std::int32_t code, double* out) const {
    *out = code >= 0 ? code : code == Dictionary::kMissing ? missing : unseen;
  }
  std::vector<std::string> Suffixes(const Dictionary&) const { return {"~ordinal"}; }
};

constexpr Argument kOrdinalArguments[] = {
    {"missing", ArgumentKind::kAny, "null"},
    {"order", ArgumentKind::kList, "[]"},
    {"unseen", ArgumentKind::kAny, "-1"},
};

Result<ValueType> OrdinalResult(table::Type in, const Json& args) {
  for (const char* name : {"missing", "unseen"}) {
    if (!args[name].is_null() && !args[name].is_number())
      return InvalidArgument("GY3103", "`{}` must be a number, or null for missing", name);
  }
  GYRE_DO(Dictionary::FromPeople(Dictionary::KindOf(in), args["order"]));
  return GivesNumber(in, args);
}

Result<Json> FitOrdinal(const FitInput& input, std::vector<double>*) {
  if (input.args["order"].size() == 0)
    return Json::Obj({{"categories", input.distinct.dictionary.ToJson()}});
  GYRE_TRY(const Dictionary order,
           Dictionary::FromPeople(Dictionary::KindOf(input.type), input.args["order"]));
  return Json::Obj({{"categories", order.ToJson()}});
}

KernelResult LoadOrdinal(table::Type type, const Json& args, const Json& state) {
  GYRE_TRY(Dictionary dictionary,
           Dictionary::FromJson(Dictionary::KindOf(type), state["categories"]));
  const Ordinal op{args["unseen"].AsDouble(kNaN), args["missing"].AsDouble(kNaN)};
  return std::make_unique<CategoryKernel<Ordinal>>(std::move(dictionary), op);
}

// --- encode.frequency ----------------------------------------------------------------------------
struct Frequency {
  std::vector<double> share;
  double missing;
  std::size_t width() const { return 1; }
  void Eval(std::int32_t code, double* out) const {
    *out = code >= 0                      ? share[static_cast<std::size_t>(code)]
           : code == Dictionary::kMissing ? missing
                                          : 0;
  }
  std::vector<std::string> Suffixes(const Dictionary&) const { return {"~frequency"}; }
};

Result<Json> FitFrequency(const FitInput& input, std::vector<double>*) {
  Json counts = Json(Json::Array());
  for (std::int64_t count : input.distinct.counts) counts.Push(count);
  return Json::Obj({{"categories", input.distinct.dictionary.ToJson()},
                    {"counts", std::move(counts)},
                    {"missing", input.distinct.missing},
                    {"rows", static_cast<std::int64_t>(input.rows)}});
}

KernelResult LoadFrequency(table::Type type, const Json&, const Json& state) {
  GYRE_TRY(Dictionary dictionary,
           Dictionary::FromJson(Dictionary::KindOf(type), state["categories"]));
  if (state["counts"].size() != dictionary.size())
    return BrokenState("encode.frequency has not one count per category");
  const double rows = std::max(1.0, static_cast<double>(state["rows"].AsInt()));
  Frequency op{{}, static_cast<double>(state["missing"].AsInt()) / rows};
  for (const Json& count : state["counts"].items())
    op.share.push_back(static_cast<double>(count.AsInt()) / rows);
  return std::make_unique<CategoryKernel<Frequency>>(std::move(dictionary), std::move(op));
}

// --- hash ----------------------------------------------------------------------------------------
class HashKernel final : public Kernel {
 public:
  HashKernel(std::uint64_t buckets, std::uint64_t seed, bool one_hot)
      : buckets_(buckets), seed_(seed), one_hot_(one_hot) {}
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace&) const override {
    for (std::size_t i = 0; i < rows; ++i) {
      double* row = out.numbers + i * out.stride;
      if (in.texts != nullptr) {
        Eval(in.texts[i].data() == nullptr, in.texts[i], row);
      } else {
        const bool missing = in.numbers != nullptr ? in.numbers[i] != in.numbers[i]
                                                   : in.valid != nullptr && in.valid[i] == 0;
        const std::int64_t key = in.numbers != nullptr ? NumberKey(in.numbers[i]) : in.integers[i];
        // Least significant byte first on every machine.
        char bytes[8];
        for (int b = 0; b < 8; ++b)
          bytes[b] = static_cast<char>(static_cast<std::uint64_t>(key) >> (8 * b));
        Eval(missing, std::string_view(bytes, 8), row);
      }
    }
  }
  std::size_t width() const override { return one_hot_ ? buckets_ : 1; }
  std::vector<std::string> Suffixes() const override {
    if (!one_hot_) return {"~hash"};
    std::vector<std::string> suffixes;
    for (std::uint64_t i = 0; i < buckets_; ++i) suffixes.push_back(fmt::format("~hash:{}", i));
    return suffixes;
  }

 private:
  void Eval(bool missing, std::string_view key, double* out) const {
    const std::uint64_t bucket = missing ? 0 : Xxh3(key, seed_) % buckets_;
    if (!one_hot_) {
      *out = missing ? kNaN : static_cast<double>(bucket);
      return;
    }
    for (std::uint64_t i = 0; i < buckets_; ++i) out[i] = 0;
    if (!missing) out[bucket] = 1;
  }
  std::uint64_t buckets_, seed_;
  bool one_hot_;
};

constexpr Argument kHashArguments[] = {
    {"buckets", ArgumentKind::kInteger, "64", 2, 4096},
    {"seed", ArgumentKind::kInteger, "0", 0, 9e15},
    {"to", ArgumentKind::kText, "\"columns\"", 0, 0, "columns|number"},
};
Result<ValueType> HashResult(table::Type, const Json& args) {
  return ValueType{table::Type::kDouble, args["to"].AsString() == "columns"};
}
KernelResult LoadHash(table::Type, const Json& args, const Json&) {
  return std::make_unique<HashKernel>(static_cast<std::uint64_t>(args["buckets"].AsInt()),
                                      static_cast<std::uint64_t>(args["seed"].AsInt()),
                                      args["to"].AsString() == "columns");
}

constexpr Operation kOperations[] = {
    {"encode.onehot", kCategorical, kOneHotArguments, GivesVector, FitOneHot, LoadOneHot, true},
    {"encode.ordinal", kCategorical, kOrdinalArguments, OrdinalResult, FitOrdinal, LoadOrdinal,
     true},
    {"encode.frequency", kCategorical, {}, GivesNumber, FitFrequency, LoadFrequency, true},
    {"hash", kCategorical, kHashArguments, HashResult, FitsNothing, LoadHash},
};

}  // namespace

std::span<const Operation> CategoryOperations() { return kOperations; }

}  // namespace gyre::recipes
