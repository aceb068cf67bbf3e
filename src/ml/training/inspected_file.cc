#include "ml/training/inspected_file.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "ml/training/first_bytes.h"
#include "ml/training/inflate.h"
#include "ml/training/inspected_archive.h"
#include "ml/training/onnx_file.h"
#include "ml/training/pickle_file.h"
#include "ml/training/ubjson.h"
#include "ml/training/zip_file.h"

namespace gyre::training {
namespace {

constexpr std::size_t kUnfoldedMax = std::size_t{128} << 20, kParsedMax = std::size_t{64} << 20;
constexpr std::size_t kPicklesMax = 16, kNamesMax = 100, kNameBytesMax = 200, kNamesSaid = 3;
constexpr int kDepthMax = 2;

constexpr std::string_view kSafeNames[] = {"safe", "unclear", "unsafe"};
constexpr std::string_view kWhyUnknown =
    "loading it looks up {}, which is not among the names that fitted models need";

InspectedFile Unclear(std::string kind, std::string why) {
  return {std::move(kind), Safety::kUnclear, std::move(why)};
}

std::string Shortened(std::string name) {
  if (!IsValidUtf8(name)) name = "a name that is no text";
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  if (name.size() > kNameBytesMax) {
    name.resize(kNameBytesMax);
    while (!IsValidUtf8(name)) name.pop_back();
    name += "...";
  }
  return name;
}

// --- pickles -------------------------------------------------------------------------------------
// One file may hold several, one after another.
InspectedFile InspectPickles(std::string_view bytes) {
  InspectedFile found{"pickle"};
  std::vector<std::string> unknown;
  for (std::size_t i = 0; i < kPicklesMax && !bytes.empty(); ++i) {
    const auto facts = InspectPickle(bytes);
    if (!facts) {
      std::vector<std::string> more = ProbePickle(bytes).unknown;
      unknown.insert(unknown.end(), more.begin(), more.end());
      found.safety = Safety::kUnclear;
      found.why = i == 0 ? facts.error().message() : "what follows the pickle cannot be told";
      break;
    }
    unknown.insert(unknown.end(), facts->unknown.begin(), facts->unknown.end());
    if (i == 0) found.facts = FactsToJson(*facts);
    bytes.remove_prefix(facts->bytes_read);
  }
  if (!bytes.empty() && found.safety == Safety::kSafe) {
    found.safety = Safety::kUnclear;
    found.why = "more than 16 pickles lie in it";
  }
  Accuse(std::move(unknown), &found);
  return found;
}

// --- data ----------------------------------------------------------------------------------------
std::uint64_t LittleEndian(std::string_view bytes, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  return value;
}

bool IsSafetensors(std::string_view bytes) {
  if (bytes.size() < 10 || bytes[8] != '{') return false;
  const std::uint64_t header = LittleEndian(bytes, 8);
  if (header > bytes.size() - 8 || header > kParsedMax / 4) return false;
  const auto json = Json::Parse(bytes.substr(8, header));
  return json && std::ranges::all_of(json->members(), [&](const Json::Member& tensor) {
           const Json& ends = tensor.second["data_offsets"];
           return tensor.first == "__metadata__" ||
                  (ends.size() == 2 && ends.items()[1].AsInt(-1) >= ends.items()[0].AsInt(0) &&
                   static_cast<std::uint64_t>(ends.items()[1].AsInt()) <=
                       bytes.size() - 8 - header);
         });
}

bool IsText(std::string_view bytes) {
  return IsValidUtf8(bytes) && std::ranges::none_of(bytes, [](char c) {
           return static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\r' && c != '\t';
         });
}

std::optional<InspectedFile> OfJson(std::string_view bytes) {
  if (!bytes.starts_with('{') && !bytes.starts_with('[')) return {};
  if (bytes.size() > kParsedMax) {
    if (bytes.substr(0, 32).find("\"learner\"") != std::string_view::npos)
      return InspectedFile{"XGBoost JSON"};
    return {};
  }
  const auto json = Json::Parse(bytes);
  if (!json) return {};
  return InspectedFile{(*json)["learner"].is_object() ? "XGBoost JSON" : "JSON"};
}

std::optional<InspectedFile> OfUbjson(std::string_view bytes) {
  if (!bytes.starts_with("{L") || bytes.size() > kParsedMax) return {};
  const auto document = ParseUbjson(bytes);
  if (!document || !(*document)["learner"].is_object()) return {};
  return InspectedFile{"XGBoost UBJSON"};
}

// An array of numpy: its header, then numbers; of objects a pickle.
std::optional<InspectedFile> OfNumpy(std::string_view bytes) {
  if (!bytes.starts_with("\x93NUMPY") || bytes.size() < 12) return {};
  const std::size_t width = bytes[6] == 1 ? 2 : 4, begins = 8 + width;
  const std::uint64_t header = LittleEndian(bytes.substr(8), width);
  if (header > bytes.size() - begins) return Unclear("numpy array", "its header is cut off");
  const std::string_view says = bytes.substr(begins, header);
  const std::size_t type = says.find("'descr'");
  if (type == std::string_view::npos) return Unclear("numpy array", "it does not say its type");
  if (says.find('O', type + 7) == std::string_view::npos) return InspectedFile{"numpy array"};
  InspectedFile objects = InspectPickles(bytes.substr(begins + header));
  objects.kind = "numpy array of objects";
  return objects;
}

std::optional<InspectedFile> OfData(std::string_view path, std::string_view bytes) {
  if (bytes.empty()) return InspectedFile{"empty"};
  if (auto found = OfNumpy(bytes)) return found;
  if (IsSafetensors(bytes)) return InspectedFile{"safetensors"};
  if (auto found = OfJson(bytes)) return found;
  if (auto found = OfUbjson(bytes)) return found;
  if (bytes.starts_with("tree\nversion=")) return InspectedFile{"LightGBM text"};
  if (bytes.starts_with("CBM1")) return InspectedFile{"CatBoost model"};
  if (bytes.starts_with("PAR1") && bytes.ends_with("PAR1")) return InspectedFile{"Parquet"};
  if (bytes.starts_with("\x89HDF\r\n"))
    return Unclear("HDF5", "Keras keeps layers of Python code in such files, too");
  if (MayBeOnnx(bytes)) {
    if (auto onnx = InspectOnnx(bytes)) {
      InspectedFile found{"ONNX"};
      found.facts = *std::move(onnx);
      return found;
    }
  }
  if (path.ends_with("pickle_module_info.txt") && Trim(bytes) != "mlflow.pytorch.pickle_module" &&
      Trim(bytes) != "pickle")
    return InspectedFile{"name of a module", Safety::kUnsafe,
                         "PyTorch's loader imports the module that it names"};
  if (IsText(bytes)) return InspectedFile{"text"};
  return {};
}

// --- one file ------------------------------------------------------------------------------------
bool IsPython(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{".py", ".pyc", ".pyd", ".so", ".pth.py", ".ipynb"},
      [&](std::string_view ending) { return name.ends_with(ending); });
}

InspectedFile Inspect(std::string_view path, std::string_view bytes, int depth);

InspectedFile Compressed(std::string_view path, std::string_view bytes, std::string_view how,
                         int depth) {
  const std::string kind = fmt::format("compressed with {}", how);
  if (how != "zlib" && how != "gzip") return Unclear(kind, "gyre does not unfold it");
  if (depth >= kDepthMax) return Unclear(kind, "it is compressed within what is compressed");
  const auto whole = Inflate(bytes, kEitherWrapper, kUnfoldedMax);
  if (!whole) return Unclear(kind, whole.error().message());
  InspectedFile found = Inspect(path, *whole, depth + 1);
  found.kind = fmt::format("{}, {}", found.kind, kind);
  return found;
}

InspectedFile Inspect(std::string_view path, std::string_view bytes, int depth) {
  if (IsPython(path))
    return {"program", Safety::kUnsafe, "it is a program, which loading the model may run"};
  const std::string_view compression = CompressionOf(bytes);
  if (!compression.empty()) return Compressed(path, bytes, compression, depth);
  if (IsZip(bytes)) {
    return InspectArchive(bytes, [&](std::string_view member, std::string_view inside) {
      return depth < kDepthMax ? Inspect(member, inside, depth + 1)
                               : Unclear("archive", "archives lie within archives in it");
    });
  }
  // Whatever else it looks like: what a reader of pickles would look names up in is a pickle.
  if (IsPickle(bytes) || !ProbePickle(bytes).names.empty()) return InspectPickles(bytes);
  if (auto data = OfData(path, bytes)) return *std::move(data);
  return Unclear("unknown", "gyre does not know this kind of file");
}

}  // namespace

