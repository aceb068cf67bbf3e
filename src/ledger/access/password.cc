#include "ledger/access/password.h"

#include <sodium.h>

#include "base/hash.h"
#include "base/mutex.h"
#include "base/text.h"

namespace gyre::access {
namespace {

constexpr std::size_t kLengthMin = 10;
constexpr std::size_t kLengthMax = 1024;

Mutex& Turn() {
  static Mutex turn;
  return turn;
}

}  // namespace

Result<> CheckPassword(std::string_view user, std::string_view password) {
  if (password.size() < kLengthMin || password.size() > kLengthMax) {
    return InvalidArgument("GY1712", "a password has {} to {} characters", kLengthMin, kLengthMax)
        .Fix("take a longer sentence that only you know, or let a password manager make one");
  }
  if (EqualsIgnoreCase(user, password) ||
      password.find_first_not_of(password[0]) == std::string_view::npos) {
    return InvalidArgument("GY1712", "this password is too easy to guess")
        .Fix("take one that is neither your name nor one letter over and over");
  }
  return {};
}

Result<std::string> HashPassword(std::string_view password) {
  if (sodium_init() < 0) return Internal("GY1700", "libsodium does not start");
  MutexLock turn(Turn());
  char hash[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(hash, password.data(), password.size(),
                            crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return MakeError(Code::kResourceExhausted, "GY1700", "not enough memory to hash a password");
  }
  return std::string(hash);
}

bool PasswordMatches(const std::string& hash, std::string_view password) {
  if (sodium_init() < 0 || password.size() > kLengthMax) return false;
  if (hash.empty()) {
    const auto wasted = HashPassword(password);
    static_cast<void>(wasted);
    return false;
  }
  MutexLock turn(Turn());
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

std::string NewSecret(std::string_view prefix) {
  GYRE_CHECK(sodium_init() >= 0);
  unsigned char bytes[32];
  randombytes_buf(bytes, sizeof bytes);
  return std::string(prefix) + HexEncode({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

}  // namespace gyre::access
