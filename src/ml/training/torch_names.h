// The classes and functions that PyTorch's archives of weights and of plain modules hold. Pure.
// Private.
#pragma once

#include <string_view>

namespace gyre::training {

// By the whole name: "torch.nn.modules.linear.Linear".
bool IsKnownTorchName(std::string_view name);

}  // namespace gyre::training
