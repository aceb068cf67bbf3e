// HTTP as the rest of the house sees it: a request, a response, a route. No type of the engine
// underneath appears here.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::net {

enum class Method : unsigned char { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };
std::string_view MethodName(Method method);

// Who calls. Filled by the Gatekeeper before a handler runs.
struct Principal {
  std::string id;                  // user id, "local-owner", token id of a program; empty = nobody
  std::string name;                // shown in the audit log
  std::string kind = "anonymous";  // owner, user, token, program, anonymous
  std::string token_id;            // when a token was used
  // Where the route's permission holds: every project, or only these. The gate checks "{project}"
  // of the path itself; a route without it that touches projects says `per_project` and asks here.
  bool all_projects = true;
  std::vector<std::string> projects = {};
  bool AllowsProject(std::string_view project) const;
};

// Where the connection came from.
struct Peer {
  std::string address;  // "127.0.0.1:43210", "unix"
  bool loopback = false;
  std::optional<unsigned>
      uid;  // from SO_PEERCRED or sock_diag; empty when the kernel does not know
  bool tls = false;
};

// Reads a request body piece by piece; only routes with Body::kStream get one.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The next piece, empty at the end. Errors: kInvalidArgument (truncated, over the limit),
  // kCancelled (the client went away).
  virtual Result<std::string> Next() = 0;
  virtual std::optional<std::int64_t> content_length() const = 0;
};

struct Route;

class Request {
 public:
  virtual ~Request() = default;
  virtual Method method() const = 0;
  virtual std::string_view path() const = 0;  // without base path and query; still percent-encoded
  virtual std::optional<std::string_view> Header(std::string_view name) const = 0;  // any case
  virtual std::string_view body() const = 0;  // whole, for Body::kBuffer routes
  virtual BodyReader& body_reader() = 0;      // for Body::kStream routes
  virtual const Peer& peer() const = 0;
  virtual const std::string& id() const = 0;  // request id, also in X-Request-Id
  virtual bool client_gone() const = 0;

  // Path parameters and query, decoded exactly once.
  const std::string& Param(
      std::string_view name) const;  // "{name}" of the pattern; GYRE_CHECK that it exists
  // Only what the route's row lists (GYRE_CHECK); other parameters were refused before.
  std::optional<std::string> Query(std::string_view name) const;
  std::vector<std::string> QueryAll(std::string_view name) const;  // of Type::kTexts
  Result<std::int64_t> QueryInt(std::string_view name, std::int64_t fallback, std::int64_t min,
                                std::int64_t max) const;
  // kInvalidArgument GY1602 unless an object, GY1630 with a member that the route's row lacks.
  Result<Json> JsonBody() const;

  Principal principal;
  std::vector<std::pair<std::string, std::string>> params;
  std::vector<std::pair<std::string, std::string>> query;
  const Route* route = nullptr;  // null when none matched
};

// Streams a response: called from a pool thread.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual Result<> Write(
      std::string_view bytes) = 0;  // blocks while the client is slow; kCancelled when it is gone
};

struct Response;

// Where an answer goes that comes later. From any thread, once, and quickly; one that ends without
// an answer says GY1600, so that nobody waits for ever.
class Later {
 public:
  class Taker {
   public:
    virtual ~Taker() = default;
    virtual void Take(Result<Response> answer) = 0;
  };
  explicit Later(std::unique_ptr<Taker> taker) : taker_(std::move(taker)) {}
  Later(Later&&) noexcept = default;
  ~Later();
  void Answer(Result<Response> answer);

 private:
  std::unique_ptr<Taker> taker_;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::move_only_function<Result<>(BodyWriter&)>
      stream;  // used instead of body when set (chunked, or content_length)
  std::optional<std::int64_t> content_length;  // of the stream, when known
  // Used instead of all of the above when set: begins what the answer waits for. Called when the
  // handler has returned; of the request's body nothing is there any more.
  std::move_only_function<void(Later)> later;

  static Response JsonDoc(const Json& json, int status = 200);
  static Response Text(std::string text, int status = 200,
                       std::string content_type = "text/plain; charset=utf-8");
  static Response Empty(int status = 204);
  Response&& With(std::string name, std::string value) &&;
};

// Server-sent events: Response::stream with these frames.
std::string SseEvent(std::string_view event, std::string_view data, std::string_view id = {});

// RFC 9457 document: {type, title, status, code: "GY2041", message, why, fix[], doc, where?,
// request_id}. One table Code -> status.
int HttpStatus(const Error& error);
Response ProblemResponse(const Error& error, std::string_view request_id);

// --- routes --------------------------------------------------------------------------------------
// A protocol states its addresses as a table of rows; the server finds the row of a request.
// A permission by name ("dataset.read"). There is no default: a row without one does not compile.
// kPublic is said, never implied.
struct Permission {
  std::string_view name;
  consteval explicit Permission(const char* n) : name(n) {}
};
inline constexpr Permission kPublic{"public"};

