// Files that are kept and not run: what scikit-learn pickled, ONNX.
#include <zlib.h>

#include <algorithm>

#include "base/text.h"
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

// zlib and gzip, by what its first bytes say.
Result<std::string> Inflate(std::string_view bytes) {
  z_stream stream{};
  constexpr int kEither = 15 + 32;
  if (inflateInit2(&stream, kEither) != Z_OK) return Unreadable("zlib cannot start");
  std::string out;
  std::string piece(std::size_t{1} << 20, '\0');
  // zlib reads from a pointer that is not const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(bytes.size());
  int status = Z_OK;
  while (status == Z_OK && out.size() <= kInflatedMax) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());  // NOLINT: zlib's bytes
    stream.avail_out = static_cast<uInt>(piece.size());
    status = inflate(&stream, Z_NO_FLUSH);
    out.append(piece, 0, piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (out.size() > kInflatedMax) return Unreadable("it unfolds to more than 1 GiB");
  if (status != Z_STREAM_END) return Unreadable("its compression is broken");
  return out;
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
    GYRE_TRY(inflated, Inflate(bytes));
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
