#include "ml/recipes/dictionary.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/hash.h"
#include "base/text.h"

namespace gyre::recipes {
namespace {

std::uint64_t Mix(std::uint64_t x) {  // the finaliser of SplitMix64
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}
std::uint64_t Hash(std::string_view key) { return Xxh3(key); }
std::uint64_t Hash(std::int64_t key) {
  return Mix(static_cast<std::uint64_t>(key) + 0x9e3779b97f4a7c15ull);
}
double NumberOf(std::int64_t key) { return std::bit_cast<double>(key); }

}  // namespace

std::int64_t NumberKey(double value) {
  return std::bit_cast<std::int64_t>(value == 0 ? 0.0 : value);
}

Dictionary::Kind Dictionary::KindOf(table::Type type) {
  if (type == table::Type::kText) return Kind::kText;
  return type == table::Type::kDouble ? Kind::kNumber : Kind::kInteger;
}

std::string_view Dictionary::text(std::size_t code) const {
  const std::size_t begin = code == 0 ? 0 : ends_[code - 1];
  return std::string_view(chars_).substr(begin, ends_[code] - begin);
}

std::uint64_t Dictionary::HashOf(std::size_t code) const {
  return kind_ == Kind::kText ? Hash(text(code)) : Hash(integers_[code]);
}

void Dictionary::Grow() {
  slots_.assign(slots_.empty() ? 16 : slots_.size() * 2, 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t code = 0; code < size(); ++code) {
    std::size_t slot = HashOf(code) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(code + 1);
  }
}

std::int32_t Dictionary::Find(std::string_view key) const {
  if (slots_.empty()) return kUnseen;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = Hash(key) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (text(slots_[slot] - 1) == key) return static_cast<std::int32_t>(slots_[slot] - 1);
  }
  return kUnseen;
}

std::int32_t Dictionary::Find(std::int64_t key) const {
  if (slots_.empty()) return kUnseen;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = Hash(key) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (integers_[slots_[slot] - 1] == key) return static_cast<std::int32_t>(slots_[slot] - 1);
  }
  return kUnseen;
}

template <class Key>
std::int32_t Dictionary::Place(Key key, std::uint64_t hash, bool insert) {
  if (const std::int32_t code = Find(key); code >= 0 || !insert) return code;
  if (slots_.size() < 2 * (size() + 1)) Grow();
  if constexpr (std::is_same_v<Key, std::string_view>) {
    chars_.append(key);
    ends_.push_back(chars_.size());
  } else {
    integers_.push_back(key);
  }
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  slots_[slot] = static_cast<std::uint32_t>(size());
  return static_cast<std::int32_t>(size() - 1);
}

std::int32_t Dictionary::Insert(std::string_view key) { return Place(key, Hash(key), true); }
std::int32_t Dictionary::Insert(std::int64_t key) { return Place(key, Hash(key), true); }

namespace {

// f(i, key) gives the code of a present value.
template <class OnText, class OnInteger>
void ForKeys(const Lane& in, std::size_t rows, std::int32_t* codes, OnText on_text,
             OnInteger on_integer) {
  for (std::size_t i = 0; i < rows; ++i) {
    if (in.texts != nullptr) {
      codes[i] = in.texts[i].data() == nullptr ? Dictionary::kMissing : on_text(in.texts[i]);
    } else if (in.numbers != nullptr) {
      const double x = in.numbers[i];
      codes[i] = x != x ? Dictionary::kMissing : on_integer(NumberKey(x));
    } else {
      codes[i] = in.valid != nullptr && in.valid[i] == 0 ? Dictionary::kMissing
                                                         : on_integer(in.integers[i]);
    }
  }
}

}  // namespace

void Dictionary::Encode(const Lane& in, std::size_t rows, std::int32_t* codes) const {
  ForKeys(
      in, rows, codes, [this](std::string_view key) { return Find(key); },
      [this](std::int64_t key) { return Find(key); });
}

void Dictionary::InsertAll(const Lane& in, std::size_t rows, std::int32_t* codes) {
  ForKeys(
      in, rows, codes, [this](std::string_view key) { return Insert(key); },
      [this](std::int64_t key) { return Insert(key); });
}

std::string Dictionary::Name(std::size_t code) const {
  if (kind_ == Kind::kText) {
    // Names go into JSON, file headers and model texts: control characters and broken UTF-8 are
    // replaced there.
    std::string name;
    for (std::string_view rest = text(code); !rest.empty();) {
      const std::size_t length = Utf8SequenceLength(rest);
      if (length == 0 || static_cast<unsigned char>(rest[0]) < 0x20) {
        name += length == 0 ? "\xEF\xBF\xBD" : " ";
        rest.remove_prefix(1);
      } else {
        name.append(rest.substr(0, length));
        rest.remove_prefix(length);
      }
    }
    return name;
  }
  if (kind_ == Kind::kInteger) return std::to_string(integers_[code]);
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, NumberOf(integers_[code])).ptr;
  return std::string(buffer, end);
}

