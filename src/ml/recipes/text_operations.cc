// Free text to numbers: n-grams (hashed, or the vocabulary that tells most), a naive Bayes score,
// lengths.
#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "ml/recipes/grams.h"
#include "ml/recipes/kernel.h"

namespace gyre::recipes {
namespace {

using KernelResult = Result<std::unique_ptr<Kernel>>;

// --- text.ngrams ---------------------------------------------------------------------------------
class GramKernel final : public Kernel {
 public:
  GramShape shape;
  Dictionary vocabulary;  // empty: hashed into buckets
  std::uint64_t buckets = 0;
  std::vector<double> idf;  // per column; empty without tf-idf
  bool binary = false, unit_length = false;

  std::size_t width() const override { return buckets != 0 ? buckets : vocabulary.size(); }
  std::vector<std::string> Suffixes() const override {
    std::vector<std::string> suffixes;
    for (std::size_t i = 0; i < width(); ++i) {
      suffixes.push_back(buckets != 0 ? fmt::format("~hash:{}", i)
                                      : fmt::format("~{}:{}", shape.characters ? "chars" : "word",
                                                    vocabulary.Name(i)));
    }
    return suffixes;
  }
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace& work) const override {
    for (std::size_t i = 0; i < rows; ++i) Eval(in.texts[i], out.numbers + i * out.stride, work);
  }

