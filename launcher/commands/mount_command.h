// mirrorfs mount
#ifndef MIRRORFS_LAUNCHER_COMMANDS_MOUNT_COMMAND_H_
#define MIRRORFS_LAUNCHER_COMMANDS_MOUNT_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/invoker.h"
#include "launcher/plan/mount_arguments.h"

namespace mirrorfs {

absl::Status RunMount(absl::Span<const std::string> words, MountCaller caller, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_MOUNT_COMMAND_H_
