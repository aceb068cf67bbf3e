#include "ledger/access/access.h"

#include <gtest/gtest.h>

namespace gyre::access {
namespace {

TEST(RolesTest, EveryRoleKnowsItsPermissions) {
  EXPECT_TRUE(PermissionsOf(Role::kViewer).test(*PermissionIndex("dataset.read")));
  EXPECT_FALSE(PermissionsOf(Role::kViewer).test(*PermissionIndex("dataset.write")));
  EXPECT_FALSE(PermissionIndex("no.such").has_value());
}

}  // namespace
}  // namespace gyre::access
