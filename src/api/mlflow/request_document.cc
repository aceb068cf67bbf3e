#include "api/mlflow/request_document.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

using Kind = JsonNode::Kind;
using simdjson::dom::element_type;

// A parser that has read something large is not kept.
constexpr std::size_t kSpareBytesMax = 256 << 10;
constexpr std::size_t kSparesMax = 2;

Error NotJson(std::string_view why) {
  return InvalidArgument("GY5101", "The request body is not a JSON object: {}", why);
}

class Flattener {
 public:
  explicit Flattener(std::vector<JsonNode>* nodes) : nodes_(*nodes) {}

  bool Add(simdjson::dom::element element, int depth) {
    if (depth > kJsonDepthMax) return false;
    switch (element.type()) {
      case element_type::NULL_VALUE:
        Push(Kind::kNull);
        return true;
      case element_type::BOOL:
        Push(Kind::kBool).whole = bool(element) ? 1 : 0;
        return true;
      case element_type::INT64:
        Push(Kind::kWhole).whole = std::int64_t(element);
        return true;
      case element_type::UINT64:
        Push(Kind::kHuge).huge = std::uint64_t(element);
        return true;
      case element_type::DOUBLE:
        Push(Kind::kNumber).number = double(element);
        return true;
      case element_type::STRING:
        Text(std::string_view(element));
        return true;
      case element_type::ARRAY:
        return List(simdjson::dom::array(element), depth);
      case element_type::OBJECT:
        return Object(simdjson::dom::object(element), depth);
      default:
        return false;
    }
  }

  void Begin(Kind kind) { Push(kind); }
  void Text(std::string_view text) {
    JsonNode& node = Push(Kind::kText);
    node.text = text.data();
    node.size = text.size();
  }
  void Close(std::size_t at, std::size_t size) {
    nodes_[at].end = static_cast<std::uint32_t>(nodes_.size());
    nodes_[at].size = size;
  }

 private:
  JsonNode& Push(Kind kind) {
    JsonNode& node = nodes_.emplace_back();
    node.kind = kind;
    return node;
  }
  bool List(simdjson::dom::array array, int depth) {
    const std::size_t at = nodes_.size();
    Push(Kind::kList);
    std::size_t size = 0;
    for (const simdjson::dom::element item : array) {
      if (!Add(item, depth + 1)) return false;
      ++size;
    }
    Close(at, size);
    return true;
  }
  bool Object(simdjson::dom::object object, int depth) {
    const std::size_t at = nodes_.size();
    Push(Kind::kObject);
    std::size_t size = 0;
    for (const auto& [key, item] : object) {
      Text(key);
      if (!Add(item, depth + 1)) return false;
      ++size;
    }
    Close(at, size);
    return true;
  }

  std::vector<JsonNode>& nodes_;
};

// ASCII only, as Python does it.
void PrintText(std::string_view text, std::string* out) {
  std::string plain;
  AppendJsonString(text, &plain);
  for (std::size_t i = 0; i < plain.size();) {
    const auto lead = static_cast<unsigned char>(plain[i]);
    if (lead < 0x80) {
      out->push_back(plain[i++]);
      continue;
    }
    const std::size_t length = std::max<std::size_t>(1, Utf8SequenceLength(plain.substr(i, 4)));
    unsigned code = lead & (0xFFU >> (length + 1));
    for (std::size_t k = 1; k < length; ++k)
      code = code << 6U | (static_cast<unsigned char>(plain[i + k]) & 0x3FU);
    if (code >= 0x10000) {
      code -= 0x10000;
      *out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (code >> 10U), 0xDC00 + (code & 0x3FFU));
    } else {
      *out += fmt::format("\\u{:04x}", code);
    }
    i += length;
  }
}

}  // namespace

// --- a value

std::string_view JsonValue::text() const {
  if (kind() != Kind::kText) return {};
  return {nodes_[at_].text, nodes_[at_].size};
}

double JsonValue::number() const {
  switch (kind()) {
    case Kind::kWhole:
      return static_cast<double>(nodes_[at_].whole);
    case Kind::kHuge:
      return static_cast<double>(nodes_[at_].huge);
    case Kind::kNumber:
      return nodes_[at_].number;
    default:
      return 0;
  }
}

std::size_t JsonValue::size() const { return is_list() || is_object() ? nodes_[at_].size : 0; }

std::uint32_t JsonValue::Next() const {
  return is_list() || is_object() ? nodes_[at_].end : at_ + 1;
}

JsonValue JsonValue::operator[](std::string_view name) const {
  JsonValue found;
  if (!is_object()) return found;
  for (std::uint32_t key = at_ + 1; key < nodes_[at_].end;) {
    const JsonValue value(nodes_, key + 1);
    if (JsonValue(nodes_, key).text() == name) found = value;
    key = value.Next();
  }
  return found;
}

JsonValue::Items JsonValue::items() const {
  if (!is_list()) return {nodes_, 0, 0};
  return {nodes_, at_ + 1, nodes_[at_].end};
}

std::string_view JsonValue::python_type() const {
  switch (kind()) {
    case Kind::kAbsent:
    case Kind::kNull:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kWhole:
    case Kind::kHuge:
      return "int";
    case Kind::kNumber:
      return "float";
    case Kind::kText:
      return "str";
    case Kind::kList:
      return "list";
    case Kind::kObject:
      break;
  }
  return "dict";
}

