#include "ledger/secrets/secrets.h"

#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"
#include "ledger/secrets/seal.h"
#include "ledger/secrets/trash_kind.h"
#include "ledger/trash/parcel.h"
#include "platform/exec/files.h"

namespace gyre::secrets {
namespace {

constexpr std::string_view kReference = "secret:";
constexpr std::size_t kValueBytesMax = 64 * 1024;

Error NoSecret(std::string_view project, std::string_view name) {
  return NotFound("GY4142", "project {} has no secret `{}`", project, name)
      .Fix(fmt::format("gyre secrets set {} --project {}", name, project));
}

struct StoredSecret {
  std::string project, name, key_id, wrapped_key, sealed_value;
};

class SecretsImpl : public Secrets {
 public:
  SecretsImpl(db::Database& database, std::string path, Key master, const Clock& clock)
      : database_(database), path_(std::move(path)), clock_(clock), master_(master) {}

  Result<> Put(std::string_view project, std::string_view name, std::string_view value,
               std::string_view changed_by) override;
  Result<std::vector<SecretInfo>> List(std::string_view project) override;
  Result<> Remove(std::string_view project, std::string_view name) override;
  Result<std::string> Resolve(std::string_view project, std::string_view text) override;
  Result<> RotateMasterKey() override;

 private:
  Key master() const {
    MutexLock lock(mutex_);
    return master_;
  }

  db::Database& database_;
  const std::string path_;
  const Clock& clock_;
  Mutex rotation_;  // one change at a time: what is sealed under a key must be there when the key
                    // goes
  mutable Mutex mutex_;
  Key master_ GYRE_GUARDED_BY(mutex_);
};

Result<> SecretsImpl::Put(std::string_view project, std::string_view name, std::string_view value,
                          std::string_view changed_by) {
  GYRE_DO(CheckName("secret", name));
  if (value.empty() || value.size() > kValueBytesMax) {
    return InvalidArgument("GY4141", "the value of secret `{}` has {} bytes; 1 to {} are allowed",
                           name, value.size(), kValueBytesMax);
  }
  MutexLock rotation(rotation_);
  const Key key = Key::Random(), wrapping = master();
  const std::string sealed = Seal(key, value), wrapped = Seal(wrapping, key.bytes()),
                    key_id = wrapping.id();
  const std::int64_t now_us = clock_.NowMicros();
  return database_.Write([&](db::Transaction& tx) {
    return tx.Execute(
        "INSERT INTO secret (project, name, key_id, wrapped_key, sealed_value, created_us, "
        "changed_us, changed_by) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7) ON CONFLICT (project, name) DO UPDATE SET key_id "
        "= excluded.key_id, "
        "wrapped_key = excluded.wrapped_key, sealed_value = excluded.sealed_value, changed_us = "
        "excluded.changed_us, "
        "changed_by = excluded.changed_by",
        {project, name, key_id, db::Bytes{wrapped}, db::Bytes{sealed}, now_us, changed_by});
  });
}

Result<std::vector<SecretInfo>> SecretsImpl::List(std::string_view project) {
  std::vector<SecretInfo> infos;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(infos,
             db::Collect<SecretInfo>(reader,
                                     "SELECT project, name, created_us, changed_us, changed_by "
                                     "FROM secret WHERE project = ?1 ORDER BY name",
                                     {project}, [](const db::Row& row) {
                                       return SecretInfo{row.Str(0), row.Str(1), row.Int(2),
                                                         row.Int(3), row.Str(4)};
                                     }));
    return {};
  }));
  return infos;
}

Result<> SecretsImpl::Remove(std::string_view project, std::string_view name) {
  return database_.Write([&](db::Transaction& tx) {
    return RemoveSecret(tx, {.project = project, .name = name, .by = "gyre"}, clock_.NowMicros());
  });
}

Result<std::string> SecretsImpl::Resolve(std::string_view project, std::string_view text) {
  if (!text.starts_with(kReference)) return std::string(text);
  const std::string_view name = text.substr(kReference.size());
  MutexLock rotation(rotation_);
  std::string wrapped, sealed;
  bool found = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found,
             reader.QueryOne(
                 "SELECT wrapped_key, sealed_value FROM secret WHERE project = ?1 AND name = ?2",
                 {project, name}, [&](const db::Row& row) {
                   wrapped = row.Str(0);
                   sealed = row.Str(1);
                 }));
    return {};
  }));
  if (!found) return NoSecret(project, name);
  const auto open = [&]() -> Result<std::string> {
    GYRE_TRY(std::string bytes, Unseal(master(), wrapped));
    GYRE_TRY(const Key key, Key::FromBytes(bytes));
    Wipe(&bytes);
    return Unseal(key, sealed);
  };
  auto value = open();
  if (!value)
    return std::move(value).error().Context(
        fmt::format("secret `{}` of project {} cannot be opened", name, project));
  return value;
}

