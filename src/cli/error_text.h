// How a person reads an error.
#pragma once

#include <string>

#include "base/error.h"

namespace gyre::cli {

struct TextStyle {
  bool colour = false;
  bool ascii = false;
};

// error[GY2041]: ... / --> where / why: / fix: / more:   ; ends with a line break.
std::string ErrorText(const Error& error, const TextStyle& style);
// One line of JSON: {"code","status","message","why","where","fix"}.
std::string ErrorJson(const Error& error);

}  // namespace gyre::cli
