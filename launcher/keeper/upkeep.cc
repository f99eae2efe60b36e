#include "launcher/keeper/upkeep.h"

#include "absl/time/time.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kTrimInterval = absl::Minutes(1);

}  // namespace

void SaveProcesses(const AgentSupervisor& agent, const DaemonRunner& daemon, const std::string& path,
                   MountRecord& record, spdlog::logger& logger) {
  record.agent = agent.process();
  record.agent_in_container = agent.BehindTunnel();
  record.container = agent.Place();
  record.agent_pod = agent.pod();
  record.daemon = daemon.process();
  const absl::Status written = WriteRecord(path, record);
  if (!written.ok()) logger.error("{}", MessageOf(written));
}

void KeepTrimmed(const ChildLog& log, EventLoop& loop) {
  log.Trim();
  loop.After(kTrimInterval, [&log, &loop] { KeepTrimmed(log, loop); });
}

}  // namespace mirrorfs
