// Server-sent events out of the pieces in which they come.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace gyre::cli {

struct SentEvent {
  std::string kind, id, data;
};

class EventStream {
 public:
  // False ends it.
  using Take = std::function<Result<bool>(const SentEvent&)>;

  // False when `take` has said so.
  Result<bool> Feed(std::string_view piece, const Take& take) {
    pending_ += piece;
    std::size_t end = 0;
    while ((end = pending_.find('\n')) != std::string::npos) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (!line.empty()) {
        ReadLine(line);
        continue;
      }
      const SentEvent event = std::exchange(event_, {});
      if (!event.id.empty()) last_id_ = event.id;
      if (event.kind.empty() && event.data.empty()) continue;
      GYRE_TRY(const bool more, take(event));
      if (!more) return false;
    }
    return true;
  }
  // Where to go on after the stream has ended.
  const std::string& last_id() const { return last_id_; }

 private:
  void ReadLine(std::string_view line) {
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "event") event_.kind = value;
    if (name == "id") event_.id = value;
    if (name == "data") event_.data += (event_.data.empty() ? "" : "\n") + std::string(value);
  }

  std::string pending_, last_id_;
  SentEvent event_;
};

}  // namespace gyre::cli
