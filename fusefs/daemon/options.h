// The command line of mirrorfsd. The keeper writes it (launcher/plan/child_commands.h).
#ifndef MIRRORFS_FUSEFS_DAEMON_OPTIONS_H_
#define MIRRORFS_FUSEFS_DAEMON_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusefs/kernel/fuse_session.h"
#include "fusefs/remote/remote_session.h"

namespace mirrorfs {

struct DaemonOptions {
  RemoteSessionOptions remote;  // the texts of the TLS and token files are not read yet
  MountOptions mount;
  std::string tls_ca_file;
  std::string tls_certificate_file;
  std::string tls_key_file;
  std::string token_file;
  std::string policy_file;      // which path is whose; empty: all are the container's
  std::string layer_directory;  // the private layer; empty: none
  bool devices = false;         // device nodes may be made; remote.devices: in the container, too
  std::string layer_work;       // not empty: do that with the layer, and mount nothing (layer_work.h)
  std::string fetch_directory;
  std::vector<std::string> paths;
  std::string transfer;     // not empty: copy so, and mount nothing (transfer_work.h)
  std::string remote_path;  // in the container
  std::string local_path;   // here
  int output_fd = -1;       // of cat
  bool force = false;
  std::string probe;  // not empty: be the probe read of that directory, nothing else
  int control_fd = -1;
  bool verbose = false;
  bool help = false;
  bool version = false;
};

absl::StatusOr<DaemonOptions> ParseDaemonOptions(int argc, char** argv);

// Reads what the options name: certificates, key, token.
absl::Status ReadSecrets(DaemonOptions& options);

// The options' text, for --help.
std::string DaemonHelp();

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_DAEMON_OPTIONS_H_
