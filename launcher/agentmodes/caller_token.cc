#include "launcher/agentmodes/caller_token.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/json_path.h"
#include "launcher/printable.h"
#include "launcher/split_text.h"
#include "launcher/system/captured_command.h"
#include "launcher/system/programs.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

constexpr absl::Duration kPluginLimit = absl::Minutes(2);  // somebody may have to log in
constexpr char kPodToken[] = "/var/run/secrets/kubernetes.io/serviceaccount/token";

absl::Status NoToken(std::string_view why) {
  return Failure(
      ExitCode::kNotPermitted,
      fmt::format("a shared agent asks for the token by which you prove to the cluster who you are, and {}", why));
}

// Of a file that is named in a kubeconfig, which may be relative to it.
std::string Located(const std::string& path, const std::vector<std::string>& places) {
  if (path.empty() || path[0] == '/') return path;
  for (const std::string& place : places) {
    std::string there = fmt::format("{}/{}", place, path);
    if (::access(there.c_str(), F_OK) == 0) return there;
  }
  return path;
}

std::string InfoFor(const json& exec, const json& cluster) {
  json spec = {{"interactive", false}};
  if (FlagAt(exec, {"provideClusterInfo"})) {
    json told = json::object();
    for (const char* field :
         {"server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url"}) {
      if (cluster.contains(field)) told[field] = cluster[field];
    }
    for (const json& extension : ListAt(cluster, {"extensions"})) {
      if (TextAt(extension, {"name"}) == "client.authentication.k8s.io/exec")
        told["config"] = FieldAt(extension, {"extension"});
    }
    spec["cluster"] = std::move(told);
  }
  return json{{"kind", "ExecCredential"}, {"apiVersion", TextAt(exec, {"apiVersion"})}, {"spec", std::move(spec)}}.dump(
      -1, ' ', true, json::error_handler_t::replace);
}

CredentialPlugin PluginIn(const json& exec, const json& cluster, const std::vector<std::string>& places) {
  CredentialPlugin plugin{.command = TextAt(exec, {"command"}),
                          .arguments = {},
                          .variables = {},
                          .info = InfoFor(exec, cluster),
                          .install_hint = TextAt(exec, {"installHint"})};
  if (plugin.command.find('/') != std::string::npos) plugin.command = Located(plugin.command, places);
  for (const json& word : ListAt(exec, {"args"})) {
    if (word.is_string()) plugin.arguments.push_back(word.get<std::string>());
  }
  for (const json& variable : ListAt(exec, {"env"})) {
    plugin.variables.push_back(TextAt(variable, {"name"}) + "=" + TextAt(variable, {"value"}));
  }
  return plugin;
}

absl::StatusOr<std::string> ReadTokenFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  absl::StripAsciiWhitespace(&text);
  if (!text.empty()) return text;
  return NoToken(fmt::format("the file that your kubeconfig names for it, {}, cannot be read or is empty.", path));
}

absl::StatusOr<std::string> RunPlugin(const CredentialPlugin& plugin) {
  const std::string program =
      plugin.command.find('/') == std::string::npos ? SearchPath(plugin.command) : plugin.command;
  if (program.empty()) {
    return NoToken(fmt::format("the plugin that your kubeconfig names for it, {}, is not in $PATH. {}", plugin.command,
                               Printable(plugin.install_hint)));
  }
  std::vector<std::string> command = {plugin.command};
  command.insert(command.end(), plugin.arguments.begin(), plugin.arguments.end());
  std::vector<std::string> variables = plugin.variables;
  variables.push_back("KUBERNETES_EXEC_INFO=" + plugin.info);
  ASSIGN_OR_RETURN(const CapturedEnd end, RunCaptured({.program = program,
                                                       .command = std::move(command),
                                                       .variables = std::move(variables),
                                                       .input = {},
                                                       .limit = kPluginLimit}));
  if (end.Succeeded()) return TokenOfCredential(end.output);
  return NoToken(fmt::format("the plugin that your kubeconfig names for it, {}, failed: {}", plugin.command,
                             end.timed_out ? "it took too long." : Printable(end.errors)));
}