// The new key is durable before a row needs it, and the old one goes after the last row that did.
// Prepare finishes what a crash left.
Result<> SecretsImpl::RotateMasterKey() {
  MutexLock rotation(rotation_);
  const Key old_key = master(), next = Key::Random();
  const std::string next_path = path_ + ".next", next_id = next.id();
  GYRE_DO(exec::WritePrivateFile(next_path, next.bytes()));
  std::vector<StoredSecret> secrets;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(secrets, db::Collect<StoredSecret>(
                          reader, "SELECT project, name, wrapped_key FROM secret", {},
                          [](const db::Row& row) {
                            return StoredSecret{row.Str(0), row.Str(1), {}, row.Str(2), {}};
                          }));
    return {};
  }));
  for (StoredSecret& secret : secrets) {
    auto key = Unseal(old_key, secret.wrapped_key);
    if (!key)
      return std::move(key).error().Context(
          fmt::format("secret `{}` of project {} cannot be opened", secret.name, secret.project));
    secret.wrapped_key = Seal(next, *key);
    Wipe(&*key);
  }
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    // Those in the trash are wrapped under the old key: they end with it.
    GYRE_DO(trash::EndRows(tx, "secret"));
    for (const StoredSecret& secret : secrets) {
      GYRE_DO(tx.Execute(
          "UPDATE secret SET key_id = ?3, wrapped_key = ?4 WHERE project = ?1 AND name = ?2",
          {secret.project, secret.name, next_id, db::Bytes{secret.wrapped_key}}));
    }
    return {};
  }));
  GYRE_DO(exec::RenameDurably(next_path, path_));
  MutexLock lock(mutex_);
  master_ = next;
  return {};
}

Result<std::optional<Key>> LoadKey(const std::string& path) {
  auto bytes = exec::ReadPrivateFile(path);
  if (!bytes && bytes.error().code() == Code::kNotFound) return std::optional<Key>();
  if (!bytes) return std::move(bytes).error();
  GYRE_TRY(const Key key, Key::FromBytes(*bytes));
  Wipe(&*bytes);
  return std::optional<Key>(key);
}

Result<bool> AnySealedUnder(db::Database& database, const std::string& key_id) {
  bool found = false;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, reader.QueryOne("SELECT 1 FROM secret WHERE key_id = ?1 LIMIT 1", {key_id},
                                    [](const db::Row&) {}));
    return {};
  }));
  return found;
}

}  // namespace

Result<CarriedOver> CarryOver(db::Reader& later, db::Transaction& earlier,
                              const std::string& master_key_path) {
  GYRE_TRY(const auto master, LoadKey(master_key_path));
  const std::string id = master ? master->id() : "";
  const auto stored = [](const db::Row& row) {
    return StoredSecret{row.Str(0), row.Str(1), row.Str(2), row.Str(3), row.Str(4)};
  };
  GYRE_TRY(const auto closed,
           db::Collect<StoredSecret>(earlier,
                                     "SELECT project, name, key_id, wrapped_key, sealed_value "
                                     "FROM secret WHERE key_id <> ?1",
                                     {id}, stored));
  CarriedOver carried;
  for (const StoredSecret& secret : closed) {
    GYRE_TRY(const auto now,
             db::Collect<StoredSecret>(
                 later,
                 "SELECT project, name, key_id, wrapped_key, sealed_value FROM secret WHERE "
                 "project = ?1 AND name = ?2 AND key_id = ?3",
                 {secret.project, secret.name, id}, stored));
    if (now.empty()) {
      ++carried.gone;
      continue;
    }
    GYRE_DO(earlier.Execute(
        "UPDATE secret SET key_id = ?3, wrapped_key = ?4, sealed_value = ?5 WHERE project = ?1 AND "
        "name = ?2",
        {secret.project, secret.name, id, db::Bytes{now[0].wrapped_key},
         db::Bytes{now[0].sealed_value}}));
    ++carried.kept;
  }
  return carried;
}

Result<std::unique_ptr<Secrets>> OpenSecrets(db::Database& database, std::string master_key_path,
                                             const Clock& clock) {
  const std::string next_path = master_key_path + ".next";
  GYRE_TRY(const auto next, LoadKey(next_path));
  if (next) {  // a rotation was cut short
    GYRE_TRY(const bool used, AnySealedUnder(database, next->id()));
    GYRE_DO(used ? exec::RenameDurably(next_path, master_key_path) : exec::RemoveTree(next_path));
  }
  GYRE_TRY(auto master, LoadKey(master_key_path));
  if (!master) {
    master = Key::Random();
    GYRE_DO(exec::WritePrivateFile(master_key_path, master->bytes()));
  }
  return std::unique_ptr<Secrets>(std::make_unique<SecretsImpl>(
      database, std::move(master_key_path), *std::move(master), clock));
}

}  // namespace gyre::secrets