enum class Body : unsigned char { kNone, kBuffer, kStream };
enum class Where : unsigned char {
  kBlocking,  // on a pool thread: may wait for the database, files, children
  kInline,    // on the I/O thread: must never wait; microseconds only
  // Begins on the I/O thread as an inline one does, unless its body is large, and answers with
  // Response::later when what it changes is durable. Not audited: a change's record is written by
  // the thread that waits for it.
  kDeferred,
};

// A handler is a member function of the protocol's class: Bind<&NativeApi::ListRuns>.
using HandlerFunction = Result<Response> (*)(void* self, Request& request);
template <auto MemberFunction>
struct BindImpl;
template <class Class, Result<Response> (Class::*Function)(Request&)>
struct BindImpl<Function> {
  static Result<Response> Call(void* self, Request& request) {
    return (static_cast<Class*>(self)->*Function)(request);
  }
};
template <auto MemberFunction>
inline constexpr HandlerFunction Bind = &BindImpl<MemberFunction>::Call;

template <auto MemberFunction>
struct BindWaitsImpl;
template <class Class, bool (Class::*Function)(const Request&)>
struct BindWaitsImpl<Function> {
  static bool Call(void* self, const Request& request) {
    return (static_cast<Class*>(self)->*Function)(request);
  }
};
template <auto MemberFunction>
inline constexpr auto BindWaits = &BindWaitsImpl<MemberFunction>::Call;

// A query parameter of a route, or a member of the JSON object that its body is.
enum class Type : unsigned char {
  kText,
  kTexts,  // a list of texts; a query parameter that may come more than once
  kWhole,
  kNumber,
  kBool,
  kTime,
  kObject,
  kObjects,
  kAny,
};
inline constexpr bool kRequired = true;
struct Field {
  const char* name;  // "*": every member, whatever its name
  Type type;
  const char* about;      // one line
  const char* only = "";  // the values that a text may have: "csv|jsonl|parquet"
  bool required = false;
};
using Fields = std::initializer_list<Field>;

struct Route {
  Method method;
  std::string_view path;  // "/api/v1/projects/{project}/datasets/{dataset}"; the last part may be
                          // "{name*}" = the rest
  HandlerFunction handler;
  Permission permission;
  std::string_view summary;  // one line, for OpenAPI and help
  Body body = Body::kNone;
  std::int64_t body_bytes_max = 1 << 20;
  Where where = Where::kBlocking;
  std::string_view request_type = {};  // names of schemas in the OpenAPI document, may be empty
  std::string_view response_type = {};
  bool audited =
      true;  // changes (not GET, HEAD, OPTIONS) are audited unless false (predict, query)
  // How this protocol writes an error; null = problem+json.
  Response (*error_response)(const Error& error, std::string_view request_id) = nullptr;
  // The path has no "{project}" but the handler asks principal.AllowsProject; without it, the
  // permission must hold in every project.
  bool per_project = false;
  // A parameter or a member that is not listed is refused.
  Fields query = {};
  Fields members = {};        // of the JSON object in the body; none = whatever the handler takes
  bool any_query = false;     // this protocol passes over parameters that it does not know
  bool encoded_body = false;  // its handler undoes Content-Encoding; other routes refuse one
  // Of a row that is inline: this request would wait after all, so it goes to a pool thread.
  bool (*waits)(void* self, const Request& request) = nullptr;
};

struct RouteTable {
  std::string_view protocol;  // "native", "oip": the label of metrics and logs
  std::span<const Route> routes;
  void* self;  // what the handlers are called on; outlives the server
};

// Decides whether a request may reach its handler, and who it is. Implemented by ledger/access.
class Gatekeeper {
 public:
  virtual ~Gatekeeper() = default;
  // Sets request.principal. Errors: kUnauthenticated GY1701, kPermissionDenied GY1702.
  virtual Result<> Admit(Request& request, const Route& route) = 0;
  // True when Admit for this request can be answered without waiting (inline routes are only run
  // inline then).
  virtual bool AdmitsWithoutWaiting(const Request& request, const Route& route) const = 0;
  // Runs an audited change (no GET, HEAD or OPTIONS) with its admission, and sees to it that it is
  // recorded before its answer leaves. An error replaces the answer.
  virtual Result<Response> Witness(const Request& request, const Route& route,
                                   const std::function<Result<Response>()>& run) {
    static_cast<void>(request);
    static_cast<void>(route);
    return run();
  }
};

// Told once per finished request (metrics, access log, audit). Must be quick; called from any
// thread.
struct Finished {
  const Request& request;
  const Route* route;  // null when none matched
  std::string_view protocol;
  int status;
  std::int64_t response_bytes;
  std::int64_t duration_us;
};
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void OnFinished(const Finished& finished) = 0;
};

// OpenAPI 3.1 of the tables; `schemas` is the components.schemas object.
Json OpenApi(std::span<const RouteTable> tables, const Json& schemas, std::string_view title,
             std::string_view version);

}  // namespace gyre::net
