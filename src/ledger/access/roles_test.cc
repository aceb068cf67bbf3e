#include "ledger/access/roles.h"

#include <gtest/gtest.h>

#include <set>

namespace gyre::access {
namespace {

TEST(RolesTest, TheTableIsCompleteAndAdministratorsMayEverything) {
  std::set<std::string_view> names;
  for (const PermissionRow& row : PermissionTable()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(PermissionsOf(Role::kAdmin).test(*PermissionIndex(row.name))) << row.name;
  }
  for (const char* name :
       {"project.read", "project.write", "dataset.read",  "dataset.write",   "query",
        "run.read",     "run.write",     "job.read",      "job.write",       "model.read",
        "model.write",  "model.approve", "endpoint.read", "endpoint.deploy", "predict",
        "recipe.read",  "lineage.read",  "usage.read",    "audit.read",      "access.admin",
        "config.read"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  const PermissionSet viewer = PermissionsOf(Role::kViewer);
  for (const PermissionRow& row : PermissionTable()) {
    const bool reads = row.name.ends_with(".read") || row.name == "self";
    EXPECT_TRUE(reads || !viewer.test(*PermissionIndex(row.name))) << row.name;
  }
  EXPECT_FALSE(PermissionsOf(Role::kDeveloper).test(*PermissionIndex("model.approve")));
  EXPECT_FALSE(PermissionsOf(Role::kApprover).test(*PermissionIndex("endpoint.deploy")));
}

}  // namespace
}  // namespace gyre::access
