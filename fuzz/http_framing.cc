// Bytes of a connection: however the network cuts them, the same messages come out, and no path or
// parameter that leads astray.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "platform/net/message_parser.h"
#include "platform/net/route_index.h"

namespace gyre::net {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

struct Message {
  std::string method, target, fields, body;
  bool whole = false;
  friend bool operator==(const Message&, const Message&) = default;
};
struct Outcome {
  std::vector<Message> messages;  // the last one may be unfinished
  std::string error;
};

// What was read to its end is the same however it came. A broken message may be noticed earlier or
// later.
bool SameMessages(const Outcome& a, const Outcome& b) {
  const auto whole = [](const Outcome& outcome) {
    std::vector<Message> messages = outcome.messages;
    if (!messages.empty() && !messages.back().whole) messages.pop_back();
    return messages;
  };
  return whole(a) == whole(b);
}

// A connection that gets `bytes` in pieces of `step`.
class Reader {
 public:
  explicit Reader(MessageParser::Kind kind) : parser_(kind, 8192) {}

  Outcome Run(std::string_view bytes, std::size_t step) {
    while (outcome_.error.empty() && !bytes.empty()) {
      const std::size_t size = std::min(step, bytes.size());
      pending_ += bytes.substr(0, size);
      bytes.remove_prefix(size);
      Take();
    }
    return std::move(outcome_);
  }

 private:
  void Take() {
    while (outcome_.error.empty() && !pending_.empty()) {
      Result<std::size_t> used = Step();
      if (!used) {
        outcome_.error = used.error().ToString();
        return;
      }
      Require(*used <= pending_.size());
      const bool stuck = *used == 0;
      pending_.erase(0, *used);
      if (stuck && !finished_) return;
      finished_ = false;
    }
  }
  Result<std::size_t> Step() {
    if (!in_body_) {
      if (fresh_) {
        parser_.Reset();
        outcome_.messages.emplace_back();
        fresh_ = false;
      }
      GYRE_TRY(const std::size_t used, parser_.ParseHead(pending_));
      if (parser_.head_done()) OnHead();
      return used;
    }
    Message& message = outcome_.messages.back();
    if (parser_.head().chunked) {
      GYRE_TRY(const std::size_t used, parser_.ParseChunks(pending_, &message.body));
      if (parser_.chunks_done()) End();
      return used;
    }
    const std::size_t size = std::min(pending_.size(), static_cast<std::size_t>(left_));
    message.body += pending_.substr(0, size);
    left_ -= static_cast<std::int64_t>(size);
    if (left_ == 0) End();
    return size;
  }
  void OnHead() {
    const Head& head = parser_.head();
    Message& message = outcome_.messages.back();
    message.method = head.method();
    message.target = head.target();
    for (const Head::Field& field : head.fields) {
      const std::string_view name = head.Name(field);
      const std::string_view value = head.Value(field);
      Require(!name.empty() && name.find_first_of(" :\r\n\t") == std::string_view::npos);
      Require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
      message.fields.append(name).append("=").append(value).append("\n");
    }
    Require(!(head.chunked && head.content_length >= 0));
    left_ = head.content_length;
    in_body_ = true;
    if (!head.chunked && left_ <= 0) End();
  }
  void End() {
    outcome_.messages.back().whole = true;
    in_body_ = false;
    fresh_ = true;
    finished_ = true;
  }

  MessageParser parser_;
  std::string pending_;
  Outcome outcome_;
  bool fresh_ = true, in_body_ = false, finished_ = false;
  std::int64_t left_ = 0;
};

class Nothing {
 public:
  Result<Response> Get(Request&) { return Response::Empty(); }
};
constexpr Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/a/{x}",
     .handler = Bind<&Nothing::Get>,
     .permission = kPublic,
     .summary = "s"},
    {.method = Method::kGet,
     .path = "/a/b",
     .handler = Bind<&Nothing::Get>,
     .permission = kPublic,
     .summary = "s"},
    {.method = Method::kGet,
     .path = "/a/{x}/c/{y}",
     .handler = Bind<&Nothing::Get>,
     .permission = kPublic,
     .summary = "s"},
    {.method = Method::kGet,
     .path = "/f/{path*}",
     .handler = Bind<&Nothing::Get>,
     .permission = kPublic,
     .summary = "s"},
};

void TryTarget(std::string_view target) {
  static Nothing nothing;
  static const RouteTable tables[] = {{"fuzz", kRoutes, &nothing}};
  static const RouteIndex index{tables};
  const std::size_t question = target.find('?');
  Pairs pairs;
  if (const auto match = index.Find(Method::kGet, target.substr(0, question), &pairs);
      match && match->route != nullptr) {
    for (const auto& [name, value] : pairs) {
      Require(!value.empty() && IsValidUtf8(value) && value.find('\\') == std::string::npos &&
              value.find('\0') == std::string::npos);
      for (const std::string_view part : Split(value, '/'))
        Require(!part.empty() && part != "." && part != "..");
      Require(name == "path" || value.find('/') == std::string::npos);
    }
  }
  if (question == std::string_view::npos) return;
  if (ParseQuery(target.substr(question + 1), &pairs)) {
    for (const auto& [name, value] : pairs) Require(IsValidUtf8(name) && IsValidUtf8(value));
  }
}

}  // namespace
}  // namespace gyre::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto kind = (bytes[0] & 0x80) != 0 ? gyre::net::MessageParser::Kind::kResponse
                                           : gyre::net::MessageParser::Kind::kRequest;
  const std::size_t step = 1 + (bytes[0] & 0x3f);
  const gyre::net::Outcome at_once = gyre::net::Reader(kind).Run(text, text.size());
  gyre::net::Require(gyre::net::SameMessages(at_once, gyre::net::Reader(kind).Run(text, step)));
  gyre::net::Require(gyre::net::SameMessages(at_once, gyre::net::Reader(kind).Run(text, 1)));
  for (const gyre::net::Message& message : at_once.messages) gyre::net::TryTarget(message.target);
  gyre::net::TryTarget(text);
  return 0;
}
