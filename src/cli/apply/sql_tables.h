// Which tables a query certainly reads. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gyre::cli::apply {

// Names after FROM and JOIN, in small letters, without those that the query makes itself (WITH).
// Rather one too few: what stands in a column's place, a text or a comment is none.
std::set<std::string> TablesOf(std::string_view sql);

// What the queries of datasets read, all in small letters.
using Reads = std::map<std::string, std::set<std::string>>;

// The way from a dataset by others back to it: "a", "b", "a". Empty when there is none; that it
// reads its own earlier rows is none.
std::vector<std::string> CircleFrom(const std::string& dataset, const Reads& reads);

}  // namespace gyre::cli::apply
