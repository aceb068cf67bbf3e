#include "ml/data/trash_kind.h"

#include "ml/data/reference.h"
#include "ml/data/version_store.h"

namespace gyre::data {
namespace {

constexpr const char* kOfDatasets = "dataset_id IN (SELECT id FROM dataset WHERE project = ?1)";
constexpr const char* kOfVersions =
    "version_id IN (SELECT v.id FROM dataset_version v JOIN dataset d ON d.id = v.dataset_id WHERE "
    "d.project = ?1)";

}  // namespace

Result<std::string> RemoveDataset(const TrashRooms& rooms, const trash::Asked& asked) {
  GYRE_TRY(const Reference said, ParseReference(asked.project, asked.name));
  GYRE_TRY(const Dataset dataset, rooms.datasets.Get(asked.project, said.dataset));
  std::string name = dataset.name;
  std::int64_t number = 0;
  if (asked.name.find(':') != std::string_view::npos) {
    GYRE_TRY(const Version version, rooms.datasets.Resolve(asked.project, asked.name));
    if (dataset.versions > 1) {  // a dataset has a version
      number = version.number;
      name = version.reference();
    }
  }
  const trash::Removal removal{.noun = "dataset",
                               .project = asked.project,
                               .name = name,
                               .by = asked.by,
                               .now_us = rooms.clock.NowMicros()};
  GYRE_DO(VersionStore(rooms.database)
              .Remove(dataset.id, number, removal, [&](db::Transaction& tx, const Version& gone) {
                return Announce(rooms.events, tx, gone, "dataset.version.removed");
              }));
  return name;
}

trash::Kind DatasetTrash(TrashRooms rooms) {
  return {.noun = "dataset",
          .permission = "dataset.write",
          .names = {{"dataset", "name"}},
          .remove = [rooms](const trash::Asked& asked) { return RemoveDataset(rooms, asked); },
          .back =
              [rooms](db::Transaction& tx, const trash::Item& item, std::string_view name) {
                return rooms.events.Publish(
                    tx, {.kind = "dataset.restored", .project = item.project, .subject = name});
              }};
}

trash::Holding HeldDatasets() {
  return {.what = "datasets",
          .count = "SELECT COUNT(*) FROM dataset WHERE project = ?1",
          .blobs = {{"dataset_version",
                     "SELECT v.id FROM dataset_version v JOIN dataset d ON d.id = v.dataset_id "
                     "WHERE d.project = ?1"}},
          .rows = {{"dataset_part", kOfVersions},
                   {"dataset_tag", kOfVersions},
                   {"dataset_version", kOfDatasets},
                   {"dataset_suite", kOfDatasets},
                   {"dataset"}}};
}

}  // namespace gyre::data
