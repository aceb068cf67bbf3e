// A stored blob as the answer to a GET: whole, or the part that is asked for; its tag is what it is
// made of, so that nobody is sent what he has.
#pragma once

#include <string>
#include <string_view>

#include "platform/blob/blob_store.h"
#include "platform/net/http.h"

namespace gyre::files {

struct StoredFile {
  blob::Object object;
  std::string content_type;
  std::string tag = {};  // of its content; empty = its digest
};
// 304 for whoever has it, 206 and 416 for ranges. Errors: those of the store.
Result<net::Response> AnswerStored(const net::Request& request, blob::Store& blobs,
                                   const StoredFile& file);

// What people stored is never run by a browser under our origin: it is saved, as itself, under this
// name.
void SayItIsForeign(std::string_view name, net::Response* response);

}  // namespace gyre::files
