// Secrets by name: written, listed by name, used by the server, never read back by a client.
// Envelope encryption: each value has a key of its own (XSalsa20-Poly1305), which the master key of
// the data directory wraps.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "platform/db/database.h"

namespace gyre::secrets {

db::ModuleSchema SecretsSchema();

struct SecretInfo {
  std::string project = {}, name = {};
  std::int64_t created_us = 0, changed_us = 0;
  std::string changed_by = {};
};

// Thread-safe.
class Secrets {
 public:
  virtual ~Secrets() = default;
  // Errors: kInvalidArgument GY1200 (name), GY4141 (value empty or above 64 KiB).
  virtual Result<> Put(std::string_view project, std::string_view name, std::string_view value,
                       std::string_view changed_by) = 0;
  virtual Result<std::vector<SecretInfo>> List(std::string_view project) = 0;
  virtual Result<> Remove(std::string_view project, std::string_view name) = 0;  // kNotFound GY4142
  // For the server's own use only. "secret:NAME" becomes the value; any other text stays as it is.
  // Errors: kNotFound GY4142, kDataLoss GY4143 when it was changed or encrypted under another
  // master key.
  virtual Result<std::string> Resolve(std::string_view project, std::string_view text) = 0;
  // Wraps every key anew under a new master key; the values stay as they are.
  virtual Result<> RotateMasterKey() = 0;
};

// The master key file (0600) is made at the first call. Errors: kPermissionDenied GY1333 when
// others may read the file, kDataLoss GY4145 when it is no key.
Result<std::unique_ptr<Secrets>> OpenSecrets(db::Database& database, std::string master_key_path,
                                             const Clock& clock);

// For a database that takes an earlier one's place, whose secrets the present master key may not
// open: those are taken from the later one, with the value that they have there. `gone`: neither
// opens them. Errors: of the master key file.
struct CarriedOver {
  std::int64_t kept = 0, gone = 0;
};
Result<CarriedOver> CarryOver(db::Reader& later, db::Transaction& earlier,
                              const std::string& master_key_path);

}  // namespace gyre::secrets
