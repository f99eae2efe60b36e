#include "agent/options.h"

#include <sstream>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "agent/command_words.h"
#include "boost/program_options.hpp"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

struct RawOptions {
  std::string ttl;
  std::string lease;
  std::string first_session;
  std::string pid_from;
  std::string log_level;
};

po::options_description Describe(AgentOptions& options, RawOptions& raw) {
  po::options_description description("Options");
  auto add = description.add_options();
  add("target", po::value(&options.target),
      "what to serve: docker/NAME, podman/NAME, containerd/NAMESPACE/ID, cri/ID, pid/N, dir:/PATH");
  add("listen", po::value(&options.listen), "where: unix:/PATH, or 127.0.0.1:PORT (0: any free port)");
  add("rw", po::bool_switch(&options.read_write), "let sessions change files");
  add("devices", po::bool_switch(&options.devices), "with --rw: let sessions make device nodes");
  add("identities", po::value(&options.identities)->default_value("container,caller,fixed"),
      "whose rights sessions may have");
  add("runtime-socket", po::value(&options.runtime_socket), "socket of the container runtime");
  add("token-file", po::value(&options.token_file), "clients must know the token in this file");
  add("tls-cert", po::value(&options.tls_certificate_file), "PEM file: serve over TLS");
  add("tls-key", po::value(&options.tls_key_file), "PEM file");
  add("tls-ca", po::value(&options.tls_ca_file), "PEM file: clients must have a certificate signed by it");
  add("own-certificate", po::bool_switch(&options.own_certificate),
      "serve over TLS with a key made now; the certificate is written to stdout");
  add("client-ca-pem", po::value(&options.client_ca_pem), "as --tls-ca, but this is the PEM text");
  add("token-sha256", po::value(&options.token_sha256),
      "clients must know the token with this SHA-256, in hexadecimal digits");
  add("facts-listen", po::value(&options.facts_listen),
      "with --own-certificate: 127.0.0.1:PORT, where to tell clients what --process-facts-fd would");
  add("pid-from", po::value(&raw.pid_from)->default_value("runtime"),
      "who tells the process of a container: runtime, or cgroup (its control group, in the host's pid namespace)");
  add("ttl", po::value(&raw.ttl)->default_value("0"), "end after so long without a session; 0: never");
  add("first-session", po::value(&raw.first_session)->default_value("0"),
      "with --ttl: wait so long for the first session, if that is longer");
  add("lease", po::value(&raw.lease)->default_value("30s"), "end a session that is silent for so long");
  add("ready-fd", po::value(&options.ready_fd),
      "write a line to this descriptor when serving, and one when the container has ended");
  add("process-facts-fd", po::value(&options.facts_fd),
      "write the target process's working directory, mount table and environment to this descriptor, a NUL between; to "
      "that of --ready-fd they go as a line \"facts BYTES\" with the text after it");
  add("exit-with-parent", po::bool_switch(&options.exit_with_parent), "end when the parent process does");
  add("exit-with-stdin", po::bool_switch(&options.exit_with_stdin), "end when stdin does");
  add("remove-directory", po::value(&options.own_directory),
      "remove this directory at the end: the one that this binary was put into");
  add("log-level", po::value(&raw.log_level)->default_value("info"), "info or debug");
  add("verbose,v", po::bool_switch(&options.verbose), "as --log-level debug");
  add("version", po::bool_switch(&options.version), "say which version this is");
  add("runtime-sockets", po::bool_switch(&options.runtime_sockets), "say which container runtimes answer, and where");
  add("help,h", po::bool_switch(&options.help), "this text");
  return description;
}

absl::StatusOr<absl::Duration> ParseTime(std::string_view option, const std::string& text) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(fmt::format("--{} {}: not a time like 30s, 500ms or 1h", option, text));
  }
  return duration;
}

