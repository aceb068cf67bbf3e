// Sealing with libsodium's secretbox (XSalsa20-Poly1305), and the master key.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::secrets {

// 32 bytes that are wiped when they end.
class Key {
 public:
  static Key Random();
  static Result<Key> FromBytes(std::string_view bytes);  // kDataLoss GY4145 unless 32 bytes
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key();
  std::string_view bytes() const { return bytes_; }
  std::string id() const;  // tells keys apart, says nothing about them

 private:
  Key() = default;
  std::string bytes_;
};

std::string Seal(const Key& key, std::string_view plain);  // nonce, then box
// Error: kDataLoss GY4143 when it is not what Seal made with that key.
Result<std::string> Unseal(const Key& key, std::string_view sealed);
void Wipe(std::string* text);

}  // namespace gyre::secrets
