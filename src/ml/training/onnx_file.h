// What an ONNX file says of itself: its operator sets, and its inputs and outputs with their types.
// Pure; nothing of it is run. Private.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace gyre::training {

// By its first bytes: they look like those of an ONNX file.
bool MayBeOnnx(std::string_view bytes);

// {"ir_version", "producer", "opsets": [{"domain", "version"}], "inputs": [{"name", "type":
// "float", "shape": [null, 4]}], "outputs", "operators", "metadata", "external_data"}; types as
// ONNX writes them: "tensor(float)", "seq(map(int64,tensor(float)))". Error: kInvalidArgument
// GY3547 it cannot be read.
Result<Json> InspectOnnx(std::string_view bytes);

}  // namespace gyre::training
