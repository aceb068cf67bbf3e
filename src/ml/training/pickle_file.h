// What a pickle would build, read from its opcodes without building anything: no name is looked up,
// nothing is called. Joblib's files too, whose arrays lie between the opcodes. Pure. Private.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::training {

struct PickleFacts {
  std::set<std::string> names;  // "sklearn.linear_model._logistic.LogisticRegression"
  std::vector<std::string>
      unknown;                  // of those, what belongs to none of the libraries of such models
  std::string class_name;       // of what the whole is
  std::string sklearn_version;  // as it was written by
  std::map<std::string, std::string> params;  // of the whole: its plain values
  std::int64_t features = 0;                  // n_features_in_
};

// True by its first bytes; a compressed file does not look like one.
bool IsPickle(std::string_view bytes);
// "zlib", "gzip", "bzip2", "xz", "lz4", or nothing.
std::string_view CompressionOf(std::string_view bytes);

// Error: kInvalidArgument GY3546 opcodes that end early, that are not known, or that do not fit
// together.
Result<PickleFacts> InspectPickle(std::string_view bytes);

}  // namespace gyre::training
