#include "ml/training/code_versions.h"

namespace gyre::training {

Json CodeVersions() {
  return Json::Obj({{"compiler", __VERSION__}, {"lightgbm", "4.7.0"}, {"portfolio", 1}});
}

}  // namespace gyre::training
