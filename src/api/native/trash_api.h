// /api/v1/trash: what was removed, and how it comes back.
#pragma once

#include "platform/net/http.h"

namespace gyre::access {
class Access;
}
namespace gyre::trash {
class Trash;
struct Item;
}  // namespace gyre::trash

namespace gyre::native {

class TrashApi {
 public:
  TrashApi(trash::Trash& trash, access::Access& access) : trash_(trash), access_(access) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Restore(net::Request& request);
  Result<net::Response> RestoreOfNone(net::Request& request);
  Result<net::Response> Empty(net::Request& request);

 private:
  Result<trash::Item> ItemOf(const net::Request& request, bool of_project);
  Result<net::Response> PutBack(const net::Request& request, const trash::Item& item);

  trash::Trash& trash_;
  access::Access& access_;
};

}  // namespace gyre::native
