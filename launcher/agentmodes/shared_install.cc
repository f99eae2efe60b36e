#include "launcher/agentmodes/shared_install.h"

#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/get_json.h"
#include "launcher/kubernetes/json_path.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

bool IsReady(const json& pod) {
  if (!TextAt(pod, {"metadata", "deletionTimestamp"}).empty()) return false;
  for (const json& condition : ListAt(pod, {"status", "conditions"})) {
    if (TextAt(condition, {"type"}) == "Ready") return TextAt(condition, {"status"}) == "True";
  }
  return false;
}

}  // namespace

absl::StatusOr<SharedInstall> FindSharedInstall(const Kubectl& kubectl, const std::string& name_space) {
  SharedInstall install{.name_space = name_space.empty() ? kSharedNamespace : name_space, .certificate = {}, .port = 0};
  const auto published = GetJson(kubectl.In(install.name_space), {"configmap", kSharedName});
  if (ExitCodeOf(published.status()) == ExitCode::kNoTarget) {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("no shared agents are installed in namespace {} (--agent-namespace names another one). "
                               "An administrator installs them with: mirrorfs agent install",
                               install.name_space));
  }
  if (!published.ok()) return published.status();
  install.certificate = TextAt(*published, {"data", "tls.crt"});
  if (install.certificate.empty() || !absl::SimpleAtoi(TextAt(*published, {"data", "port"}), &install.port)) {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("configmap/{} in namespace {} does not say the certificate and port of shared agents: "
                               "its chart is of another version.",
                               kSharedName, install.name_space));
  }
  return install;
}

absl::StatusOr<std::string> FindSharedPod(const Kubectl& kubectl, const SharedInstall& install,
                                          const std::string& node) {
  ASSIGN_OR_RETURN(const json pods,
                   GetJson(kubectl.In(install.name_space),
                           {"pods", "-l", "app.kubernetes.io/name=mirrorfs-agent,mirrorfs.io/mode=shared",
                            "--field-selector", "spec.nodeName=" + node}));
  for (const json& pod : ListAt(pods, {"items"})) {
    if (IsReady(pod)) return TextAt(pod, {"metadata", "name"});
  }
  return Failure(ExitCode::kUnreachable, fmt::format("the shared agent of node {} is not ready. See: {}", node,
                                                     kubectl.In(install.name_space).Shown("get pods -o wide")));
}

}  // namespace mirrorfs
