#include "agent/shared/run_shared.h"

#include <signal.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "agent/listener.h"
#include "agent/privileges/privileges.h"
#include "agent/service/probe_server.h"
#include "agent/shared/api_client.h"
#include "agent/shared/authorizer.h"
#include "agent/shared/front.h"
#include "agent/shared/metrics_server.h"
#include "agent/shared/pulse.h"
#include "agent/shared/read_file.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/signal_set.hpp"
#include "boost/asio/steady_timer.hpp"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace asio = boost::asio;

// Longer than anything that the front's thread does at one go, on a machine that is busy.
constexpr std::chrono::seconds kPulsePatience{5};
constexpr std::chrono::seconds kStopGrace{2};  // for the containers' agents, which end their sessions

// Below an emptyDir, which everybody may write to.
absl::Status MakeSocketDirectory(const std::string& work_directory) {
  const std::string path = work_directory + "/agents";
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return LastErrno(path);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<MetricsServer>> StartMetrics(asio::io_context& context, const SharedOptions& options,
                                                            const Front& front) {
  if (options.metrics_listen.empty()) return nullptr;
  // Numbers about the node, and nothing about anybody: who may come to the port is for the NetworkPolicy.
  ASSIGN_OR_RETURN(Listener listener, ListenAt(options.metrics_listen, /*protected_by_tls=*/true));
  return MetricsServer::Start(context, std::move(listener.socket), [&front] { return ToText(front.metrics()); });
}

absl::StatusOr<std::unique_ptr<ProbeServer>> StartProbes(const SharedOptions& options, const Pulse& pulse) {
  if (options.health_listen.empty()) return nullptr;
  return ProbeServer::Start(options.health_listen, [&pulse] { return pulse.Beats(); });
}

void PrintAudit(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void StopOnSignal(asio::io_context& context, asio::signal_set& signals, asio::steady_timer& grace, Front& front) {
  signals.async_wait([&](const boost::system::error_code& failed, int) {
    if (failed) return;
    front.End();
    grace.expires_after(kStopGrace);
    grace.async_wait([&context](const boost::system::error_code&) { context.stop(); });
  });
}

}  // namespace

absl::Status RunShared(const SharedOptions& options) {
  ASSIGN_OR_RETURN(ApiServer api, ApiServerOfThisPod());
  ASSIGN_OR_RETURN(const std::string certificate, ReadWholeFile(options.tls_certificate_file));
  ASSIGN_OR_RETURN(const std::string key, ReadWholeFile(options.tls_key_file));
  RETURN_IF_ERROR(MakeSocketDirectory(options.work_directory));
  ASSIGN_OR_RETURN(Listener listener, ListenAt(options.listen, /*protected_by_tls=*/true));
  // The children take them on again when they are started; this process needs none.
  RETURN_IF_ERROR(LayDownCapabilities());
  asio::io_context context{1};
  asio::signal_set signals(context, SIGTERM, SIGINT);
  asio::steady_timer grace(context);
  Authorizer authorizer(ApiClient(std::move(api)), options.node, options.write_rule);
  ASSIGN_OR_RETURN(const std::unique_ptr<Front> front, Front::Start(context, options,
                                                                    {.authorizer = std::move(authorizer),
                                                                     .listener = std::move(listener.socket),
                                                                     .certificate = certificate,
                                                                     .key = key,
                                                                     .audit = PrintAudit}));
  ASSIGN_OR_RETURN(const std::unique_ptr<MetricsServer> metrics, StartMetrics(context, options, *front));
  const Pulse pulse(context, kPulsePatience);
  ASSIGN_OR_RETURN(const std::unique_ptr<ProbeServer> probes, StartProbes(options, pulse));
  StopOnSignal(context, signals, grace, *front);
  fmt::print(stderr, "mirrorfs-agent: serves the containers of {} at {}\n", options.node, listener.endpoint);
  context.run();
  return absl::OkStatus();
}

}  // namespace mirrorfs
