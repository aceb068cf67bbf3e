// /api/v1/trash: what was removed, and how it comes back.
#pragma once

#include "platform/net/http.h"

namespace gyre::access {
class Access;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

class TrashApi {
 public:
  TrashApi(trash::Trash& trash, access::Access& access) : trash_(trash), access_(access) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Restore(net::Request& request);
  Result<net::Response> Empty(net::Request& request);

 private:
  trash::Trash& trash_;
  access::Access& access_;
};

}  // namespace gyre::native
