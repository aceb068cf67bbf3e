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

// Among the names that are not known: what a loader of its own brings (PyTorch's tensors).
inline constexpr std::string_view kOutsideObject = "an object outside the file (persistent id)";

struct PickleFacts {
  std::set<std::string> names;  // "sklearn.linear_model._logistic.LogisticRegression"
  std::vector<std::string>
      unknown;                  // of those, what belongs to none of the libraries of such models
  std::string class_name;       // of what the whole is
  std::string sklearn_version;  // as it was written by
  std::map<std::string, std::string> params;  // of the whole: its plain values
  std::int64_t features = 0;                  // n_features_in_
  std::size_t bytes_read = 0;                 // what follows its end is not of it
};

// Error: kInvalidArgument GY3546 opcodes that end early, that are not known, or that do not fit
// together.
Result<PickleFacts> InspectPickle(std::string_view bytes);

// What a reader of pickles looks up before it gives up on these bytes, whatever they are; mostly
// nothing, for it gives up at once.
struct PickleProbe {
  std::vector<std::string> names, unknown;
};
PickleProbe ProbePickle(std::string_view bytes);

}  // namespace gyre::training