void JsonValue::PrintTo(std::string* out) const {
  switch (kind()) {
    case Kind::kAbsent:
    case Kind::kNull:
      *out += "null";
      return;
    case Kind::kBool:
      *out += truth() ? "true" : "false";
      return;
    case Kind::kWhole:
      *out += std::to_string(nodes_[at_].whole);
      return;
    case Kind::kHuge:
      *out += std::to_string(nodes_[at_].huge);
      return;
    case Kind::kNumber: {
      const std::size_t before = out->size();
      AppendJsonNumber(nodes_[at_].number, out);
      if (out->find_first_of(".en", before) == std::string::npos) *out += ".0";
      return;
    }
    case Kind::kText:
      PrintText(text(), out);
      return;
    case Kind::kList: {
      out->push_back('[');
      for (const JsonValue item : items()) {
        if (out->back() != '[') out->push_back(',');
        item.PrintTo(out);
      }
      out->push_back(']');
      return;
    }
    case Kind::kObject:
      break;
  }
  std::vector<std::pair<std::string_view, JsonValue>> members;
  for (std::uint32_t key = at_ + 1; key < nodes_[at_].end;) {
    const JsonValue value(nodes_, key + 1);
    members.emplace_back(JsonValue(nodes_, key).text(), value);
    key = value.Next();
  }
  std::ranges::stable_sort(members, {}, [](const auto& member) { return member.first; });
  out->push_back('{');
  for (const auto& [name, value] : members) {
    if (out->back() != '{') out->push_back(',');
    PrintText(name, out);
    out->push_back(':');
    value.PrintTo(out);
  }
  out->push_back('}');
}

// --- a document

struct RequestDocument::Scratch {
  simdjson::dom::parser parser;
  std::vector<JsonNode> nodes;
  std::size_t bytes = 0;  // of what it has read
};

namespace {
// What a thread has read with before: a parser is dear to make.
template <class Scratch>
std::vector<std::unique_ptr<Scratch>>& Spares() {
  static thread_local std::vector<std::unique_ptr<Scratch>> spares;
  return spares;
}
}  // namespace

RequestDocument::RequestDocument() = default;
RequestDocument::RequestDocument(std::unique_ptr<Scratch> scratch) : scratch_(std::move(scratch)) {}
RequestDocument::RequestDocument(RequestDocument&&) noexcept = default;
RequestDocument& RequestDocument::operator=(RequestDocument&&) noexcept = default;

RequestDocument::~RequestDocument() {
  if (!scratch_ || scratch_->bytes > kSpareBytesMax) return;
  auto& spares = Spares<Scratch>();
  if (spares.size() < kSparesMax) spares.push_back(std::move(scratch_));
}

std::unique_ptr<RequestDocument::Scratch> RequestDocument::TakeScratch() {
  auto& spares = Spares<Scratch>();
  if (spares.empty()) return std::make_unique<Scratch>();
  std::unique_ptr<Scratch> scratch = std::move(spares.back());
  spares.pop_back();
  return scratch;
}

Result<RequestDocument> RequestDocument::ParseAny(std::string_view text) {
  RequestDocument document(TakeScratch());
  Scratch& scratch = *document.scratch_;
  scratch.bytes = std::max(scratch.bytes, text.size());
  scratch.nodes.clear();
  simdjson::dom::element root;
  if (const auto error = scratch.parser.parse(text.data(), text.size()).get(root))
    return NotJson(simdjson::error_message(error));
  if (!Flattener(&scratch.nodes).Add(root, 0)) return NotJson("it is nested too deeply");
  return document;
}

Result<RequestDocument> RequestDocument::Parse(std::string_view body) {
  if (Trim(body).empty()) body = "{}";
  GYRE_TRY(RequestDocument document, ParseAny(body));
  if (document.root().is_text()) {
    GYRE_TRY(RequestDocument inner, ParseAny(document.root().text()));
    document = std::move(inner);
  }
  if (document.root().kind() == Kind::kNull) return ParseAny("{}");
  if (!document.root().is_object())
    return NotJson(fmt::format("it is of type '{}'", document.root().python_type()));
  return document;
}

RequestDocument RequestDocument::OfQuery(const net::Request& request, net::Fields fields) {
  RequestDocument document(TakeScratch());
  std::vector<JsonNode>& nodes = document.scratch_->nodes;
  nodes.clear();
  Flattener flat(&nodes);
  flat.Begin(Kind::kObject);
  std::size_t members = 0;
  for (const net::Field& field : fields) {
    // A run's id had another name once, which some clients still send.
    const std::string_view old_name =
        std::string_view(field.name) == "run_id" ? "run_uuid" : field.name;
    const auto same = [&](const auto& pair) {
      return pair.first == field.name || pair.first == old_name;
    };
    auto pair = std::ranges::find_if(request.query, same);
    if (pair == request.query.end()) continue;
    ++members;
    flat.Text(field.name);
    if (field.type != net::Type::kTexts) {
      flat.Text(pair->second);
      continue;
    }
    const std::size_t list = nodes.size();
    flat.Begin(Kind::kList);
    std::size_t texts = 0;
    for (; pair != request.query.end(); pair = std::find_if(pair + 1, request.query.end(), same)) {
      flat.Text(pair->second);
      ++texts;
    }
    flat.Close(list, texts);
  }
  flat.Close(0, members);
  return document;
}

JsonValue RequestDocument::root() const {
  return scratch_ ? JsonValue(scratch_->nodes.data(), 0) : JsonValue();
}

}  // namespace gyre::mlflow