// Directories of the files that kubectl reads.
std::vector<std::string> KubeconfigPlaces(const ClusterAccess& access) {
  std::vector<std::string> places;
  const char* variable = std::getenv("KUBECONFIG");
  const char* home = std::getenv("HOME");
  if (!access.kubeconfig.empty()) {
    places.push_back(std::filesystem::path(access.kubeconfig).parent_path().string());
  } else if (variable != nullptr && *variable != '\0') {
    for (const std::string_view file : SplitText(variable, ':')) {
      places.push_back(std::filesystem::path(file).parent_path().string());
    }
  } else if (home != nullptr) {
    places.push_back(std::string(home) + "/.kube");
  }
  return places;
}

}  // namespace

absl::StatusOr<TokenSource> TokenSourceIn(const json& view, const std::vector<std::string>& places) {
  const json& users = ListAt(view, {"users"});
  const json& clusters = ListAt(view, {"clusters"});
  if (users.empty()) return NoToken("your kubeconfig has no user in the chosen context.");
  const json& user = FieldAt(users[0], {"user"});
  if (!TextAt(user, {"as"}).empty()) {
    return NoToken("your kubeconfig acts as somebody else ('as'): a token proves who you are, not whom you act as.");
  }
  TokenSource source;
  // In client-go's order.
  source.file = Located(TextAt(user, {"tokenFile"}), places);
  if (!source.file.empty()) return source;
  source.token = TextAt(user, {"token"});
  if (!source.token.empty()) return source;
  if (FieldAt(user, {"exec"}).is_object()) {
    source.plugin =
        PluginIn(FieldAt(user, {"exec"}), clusters.empty() ? json() : FieldAt(clusters[0], {"cluster"}), places);
    if (!source.plugin.command.empty()) return source;
  }
  if (FieldAt(user, {"auth-provider"}).is_object()) {
    return NoToken(
        "your kubeconfig gets it by an auth-provider, which kubectl has not known since 1.26: let your "
        "provider's tool write an exec plugin into it.");
  }
  if (user.contains("client-certificate-data") || user.contains("client-certificate")) {
    return NoToken(
        "you have only a client certificate, which cannot be passed on. Use --agent job, ephemeral or exec.");
  }
  if (user.contains("username")) return NoToken("you have only a password. Use --agent job, ephemeral or exec.");
  return NoToken("your kubeconfig has none. Use --agent job, ephemeral or exec.");
}

absl::StatusOr<std::string> TokenOfCredential(std::string_view output) {
  const json credential = json::parse(output, nullptr, /*allow_exceptions=*/false);
  if (TextAt(credential, {"kind"}) != "ExecCredential") {
    return NoToken("the plugin that your kubeconfig names for it has printed no ExecCredential.");
  }
  std::string token = TextAt(credential, {"status", "token"});
  if (!token.empty()) return token;
  return NoToken(FieldAt(credential, {"status", "clientCertificateData"}).is_string()
                     ? "your kubeconfig's plugin gives only a client certificate, which cannot be passed on. Use "
                       "--agent job, ephemeral or exec."
                     : "your kubeconfig's plugin gives none.");
}

absl::StatusOr<std::string> FindCallerToken(const Kubectl& kubectl) {
  const ClusterAccess& access = kubectl.access();
  if (!access.impersonate.empty() || !access.impersonate_groups.empty()) {
    return NoToken(
        "--kube-as and --kube-as-group cannot be proven by one: a token says who you are, not whom you act "
        "as. Use --agent job, ephemeral or exec.");
  }
  ASSIGN_OR_RETURN(const std::string text,
                   kubectl.Run({{"config", "view", "--raw", "--minify", "--flatten", "-o", "json"}}));
  ASSIGN_OR_RETURN(const json view, ParseKubectlJson(text, "config view"));
  if (ListAt(view, {"clusters"}).empty() && ::access(kPodToken, R_OK) == 0) return ReadTokenFile(kPodToken);
  ASSIGN_OR_RETURN(const TokenSource source, TokenSourceIn(view, KubeconfigPlaces(access)));
  if (!source.token.empty()) return source.token;
  return source.file.empty() ? RunPlugin(source.plugin) : ReadTokenFile(source.file);
}

}  // namespace mirrorfs
