// The Kubernetes Container Runtime Interface: containerd, CRI-O, k3s, k0s, microk8s.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "agent/target/container_choice.h"
#include "agent/target/found_container.h"
#include "agent/target/runtime_channel.h"
#include "agent/target/runtime_sockets.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"
#include "runtime/v1/cri.grpc.pb.h"

namespace mirrorfs {
namespace {

namespace cri = runtime::v1;

constexpr std::string_view kRuntime = "cri";

std::string StateName(cri::ContainerState state) {
  switch (state) {
    case cri::CONTAINER_CREATED:
      return "created";
    case cri::CONTAINER_RUNNING:
      return "running";
    case cri::CONTAINER_EXITED:
      return "exited";
    default:
      return "unknown";
  }
}

std::string LabelOf(const cri::Container& container, const char* label) {
  const auto found = container.labels().find(label);
  return found == container.labels().end() ? std::string() : found->second;
}

// namespace/pod/container, pod/container, container: the shorter ones may match several pods, and then say so.
std::vector<std::string> NamesOf(const cri::Container& container) {
  const std::string& name = container.metadata().name();
  if (name.empty()) return {};
  std::vector<std::string> names = {name};
  const std::string pod = LabelOf(container, "io.kubernetes.pod.name");
  const std::string space = LabelOf(container, "io.kubernetes.pod.namespace");
  if (!pod.empty()) names.insert(names.begin(), fmt::format("{}/{}", pod, name));
  if (!pod.empty() && !space.empty()) names.insert(names.begin(), fmt::format("{}/{}/{}", space, pod, name));
  return names;
}

ListedContainer ToListed(const cri::Container& container) {
  return ListedContainer{.id = container.id(),
                         .names = NamesOf(container),
                         .state = StateName(container.state()),
                         .running = container.state() == cri::CONTAINER_RUNNING};
}

// One runtime.
class CriRuntime {
 public:
  explicit CriRuntime(const std::string& socket)
      : socket_(socket), stub_(cri::RuntimeService::NewStub(RuntimeChannel(socket))) {}

  absl::StatusOr<std::vector<ListedContainer>> List() {
    grpc::ClientContext context;
    SetRuntimeDeadline(context);
    cri::ListContainersResponse reply;
    RETURN_IF_ERROR(RuntimeStatus(stub_->ListContainers(&context, {}, &reply), kRuntime, socket_));
    std::vector<ListedContainer> listed;
    for (const cri::Container& container : reply.containers()) listed.push_back(ToListed(container));
    return listed;
  }

  absl::StatusOr<int> PidOf(const std::string& id) {
    grpc::ClientContext context;
    SetRuntimeDeadline(context);
    cri::ContainerStatusRequest request;
    request.set_container_id(id);
    request.set_verbose(true);
    cri::ContainerStatusResponse reply;
    RETURN_IF_ERROR(RuntimeStatus(stub_->ContainerStatus(&context, request, &reply), kRuntime, socket_));
    const auto info = reply.info().find("info");
    const auto parsed = nlohmann::json::parse(info == reply.info().end() ? std::string() : info->second, nullptr,
                                              /*allow_exceptions=*/false);
    const auto pid = parsed.is_object() ? parsed.find("pid") : parsed.end();
    if (pid == parsed.end() || !pid->is_number_integer()) {
      return absl::UnavailableError(
          fmt::format("the runtime at {} does not tell the process of container {}", socket_, ShortId(id)));
    }
    return pid->get<int>();
  }

 private:
  std::string socket_;
  std::unique_ptr<cri::RuntimeService::Stub> stub_;
};

absl::StatusOr<FoundContainer> FindAt(const std::string& socket, const std::string& name) {
  CriRuntime runtime(socket);
  ASSIGN_OR_RETURN(const auto listed, runtime.List());
  ASSIGN_OR_RETURN(const ListedContainer chosen, ChooseContainer(kRuntime, name, listed));
  RETURN_IF_ERROR(CheckRunning(kRuntime, chosen, "its pod has to start it: kubectl describe pod tells what is wrong"));
  ASSIGN_OR_RETURN(const int pid, runtime.PidOf(chosen.id));
  if (pid <= 0) return absl::FailedPreconditionError(fmt::format("{} has just ended", Describe(kRuntime, chosen)));
  return FoundContainer{.id = chosen.id, .pid = pid, .description = Describe(kRuntime, chosen)};
}

}  // namespace

absl::StatusOr<FoundContainer> FindCriContainer(const TargetName& target, const std::string& socket) {
  ASSIGN_OR_RETURN(const auto sockets, AnsweringSocketsOf(Runtime::kCri, socket));
  // A containerd whose CRI is switched off answers too (UNIMPLEMENTED, here UNAVAILABLE). What is worth telling is
  // what a runtime that knows the CRI said.
  std::optional<absl::Status> error;
  for (const std::string& socket_path : sockets) {
    auto found = FindAt(socket_path, target.name);
    if (found.ok()) return found;
    if (!absl::IsNotFound(found.status()) && !absl::IsUnavailable(found.status())) return found;
    if (!error || absl::IsUnavailable(*error)) error = found.status();
  }
  return *error;
}

}  // namespace mirrorfs
