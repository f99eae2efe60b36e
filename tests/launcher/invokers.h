// Who runs mirrorfs in tests of plans.
#ifndef MIRRORFS_TESTS_LAUNCHER_INVOKERS_H_
#define MIRRORFS_TESTS_LAUNCHER_INVOKERS_H_

#include "launcher/plan/invoker.h"

namespace mirrorfs {

inline const Invoker kRoot = {
    .uid = 0, .gid = 0, .working_directory = "/work", .executable_directory = "/usr/bin", .runtime_directory = ""};
inline const Invoker kUser = {.uid = 1000,
                              .gid = 1000,
                              .working_directory = "/home/me",
                              .executable_directory = "/usr/bin",
                              .runtime_directory = "/run/user/1000"};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_LAUNCHER_INVOKERS_H_
