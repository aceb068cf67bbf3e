// SHA-256 is identity (blobs, versions, tokens); XXH3 only detects corruption and spreads keys.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gyre {

std::string HexEncode(std::string_view bytes);
bool HexDecode(std::string_view hex,
               std::string* bytes);  // false on odd length or a foreign character

std::string Sha256Hex(std::string_view bytes);  // 64 hexadecimal digits
std::string HmacSha256Hex(std::string_view key, std::string_view bytes);

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void Update(std::string_view bytes);
  std::string FinishHex();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::uint64_t Xxh3(std::string_view bytes, std::uint64_t seed = 0);  // same value on every machine
bool ConstantTimeEqual(std::string_view a, std::string_view b);

}  // namespace gyre