 private:
  void Eval(std::string_view text, double* out, Workspace& work) const {
    std::fill(out, out + width(), 0.0);
    work.touched.clear();
    ForGrams(text, shape, work, [&](std::string_view gram) {
      const std::int64_t column =
          buckets != 0 ? static_cast<std::int64_t>(Xxh3(gram) % buckets) : vocabulary.Find(gram);
      if (column < 0) return;
      if (out[column] == 0) {
        work.touched.push_back(static_cast<std::uint32_t>(column));
        out[column] = 1;
      } else if (!binary) {
        out[column] += 1;
      }
    });
    double squares = 0;
    for (std::uint32_t column : work.touched) {
      if (!idf.empty()) out[column] *= idf[column];
      squares += out[column] * out[column];
    }
    if (!unit_length || squares == 0) return;
    const double length = std::sqrt(squares);
    for (std::uint32_t column : work.touched) out[column] /= length;
  }
};

constexpr Argument kGramArguments[] = {
    {"columns", ArgumentKind::kInteger, "512", 1, 32768},
    {"max", ArgumentKind::kInteger, "2", 1, 6},
    {"min", ArgumentKind::kInteger, "1", 1, 6},
    {"min_rows", ArgumentKind::kInteger, "2", 1, 1e15},
    {"norm", ArgumentKind::kText, "\"l2\"", 0, 0, "l2|none"},
    {"of", ArgumentKind::kText, "\"words\"", 0, 0, "words|characters"},
    {"select", ArgumentKind::kText, "\"chi2\"", 0, 0, "chi2|frequency"},
    {"to", ArgumentKind::kText, "\"vocabulary\"", 0, 0, "vocabulary|hash"},
    {"weight", ArgumentKind::kText, "\"tfidf\"", 0, 0, "tfidf|count|binary"},
};

Result<ValueType> GramResult(table::Type in, const Json& args) {
  if (args["min"].AsInt() > args["max"].AsInt())
    return InvalidArgument("GY3103", "`min` must not be above `max`");
  return GivesVector(in, args);
}

double Idf(std::int64_t holding, std::size_t rows) {
  return std::log((1 + static_cast<double>(rows)) / (1 + static_cast<double>(holding))) + 1;
}

std::vector<std::int64_t> CountBuckets(const FitInput& input, const GramShape& shape,
                                       std::uint64_t buckets) {
  std::vector<std::int64_t> counts(buckets, 0);
  std::vector<std::size_t> last_row(buckets, 0);
  Workspace work;
  for (std::size_t row = 0; row < input.rows; ++row) {
    ForGrams(input.in.texts[row], shape, work, [&](std::string_view gram) {
      const std::size_t bucket = Xxh3(gram) % buckets;
      if (last_row[bucket] != row + 1) ++counts[bucket];
      last_row[bucket] = row + 1;
    });
  }
  return counts;
}

Result<Json> FitGrams(const FitInput& input, std::vector<double>*) {
  const GramShape shape = GramShapeOf(input.args);
  const bool tfidf = input.args["weight"].AsString() == "tfidf";
  const auto columns = static_cast<std::size_t>(input.args["columns"].AsInt());
  Json state = Json(Json::Object());
  std::vector<double> idf;
  if (input.args["to"].AsString() == "hash") {
    if (tfidf) {
      for (std::int64_t count : CountBuckets(input, shape, columns))
        idf.push_back(Idf(count, input.rows));
    }
  } else {
    const GramCounts counts = CountGrams(input, shape, input.args["min_rows"].AsInt());
    const auto chosen =
        ChooseGrams(counts, input, input.args["select"].AsString() == "chi2", columns);
    if (chosen.empty()) {
      return InvalidArgument("GY3112", "no n-gram occurs in {} rows or more",
                             input.args["min_rows"].AsInt())
          .Fix("lower `min_rows`, say `to: hash`, or leave the column out");
    }
    for (std::uint32_t code : chosen) idf.push_back(Idf(counts.rows[code], input.rows));
    state.Set("vocabulary", counts.grams.Pick(chosen).ToJson());
  }
  if (tfidf) state.Set("idf", DoublesToJson(idf));
  return state;
}

KernelResult LoadGrams(table::Type, const Json& args, const Json& state) {
  auto kernel = std::make_unique<GramKernel>();
  kernel->shape = GramShapeOf(args);
  kernel->binary = args["weight"].AsString() == "binary";
  kernel->unit_length = args["norm"].AsString() == "l2";
  if (args["to"].AsString() == "hash") {
    kernel->buckets = static_cast<std::uint64_t>(args["columns"].AsInt());
  } else {
    GYRE_TRY(kernel->vocabulary,
             Dictionary::FromJson(Dictionary::Kind::kText, state["vocabulary"]));
    if (kernel->vocabulary.size() == 0) return BrokenState("text.ngrams without a vocabulary");
  }
  if (args["weight"].AsString() == "tfidf") {
    GYRE_TRY(kernel->idf, DoublesFromJson(state["idf"]));
    if (kernel->idf.size() != kernel->width())
      return BrokenState("text.ngrams has not one weight per column");
  }
  return kernel;
}

// --- text.bayes ----------------------------------------------------------------------------------
// The whole vocabulary in one number per class: the sum over the distinct n-grams of a text of log
// P(gram | class) - log P(gram | others).
class BayesKernel final : public Kernel {
 public:
  GramShape shape;
  Dictionary vocabulary;
  std::size_t outputs = 1;
  std::vector<double> weights;  // gram x outputs
  std::vector<std::string> classes;

  std::size_t width() const override { return outputs; }
  std::vector<std::string> Suffixes() const override {
    if (classes.empty()) return {"~bayes"};
    std::vector<std::string> suffixes;
    for (const std::string& name : classes) suffixes.push_back("~bayes:" + name);
    return suffixes;
  }
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace& work) const override {
    for (std::size_t i = 0; i < rows; ++i) Eval(in.texts[i], out.numbers + i * out.stride, work);
  }

 private:
  void Eval(std::string_view text, double* out, Workspace& work) const {
    std::fill(out, out + outputs, 0.0);
    ForKnownGrams(text, shape, vocabulary, work, [&](std::size_t gram) {
      for (std::size_t k = 0; k < outputs; ++k) out[k] += weights[gram * outputs + k];
    });
  }
};

