#include "ledger/access/roles.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::access {
namespace {

constexpr std::string_view kRoleNames[kRoleCount] = {"viewer", "developer", "approver", "deployer",
                                                     "admin"};
constexpr std::string_view kRoleLetters = "vdapA";

// v viewer, d developer, a approver, p deployer ("into production"), A admin.
constexpr PermissionRow kTable[] = {
    {"project.read", "vdapA"},
    {"project.write", "dA"},
    {"dataset.read", "vdapA"},
    {"dataset.write", "dA"},
    {"query", "dapA"},
    {"run.read", "vdapA"},
    {"run.write", "dA"},
    {"job.read", "vdapA"},
    {"job.write", "dpA"},
    {"model.read", "vdapA"},
    {"model.write", "dpA"},
    {"model.approve", "aA"},
    {"endpoint.read", "vdapA"},
    {"endpoint.deploy", "pA"},
    {"predict", "dapA"},
    {"recipe.read", "vdapA"},
    {"lineage.read", "vdapA"},
    {"usage.read", "vdapA"},
    {"usage.admin", "A"},
    {"notice.read", "vdapA"},
    {"notice.write", "dapA"},
    {"channel.write", "A"},
    {"event.read", "vdapA"},
    {"audit.read", "A"},
    {"config.read", "A"},
    {"pipeline.read", "vdapA"},
    {"pipeline.write", "dA"},
    {"pipeline.run", "dpA"},
    {"pipeline.program", "A"},  // a step's program has the server's own
                                // rights on its machine
    {"metrics.read", "vdapA"},
    {"secret.write", "A"},
    {"access.admin", "A"},
    {"trigger.read", "vdapA"},
    {"trigger.write", "pA"},
    {"trigger.fire", "dpA"},
    {"self", "vdapA"},  // one's own account: every caller who is somebody has it, with or without a
                        // role
};
static_assert(std::size(kTable) <= kPermissionsMax);

}  // namespace

std::string_view RoleName(Role role) { return kRoleNames[static_cast<std::size_t>(role)]; }

Result<Role> ParseRole(std::string_view name) {
  for (int i = 0; i < kRoleCount; ++i) {
    if (kRoleNames[i] == name) return static_cast<Role>(i);
  }
  return InvalidArgument("GY1710", "there is no role `{}`", name)
      .Fix("viewer, developer, approver, deployer or admin");
}

std::span<const PermissionRow> PermissionTable() { return kTable; }

std::optional<std::size_t> PermissionIndex(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kTable); ++i) {
    if (kTable[i].name == name) return i;
  }
  return std::nullopt;
}

PermissionSet PermissionsOf(Role role) {
  PermissionSet set;
  for (std::size_t i = 0; i < std::size(kTable); ++i) {
    set[i] = kTable[i].roles.find(kRoleLetters[static_cast<std::size_t>(role)]) !=
             std::string_view::npos;
  }
  return set;
}

PermissionSet AllPermissions() { return PermissionsOf(Role::kAdmin); }

Result<Scopes> ParseScopes(std::span<const std::string> words) {
  if (words.empty())
    return InvalidArgument("GY1711", "a token needs at least one scope")
        .Fix("--scope read")
        .Fix("--scope '*'");
  Scopes scopes;
  for (const std::string& word : words) {
    if (word == "*") {
      scopes.everything = true;
      scopes.permissions = AllPermissions();
    } else if (word == "read") {
      for (std::size_t i = 0; i < std::size(kTable); ++i) {
        if (kTable[i].name.ends_with(".read") && kTable[i].name != "audit.read")
          scopes.permissions.set(i);
      }
    } else if (word.starts_with("predict:")) {
      const std::string endpoint = word.substr(8);
      GYRE_DO(CheckName("endpoint", endpoint));
      scopes.endpoints.push_back(endpoint);
    } else if (const auto index = PermissionIndex(word)) {
      scopes.permissions.set(*index);
    } else {
      std::vector<std::string> candidates = {"*", "read"};
      for (const PermissionRow& row : kTable) candidates.emplace_back(row.name);
      Error error = InvalidArgument("GY1711", "there is no scope `{}`", word);
      if (const auto close = ClosestMatch(word, candidates))
        return std::move(error).Fix("did you mean `" + *close + "`?");
      return std::move(error).Fix(
          "*, read, predict:ENDPOINT, or a permission such as dataset.read");
    }
  }
  return scopes;
}

}  // namespace gyre::access
