// The JSON of a request, in one flat list of nodes: nothing is allocated per value, because a batch
// of a thousand metrics has nine thousand of them. Views live as long as the document.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "platform/net/http.h"

namespace gyre::mlflow {

struct JsonNode {
  enum class Kind : unsigned char {
    kAbsent,
    kNull,
    kBool,
    kWhole,
    kHuge,  // a whole number of 2^63 and more
    kNumber,
    kText,
    kList,
    kObject,
  };
  Kind kind = Kind::kAbsent;
  std::uint32_t end = 0;  // of a list or an object: the node behind it
  union {
    std::int64_t whole = 0;
    std::uint64_t huge;
    double number;
    const char* text;
  };
  std::size_t size = 0;  // of a text in bytes; of a list or an object in values
};

class JsonValue {
 public:
  using Kind = JsonNode::Kind;
  JsonValue() = default;
  JsonValue(const JsonNode* nodes, std::uint32_t at) : nodes_(nodes), at_(at) {}

  Kind kind() const { return nodes_ == nullptr ? Kind::kAbsent : nodes_[at_].kind; }
  bool is_text() const { return kind() == Kind::kText; }
  bool is_list() const { return kind() == Kind::kList; }
  bool is_object() const { return kind() == Kind::kObject; }
  // null counts as absent, as it does in protobuf's JSON.
  bool there() const { return kind() != Kind::kAbsent && kind() != Kind::kNull; }

  // Of exactly that kind; zero, false or empty otherwise.
  std::string_view text() const;
  std::int64_t whole() const { return kind() == Kind::kWhole ? nodes_[at_].whole : 0; }
  double number() const;  // of any kind of number
  bool truth() const { return kind() == Kind::kBool && nodes_[at_].whole != 0; }
  std::size_t size() const;  // values of a list, members of an object

  JsonValue operator[](std::string_view name) const;  // the last member of that name

  // for (JsonValue item : list.items()); none of anything else.
  class Items;
  Items items() const;
  // As Python's json.dumps with sorted keys and no spaces prints it, and what Python calls its
  // type.
  void PrintTo(std::string* out) const;
  std::string_view python_type() const;

 private:
  std::uint32_t Next() const;  // the node behind this value
  const JsonNode* nodes_ = nullptr;
  std::uint32_t at_ = 0;
};

class JsonValue::Items {
 public:
  class Iterator {
   public:
    Iterator(const JsonNode* nodes, std::uint32_t at) : nodes_(nodes), at_(at) {}
    JsonValue operator*() const { return JsonValue(nodes_, at_); }
    Iterator& operator++() {
      at_ = JsonValue(nodes_, at_).Next();
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const JsonNode* nodes_;
    std::uint32_t at_;
  };
  Items(const JsonNode* nodes, std::uint32_t begin, std::uint32_t end)
      : nodes_(nodes), begin_(begin), end_(end) {}
  Iterator begin() const { return {nodes_, begin_}; }
  Iterator end() const { return {nodes_, end_}; }

 private:
  const JsonNode* nodes_;
  std::uint32_t begin_, end_;
};

class RequestDocument {
 public:
  RequestDocument();
  ~RequestDocument();
  RequestDocument(RequestDocument&&) noexcept;
  RequestDocument& operator=(RequestDocument&&) noexcept;

  // A text is read as JSON once more, because old clients encode twice; nothing and null are an
  // empty object. Error: kInvalidArgument GY5101 unless it is an object then.
  static Result<RequestDocument> Parse(std::string_view body);
  // The same of a query: what the row of the route lists, all of it text; a list where it may come
  // more than once.
  static RequestDocument OfQuery(const net::Request& request, net::Fields fields);
  // Any JSON, for what stands in a text of a request.
  static Result<RequestDocument> ParseAny(std::string_view text);

  JsonValue root() const;

 private:
  struct Scratch;
  explicit RequestDocument(std::unique_ptr<Scratch> scratch);
  static std::unique_ptr<Scratch> TakeScratch();
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace gyre::mlflow
