#include "ml/runners/submission.h"

#include <utility>

namespace gyre::runners {
namespace {

thread_local std::string t_key;

}  // namespace

SubmitOnce::SubmitOnce(std::string key) { t_key = std::move(key); }
SubmitOnce::~SubmitOnce() { t_key.clear(); }
std::string SubmitOnce::TakeKey() { return std::exchange(t_key, {}); }

}  // namespace gyre::runners
