// The options that name a cluster, and what is in it: kubectl's own, as far as there is one.
#ifndef MIRRORFS_LAUNCHER_PLAN_CLUSTER_OPTIONS_H_
#define MIRRORFS_LAUNCHER_PLAN_CLUSTER_OPTIONS_H_

#include <string_view>

#include "boost/program_options.hpp"
#include "launcher/plan/cluster_target.h"

namespace mirrorfs {

// --context, --kubeconfig, --kube-as, --kube-as-group. `flags` must outlive the parsing; likewise below.
void AddAccessOptions(boost::program_options::options_description& options, ClusterFlags& flags);

// Those, and -c, -l, -n: for commands that take a target.
void AddClusterOptions(boost::program_options::options_description& options, ClusterFlags& flags);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_CLUSTER_OPTIONS_H_
