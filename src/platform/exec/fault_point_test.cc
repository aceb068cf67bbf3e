#include "platform/exec/fault_point.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace gyre::exec {
namespace {

TEST(FaultPointTest, CostsNothingUntilArmed) {
  Fault("firing.open");
  Fault("step.begun", "train");
}

TEST(FaultPointTest, RefusesWhatIsNotInTheTable) {
  for (const std::string_view name : {"", "nowhere", "firing.open:", "step.begun", "firing"})
    EXPECT_EQ(ArmFault(name).error().gy(), "GY1390") << name;
  EXPECT_EQ(armed_fault, nullptr);
}

TEST(FaultPointDeathTest, DiesAtItsNameAlone) {
  EXPECT_EXIT(
      {
        static_cast<void>(ArmFault("step.begun:train"));
        Fault("step.ended", "train");
        Fault("step.begun", "canary");
        Fault("firing.open");
        Fault("step.begun", "train");
      },
      testing::KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace gyre::exec
