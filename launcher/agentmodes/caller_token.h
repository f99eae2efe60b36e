// The token by which the user's kubeconfig proves to the cluster who he is: a shared agent asks for the same proof.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_CALLER_TOKEN_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_CALLER_TOKEN_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "launcher/kubernetes/kubectl.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {

// A program that tells the token, by the contract of client-go (ExecCredential).
struct CredentialPlugin {
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::string> variables;  // NAME=VALUE
  std::string info;                    // what KUBERNETES_EXEC_INFO is to be
  std::string install_hint;
};

// Exactly one of them is there.
struct TokenSource {
  std::string token;
  std::string file;
  CredentialPlugin plugin;
};

// `view`: what `kubectl config view --raw --minify --flatten -o json` prints. `places`: directories that files named in
// it may be relative to. Fails with kNotPermitted where there is no token, and says what there is instead: a client
// certificate, a password, impersonation, an auth-provider of an old kubectl.
absl::StatusOr<TokenSource> TokenSourceIn(const nlohmann::json& view, const std::vector<std::string>& places);

// What a plugin has printed.
absl::StatusOr<std::string> TokenOfCredential(std::string_view output);

// Runs kubectl, and the user's plugin if there is one. Never says the token in a message. Fails as TokenSourceIn, and
// if a file or the plugin does not give one.
absl::StatusOr<std::string> FindCallerToken(const Kubectl& kubectl);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_CALLER_TOKEN_H_
