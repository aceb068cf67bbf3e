// An empty frame to push rows into. Tests only.
#pragma once

#include "platform/table/frame.h"

namespace gyre::table {

inline Frame FrameOf(const Schema& schema) {
  Frame frame;
  frame.columns.resize(schema.size());
  for (std::size_t i = 0; i < schema.size(); ++i) {
    frame.columns[i].name = schema[i].name;
    frame.columns[i].type = schema[i].type;
  }
  return frame;
}

}  // namespace gyre::table
