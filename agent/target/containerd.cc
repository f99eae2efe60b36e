// containerd's own API: containers and tasks of one namespace.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "agent/target/container_choice.h"
#include "agent/target/found_container.h"
#include "agent/target/runtime_channel.h"
#include "agent/target/runtime_sockets.h"
#include "containerd/services/containers.grpc.pb.h"
#include "containerd/services/namespaces.grpc.pb.h"
#include "containerd/services/tasks.grpc.pb.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace containers = containerd::services::containers::v1;
namespace namespaces = containerd::services::namespaces::v1;
namespace tasks = containerd::services::tasks::v1;

// One containerd, one namespace.
class Containerd {
 public:
  Containerd(const std::string& socket, std::string space)
      : socket_(socket), space_(std::move(space)), runtime_("containerd/" + space_), channel_(RuntimeChannel(socket)) {}

  absl::StatusOr<FoundContainer> Find(const std::string& name) {
    RETURN_IF_ERROR(CheckNamespace());
    ASSIGN_OR_RETURN(const auto processes, ListProcesses());
    ASSIGN_OR_RETURN(const auto listed, ListContainers(processes));
    ASSIGN_OR_RETURN(const ListedContainer chosen, ChooseContainer(runtime_, name, listed));
    RETURN_IF_ERROR(
        CheckRunning(runtime_, chosen, fmt::format("start it: ctr -n {} task start {}", space_, chosen.id)));
    return FoundContainer{.id = chosen.id,
                          .pid = static_cast<int>(processes.at(chosen.id).pid()),
                          .description = Describe(runtime_, chosen)};
  }

 private:
  using Processes = std::map<std::string, tasks::Process>;

  void Prepare(grpc::ClientContext& context) const {
    SetRuntimeDeadline(context);
    context.AddMetadata("containerd-namespace", space_);
  }

  // A namespace that is not there lists no containers; that would say too little.
  absl::Status CheckNamespace() const {
    grpc::ClientContext context;
    Prepare(context);
    namespaces::ListNamespacesResponse reply;
    auto stub = namespaces::Namespaces::NewStub(channel_);
    RETURN_IF_ERROR(RuntimeStatus(stub->List(&context, {}, &reply), runtime_, socket_));
    std::vector<std::string> names;
    for (const auto& space : reply.namespaces()) names.push_back(space.name());
    if (std::find(names.begin(), names.end(), space_) != names.end()) return absl::OkStatus();
    return absl::NotFoundError(fmt::format("containerd at {} has no namespace \"{}\"; it has {}", socket_, space_,
                                           names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }

  absl::StatusOr<Processes> ListProcesses() const {
    grpc::ClientContext context;
    Prepare(context);
    tasks::ListTasksResponse reply;
    auto stub = tasks::Tasks::NewStub(channel_);
    RETURN_IF_ERROR(RuntimeStatus(stub->List(&context, {}, &reply), runtime_, socket_));
    Processes processes;
    for (const auto& process : reply.tasks()) {
      // containerd fills in the id of the task's process; older ones leave the container's empty.
      processes[process.container_id().empty() ? process.id() : process.container_id()] = process;
    }
    return processes;
  }

  absl::StatusOr<std::vector<ListedContainer>> ListContainers(const Processes& processes) const {
    grpc::ClientContext context;
    Prepare(context);
    containers::ListContainersResponse reply;
    auto stub = containers::Containers::NewStub(channel_);
    RETURN_IF_ERROR(RuntimeStatus(stub->List(&context, {}, &reply), runtime_, socket_));
    std::vector<ListedContainer> listed;
    for (const auto& container : reply.containers()) listed.push_back(ToListed(container, processes));
    return listed;
  }

  static ListedContainer ToListed(const containers::Container& container, const Processes& processes) {
    ListedContainer listed;
    listed.id = container.id();
    for (const char* label : {"io.kubernetes.container.name", "nerdctl/name"}) {
      const auto name = container.labels().find(label);
      if (name != container.labels().end()) listed.names.push_back(name->second);
    }
    const auto process = processes.find(container.id());
    listed.state = process == processes.end() ? "no task" : StateName(process->second.status());
    listed.running = process != processes.end() && HasProcess(process->second);
    return listed;
  }

  static bool HasProcess(const tasks::Process& process) {
    const tasks::Status status = process.status();
    return process.pid() > 0 && (status == tasks::RUNNING || status == tasks::PAUSED || status == tasks::PAUSING);
  }

  static std::string StateName(tasks::Status status) {
    std::string name = tasks::Status_Name(status);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name.empty() ? "unknown" : name;
  }

  std::string socket_;
  std::string space_;
  std::string runtime_;  // for messages
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

absl::StatusOr<FoundContainer> FindContainerdContainer(const TargetName& target, const std::string& socket) {
  ASSIGN_OR_RETURN(const auto sockets, AnsweringSocketsOf(Runtime::kContainerd, socket));
  // Two containerds on one machine: the first that knows the container; else what the first one said.
  std::optional<absl::Status> first_error;
  for (const std::string& answering : sockets) {
    auto found = Containerd(answering, target.space).Find(target.name);
    if (found.ok()) return found;
    if (!first_error) first_error = found.status();
    if (!absl::IsNotFound(found.status()) && !absl::IsUnavailable(found.status())) return found;
  }
  return *first_error;
}

}  // namespace mirrorfs
