#include "launcher/state/mount_record.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>

#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/state/state_directory.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MountRecord, target, mountpoint, program, identity, mount_namespace, options,
                                   read_write, layer, deadline_seconds, since, keeper, agent, agent_in_container,
                                   container, agent_pod, daemon, launcher, program_namespace, cover)

MountRecord RecordOf(const MountPlan& plan, const std::string& name, const std::string& program) {
  return MountRecord{.target = plan.target,
                     .mountpoint = name,
                     .program = program,
                     .identity = plan.identity,
                     .mount_namespace = CurrentMountNamespace(),
                     .options = absl::StrJoin(plan.mount_options, ","),
                     .read_write = plan.read_write,
                     .layer = plan.layer_directory,
                     .deadline_seconds = plan.deadline_seconds,
                     .since = std::time(nullptr),
                     .keeper = IdentifyProcess(::getpid()),
                     .agent = {},
                     .agent_pod = {},
                     .daemon = {},
                     .launcher = {},
                     .program_namespace = {},
                     .cover = {}};
}

// CBOR rather than text: paths may hold any bytes, and JSON text would have to be UTF-8.
absl::Status WriteRecord(const std::string& path, const MountRecord& record) {
  std::string bytes;
  nlohmann::json::to_cbor(nlohmann::json(record), bytes);
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  if (!file || std::rename(fresh.c_str(), path.c_str()) != 0) {
    return Failure(ExitCode::kFailed, fmt::format("{} cannot be written: {}.", path, ErrnoText(errno)));
  }
  return absl::OkStatus();
}

absl::StatusOr<MountRecord> ReadRecord(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  try {
    return nlohmann::json::from_cbor(bytes).get<MountRecord>();
  } catch (const nlohmann::json::exception&) {
    return Failure(ExitCode::kFailed, fmt::format("{} is missing or damaged.", path));
  }
}

}  // namespace mirrorfs
