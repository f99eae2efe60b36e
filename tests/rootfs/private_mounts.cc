// Mounts that the tests make are seen by nobody else and go away with the process.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (geteuid() == 0 && !testing::GTEST_FLAG(list_tests)) {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      perror("a mount namespace of our own");
      return 1;
    }
  }
  return RUN_ALL_TESTS();
}
