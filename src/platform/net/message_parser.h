// The framing of HTTP/1.1 messages, by Boost.Beast's incremental parser, stored flat and reused.
// Private to platform/net.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::net {

// Start line and fields of one message. All views point into `text`.
struct Head {
  struct Field {
    std::uint32_t name, name_size, value, value_size;
  };
  std::string text;
  std::vector<Field> fields;
  std::uint32_t method_size = 0, target_size = 0;  // text begins with method and target
  int version = 11;                                // 10 or 11
  int status = 0;                                  // of a response
  bool chunked = false;
  std::int64_t content_length = -1;  // -1 = none given

  std::string_view method() const { return std::string_view(text).substr(0, method_size); }
  std::string_view target() const {
    return std::string_view(text).substr(method_size, target_size);
  }
  std::string_view Name(const Field& field) const {
    return std::string_view(text).substr(field.name, field.name_size);
  }
  std::string_view Value(const Field& field) const {
    return std::string_view(text).substr(field.value, field.value_size);
  }
  const Field* Find(std::string_view name) const;  // the first, any case
  bool KeepsAlive() const;                         // what the sender asks for (RFC 9112, 9.3)
  void Clear();
};

class MessageParser {
 public:
  enum class Kind : unsigned char { kRequest, kResponse };
  MessageParser(Kind kind, std::int64_t header_bytes_max);
  ~MessageParser();
  MessageParser(MessageParser&&) noexcept;

  void Reset();  // for the next message
  // Takes what it can of `in` and returns how much; head_done() says whether the head is complete.
  // What it leaves must come again, with more behind it. Errors (all end the connection):
  // kInvalidArgument GY1603 broken or ambiguous framing, GY1605 too large.
  Result<std::size_t> ParseHead(std::string_view in);
  bool head_done() const;
  const Head& head() const;
  void SwapHead(Head* other);  // takes the finished head out and leaves storage to reuse
  // For a chunked body after the head: appends decoded bytes to *body.
  Result<std::size_t> ParseChunks(std::string_view in, std::string* body);
  bool chunks_done() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::net
