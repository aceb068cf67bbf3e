// Pipes between the owner and a worker: whole lines of JSON each way.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "platform/exec/descriptor.h"

namespace gyre::runners {

struct Pipe {
  exec::Descriptor read_end, write_end;  // both close on exec
};
Result<Pipe> MakePipe();

// Error: kUnavailable when the other side has closed it.
Result<> WriteAll(int fd, std::string_view bytes);

// Cuts what arrives into lines.
class LineReader {
 public:
  explicit LineReader(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}
  // Reads once what is there. False at the end of the stream. Error: kResourceExhausted for a line
  // over the limit.
  Result<bool> Fill(int fd);
  std::optional<std::string> Next();  // the next whole line, without its end
  std::string TakeRest();             // what stands after the last line end

 private:
  std::size_t line_bytes_max_;
  std::string buffer_;
  std::size_t scanned_ = 0;
};

// Waits until one of two descriptors can be read (or has ended), or the time passed. Bits: 1 =
// first, 2 = second.
int WaitReadable(int first, int second, int timeout_ms);

}  // namespace gyre::runners
