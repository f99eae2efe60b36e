// What the agent's pod is to be like, and what it is for. Values: made by agent_pod_settings.h, told apart by nobody
// else.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_AGENT_POD_SPEC_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_AGENT_POD_SPEC_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "launcher/kubernetes/pod_target.h"

namespace mirrorfs {

struct AgentToleration {
  std::string key;     // empty: every taint
  std::string value;   // empty: whatever it is
  std::string effect;  // empty: every one

  bool operator==(const AgentToleration&) const = default;
};

// What somebody has said of it: words by name of their key (agent_pod_settings.h), in their order.
using AgentPodWords = std::map<std::string, std::vector<std::string>, std::less<>>;

struct AgentPodSpec {
  std::string image;
  bool image_is_named = true;  // by somebody who knows where it is; else auto passes over what needs one
  std::string pull_policy = "IfNotPresent";
  std::vector<std::string> pull_secrets;
  std::string service_account;  // empty: the namespace's default one; its token is not mounted
  std::string name_space;       // of the job; empty: that of the target
  std::string priority_class;
  std::map<std::string, std::string> requests;
  std::map<std::string, std::string> limits;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<AgentToleration> tolerations;  // as long as the user has said none: every taint
  absl::Duration ttl = absl::Seconds(30);    // how long it outlives its client; zero: its pod stays
  absl::Duration active_deadline;            // zero: none
  absl::Duration start_limit = absl::Seconds(60);
  bool privileged = false;
  bool mesh_opt_out = true;      // no sidecar of a service mesh
  bool pid_from_cgroup = false;  // no socket of the runtime
  std::string runtime_socket;    // on the node; empty: the usual one of the target's runtime
  int port = 7443;               // of the agent's loopback, in its job's pod

  bool operator==(const AgentPodSpec&) const = default;
};

// What an agent serves, and to whom. Nothing in it is a secret.
struct AgentPodTask {
  PodTarget target;
  std::string name;          // of the job, or of the ephemeral container
  std::string client_ca;     // PEM text of the authority that signs for the client
  std::string token_sha256;  // hexadecimal digits
  std::string identities;    // container, caller or fixed
  bool read_write = false;
  bool devices = false;
  bool verbose = false;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_AGENT_POD_SPEC_H_
