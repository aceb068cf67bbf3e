#include "platform/net/request_target.h"

namespace gyre::net {

RequestTarget SplitTarget(std::string_view target, std::string_view base_path) {
  RequestTarget out;
  if (target.starts_with("http://") || target.starts_with("https://")) {
    target.remove_prefix(target.find("//") + 2);
    out.authority = target.substr(0, target.find_first_of("/?"));
    target.remove_prefix(out.authority.size());
  }
  const std::size_t question = target.find('?');
  if (question != std::string_view::npos) out.query = target.substr(question + 1);
  std::string_view path = target.substr(0, question);
  if (path.empty()) path = "/";
  out.inside =
      path.starts_with(base_path) &&
      (base_path.empty() || path.size() == base_path.size() || path[base_path.size()] == '/');
  if (!out.inside) return out;
  out.path = path.substr(base_path.size());
  if (out.path.empty()) out.path = "/";
  return out;
}

Result<> CheckTarget(std::string_view target, std::string_view authority) {
  if (target.find('#') != std::string_view::npos)
    return InvalidArgument("GY1614", "a request target has no fragment");
  if (authority.find('@') != std::string_view::npos)
    return InvalidArgument("GY1614", "a request target names no user");
  return {};
}

}  // namespace gyre::net
