// The agent's command line.
#ifndef MIRRORFS_AGENT_OPTIONS_H_
#define MIRRORFS_AGENT_OPTIONS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace mirrorfs {

struct AgentOptions {
  std::string target;
  std::string listen;  // unix:/path or HOST:PORT
  bool read_write = false;
  bool devices = false;
  std::string identities;  // comma-separated: container, caller, fixed
  std::string runtime_socket;
  std::string token_file;
  std::string tls_certificate_file;
  std::string tls_key_file;
  std::string tls_ca_file;
  // For an agent that is started by a manifest: nothing in it is a secret, and nothing that is leaves the agent.
  bool own_certificate = false;  // makes a key, and says the certificate on stdout
  std::string client_ca_pem;
  std::string token_sha256;
  std::string facts_listen;  // where clients are told what the target's process is like; empty: nowhere
  bool pid_from_cgroup = false;
  absl::Duration ttl;            // how long to stay without a session; zero: for ever
  absl::Duration first_session;  // how long to stay for the first one, if that is longer
  absl::Duration lease;          // how long a silent session lives
  int ready_fd = -1;             // where to write one line when it serves
  int facts_fd = -1;             // where to write what the target's process is like
  bool exit_with_parent = false;
  bool exit_with_stdin = false;
  std::string own_directory;  // to be removed at the end; empty: none
  bool verbose = false;
  bool help = false;
  bool version = false;
  bool runtime_sockets = false;  // only say which container runtimes answer

  bool AllowsContainer() const { return Allows("container"); }
  bool AllowsCaller() const { return Allows("caller"); }
  bool AllowsFixed() const { return Allows("fixed"); }

 private:
  bool Allows(const std::string& identity) const;
};

// INVALID_ARGUMENT with a message for a person.
absl::StatusOr<AgentOptions> ParseAgentOptions(int argc, char** argv);

std::string AgentHelp();

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_OPTIONS_H_
