#include "ledger/access/snapshot.h"

#include <algorithm>

namespace gyre::access {
namespace {

constexpr int kUsersMax = 1'000'000;
// What a program may, with writing to its own run, on every route.
constexpr std::string_view kProgramReads[] = {"project.read", "dataset.read", "query",
                                              "run.read",     "model.read",   "recipe.read",
                                              "job.read",     "self"};

const std::string* ParamOf(const net::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.params) {
    if (key == name) return &value;
  }
  return nullptr;
}

bool Contains(std::span<const std::string> list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

// Never more than who started it, nor than the token that who started it came with.
bool ItsUserMay(const KnownToken& known, const net::Route& route) {
  const auto index = PermissionIndex(route.permission.name);
  return index && known.scopes.permissions.test(*index) &&
         known.rights.In(known.token.project).test(*index);
}

Result<> JudgeProgram(const KnownToken& known, const net::Route& route, net::Request& request,
                      bool as_user) {
  const std::string* project = ParamOf(request, "project");
  const std::string* run = ParamOf(request, "run");
  const bool own_project = project != nullptr && *project == known.token.project;
  const bool reads = std::find(std::begin(kProgramReads), std::end(kProgramReads),
                               route.permission.name) != std::end(kProgramReads);
  const bool writes_own_run =
      route.permission.name == "run.write" && run != nullptr && *run == known.token.run_id;
  request.principal.all_projects = false;
  request.principal.projects.assign(1, known.token.project);
  if (route.permission.name == "self" && project == nullptr) return {};
  if (own_project && (reads || writes_own_run)) return {};
  if (project == nullptr && route.per_project && reads) return {};
  const bool in_project = own_project || (project == nullptr && route.per_project);
  if (in_project && as_user && ItsUserMay(known, route)) return {};
  return Denied(route, "the program of run " + known.token.run_id);
}

}  // namespace

PermissionSet Rights::In(std::string_view project) const {
  PermissionSet set = everywhere;
  for (const auto& [name, more] : projects) {
    if (name == project) set |= more;
  }
  return set;
}

Rights RightsOf(std::span<const Grant> grants) {
  Rights rights;
  for (const Grant& grant : grants) {
    if (grant.project == "*") {
      rights.everywhere |= PermissionsOf(grant.role);
      continue;
    }
    const auto found = std::find_if(rights.projects.begin(), rights.projects.end(),
                                    [&](const auto& p) { return p.first == grant.project; });
    if (found != rights.projects.end()) {
      found->second |= PermissionsOf(grant.role);
    } else {
      rights.projects.emplace_back(grant.project, PermissionsOf(grant.role));
    }
  }
  return rights;
}

namespace {

Result<> AddEnabled(db::Reader& reader, const std::unordered_map<std::string, User>& users,
                    Snapshot* snapshot) {
  GYRE_TRY(auto hashes, PasswordHashes(reader));
  for (auto& [id, hash] : hashes) {
    const auto user = users.find(id);
    if (user == users.end()) continue;
    auto known = std::make_shared<KnownUser>();
    known->session.token = {.id = {},
                            .kind = "session",
                            .user_id = id,
                            .user = user->second.name,
                            .name = {},
                            .scopes = {"*"}};
    GYRE_TRY(known->session.scopes, ParseScopes(known->session.token.scopes));
    known->session.rights = RightsOf(user->second.grants);
    known->password_hash = std::move(hash);
    snapshot->enabled.emplace(user->second.name, std::move(known));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> BuildSnapshot(db::Reader& reader, std::int64_t now_us,
                                                      const Snapshot* previous) {
  auto snapshot = std::make_shared<Snapshot>();
  std::unordered_map<std::string, User> users;
  GYRE_TRY(auto list, ReadUsers(reader, "", kUsersMax));
  snapshot->users = static_cast<int>(list.size());
  for (User& user : list) users.emplace(user.id, std::move(user));
  GYRE_DO(AddEnabled(reader, users, snapshot.get()));
  GYRE_TRY(auto tokens, LiveTokens(reader, now_us));
  for (StoredToken& stored : tokens) {
    auto known = std::make_shared<KnownToken>();
    known->token = std::move(stored.token);
    GYRE_TRY(known->scopes, ParseScopes(known->token.scopes));
    known->of_local_owner = known->token.user_id == kLocalOwner;
    const auto user = users.find(known->token.user_id);
    if (known->of_local_owner) {
      known->rights.everywhere = AllPermissions();
    } else if (user != users.end()) {
      known->rights = RightsOf(user->second.grants);
      known->user_disabled = user->second.disabled;
    } else {
      continue;  // of nobody: it opens nothing
    }
    std::int64_t used_us = known->token.last_used_us;
    if (previous != nullptr) {
      if (const auto before = previous->tokens.find(stored.hash);
          before != previous->tokens.end()) {
        used_us = std::max(used_us, before->second->used_us.load(std::memory_order_relaxed));
      }
    }
    known->used_us = used_us;
    snapshot->tokens.emplace(std::move(stored.hash), std::move(known));
  }
  return snapshot;
}

Error Denied(const net::Route& route, std::string_view who) {
  return MakeError(Code::kPermissionDenied, "GY1702",
                   "{} may not do this: it needs the permission {}", who, route.permission.name)
      .Fix("ask an administrator for a role that has it: gyre roles");
}

Result<> JudgeToken(const KnownToken& known, const net::Route& route, net::Request& request,
                    bool as_user) {
  if (known.token.kind == "program") return JudgeProgram(known, route, request, as_user);
  const auto index = PermissionIndex(route.permission.name);
  if (!index) return Denied(route, known.token.user);  // a permission that no role has
  net::Principal& principal = request.principal;
  if (route.permission.name == "self") return {};
  const std::string* project = ParamOf(request, "project");
  const std::string* endpoint = ParamOf(request, "endpoint");
  if (endpoint == nullptr && route.permission.name == "predict")
    endpoint = ParamOf(request, "model");
  const bool by_endpoint = route.permission.name == "predict" && endpoint != nullptr &&
                           Contains(known.scopes.endpoints, *endpoint);
  if (!known.scopes.permissions.test(*index) && !by_endpoint) return Denied(route, "this token");
  const std::string& limit = known.token.project;
  if (project != nullptr) {
    if (!limit.empty() && *project != limit) return Denied(route, "this token");
    if (!known.rights.In(*project).test(*index)) return Denied(route, known.token.user);
    return {};
  }
  if (known.rights.everywhere.test(*index) && limit.empty()) return {};
  if (!route.per_project) return Denied(route, limit.empty() ? known.token.user : "this token");
  principal.all_projects = false;
  principal.projects.clear();
  if (!limit.empty()) {
    if (known.rights.In(limit).test(*index)) principal.projects.push_back(limit);
  } else {
    for (const auto& [name, set] : known.rights.projects) {
      if (set.test(*index)) principal.projects.push_back(name);
    }
  }
  if (principal.projects.empty()) return Denied(route, known.token.user);
  return {};
}

}  // namespace gyre::access