bool Dictionary::Less(std::size_t a, std::size_t b) const {
  if (kind_ == Kind::kText) return text(a) < text(b);
  if (kind_ == Kind::kInteger) return integers_[a] < integers_[b];
  return NumberOf(integers_[a]) < NumberOf(integers_[b]);
}

std::vector<std::uint32_t> Dictionary::SortedCodes() const {
  std::vector<std::uint32_t> codes(size());
  std::iota(codes.begin(), codes.end(), 0u);
  std::sort(codes.begin(), codes.end(),
            [this](std::uint32_t a, std::uint32_t b) { return Less(a, b); });
  return codes;
}

Dictionary Dictionary::Pick(const std::vector<std::uint32_t>& codes) const {
  Dictionary picked(kind_);
  for (std::uint32_t code : codes) {
    if (kind_ == Kind::kText) {
      picked.Insert(text(code));
    } else {
      picked.Insert(integers_[code]);
    }
  }
  return picked;
}

Json Dictionary::ToJson() const {
  Json list = Json(Json::Array());
  for (std::size_t code = 0; code < size(); ++code) {
    if (kind_ == Kind::kText) {
      const std::string_view key = text(code);
      list.Push(IsValidUtf8(key) ? Json(key) : Json::Obj({{"hex", HexEncode(key)}}));
    } else if (kind_ == Kind::kInteger) {
      list.Push(integers_[code]);
    } else {
      list.Push(fmt::format("{:016x}", static_cast<std::uint64_t>(integers_[code])));
    }
  }
  return list;
}

Result<Dictionary> Dictionary::FromJson(Kind kind, const Json& json) {
  const auto broken = [] {
    return InvalidArgument("GY3101",
                           "the fitted recipe is broken: a list of categories cannot be read");
  };
  Dictionary dictionary(kind);
  if (!json.is_array()) return broken();
  for (const Json& item : json.items()) {
    const std::size_t before = dictionary.size();
    if (kind == Kind::kText) {
      std::string bytes = item.AsString();
      if (item.is_object() ? !HexDecode(item["hex"].AsString(), &bytes) : !item.is_string())
        return broken();
      dictionary.Insert(std::string_view(bytes));
    } else if (kind == Kind::kInteger) {
      if (!item.is_int()) return broken();
      dictionary.Insert(item.AsInt());
    } else {
      std::uint64_t bits = 0;
      const std::string& hex = item.AsString();
      const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
      if (hex.size() != 16 || error != std::errc() || end != hex.data() + hex.size())
        return broken();
      dictionary.Insert(static_cast<std::int64_t>(bits));
    }
    if (dictionary.size() == before) return broken();  // a category twice
  }
  return dictionary;
}

Result<Dictionary> Dictionary::FromPeople(Kind kind, const Json& list) {
  Dictionary dictionary(kind);
  for (const Json& item : list.items()) {
    const std::size_t before = dictionary.size();
    if (kind == Kind::kText && item.is_string()) {
      dictionary.Insert(std::string_view(item.AsString()));
    } else if (kind == Kind::kInteger && item.is_int()) {
      dictionary.Insert(item.AsInt());
    } else if (kind == Kind::kNumber && item.is_number()) {
      dictionary.Insert(NumberKey(item.AsDouble()));
    } else {
      return InvalidArgument("GY3103", "{} is not a value of that column's type", item.Dump());
    }
    if (dictionary.size() == before)
      return InvalidArgument("GY3103", "{} stands twice in the list", item.Dump());
  }
  return dictionary;
}

Distinct CountDistinct(const Lane& in, table::Type type, std::size_t rows) {
  Distinct distinct;
  Dictionary seen(Dictionary::KindOf(type));
  distinct.codes.resize(rows);
  seen.InsertAll(in, rows, distinct.codes.data());
  const std::vector<std::uint32_t> order = seen.SortedCodes();
  std::vector<std::int32_t> rank(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) rank[order[i]] = static_cast<std::int32_t>(i);
  distinct.counts.assign(order.size(), 0);
  for (std::int32_t& code : distinct.codes) {
    if (code < 0) {
      ++distinct.missing;
    } else {
      code = rank[static_cast<std::size_t>(code)];
      ++distinct.counts[static_cast<std::size_t>(code)];
    }
  }
  distinct.dictionary = seen.Pick(order);
  return distinct;
}

}  // namespace gyre::recipes
