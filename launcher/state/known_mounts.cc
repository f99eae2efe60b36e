#include "launcher/state/known_mounts.h"

#include "launcher/control_client.h"
#include "launcher/json_lines.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kStatusLimit = absl::Seconds(2);

MountState StateFromKeeper(const nlohmann::json& answer) {
  if (FlagField(answer, "detached")) return MountState::kDetached;
  const std::string daemon = TextField(answer, "daemon");
  if (daemon == "dead") return MountState::kDaemonDead;
  if (daemon == "starting") return MountState::kStarting;
  const std::string agent = TextField(answer, "agent");
  if (agent == "restarting") return MountState::kAgentRestarting;
  if (agent == "target gone") return MountState::kTargetGone;
  if (agent == "following") return MountState::kFollowing;
  return MountState::kHealthy;
}

MountState StateOf(const StatePaths& paths, const MountRecord& record) {
  const auto answer = AskKeeper(paths.control_socket, {{"request", "status"}}, kStatusLimit);
  if (answer.ok()) return StateFromKeeper(*answer);
  if (IsAlive(record.keeper)) return MountState::kKeeperHangs;
  return IsAlive(record.daemon) ? MountState::kKeeperDead : MountState::kDead;
}

std::optional<KnownMount> Load(const StatePaths& paths) {
  auto record = ReadRecord(paths.record);
  if (!record.ok()) return std::nullopt;
  const MountState state = StateOf(paths, *record);
  return KnownMount{.paths = paths, .record = *std::move(record), .state = state};
}

}  // namespace

const char* ToWord(MountState state) {
  switch (state) {
    case MountState::kHealthy:
      return "healthy";
    case MountState::kStarting:
      return "starting";
    case MountState::kAgentRestarting:
      return "agent restarting";
    case MountState::kTargetGone:
      return "target gone";
    case MountState::kFollowing:
      return "following";
    case MountState::kDaemonDead:
      return "daemon dead";
    case MountState::kKeeperDead:
      return "keeper dead";
    case MountState::kKeeperHangs:
      return "keeper hangs";
    case MountState::kDead:
      return "dead";
    case MountState::kDetached:
      return "detached";
  }
  return "unknown";
}

std::vector<KnownMount> ListMounts(const std::string& base) {
  std::vector<KnownMount> mounts;
  for (const std::string& id : ListIds(base)) {
    if (auto mount = Load(PathsOfId(base, id))) mounts.push_back(*std::move(mount));
  }
  return mounts;
}

std::optional<KnownMount> FindMount(const std::string& base, const std::string& mountpoint) {
  if (auto mount = Load(PathsOfMountpoint(base, mountpoint))) return mount;
  // One that was made in another mount namespace has another id.
  for (const std::string& id : ListIds(base)) {
    const StatePaths paths = PathsOfId(base, id);
    const auto record = ReadRecord(paths.record);
    if (record.ok() && record->mountpoint == mountpoint) return Load(paths);
  }
  return std::nullopt;
}

}  // namespace mirrorfs