constexpr Argument kBayesArguments[] = {
    {"max", ArgumentKind::kInteger, "2", 1, 6},
    {"min", ArgumentKind::kInteger, "1", 1, 6},
    {"min_rows", ArgumentKind::kInteger, "2", 1, 1e15},
    {"of", ArgumentKind::kText, "\"words\"", 0, 0, "words|characters"},
    {"smoothing", ArgumentKind::kNumber, "1", 1e-9, 1e9},
    {"vocabulary", ArgumentKind::kInteger, "20000", 1, 200'000},
};

// How many rows of each bin hold a gram, by fold.
struct BayesCounts {
  std::size_t folds, bins;
  std::vector<std::int64_t> grams;   // gram x fold x bin
  std::vector<std::int64_t> totals;  // fold x bin
};

BayesCounts CountByFold(const FitInput& input, const GramShape& shape,
                        const Dictionary& vocabulary) {
  const std::size_t folds = input.folds != nullptr ? static_cast<std::size_t>(input.fold_count) : 1;
  BayesCounts counts{folds, input.target->bin_count, {}, {}};
  counts.grams.assign(vocabulary.size() * folds * counts.bins, 0);
  counts.totals.assign(folds * counts.bins, 0);
  Workspace work;
  for (std::size_t row = 0; row < input.rows; ++row) {
    if (input.target->bins[row] < 0) continue;
    const std::size_t cell = (input.folds != nullptr ? (*input.folds)[row] : 0) * counts.bins +
                             static_cast<std::size_t>(input.target->bins[row]);
    ++counts.totals[cell];
    ForKnownGrams(input.in.texts[row], shape, vocabulary, work,
                  [&](std::size_t gram) { ++counts.grams[gram * folds * counts.bins + cell]; });
  }
  return counts;
}

std::vector<double> BayesWeights(const BayesCounts& counts, std::size_t gram_count,
                                 std::size_t outputs, double smoothing, std::size_t left_out) {
  std::vector<double> weights(gram_count * outputs);
  std::vector<double> totals(counts.bins, 0), present(counts.bins);
  const auto sum_folds = [&](const std::int64_t* cells, std::vector<double>& sums) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t f = 0; f < counts.folds; ++f) {
      if (f == left_out) continue;
      for (std::size_t b = 0; b < counts.bins; ++b)
        sums[b] += static_cast<double>(cells[f * counts.bins + b]);
    }
  };
  sum_folds(counts.totals.data(), totals);
  double all = 0;
  for (double total : totals) all += total;
  for (std::size_t gram = 0; gram < gram_count; ++gram) {
    sum_folds(&counts.grams[gram * counts.folds * counts.bins], present);
    double with = 0;
    for (double p : present) with += p;
    for (std::size_t k = 0; k < outputs; ++k) {
      const std::size_t bin = outputs == 1 ? 1 : k;
      const double inside = (present[bin] + smoothing) / (totals[bin] + 2 * smoothing);
      const double outside =
          (with - present[bin] + smoothing) / (all - totals[bin] + 2 * smoothing);
      weights[gram * outputs + k] = std::log(inside) - std::log(outside);
    }
  }
  return weights;
}

