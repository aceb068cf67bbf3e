// Turns a Response into bytes. Private to platform/net.
#pragma once

#include <string>
#include <string_view>

#include "platform/net/http.h"

namespace gyre::net {

struct ReplyContext {
  Method method = Method::kGet;
  bool http10 = false;
  bool keep_alive = true;
  std::string_view request_id;
  std::string_view accept_encoding;
};

// How the body's end is told. kClose: HTTP/1.0 streams, by closing.
enum class Framing : unsigned char { kLength, kChunked, kClose, kNone };
// The framing that a streamed response gets.
Framing StreamFraming(const Response& response, const ReplyContext& context);

std::string_view ReasonPhrase(int status);
void AppendHead(const Response& response, const ReplyContext& context, Framing framing,
                std::int64_t length, std::string* out);
// Head and body; compresses larger text when the client takes it and compression is asked for.
// Returns the size of the body on the wire.
enum class Compress : unsigned char { kNever, kWhenAccepted };
std::int64_t AppendReply(Response& response, const ReplyContext& context, Compress compress,
                         std::string* out);
void AppendChunk(std::string_view bytes, std::string* out);
bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace gyre::net
