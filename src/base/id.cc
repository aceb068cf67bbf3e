#include "base/id.h"

#include <openssl/rand.h>

#include "base/error.h"
#include "base/hash.h"

namespace gyre {

std::string NewId() {
  // A block per thread: one system call serves 64 ids.
  thread_local unsigned char block[1024];
  thread_local std::size_t used = sizeof block;
  if (used == sizeof block) {
    GYRE_CHECK(RAND_bytes(block, sizeof block) == 1);
    used = 0;
  }
  std::string id = HexEncode({reinterpret_cast<const char*>(block + used), 16});
  used += 16;
  return id;
}

bool LooksLikeId(std::string_view id) {
  if (id.size() != 32) return false;
  for (const char c : id)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  return true;
}

}  // namespace gyre
