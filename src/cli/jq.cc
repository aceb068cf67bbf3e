#include "cli/jq.h"

#include <cstdlib>

#include "base/text.h"
#include "platform/exec/library.h"

namespace gyre::cli {
namespace {

// libjq's value, passed around by content: the layout has been the same since 1.5.
struct Value {
  unsigned char kind_flags, pad;
  unsigned short offset;
  int size;
  union {
    void* pointer;
    double number;
  } u;
};
constexpr int kInvalid = 0, kString = 5;

struct Jq;
using OnError = void (*)(void*, Value);
struct Api {
  Jq* (*jq_init)();
  void (*jq_teardown)(Jq**);
  void (*jq_set_error_cb)(Jq*, OnError, void*);
  int (*jq_compile)(Jq*, const char*);
  void (*jq_start)(Jq*, Value, int);
  Value (*jq_next)(Jq*);
  Value (*jv_parse)(const char*);
  Value (*jv_dump_string)(Value, int);
  const char* (*jv_string_value)(Value);
  int (*jv_get_kind)(Value);
  Value (*jv_copy)(Value);
  void (*jv_free)(Value);
  int (*jv_invalid_has_msg)(Value);
  Value (*jv_invalid_get_msg)(Value);
};

template <class Function>
Result<> Load(const exec::Library& library, const char* name, Function* out) {
  GYRE_TRY(void* const symbol, library.Symbol(name));
  *out = reinterpret_cast<Function>(symbol);
  return {};
}

Result<Api> LoadApi() {
  const auto library = exec::Library::Open("libjq.so.1");
  if (!library)
    return FailedPrecondition("GY4042", "--jq needs libjq, which is not on this machine")
        .Fix("sudo apt install libjq1")
        .Fix("pipe -o json into a program of your choice");
  Api api{};
#define GYRE_JQ(name) GYRE_DO(Load(*library, #name, &api.name))
  GYRE_JQ(jq_init);
  GYRE_JQ(jq_teardown);
  GYRE_JQ(jq_set_error_cb);
  GYRE_JQ(jq_compile);
  GYRE_JQ(jq_start);
  GYRE_JQ(jq_next);
  GYRE_JQ(jv_parse);
  GYRE_JQ(jv_dump_string);
  GYRE_JQ(jv_string_value);
  GYRE_JQ(jv_get_kind);
  GYRE_JQ(jv_copy);
  GYRE_JQ(jv_free);
  GYRE_JQ(jv_invalid_has_msg);
  GYRE_JQ(jv_invalid_get_msg);
#undef GYRE_JQ
  return api;
}

class Filter {
 public:
  explicit Filter(const Api& api) : api_(api), jq_(api.jq_init()) {
    api_.jq_set_error_cb(jq_, Collect, this);
  }
  ~Filter() { api_.jq_teardown(&jq_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  Result<std::string> Run(const std::string& expression, const Json& document) {
    if (api_.jq_compile(jq_, expression.c_str()) == 0) return Wrong(expression, problem_);
    api_.jq_start(jq_, api_.jv_parse(document.Dump().c_str()), 0);
    std::string out;
    while (true) {
      const Value value = api_.jq_next(jq_);
      if (api_.jv_get_kind(value) != kInvalid) {
        out += Text(value) + "\n";
        continue;
      }
      if (api_.jv_invalid_has_msg(api_.jv_copy(value)) == 0) {
        api_.jv_free(value);
        return out;
      }
      return Wrong(expression, Text(api_.jv_invalid_get_msg(value)));
    }
  }

 private:
  static void Collect(void* self, Value message) {
    auto* const filter = static_cast<Filter*>(self);
    const std::string text = filter->Text(message);
    if (filter->problem_.empty()) filter->problem_ = text.substr(0, text.find('\n'));
  }
  static Error Wrong(const std::string& expression, const std::string& why) {
    return InvalidArgument("GY4043", "--jq cannot do `{}`", expression)
        .Why(why)
        .Fix("-o json shows the document that it reads");
  }
  // Takes the value.
  std::string Text(Value value) {
    if (api_.jv_get_kind(value) != kString) value = api_.jv_dump_string(value, 0);
    std::string text = api_.jv_string_value(value);
    api_.jv_free(value);
    return text;
  }

  const Api& api_;
  Jq* jq_;
  std::string problem_;
};

}  // namespace

Result<std::string> ApplyJq(const std::string& expression, const Json& document) {
  GYRE_TRY(const Api api, LoadApi());
  return Filter(api).Run(expression, document);
}

}  // namespace gyre::cli
