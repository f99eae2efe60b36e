#include "launcher/layers/layer_plan.h"

namespace mirrorfs {

absl::StatusOr<MountPlan> PlanForLayer(const std::string& target, LayerAccess access, const MountArguments& how,
                                       const Invoker& invoker) {
  MountArguments arguments = how;
  arguments.target = target;
  arguments.mountpoint = "/";  // nothing is mounted
  arguments.read_write = access == LayerAccess::kWrite;
  return MakeMountPlan(arguments, invoker);
}

}  // namespace mirrorfs
