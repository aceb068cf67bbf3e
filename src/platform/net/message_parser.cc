#include "platform/net/message_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <optional>

#include "base/text.h"

namespace gyre::net {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

constexpr std::size_t kFieldsMax = 128;
constexpr std::int64_t kChunkLineMax = 4096;

std::string_view View(BeastView v) { return {v.data(), v.size()}; }

bool HasToken(std::string_view list, std::string_view token) {
  for (const std::string_view item : Split(list, ',')) {
    if (EqualsIgnoreCase(Trim(item), token)) return true;
  }
  return false;
}

// What the parser's callbacks fill. It refuses, beyond Beast's own strictness, whatever two readers
// could understand differently.
struct Collected {
  Head head;
  std::string_view input;         // what is being read just now
  const char* refused = nullptr;  // why, when it is
  bool has_host = false;
  bool too_many = false;
  std::string* body = nullptr;  // where chunk contents go

  void Clear() {
    head.Clear();
    refused = nullptr;
    has_host = false;
    too_many = false;
  }
  const char* OnField(std::string_view name, std::string_view value) {
    if (head.fields.size() >= kFieldsMax) {
      too_many = true;
      return "too many header fields";
    }
    const bool folded = !value.empty() && (value.data() < input.data() ||
                                           value.data() >= input.data() + input.size());
    if (folded) return "a folded header line";
    if (EqualsIgnoreCase(name, "content-length")) {
      if (head.content_length >= 0) return "two Content-Length fields";
      const auto length = ParseInt(value);
      if (!length || *length < 0 || value.front() == '-') return "a Content-Length that is no size";
      head.content_length = *length;
    } else if (EqualsIgnoreCase(name, "transfer-encoding")) {
      if (head.chunked) return "two Transfer-Encoding fields";
      if (!EqualsIgnoreCase(value, "chunked")) return "a Transfer-Encoding other than chunked";
      if (head.version == 10) return "Transfer-Encoding in HTTP/1.0";
      head.chunked = true;
    } else if (EqualsIgnoreCase(name, "host")) {
      if (has_host) return "two Host fields";
      has_host = true;
    }
    Add(name, value);
    return nullptr;
  }
  const char* OnEnd(bool request) const {
    if (head.chunked && head.content_length >= 0)
      return "both Content-Length and Transfer-Encoding";
    if (request && head.version == 11 && !has_host) return "no Host field";
    return nullptr;
  }
  void Add(std::string_view name, std::string_view value) {
    Head::Field field;
    field.name = static_cast<std::uint32_t>(head.text.size());
    field.name_size = static_cast<std::uint32_t>(name.size());
    head.text += name;
    field.value = static_cast<std::uint32_t>(head.text.size());
    field.value_size = static_cast<std::uint32_t>(value.size());
    head.text += value;
    head.fields.push_back(field);
  }
};

template <bool kRequest>
class BeastParser final : public http::basic_parser<kRequest> {
 public:
  BeastParser(Collected& collected, std::int64_t header_bytes_max) : collected_(collected) {
    this->header_limit(static_cast<std::uint32_t>(header_bytes_max));
    this->body_limit(boost::none);  // the route says how much
    this->eager(false);
  }

 private:
  void Judge(const char* refused, error_code& ec) {
    if (refused == nullptr) return;
    collected_.refused = refused;
    ec = http::error::bad_field;
  }
  void on_request_impl(http::verb, BeastView method, BeastView target, int version,
                       error_code& ec) override {
    Head& head = collected_.head;
    head.text += View(method);
    head.text += View(target);
    head.method_size = static_cast<std::uint32_t>(method.size());
    head.target_size = static_cast<std::uint32_t>(target.size());
    head.version = version;
    if (version != 10 && version != 11) ec = http::error::bad_version;
  }
  void on_response_impl(int status, BeastView, int version, error_code&) override {
    collected_.head.status = status;
    collected_.head.version = version;
  }
  void on_field_impl(http::field, BeastView name, BeastView value, error_code& ec) override {
    Judge(collected_.OnField(View(name), View(value)), ec);
  }
  void on_header_impl(error_code& ec) override { Judge(collected_.OnEnd(kRequest), ec); }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(BeastView body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, error_code&) override {
    if (collected_.body != nullptr) collected_.body->append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  Collected& collected_;
};

Error Broken(const Collected& collected, const error_code& ec) {
  if (ec == http::error::header_limit || collected.too_many) {
    return InvalidArgument("GY1605", "the request's header is too large")
        .Why("the limit keeps one client from taking the memory of all");
  }
  if (collected.refused != nullptr) {
    return InvalidArgument("GY1603", "the message cannot be read safely: {}", collected.refused)
        .Why(
            "two programs could read such a message differently, and that is how requests are "
            "smuggled");
  }
  return InvalidArgument("GY1603", "the message is not HTTP/1.1: {}", ec.message());
}

}  // namespace

const Head::Field* Head::Find(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name_size == name.size() && EqualsIgnoreCase(Name(field), name)) return &field;
  }
  return nullptr;
}

