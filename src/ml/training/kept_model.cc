// Files that are kept and not run: what scikit-learn pickled, ONNX.
#include <algorithm>

#include "base/text.h"
#include "ml/training/first_bytes.h"
#include "ml/training/inflate.h"
#include "ml/training/model_file.h"
#include "ml/training/onnx_file.h"
#include "ml/training/pickle_file.h"

namespace gyre::training {
namespace {

constexpr std::size_t kInflatedMax = std::size_t{1} << 30;
constexpr std::size_t kNamesShown = 1000;

Error Unreadable(std::string what) {
  return InvalidArgument("GY3547", "the model file cannot be read: {}", what);
}

Json Listed(const std::vector<std::string>& names) {
  Json list = Json::Arr();
  for (std::size_t i = 0; i < std::min(names.size(), kNamesShown); ++i) list.Push(names[i]);
  return list;
}

// Anything can be pickled: it is scikit-learn's by the classes in it.
bool HoldsSklearn(const PickleFacts& facts) {
  return std::ranges::any_of(facts.names,
                             [](const std::string& name) { return name.starts_with("sklearn."); });
}

Result<KeptModel> OfPickle(std::string_view bytes) {
  GYRE_TRY(const PickleFacts facts, InspectPickle(bytes));
  Json params = Json::Obj();
  for (const auto& [key, value] : facts.params) params.Set(key, value);
  KeptModel kept{HoldsSklearn(facts) ? "sklearn" : "pickle", Json::Obj()};
  kept.facts.Set("class", facts.class_name)
      .Set("sklearn_version", facts.sklearn_version)
      .Set("features", facts.features)
      .Set("params", std::move(params))
      .Set("names", Listed({facts.names.begin(), facts.names.end()}))
      .Set("unknown_names", Listed(facts.unknown))
      .Set("verdict", facts.unknown.empty() ? "known classes" : "unknown names");
  return kept;
}

}  // namespace

Result<std::optional<KeptModel>> InspectKept(std::string_view bytes) {
  const std::string_view compression = CompressionOf(bytes);
  if (!compression.empty() && compression != "zlib" && compression != "gzip")
    return Error(Unreadable(fmt::format("it is compressed with {}", compression))
                     .Fix("joblib.dump(model, path, compress=0)    (where it was made)"));
  std::string inflated;
  if (!compression.empty()) {
    auto unfolded = Inflate(bytes, kEitherWrapper, kInflatedMax);
    if (!unfolded) return Unreadable(unfolded.error().message());
    inflated = *std::move(unfolded);
    bytes = inflated;
  }
  if (IsPickle(bytes)) {
    GYRE_TRY(KeptModel kept, OfPickle(bytes));
    return std::optional(std::move(kept));
  }
  if (MayBeOnnx(bytes)) {
    GYRE_TRY(Json facts, InspectOnnx(bytes));
    return std::optional(KeptModel{"onnx", std::move(facts)});
  }
  return std::optional<KeptModel>();
}

}  // namespace gyre::training
