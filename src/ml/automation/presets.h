// Pipelines that come with the house.
#pragma once

#include <string_view>

namespace gyre::automation {

// The YAML of "retrain"; empty when there is no preset of that name.
std::string_view PresetNamed(std::string_view name);

}  // namespace gyre::automation