Result<Json> FitBayes(const FitInput& input, std::vector<double>* out_of_fold) {
  const GramShape shape = GramShapeOf(input.args);
  FitInput without_target = input;
  without_target.target = nullptr;
  const GramCounts candidates = CountGrams(without_target, shape, input.args["min_rows"].AsInt());
  const auto chosen = ChooseGrams(candidates, without_target, false,
                                  static_cast<std::size_t>(input.args["vocabulary"].AsInt()));
  const Dictionary vocabulary = candidates.grams.Pick(chosen);
  const BayesCounts counts = CountByFold(input, shape, vocabulary);
  const std::size_t outputs = input.target->classes.empty() ? 1 : input.target->classes.size();
  const double smoothing = input.args["smoothing"].AsDouble();
  if (out_of_fold != nullptr) {
    BayesKernel kernel;
    kernel.shape = shape;
    kernel.vocabulary = vocabulary;
    kernel.outputs = outputs;
    Workspace work;
    out_of_fold->assign(input.rows * outputs, 0);
    for (std::size_t fold = 0; fold < counts.folds; ++fold) {
      kernel.weights = BayesWeights(counts, vocabulary.size(), outputs, smoothing, fold);
      for (std::size_t row = 0; row < input.rows; ++row) {
        if ((*input.folds)[row] != fold) continue;
        const Lane one{nullptr, nullptr, nullptr, &input.in.texts[row]};
        kernel.Run(
            one, 1,
            Sink{out_of_fold->data() + row * outputs, outputs, nullptr, nullptr, nullptr, nullptr},
            work);
      }
    }
  }
  Json classes = Json(Json::Array());
  for (const std::string& name : input.target->classes) classes.Push(name);
  return Json::Obj({{"classes", std::move(classes)},
                    {"vocabulary", vocabulary.ToJson()},
                    {"weights", DoublesToJson(BayesWeights(counts, vocabulary.size(), outputs,
                                                           smoothing, counts.folds))}});
}

KernelResult LoadBayes(table::Type, const Json& args, const Json& state) {
  auto kernel = std::make_unique<BayesKernel>();
  kernel->shape = GramShapeOf(args);
  GYRE_TRY(kernel->vocabulary, Dictionary::FromJson(Dictionary::Kind::kText, state["vocabulary"]));
  GYRE_TRY(kernel->weights, DoublesFromJson(state["weights"]));
  for (const Json& name : state["classes"].items()) kernel->classes.push_back(name.AsString());
  kernel->outputs = std::max<std::size_t>(1, kernel->classes.size());
  if (kernel->weights.size() != kernel->vocabulary.size() * kernel->outputs)
    return BrokenState("text.bayes has not one weight per n-gram");
  return kernel;
}

// --- text.length ---------------------------------------------------------------------------------
class LengthKernel final : public Kernel {
 public:
  std::size_t width() const override { return 5; }
  std::vector<std::string> Suffixes() const override {
    return {"~chars", "~words", "~word_length", "~upper_share", "~digit_share"};
  }
  void Run(const Lane& in, std::size_t rows, const Sink& out, Workspace& work) const override {
    for (std::size_t i = 0; i < rows; ++i) Eval(in.texts[i], out.numbers + i * out.stride, work);
  }

 private:
  static void Eval(std::string_view text, double* out, Workspace& work) {
    if (text.data() == nullptr) {
      std::fill(out, out + 5, kNaN);
      return;
    }
    double chars = 0, upper = 0, digits = 0, letters = 0;
    for (char c : text) {
      chars += (static_cast<unsigned char>(c) & 0xc0) != 0x80
                   ? 1
                   : 0;  // continuation bytes belong to the code point before
      upper += c >= 'A' && c <= 'Z' ? 1 : 0;
      digits += c >= '0' && c <= '9' ? 1 : 0;
    }
    Normalize(text, GramShape{}, work);
    for (const auto& [begin, end] : work.tokens) letters += end - begin;
    const auto words = static_cast<double>(work.tokens.size());
    out[0] = chars;
    out[1] = words;
    out[2] = words == 0 ? 0 : letters / words;
    out[3] = chars == 0 ? 0 : upper / chars;
    out[4] = chars == 0 ? 0 : digits / chars;
  }
};
KernelResult LoadLength(table::Type, const Json&, const Json&) {
  return std::make_unique<LengthKernel>();
}

constexpr unsigned kText = Accepts(table::Type::kText);
constexpr Operation kOperations[] = {
    {"text.ngrams", kText, kGramArguments, GramResult, FitGrams, LoadGrams},
    {"text.bayes", kText, kBayesArguments, GramResult, FitBayes, LoadBayes, false, true},
    {"text.length", kText, {}, GivesVector, FitsNothing, LoadLength},
};

}  // namespace

std::span<const Operation> TextOperations() { return kOperations; }

}  // namespace gyre::recipes
