// The classes and functions that fitted models of scikit-learn hold. Pure. Private.
#pragma once

#include <string_view>

namespace gyre::training {

// By the whole name, each: whoever may name a module by its beginning reaches all that it imports.
// A name with a dot in it is looked up part by part ("os.system" in joblib.numpy_pickle is
// os.system), so that none is known.
bool IsKnownName(std::string_view module, std::string_view name);

}  // namespace gyre::training
