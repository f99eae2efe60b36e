#include "agent/shared/shared_options.h"

#include <sstream>

#include "agent/command_words.h"
#include "boost/program_options.hpp"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

struct RawOptions {
  std::string write_rule;
  std::string pid_from;
  std::string ticket_life;
  std::string ttl;
};

po::options_description Describe(SharedOptions& options, RawOptions& raw) {
  po::options_description description("Options");
  auto add = description.add_options();
  add("listen", po::value(&options.listen)->default_value("127.0.0.1:7443"), "where callers come in, over TLS 1.3");
  add("tls-cert", po::value(&options.tls_certificate_file), "PEM file: the certificate that callers are told of");
  add("tls-key", po::value(&options.tls_key_file), "PEM file");
  add("node", po::value(&options.node), "name of the node that this is");
  add("health-listen", po::value(&options.health_listen), "ADDRESS:PORT of gRPC's health service, for probes");
  add("metrics-listen", po::value(&options.metrics_listen), "ADDRESS:PORT of metrics for Prometheus; without: none");
  add("runtime-socket", po::value(&options.runtime_socket), "socket of the container runtime");
  add("pid-from", po::value(&raw.pid_from)->default_value("runtime"), "as of mirrorfs-agent: runtime or cgroup");
  add("work-directory", po::value(&options.work_directory)->default_value("/run/mirrorfs"),
      "for the sockets of the agents that it starts; others must not be able to write there");
  add("read-write", po::value(&raw.write_rule)->default_value("exec"),
      "who may change files: exec (who may create pods/exec), right (who may also update podfiles.mirrorfs.io), never");
  add("sessions-per-user", po::value(&options.sessions_per_user)->default_value(16), "containers at a time, by mode");
  add("sessions", po::value(&options.sessions)->default_value(64), "likewise, of all users");
  add("connections-per-user", po::value(&options.connections_per_user)->default_value(128), "streams at a time");
  add("connections", po::value(&options.connections)->default_value(512), "likewise, of all users");
  add("ticket-life", po::value(&raw.ticket_life)->default_value("5m"),
      "how long a caller's rights count for new streams before he is asked for his token again");
  add("ttl", po::value(&raw.ttl)->default_value("30s"), "end a container's agent after so long without a stream");
  add("check", po::value(&options.check),
      "NAMESPACE/NAME of the DaemonSet: try the certificate, the rights, the API server and the pods once, and end");
  add("help,h", po::bool_switch(&options.help), "this text");
  return description;
}

absl::StatusOr<absl::Duration> ParseTime(std::string_view option, const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::Seconds(1) || duration > absl::Hours(24)) {
    return absl::InvalidArgumentError(fmt::format("shared: --{} {}: not a time from 1s to 24h", option, text));
  }
  return duration;
}

absl::StatusOr<WriteRule> ParseWriteRule(const std::string& word) {
  if (word == "exec") return WriteRule::kExec;
  if (word == "right") return WriteRule::kRight;
  if (word == "never") return WriteRule::kNever;
  return absl::InvalidArgumentError(fmt::format("shared: --read-write {}: not exec, right or never", word));
}

absl::Status Check(const SharedOptions& options) {
  if (options.tls_certificate_file.empty() || options.tls_key_file.empty()) {
    return absl::InvalidArgumentError("shared: --tls-cert and --tls-key are needed");
  }
  if (options.node.empty()) return absl::InvalidArgumentError("shared: --node is missing");
  if (options.work_directory.empty() || options.work_directory[0] != '/') {
    return absl::InvalidArgumentError("shared: --work-directory: an absolute path is needed");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SharedOptions> ParseSharedOptions(int argc, char** argv) {
  SharedOptions options;
  RawOptions raw;
  RETURN_IF_ERROR(ParseCommandWords(argc, argv, Describe(options, raw)));
  if (options.help) return options;
  ASSIGN_OR_RETURN(options.ticket_life, ParseTime("ticket-life", raw.ticket_life));
  ASSIGN_OR_RETURN(options.ttl, ParseTime("ttl", raw.ttl));
  ASSIGN_OR_RETURN(options.write_rule, ParseWriteRule(raw.write_rule));
  if (raw.pid_from != "runtime" && raw.pid_from != "cgroup") {
    return absl::InvalidArgumentError(fmt::format("shared: --pid-from {}: not runtime or cgroup", raw.pid_from));
  }
  options.pid_from_cgroup = raw.pid_from == "cgroup";
  RETURN_IF_ERROR(Check(options));
  return options;
}

std::string SharedHelp() {
  SharedOptions options;
  RawOptions raw;
  std::ostringstream text;
  text << "mirrorfs-agent shared serves the containers of one node to whoever may run programs in them.\n\n"
       << Describe(options, raw);
  return text.str();
}

}  // namespace mirrorfs
