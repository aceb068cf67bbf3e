#include "ml/training/ubjson.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace gyre::training {
namespace {

constexpr int kDepthMax = 64;
constexpr std::size_t kItemsMax = 200'000'000;
// Null, true and false that stand in a list of one type take no bytes of the file.
constexpr std::size_t kWithoutBytesMax = 10'000;

class Reader {
 public:
  explicit Reader(std::string_view rest)
      : rest_(rest), items_max_(std::min(kItemsMax, rest.size() + kWithoutBytesMax)) {}

  bool Document(Json* json) {
    char marker = 0;
    return Take(&marker) && Value(marker, 0, json);
  }

 private:
  bool Take(char* c) {
    if (rest_.empty()) return false;
    *c = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }
  bool Bytes(std::int64_t count, std::string_view* bytes) {
    if (count < 0 || static_cast<std::uint64_t>(count) > rest_.size()) return false;
    *bytes = rest_.substr(0, static_cast<std::size_t>(count));
    rest_.remove_prefix(bytes->size());
    return true;
  }
  // Big-endian.
  bool Bits(std::int64_t width, std::uint64_t* bits) {
    std::string_view bytes;
    if (!Bytes(width, &bytes)) return false;
    *bits = 0;
    for (const char c : bytes) *bits = (*bits << 8) | static_cast<unsigned char>(c);
    return true;
  }
  bool Whole(char marker, std::int64_t* value) {
    std::uint64_t bits = 0;
    const int width = marker == 'i' || marker == 'U' ? 1
                      : marker == 'I'                ? 2
                      : marker == 'l'                ? 4
                                                     : 8;
    if (std::string_view("iUIlL").find(marker) == std::string_view::npos) return false;
    if (!Bits(width, &bits)) return false;
    switch (marker) {
      case 'i':
        *value = static_cast<std::int8_t>(bits);
        break;
      case 'I':
        *value = static_cast<std::int16_t>(bits);
        break;
      case 'l':
        *value = static_cast<std::int32_t>(bits);
        break;
      default:
        *value = static_cast<std::int64_t>(bits);
        break;
    }
    return true;
  }
  bool Length(std::int64_t* length) {
    char marker = 0;
    return Take(&marker) && Whole(marker, length) && *length >= 0;
  }
  bool Text(std::string* text) {
    std::int64_t length = 0;
    std::string_view bytes;
    if (!Length(&length) || !Bytes(length, &bytes)) return false;
    *text = bytes;
    return true;
  }
  bool Value(char marker, int depth, Json* json) {
    if (depth > kDepthMax || ++items_ > items_max_) return false;
    std::uint64_t bits = 0;
    std::int64_t whole = 0;
    std::string text;
    switch (marker) {
      case 'Z':
      case 'N':
        *json = Json();
        return true;
      case 'T':
        *json = true;
        return true;
      case 'F':
        *json = false;
        return true;
      case 'd':
        if (!Bits(4, &bits)) return false;
        *json = double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))};
        return true;
      case 'D':
        if (!Bits(8, &bits)) return false;
        *json = std::bit_cast<double>(bits);
        return true;
      case 'C':
        if (!Bits(1, &bits)) return false;
        *json = std::string(1, static_cast<char>(bits));
        return true;
      case 'S':
        if (!Text(&text)) return false;
        *json = std::move(text);
        return true;
      case '[':
        return Array(depth, json);
      case '{':
        return Object(depth, json);
      default:
        if (!Whole(marker, &whole)) return false;
        *json = whole;
        return true;
    }
  }
  // "[$d#L": the type and the count may stand before the items.
  bool Head(char* type, std::int64_t* count) {
    *count = -1;
    char c = 0;
    if (rest_.starts_with('$') && (!Take(&c) || !Take(type))) return false;
    if (!rest_.starts_with('#')) return *type == 0;
    return Take(&c) && Length(count);
  }
  bool Array(int depth, Json* json) {
    char type = 0, marker = 0;
    std::int64_t count = 0;
    if (!Head(&type, &count)) return false;
    Json::Array items;
    for (std::int64_t i = 0; count < 0 || i < count; ++i) {
      if (type == 0 && !Take(&marker)) return false;
      if (type == 0 && count < 0 && marker == ']') break;
      Json item;
      if (!Value(type == 0 ? marker : type, depth + 1, &item)) return false;
      items.push_back(std::move(item));
    }
    *json = std::move(items);
    return true;
  }
  bool Object(int depth, Json* json) {
    char type = 0, marker = 0;
    std::int64_t count = 0;
    if (!Head(&type, &count)) return false;
    Json::Object members;
    for (std::int64_t i = 0; count < 0 || i < count; ++i) {
      if (count < 0 && rest_.starts_with('}')) {
        rest_.remove_prefix(1);
        break;
      }
      Json::Member member;
      if (!Text(&member.first)) return false;
      if (type == 0 && !Take(&marker)) return false;
      if (!Value(type == 0 ? marker : type, depth + 1, &member.second)) return false;
      members.push_back(std::move(member));
    }
    *json = std::move(members);
    return true;
  }

  std::string_view rest_;
  std::size_t items_ = 0, items_max_;
};

}  // namespace

Result<Json> ParseUbjson(std::string_view bytes) {
  Json json;
  if (Reader(bytes).Document(&json)) return json;
  return InvalidArgument("GY3544", "the model file is cut off or no UBJSON")
      .Fix("XGBoost: booster.save_model(\"model.ubj\")");
}

}  // namespace gyre::training
