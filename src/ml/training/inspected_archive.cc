#include "ml/training/inspected_archive.h"

#include <algorithm>

#include "base/text.h"
#include "ml/training/pickle_file.h"
#include "ml/training/pickle_names.h"
#include "ml/training/torch_names.h"
#include "ml/training/zip_file.h"

namespace gyre::training {
namespace {

constexpr std::size_t kUnfoldedMax = std::size_t{256} << 20, kDocumentMax = std::size_t{64} << 20;
constexpr int kSchemaDepthMax = 500;

using Members = std::vector<ZipMember>;

InspectedFile Unclear(std::string kind, std::string why) {
  return {std::move(kind), Safety::kUnclear, std::move(why)};
}

const ZipMember* Find(const Members& members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &ZipMember::name);
  return found == members.end() ? nullptr : &*found;
}

std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// --- PyTorch: one folder with data.pkl, the bytes of tensors in data/, and a few words
// -------------
const ZipMember* TorchPickle(const Members& members) {
  const auto found = std::ranges::find_if(
      members, [](const ZipMember& one) { return NameOf(one.name) == "data.pkl"; });
  return found == members.end() ? nullptr : &*found;
}

bool IsOfTorch(std::string_view name, std::string_view root) {
  constexpr std::string_view kWords[] = {"data.pkl",           "version",
                                         "byteorder",          ".format_version",
                                         ".storage_alignment", ".data/serialization_id"};
  if (!name.starts_with(root)) return false;
  name.remove_prefix(root.size());
  return name.starts_with("data/") || std::ranges::find(kWords, name) != std::end(kWords);
}

InspectedFile InspectTorch(const Members& members, const ZipMember& pickle) {
  InspectedFile found{"PyTorch archive"};
  const std::string_view name = pickle.name;
  const std::string_view root = name.substr(0, name.size() - std::string_view("data.pkl").size());
  for (const ZipMember& member : members) {
    if (IsOfTorch(member.name, root)) continue;
    const bool script = member.name.starts_with(fmt::format("{}code/", root)) ||
                        NameOf(member.name) == "constants.pkl";
    found.safety = Safety::kUnclear;
    found.why = script ? "it is a TorchScript program, which PyTorch's own interpreter runs"
                       : "it holds files that PyTorch does not write";
  }
  const auto bytes = Unfold(pickle, kDocumentMax);
  if (!bytes) return Unclear(found.kind, bytes.error().message());
  const auto facts = InspectPickle(*bytes);
  std::vector<std::string> unknown = facts ? facts->unknown : ProbePickle(*bytes).unknown;
  // Tensors lie outside the pickle.
  std::erase_if(unknown, [](const std::string& one) {
    return one == kOutsideObject || IsKnownTorchName(one);
  });
  if (!facts) {
    found.safety = Safety::kUnclear;
    found.why = facts.error().message();
  } else {
    found.facts = FactsToJson(*facts);
  }
  Accuse(std::move(unknown), &found);
  return found;
}

// --- skops: a tree of objects as JSON, each with its type and with who puts it together
// ------------
bool IsKnownLoader(std::string_view loader) {
  constexpr std::string_view kLoaders[] = {"BytearrayNode",
                                           "BytesNode",
                                           "CachedNode",
                                           "ConstructorFromReduceNode",
                                           "DTypeNode",
                                           "DefaultDictNode",
                                           "DictNode",
                                           "FunctionNode",
                                           "JsonNode",
                                           "ListNode",
                                           "LossNode",
                                           "MaskedArrayNode",
                                           "NdArrayNode",
                                           "ObjectNode",
                                           "RandomGeneratorNode",
                                           "RandomStateNode",
                                           "SetNode",
                                           "SliceNode",
                                           "SparseMatrixNode",
                                           "TreeNode",
                                           "TupleNode",
                                           "TypeNode"};
  return std::ranges::find(kLoaders, loader) != std::end(kLoaders);
}

struct SkopsNames {
  std::vector<std::string> types, loaders;  // that gyre does not know
};

void NoteNode(const Json& node, SkopsNames* names) {
  const auto note = [&](const std::string& module, const std::string& name) {
    if (!IsKnownName(module, name)) names->types.push_back(fmt::format("{}.{}", module, name));
  };
  const std::string& loader = node["__loader__"].AsString();
  if (!IsKnownLoader(loader)) names->loaders.push_back("skops " + loader);
  if (loader == "CachedNode") return;  // refers to another one
  if (loader == "FunctionNode")
    note(node["content"]["module_path"].AsString(), node["content"]["function"].AsString());
  else
    note(node["__module__"].AsString(), node["__class__"].AsString());
}

SkopsNames NamesOf(const Json& tree) {
  SkopsNames names;
  std::vector<const Json*> open = {&tree};
  while (!open.empty()) {
    const Json& node = *open.back();
    open.pop_back();
    if (node.Has("__loader__") || node.Has("__class__")) NoteNode(node, &names);
    for (const auto& [key, child] : node.members()) open.push_back(&child);
    for (const Json& child : node.items()) open.push_back(&child);
  }
  return names;
}

InspectedFile InspectSkops(const ZipMember& schema) {
  InspectedFile found{"skops archive"};
  const auto bytes = Unfold(schema, kDocumentMax);
  if (!bytes) return Unclear(found.kind, bytes.error().message());
  const auto tree = Json::Parse(*bytes, kSchemaDepthMax);
  if (!tree) return Unclear(found.kind, "its schema.json cannot be read");
  found.facts.Set("class", fmt::format("{}.{}", (*tree)["__module__"].AsString(),
                                       (*tree)["__class__"].AsString()));
  found.facts.Set("skops_version", (*tree)["_skops_version"]);
  SkopsNames names = NamesOf(*tree);
  if (!names.loaders.empty()) {
    names.types.insert(names.types.end(), names.loaders.begin(), names.loaders.end());
    Accuse(std::move(names.types), &found);
  } else if (!names.types.empty()) {
    Accuse(std::move(names.types), &found);
    // skops itself refuses these, unless its user lists them.
    found.safety = Safety::kUnclear;
    found.why += "; skops loads it only when told to trust that";
  }
  return found;
}

// --- the others ----------------------------------------------------------------------------------
InspectedFile InspectKeras(const ZipMember& config) {
  const std::string kind = "Keras archive";
  const auto bytes = Unfold(config, kDocumentMax);
  if (!bytes) return Unclear(kind, bytes.error().message());
  if (bytes->find("__lambda__") != std::string::npos ||
      bytes->find("\"Lambda\"") != std::string::npos)
    return {kind, Safety::kUnsafe, "it holds layers of Python code (Lambda)"};
  return Unclear(kind, "its layers may name any module of Python");
}

InspectedFile InspectEach(const Members& members, const InspectMember& inspect) {
  const bool arrays =
      std::ranges::all_of(members, [](const ZipMember& one) { return one.name.ends_with(".npy"); });
  InspectedFile found{arrays ? "numpy arrays" : "zip archive"};
  std::size_t left = kUnfoldedMax;
  for (const ZipMember& member : members) {
    if (member.name.ends_with('/')) continue;
    const auto bytes = Unfold(member, left);
    InspectedFile one =
        bytes ? inspect(member.name, *bytes) : Unclear(found.kind, bytes.error().message());
    if (bytes) left -= bytes->size();
    if (one.safety <= found.safety) continue;
    found.safety = one.safety;
    found.why = fmt::format("{}: {}", member.name, one.why);
    found.unknown = std::move(one.unknown);
  }
  return found;
}

}  // namespace

InspectedFile InspectArchive(std::string_view bytes, const InspectMember& inspect) {
  const auto members = ReadZip(bytes);
  if (!members) return Unclear("zip archive", members.error().message());
  if (const ZipMember* const pickle = TorchPickle(*members)) return InspectTorch(*members, *pickle);
  if (const ZipMember* const schema = Find(*members, "schema.json")) return InspectSkops(*schema);
  const ZipMember* const config = Find(*members, "config.json");
  if (config != nullptr && Find(*members, "metadata.json") != nullptr) return InspectKeras(*config);
  return InspectEach(*members, inspect);
}

}  // namespace gyre::training
