// mirrorfs doctor: whether mounts can work, and if not, why.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_DOCTOR_COMMAND_H_
#define MIRRORFS_LAUNCHER_COMMANDS_DOCTOR_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "launcher/plan/invoker.h"

namespace mirrorfs {

// `words`: what follows "doctor". Prints a line for each check. Fails with the code of the first that has failed: what
// a mount would fail with.
absl::Status RunDoctor(absl::Span<const std::string> words, const Invoker& invoker);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_DOCTOR_COMMAND_H_
