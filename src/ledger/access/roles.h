// The one table of what a role may, and what a token's scopes leave of it. Pure: no I/O.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::access {

enum class Role : unsigned char { kViewer, kDeveloper, kApprover, kDeployer, kAdmin };
constexpr int kRoleCount = 5;
std::string_view RoleName(Role role);
Result<Role> ParseRole(std::string_view name);  // kInvalidArgument GY1710

constexpr std::size_t kPermissionsMax = 64;
using PermissionSet = std::bitset<kPermissionsMax>;

struct PermissionRow {
  std::string_view name;   // "dataset.read"
  std::string_view roles;  // letters of the roles that have it: v d a p(deployer) A(admin)
};
std::span<const PermissionRow> PermissionTable();
// Empty for a name that is not in the table: such a permission is nobody's.
std::optional<std::size_t> PermissionIndex(std::string_view name);
PermissionSet PermissionsOf(Role role);
PermissionSet AllPermissions();

// What a token is limited to: "*" (all that its user may), "read" (every *.read), a permission's
// name, or "predict:ENDPOINT".
struct Scopes {
  PermissionSet permissions;
  std::vector<std::string> endpoints;  // predict on these only
  bool everything = false;
};
Result<Scopes> ParseScopes(
    std::span<const std::string> words);  // kInvalidArgument GY1711; an empty list is an error

}  // namespace gyre::access
