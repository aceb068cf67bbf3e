#include "platform/db/write_companion.h"

#include <utility>

namespace gyre::db {
namespace {

thread_local WriteCompanion* t_companion = nullptr;

}  // namespace

WriteCompanion::WriteCompanion(std::function<Database::WriteBody()> make)
    : make_(std::move(make)), outer_(std::exchange(t_companion, this)) {}

WriteCompanion::~WriteCompanion() { t_companion = outer_; }

bool WriteCompanion::Waits() { return t_companion != nullptr && !t_companion->written_; }

Result<> WriteCompanion::Write(Database::WriteBody body, const WriteAlone& write) {
  WriteCompanion* const companion = t_companion;
  if (!Waits()) return write(std::move(body));
  auto both = [&body, also = companion->make_()](Transaction& tx) mutable -> Result<> {
    GYRE_DO(body(tx));
    return also(tx);
  };
  GYRE_DO(write(std::move(both)));
  companion->written_ = true;
  return {};
}

}  // namespace gyre::db
