// Whether the cluster can be reached, and a target be mounted. Asks what mounts ask, in their order, and makes nothing.
#ifndef MIRRORFS_LAUNCHER_DOCTOR_TARGET_CHECKS_H_
#define MIRRORFS_LAUNCHER_DOCTOR_TARGET_CHECKS_H_

#include "launcher/doctor/check.h"
#include "launcher/kubernetes/cluster_access.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/mount_plan.h"

namespace mirrorfs {

// kubectl, the cluster, who the user is there and whether he may look at pods. `needed`: the target is in a cluster;
// else nothing of it is a failure. `access` is settled. False if there is no use in asking for more.
bool CheckCluster(ClusterAccess& access, bool needed, const CheckReport& report);

// Of a target in a cluster: the container, the agent's image, each mode that its agent may be in, and what --agent (or
// auto) comes to.
void CheckClusterTarget(const MountPlan& plan, const CheckReport& report);

// Of any other: an agent is started for it, or asked, and ends. Needs the plan's programs.
void CheckOtherTarget(const MountPlan& plan, const Invoker& invoker, const CheckReport& report);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_DOCTOR_TARGET_CHECKS_H_
