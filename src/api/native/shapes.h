// What the answers of this API are made of, for its OpenAPI document: the names that the tables'
// response_type gives. The web UI's types are generated from them (web/tools/api.mjs), and
// tests/protocols/api_shapes.py holds real answers against them. Answers may gain members; what
// stands here stays.
#pragma once

#include "base/json.h"

namespace gyre::native {

// components.schemas by name.
Json AnswerSchemas();

}  // namespace gyre::native
