#include "ml/runners/submission.h"

#include <utility>

namespace gyre::runners {
namespace {

thread_local std::string t_key;
thread_local PartOf t_part;

}  // namespace

SubmitOnce::SubmitOnce(std::string key, PartOf part) {
  t_key = std::move(key);
  t_part = std::move(part);
}
SubmitOnce::~SubmitOnce() {
  t_key.clear();
  t_part = {};
}
std::string SubmitOnce::TakeKey() { return std::exchange(t_key, {}); }
PartOf SubmitOnce::TakePart() { return std::exchange(t_part, {}); }

}  // namespace gyre::runners
