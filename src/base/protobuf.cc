#include "base/protobuf.h"

namespace gyre {

bool ProtoReader::Varint(std::uint64_t* value) {
  constexpr int kBitsMax = 64, kBitsOfByte = 7;
  *value = 0;
  for (int shift = 0; shift < kBitsMax; shift += kBitsOfByte) {
    if (rest_.empty()) return false;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    *value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80U) return true;
  }
  return false;
}

bool ProtoReader::Fixed(std::size_t width, std::uint64_t* value) {
  if (rest_.size() < width) return false;
  *value = 0;
  for (std::size_t i = 0; i < width; ++i)
    *value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
  rest_.remove_prefix(width);
  return true;
}

bool ProtoReader::Next(ProtoField* field) {
  if (!ok_ || rest_.empty()) return false;
  std::uint64_t tag = 0;
  if (!Varint(&tag) || (tag >> 3) == 0 || (tag >> 3) > 0x1FFFFFFFU) return Fail();
  *field = {.number = static_cast<std::uint32_t>(tag >> 3)};
  switch (tag & 7U) {
    case 0:
      field->wire = ProtoField::Wire::kVarint;
      return Varint(&field->value) || Fail();
    case 1:
      field->wire = ProtoField::Wire::kFixed64;
      return Fixed(8, &field->value) || Fail();
    case 2: {
      field->wire = ProtoField::Wire::kBytes;
      if (!Varint(&field->value) || field->value > rest_.size()) return Fail();
      field->bytes = rest_.substr(0, field->value);
      rest_.remove_prefix(field->value);
      return true;
    }
    case 5:
      field->wire = ProtoField::Wire::kFixed32;
      return Fixed(4, &field->value) || Fail();
    default:
      return Fail();  // groups are long gone
  }
}

}  // namespace gyre
