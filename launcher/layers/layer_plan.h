// How the container of a layer is reached.
#ifndef MIRRORFS_LAUNCHER_LAYERS_LAYER_PLAN_H_
#define MIRRORFS_LAUNCHER_LAYERS_LAYER_PLAN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "launcher/plan/mount_arguments.h"
#include "launcher/plan/mount_plan.h"

namespace mirrorfs {

enum class LayerAccess : uint8_t { kRead, kWrite };

// `how`: identity, sockets, files of the connection, as `mirrorfs mount` takes them.
absl::StatusOr<MountPlan> PlanForLayer(const std::string& target, LayerAccess access, const MountArguments& how,
                                       const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_LAYERS_LAYER_PLAN_H_
