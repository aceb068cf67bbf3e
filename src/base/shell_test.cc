#include "base/shell.h"

#include <gtest/gtest.h>

namespace gyre {
namespace {

TEST(Shell, Words) {
  EXPECT_EQ(ShellWord("train.py"), "train.py");
  EXPECT_EQ(ShellWord("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("a b;c"), "'a b;c'");
}

}  // namespace
}  // namespace gyre
