// What kubectl's errors mean for the user of mirrorfs.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_KUBECTL_ERRORS_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_KUBECTL_ERRORS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/system/captured_command.h"

namespace mirrorfs {

// Of a kubectl that did not succeed: the cause and the next command in one message, with the exit code. May ask kubectl
// for its version to say more.
absl::Status ExplainKubectl(const Kubectl& kubectl, absl::Span<const std::string> words, const CapturedEnd& end,
                            absl::Duration limit);

// Fails with kUnreachable if a kubectl of that version ("v1.18.3") is too old.
absl::Status CheckKubectlVersion(const Kubectl& kubectl, std::string_view version);

// No context is chosen, so there is no cluster.
absl::Status NoCluster(const Kubectl& kubectl);

// The same without asking: from what kubectl has printed on stderr alone. `what`: "get pods".
absl::Status ExplainKubectlText(const Kubectl& kubectl, std::string_view what, std::string_view errors);

// What kubectl says is wrong, in one line: without log lines, "error:" and "Error from server (...):".
std::string CauseIn(std::string_view errors);

// Of a `kubectl exec` after which no other protocol is left to try (exec_protocol.h).
absl::Status ExplainExec(const Kubectl& kubectl, std::string_view what, std::string_view errors);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_KUBECTL_ERRORS_H_
