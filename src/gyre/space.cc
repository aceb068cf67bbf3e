#include "gyre/space.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>

#include "platform/exec/files.h"

namespace gyre {
namespace {

constexpr std::size_t kFilesMax = 50'000'000, kDigestLength = 64;

// Who owns stored objects. What is asked first counts; the trash is asked last.
struct OwnerKind {
  std::string_view noun;
  std::string_view sql;  // digest, project
};
constexpr OwnerKind kOwners[] = {
    {"dataset",
     "SELECT r.digest, d.project FROM blob_ref r JOIN dataset_version v ON v.id = r.owner_id JOIN "
     "dataset d ON d.id = v.dataset_id WHERE r.owner_kind = 'dataset_version'"},
    {"model",
     "SELECT r.digest, m.project FROM blob_ref r JOIN registry_version v ON v.id = r.owner_id JOIN "
     "registry_model m ON m.id = v.model_id WHERE r.owner_kind = 'model_version'"},
    {"endpoint",
     "SELECT r.digest, e.project FROM blob_ref r JOIN serving_deployment d ON d.id = r.owner_id "
     "JOIN serving_endpoint e ON e.id = d.endpoint_id WHERE r.owner_kind = 'serving_deployment'"},
    {"run",
     "SELECT r.digest, t.project FROM blob_ref r JOIN tracking_run t ON t.id = r.owner_id WHERE "
     "r.owner_kind = 'run' AND t.deleted_us = 0"},
    {"logged model",
     "SELECT r.digest, m.project FROM tracking_logged_model m JOIN blob_ref r ON r.owner_id = "
     "'model:' || m.project || ':' || m.id WHERE r.owner_kind = 'tracking_file' AND m.deleted_us = "
     "0"},
    {"evaluation",
     "SELECT r.digest, e.project FROM blob_ref r JOIN evaluation_record e ON e.id = r.owner_id "
     "WHERE r.owner_kind = 'evaluation'"},
    {"capture",
     "SELECT r.digest, s.project FROM blob_ref r JOIN inference_segment s ON s.id = r.owner_id"},
    {"capture",
     "SELECT r.digest, l.project FROM blob_ref r JOIN inference_label_batch l ON l.id = "
     "r.owner_id"},
    {"pipeline run",
     "SELECT r.digest, p.project FROM blob_ref r JOIN pipeline_run p ON p.id = r.owner_id WHERE "
     "r.owner_kind = 'pipeline_run'"},
    // Last of all: what goes when clients' deletions are ended.
    {"deleted run",
     "SELECT r.digest, t.project FROM blob_ref r JOIN tracking_run t ON t.id = r.owner_id WHERE "
     "r.owner_kind = 'run'"},
    {"deleted model",
     "SELECT r.digest, m.project FROM tracking_logged_model m JOIN blob_ref r ON r.owner_id = "
     "'model:' || m.project || ':' || m.id WHERE r.owner_kind = 'tracking_file'"},
    {"file",
     "SELECT digest, substr(owner_id, length('project:') + 1) FROM blob_ref WHERE owner_kind = "
     "'tracking_file'"},
    {"", "SELECT digest, '' FROM blob_ref WHERE owner_kind <> 'trash'"},
    {"trash",
     "SELECT r.digest, i.project FROM blob_ref r JOIN trash_item i ON CAST(i.number AS TEXT) = "
     "r.owner_id WHERE r.owner_kind = 'trash'"},
};

struct Owned {
  std::string_view noun;
  std::string project;
};
using Owners = std::unordered_map<std::string, Owned>;

Result<Owners> ReadOwners(db::Database& database) {
  Owners owners;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    for (const OwnerKind& kind : kOwners) {
      GYRE_DO(reader.Query(kind.sql, {}, [&](const db::Row& row) -> Result<> {
        owners.try_emplace(row.Str(0), Owned{kind.noun, row.Str(1)});
        return {};
      }));
    }
    return {};
  }));
  return owners;
}

using Part = std::tuple<std::string, std::string, std::string>;  // part, noun, project

// "blobs/objects/3f/9a...", and its sums: a folder of two digits, then the rest.
std::string DigestIn(const std::string& path) {
  const std::size_t file = path.rfind('/'), folder = path.rfind('/', file - 1);
  return (path.substr(folder + 1, file - folder - 1) + path.substr(file + 1))
      .substr(0, kDigestLength);
}

Part PartOf(const std::string& path, const Owners& owners) {
  if (path.starts_with("blobs/")) {
    const std::string name = DigestIn(path);
    const auto found = owners.find(name);
    if (found != owners.end()) {
      const auto& [noun, project] = found->second;
      return noun == "trash" ? Part("trash", "", project) : Part("stored", noun, project);
    }
    const bool is_object = name.size() == kDigestLength &&
                           name.find_first_not_of("0123456789abcdef") == std::string::npos;
    return is_object ? Part("unreferenced", "", "") : Part("other", "", "");
  }
  if (path.starts_with("gyre.db")) return {"database", "", ""};
  if (path.starts_with("logs/") || path.ends_with(".log")) return {"logs", "", ""};
  if (path.starts_with("snapshots/")) return {"snapshots", "", ""};
  return {"other", "", ""};
}

}  // namespace

Result<Json> SpaceOf(db::Database& database, const std::string& directory) {
  GYRE_TRY(const Owners owners, ReadOwners(database));
  GYRE_TRY(const auto files, exec::ListFiles(directory, kFilesMax));
  struct Sum {
    std::int64_t files = 0, bytes = 0;
  };
  std::map<Part, Sum> sums;
  std::int64_t all = 0;
  for (const exec::FileEntry& file : files) {
    Sum& sum = sums[PartOf(file.path, owners)];
    ++sum.files;
    sum.bytes += file.size_bytes;
    all += file.size_bytes;
  }
  std::vector<std::pair<Part, Sum>> largest(sums.begin(), sums.end());
  std::ranges::stable_sort(largest, std::greater(),
                           [](const auto& one) { return one.second.bytes; });
  Json parts = Json::Arr();
  for (const auto& [part, sum] : largest) {
    parts.Push(Json::Obj({{"part", std::get<0>(part)},
                          {"noun", std::get<1>(part)},
                          {"project", std::get<2>(part)},
                          {"files", sum.files},
                          {"bytes", sum.bytes}}));
  }
  return Json::Obj({{"bytes", all}, {"parts", std::move(parts)}});
}

}  // namespace gyre
