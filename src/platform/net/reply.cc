#include "platform/net/reply.h"

#include <zlib.h>

#include <charconv>
#include <ctime>
#include <optional>

#include "base/text.h"
#include "base/time.h"

namespace gyre::net {
namespace {

constexpr std::size_t kGzipFrom = 2048;  // below, the saving is not worth the cycles

struct Reason {
  int status;
  std::string_view phrase;
};
constexpr Reason kReasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

std::string_view Date() {
  struct Cached {
    std::int64_t second = -1;
    char text[40] = "";
    std::size_t size = 0;
  };
  thread_local Cached cached;
  const std::int64_t second = SystemClock().NowMicros() / kMicrosPerSecond;
  if (second != cached.second) {
    static constexpr std::string_view kDays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const CivilTime t = ToCivil(second * kMicrosPerSecond);
    const auto end = fmt::format_to_n(
        cached.text, sizeof cached.text, "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        kDays[t.weekday], t.day, kMonths[t.month - 1], t.year, t.hour, t.minute, t.second);
    cached.size = end.size;
    cached.second = second;
  }
  return {cached.text, cached.size};
}

void AppendInt(std::int64_t value, std::string* out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out->append(text, static_cast<std::size_t>(end - text));
}

// Whatever a handler put there, a header stays one line.
void AppendClean(std::string_view text, std::string* out) {
  for (const char c : text)
    *out += (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f ? ' ' : c;
}

bool IsText(std::string_view content_type) {
  return content_type.starts_with("application/json") || content_type.starts_with("text/") ||
         content_type.starts_with("application/problem+json") ||
         content_type.starts_with("application/x-ndjson") ||
         content_type.starts_with("application/openapi");
}

bool HasHeader(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (EqualsIgnoreCase(key, name)) return true;
  }
  return false;
}

std::optional<std::string> Gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 2, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return std::nullopt;
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return std::nullopt;
  return out;
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  for (const Reason& reason : kReasons) {
    if (reason.status == status) return reason.phrase;
  }
  return "Unknown";
}

Framing StreamFraming(const Response& response, const ReplyContext& context) {
  if (response.content_length) return Framing::kLength;
  return context.http10 ? Framing::kClose : Framing::kChunked;
}

void AppendHead(const Response& response, const ReplyContext& context, Framing framing,
                std::int64_t length, std::string* out) {
  if (response.status == 200) {
    *out += "HTTP/1.1 200 OK\r\nDate: ";
  } else {
    *out += "HTTP/1.1 ";
    AppendInt(response.status, out);
    *out += ' ';
    *out += ReasonPhrase(response.status);
    *out += "\r\nDate: ";
  }
  *out += Date();
  if (!response.content_type.empty()) {
    *out += "\r\nContent-Type: ";
    AppendClean(response.content_type, out);
  }
  if (framing == Framing::kLength) {
    *out += "\r\nContent-Length: ";
    AppendInt(length, out);
  } else if (framing == Framing::kChunked) {
    *out += "\r\nTransfer-Encoding: chunked";
  }
  *out += "\r\nX-Request-Id: ";
  *out += context.request_id;
  *out += "\r\nX-Content-Type-Options: nosniff";
  for (const auto& [name, value] : response.headers) {
    *out += "\r\n";
    AppendClean(name, out);
    *out += ": ";
    AppendClean(value, out);
  }
  if (!context.keep_alive || framing == Framing::kClose) {
    *out += "\r\nConnection: close";
  } else if (context.http10) {
    *out += "\r\nConnection: keep-alive";
  }
  *out += "\r\n\r\n";
}

bool AcceptsGzip(std::string_view accept_encoding) {
  for (const std::string_view item : Split(accept_encoding, ',')) {
    const std::size_t semicolon = item.find(';');
    const std::string_view name = Trim(item.substr(0, semicolon));
    if (!EqualsIgnoreCase(name, "gzip") && name != "*") continue;
    if (semicolon == std::string_view::npos) return true;
    const std::string_view weight = Trim(item.substr(semicolon + 1));
    return !weight.starts_with("q=") || ParseDouble(weight.substr(2)).value_or(0) > 0;
  }
  return false;
}

std::int64_t AppendReply(Response& response, const ReplyContext& context, Compress compress,
                         std::string* out) {
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  if (compress == Compress::kWhenAccepted && response.body.size() >= kGzipFrom &&
      IsText(response.content_type) && !HasHeader(response, "content-encoding")) {
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (AcceptsGzip(context.accept_encoding)) {
      if (auto packed = Gzip(response.body)) {
        response.body = *std::move(packed);
        response.headers.emplace_back("Content-Encoding", "gzip");
      }
    }
  }
  AppendHead(response, context, bodiless ? Framing::kNone : Framing::kLength,
             static_cast<std::int64_t>(response.body.size()), out);
  if (bodiless || context.method == Method::kHead) return 0;
  *out += response.body;
  return static_cast<std::int64_t>(response.body.size());
}

void AppendChunk(std::string_view bytes, std::string* out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, bytes.size(), 16).ptr;
  out->append(text, static_cast<std::size_t>(end - text));
  *out += "\r\n";
  *out += bytes;
  *out += "\r\n";
}

}  // namespace gyre::net