bool Head::KeepsAlive() const {
  const Field* connection = Find("connection");
  const std::string_view options = connection == nullptr ? std::string_view() : Value(*connection);
  return version == 11 ? !HasToken(options, "close") : HasToken(options, "keep-alive");
}

void Head::Clear() {
  text.clear();
  fields.clear();
  method_size = target_size = 0;
  version = 11;
  status = 0;
  chunked = false;
  content_length = -1;
}

struct MessageParser::Impl {
  Kind kind;
  std::int64_t header_bytes_max;
  Collected collected;
  bool chunks_begun = false;
  std::optional<BeastParser<true>> request;
  std::optional<BeastParser<false>> response;

  template <class Function>
  auto With(Function function) {
    return kind == Kind::kRequest ? function(*request) : function(*response);
  }
};

MessageParser::MessageParser(Kind kind, std::int64_t header_bytes_max)
    : impl_(std::make_unique<Impl>()) {
  impl_->kind = kind;
  impl_->header_bytes_max = header_bytes_max;
  Reset();
}
MessageParser::~MessageParser() = default;
MessageParser::MessageParser(MessageParser&&) noexcept = default;

void MessageParser::Reset() {
  impl_->collected.Clear();
  impl_->chunks_begun = false;
  if (impl_->kind == Kind::kRequest) {
    impl_->request.emplace(impl_->collected, impl_->header_bytes_max);
  } else {
    impl_->response.emplace(impl_->collected, impl_->header_bytes_max);
  }
}

Result<std::size_t> MessageParser::ParseHead(std::string_view in) {
  Collected& collected = impl_->collected;
  collected.input = in;
  std::size_t used = 0;
  while (used < in.size() && !head_done()) {
    error_code ec;
    const std::size_t n = impl_->With([&](auto& parser) {
      return parser.put(boost::asio::const_buffer(in.data() + used, in.size() - used), ec);
    });
    used += n;
    if (ec == http::error::need_more) break;
    if (ec) return Broken(collected, ec);
    if (n == 0) break;
  }
  return used;
}

bool MessageParser::head_done() const {
  return impl_->With([](auto& parser) { return parser.is_header_done(); });
}
const Head& MessageParser::head() const { return impl_->collected.head; }
void MessageParser::SwapHead(Head* other) {
  std::swap(impl_->collected.head, *other);
  impl_->collected.head.Clear();  // trailers come here and are judged by themselves
}

Result<std::size_t> MessageParser::ParseChunks(std::string_view in, std::string* body) {
  impl_->collected.body = body;
  impl_->collected.input = in;
  // The shortest body is "0\r\n\r\n"; Beast insists on having as much before it looks at a first
  // chunk that is also the last.
  if (!impl_->chunks_begun && in.size() < 5) return 0;
  impl_->chunks_begun = true;
  std::size_t used = 0;
  while (used < in.size() && !chunks_done()) {
    error_code ec;
    const std::size_t n = impl_->With([&](auto& parser) {
      return parser.put(boost::asio::const_buffer(in.data() + used, in.size() - used), ec);
    });
    used += n;
    if (ec == http::error::need_more) {
      if (static_cast<std::int64_t>(in.size() - used) > kChunkLineMax) {
        return InvalidArgument(
            "GY1603", "the message cannot be read safely: a chunk line of more than {} bytes",
            kChunkLineMax);
      }
      break;
    }
    if (ec) return Broken(impl_->collected, ec);
    if (n == 0) break;
  }
  return used;
}

bool MessageParser::chunks_done() const {
  return impl_->With([](auto& parser) { return parser.is_done(); });
}

}  // namespace gyre::net
