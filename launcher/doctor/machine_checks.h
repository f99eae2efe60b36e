// Whether this machine has what mounts and runs of programs need.
#ifndef MIRRORFS_LAUNCHER_DOCTOR_MACHINE_CHECKS_H_
#define MIRRORFS_LAUNCHER_DOCTOR_MACHINE_CHECKS_H_

#include <string>

#include "launcher/doctor/check.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/mount_plan.h"

namespace mirrorfs {

// Kernel, FUSE, namespaces, programs, state directory, dead mounts, container runtimes. `plan`: names programs, if the
// user does; where they are found is filled in. Makes nothing that stays.
void CheckMachine(const Invoker& invoker, MountPlan& plan, const CheckReport& report);

// Whether something can be mounted on that directory.
void CheckMountPoint(const Invoker& invoker, const std::string& directory, const CheckReport& report);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_DOCTOR_MACHINE_CHECKS_H_
