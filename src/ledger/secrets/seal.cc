#include "ledger/secrets/seal.h"

#include <sodium.h>

#include "base/hash.h"

namespace gyre::secrets {
namespace {

unsigned char* Raw(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void Prepare() {
  static const int ready = sodium_init();
  GYRE_CHECK(ready >= 0);
}

}  // namespace

Key Key::Random() {
  Prepare();
  Key key;
  key.bytes_.resize(crypto_secretbox_KEYBYTES);
  randombytes_buf(key.bytes_.data(), key.bytes_.size());
  return key;
}

Result<Key> Key::FromBytes(std::string_view bytes) {
  if (bytes.size() != crypto_secretbox_KEYBYTES) {
    return Error(Code::kDataLoss, "GY4145",
                 fmt::format("the master key has {} bytes, not {}", bytes.size(),
                             crypto_secretbox_KEYBYTES))
        .Fix("restore the key file from a backup: without it no secret can be read");
  }
  Prepare();
  Key key;
  key.bytes_ = bytes;
  return key;
}

Key::~Key() { Wipe(&bytes_); }

std::string Key::id() const { return HmacSha256Hex(bytes_, "gyre key id").substr(0, 16); }

std::string Seal(const Key& key, std::string_view plain) {
  std::string nonce(crypto_secretbox_NONCEBYTES, '\0');
  randombytes_buf(nonce.data(), nonce.size());
  std::string box(plain.size() + crypto_secretbox_MACBYTES, '\0');
  crypto_secretbox_easy(Raw(box), Raw(plain), plain.size(), Raw(std::string_view(nonce)),
                        Raw(key.bytes()));
  return nonce + box;
}

Result<std::string> Unseal(const Key& key, std::string_view sealed) {
  const auto damaged = [] {
    return Error(Code::kDataLoss, "GY4143", "it was changed, or sealed under another key");
  };
  if (sealed.size() < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES) return damaged();
  const std::string_view nonce = sealed.substr(0, crypto_secretbox_NONCEBYTES);
  const std::string_view box = sealed.substr(crypto_secretbox_NONCEBYTES);
  std::string plain(box.size() - crypto_secretbox_MACBYTES, '\0');
  if (crypto_secretbox_open_easy(Raw(plain), Raw(box), box.size(), Raw(nonce), Raw(key.bytes())) !=
      0)
    return damaged();
  return plain;
}

void Wipe(std::string* text) {
  sodium_memzero(text->data(), text->size());
  text->clear();
}

}  // namespace gyre::secrets