absl::Status CheckIdentities(const std::string& identities) {
  for (const std::string& identity : std::vector<std::string>(absl::StrSplit(identities, ','))) {
    if (identity != "container" && identity != "caller" && identity != "fixed") {
      return absl::InvalidArgumentError(
          fmt::format("--identities {}: '{}' is not container, caller or fixed", identities, identity));
    }
  }
  return absl::OkStatus();
}

bool IsSha256(const std::string& text) {
  constexpr size_t kDigits = 64;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

absl::Status CheckOwnCertificate(const AgentOptions& options) {
  if (options.own_certificate) {
    if (!options.tls_certificate_file.empty()) {
      return absl::InvalidArgumentError("--own-certificate and --tls-cert are both asked for; say one of them");
    }
    if (options.client_ca_pem.empty() || options.token_sha256.empty()) {
      return absl::InvalidArgumentError("--own-certificate needs --client-ca-pem and --token-sha256");
    }
  } else if (!options.client_ca_pem.empty() || !options.facts_listen.empty()) {
    return absl::InvalidArgumentError("--client-ca-pem and --facts-listen need --own-certificate");
  }
  if (!options.token_sha256.empty() && !IsSha256(options.token_sha256)) {
    return absl::InvalidArgumentError("--token-sha256: 64 hexadecimal digits, in small letters");
  }
  return absl::OkStatus();
}

absl::Status Check(const AgentOptions& options) {
  if (options.target.empty()) return absl::InvalidArgumentError("--target is missing: what is to be served?");
  if (options.listen.empty()) return absl::InvalidArgumentError("--listen is missing: where is to be served?");
  if (options.devices && !options.read_write) return absl::InvalidArgumentError("--devices needs --rw");
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key go together");
  }
  if (!options.tls_ca_file.empty() && options.tls_certificate_file.empty()) {
    return absl::InvalidArgumentError("--tls-ca needs --tls-cert and --tls-key");
  }
  RETURN_IF_ERROR(CheckOwnCertificate(options));
  if (options.lease < absl::Milliseconds(100)) return absl::InvalidArgumentError("--lease: at least 100ms");
  return CheckIdentities(options.identities);
}

}  // namespace

bool AgentOptions::Allows(const std::string& identity) const {
  for (const std::string& allowed : std::vector<std::string>(absl::StrSplit(identities, ','))) {
    if (allowed == identity) return true;
  }
  return false;
}

absl::StatusOr<AgentOptions> ParseAgentOptions(int argc, char** argv) {
  AgentOptions options;
  RawOptions raw;
  RETURN_IF_ERROR(ParseCommandWords(argc, argv, Describe(options, raw)));
  if (options.help || options.version || options.runtime_sockets) return options;
  ASSIGN_OR_RETURN(options.ttl, ParseTime("ttl", raw.ttl));
  ASSIGN_OR_RETURN(options.lease, ParseTime("lease", raw.lease));
  ASSIGN_OR_RETURN(options.first_session, ParseTime("first-session", raw.first_session));
  if (raw.pid_from != "runtime" && raw.pid_from != "cgroup") {
    return absl::InvalidArgumentError(fmt::format("--pid-from {}: not runtime or cgroup", raw.pid_from));
  }
  options.pid_from_cgroup = raw.pid_from == "cgroup";
  if (raw.log_level != "info" && raw.log_level != "debug") {
    return absl::InvalidArgumentError(fmt::format("--log-level {}: not info or debug", raw.log_level));
  }
  options.verbose |= raw.log_level == "debug";
  RETURN_IF_ERROR(Check(options));
  return options;
}

std::string AgentHelp() {
  AgentOptions options;
  RawOptions raw;
  std::ostringstream text;
  text << "mirrorfs-agent serves the files of one container to mirrorfs.\n\n"
       << "  mirrorfs-agent --target TARGET --listen WHERE [OPTION]...\n"
       << "  mirrorfs-agent relay SOCKET    stdin and stdout as a connection to the agent that listens there\n"
       << "  mirrorfs-agent shared ...      for all containers of a node, as its chart starts it; see shared --help\n\n"
       << Describe(options, raw);
  return text.str();
}

}  // namespace mirrorfs
