// A connection to the native API: the socket of the data directory, a server URL, or this process
// as the owner. Paths begin "/api/v1/...". A non-2xx answer becomes its Error (code, message, why,
// fixes), so commands only handle success.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "cli/event_stream.h"

namespace gyre::cli {

class Output;

class Session {
 public:
  virtual ~Session() = default;
  virtual Result<Json> Get(std::string_view path) = 0;
  virtual Result<Json> Post(std::string_view path, const Json& body) = 0;
  virtual Result<Json> Put(std::string_view path, const Json& body) = 0;
  virtual Result<Json> Patch(std::string_view path, const Json& body) = 0;
  virtual Result<Json> Delete(std::string_view path) = 0;
  // Streams a local file ("-" = standard input) as the request body, with a progress line. Error:
  // kCancelled GY4066 a Ctrl-C before all was sent.
  virtual Result<Json> Upload(std::string_view path, const std::string& file, Output& out) = 0;
  // Streams the answer into a file ("-" = standard output). A partial file is removed on error.
  virtual Result<> Download(std::string_view path, const std::string& file, Output& out) = 0;
  // Where the answer to what comes next will be written: a plan says so.
  virtual void WillWrite(const std::string& /*file*/) {}
  // Posts, and hands the answer on as it comes. Ctrl-C ends it: kCancelled GY1625.
  virtual Result<> Stream(std::string_view path,
                          const std::function<Result<>(std::string_view)>& sink) = 0;
  // Follows server-sent events until `take` says false, beginning after the event of that id (""
  // = from now on), over the ends of streams. Ctrl-C ends it: kCancelled GY1625.
  virtual Result<> Events(std::string_view path, std::string_view after,
                          const EventStream::Take& take) = 0;
  // Follows a job to its end with a progress line. Ctrl-C once leaves the job and says how to come
  // back and how to cancel, twice cancels it; both return kCancelled (exit 130). A failed job
  // becomes its Error; else the job document, its "result" in it.
  virtual Result<Json> WaitJob(const Json& job, Output& out) = 0;
  virtual const std::string& url()
      const = 0;  // for links: "http://127.0.0.1:7171", or "" when there is only the socket
  // By the data directory, not by a URL: who may use that may read its files too.
  virtual bool is_local() const = 0;
  // What a kept token belongs to: the server's URL, or the data directory.
  virtual const std::string& audience() const = 0;
  // A command that finds what this one worked on: with --server or --data where needed.
  virtual std::string Repeatable(std::string command) const = 0;
  // What was begun must outlive the command: leaves it to the keeper, if there is one; else starts
  // `gyre server` detached when this process is the owner, and reconnects to it.
  virtual Result<> EnsureServerOutlivesUs(Output& out) = 0;
  // When what it was started for has failed: stops the server that we have started, if we have.
  virtual void StopStartedServer(Output& out) = 0;
};

}  // namespace gyre::cli