std::string_view SafetyName(Safety safety) { return kSafeNames[static_cast<std::size_t>(safety)]; }

Json FactsToJson(const PickleFacts& facts) {
  Json json = Json::Obj();
  if (!facts.class_name.empty()) json.Set("class", Shortened(facts.class_name));
  if (!facts.sklearn_version.empty()) json.Set("sklearn_version", Shortened(facts.sklearn_version));
  if (facts.features > 0) json.Set("features", facts.features);
  return json;
}

void Accuse(std::vector<std::string> unknown, InspectedFile* found) {
  if (unknown.empty()) return;
  for (std::string& name : unknown) name = Shortened(std::move(name));
  std::ranges::sort(unknown);
  unknown.erase(std::ranges::unique(unknown).begin(), unknown.end());
  const std::size_t count = unknown.size();
  const bool code = std::ranges::any_of(unknown, [](const std::string& name) {
    return name.starts_with("cloudpickle.cloudpickle._make_");
  });
  std::string said;
  for (std::size_t i = 0; i < std::min(count, kNamesSaid); ++i)
    said += fmt::format("{}{}", i == 0 ? "" : ", ", unknown[i]);
  if (count > kNamesSaid) said += fmt::format(" and {} more", count - kNamesSaid);
  found->safety = Safety::kUnsafe;
  found->why = code ? std::string(
                          "it holds Python functions or classes of its author, which run when "
                          "it is loaded or used")
                    : fmt::format(kWhyUnknown, said);
  unknown.resize(std::min(count, kNamesMax));
  found->unknown = std::move(unknown);
}

InspectedFile InspectFile(std::string_view path, std::string_view bytes) {
  return Inspect(path, bytes, 0);
}

}  // namespace gyre::training
