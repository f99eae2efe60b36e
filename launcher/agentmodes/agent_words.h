// What an agent in a pod says on its stdout, line by line: which program it is, its certificate, where it listens.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_AGENT_WORDS_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_AGENT_WORDS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace mirrorfs {

class AgentWords {
 public:
  // A line without its end.
  void Hear(std::string_view line);

  bool ready() const { return port_ != 0; }
  bool target_gone() const { return target_gone_; }
  const std::string& version() const { return version_; }
  const std::string& certificate() const { return certificate_; }  // PEM
  int port() const { return port_; }
  int facts_port() const { return facts_port_; }
  // What it has said besides: why it could not start, as a rule.
  const std::string& complaint() const { return complaint_; }

  // Fails with kUnreachable if the agent is of another version than `own_version`.
  absl::Status CheckVersion(std::string_view own_version) const;

 private:
  std::string version_;
  std::string certificate_;
  std::string complaint_;
  int port_ = 0;
  int facts_port_ = 0;
  bool in_certificate_ = false;
  bool target_gone_ = false;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_AGENT_WORDS_H_
