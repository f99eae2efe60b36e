#include "launcher/config/exec_flags.h"

#include "launcher/agentmodes/agent_pod_settings.h"
#include "launcher/plan/cluster_options.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

po::typed_value<std::string>* Text(std::optional<std::string>& text) {
  return po::value<std::string>()->notifier([&text](const std::string& value) { text = value; });
}

po::typed_value<std::vector<std::string>>* List(std::optional<std::vector<std::string>>& list) {
  return po::value<std::vector<std::string>>()->composing()->notifier(
      [&list](const std::vector<std::string>& values) { list = values; });
}

void AddFileFlags(po::options_description& options, ExecFlags& flags) {
  auto add = options.add_options();
  add("fs-mode", Text(flags.fs_mode));
  add("not-found", List(flags.not_found));
  add("read-write", List(flags.read_write));
  add("read-only", List(flags.read_only));
  add("local", List(flags.local));
  add("mapping", List(flags.mapping));
  add("no-auto-mount", po::bool_switch(&flags.no_auto_mount));
  add("show-credentials", po::bool_switch(&flags.show_credentials));
}

void AddAgentFlags(po::options_description& options, ExecFlags& flags) {
  auto add = options.add_options();
  add("as", Text(flags.identity));
  add("deadline", Text(flags.deadline));
  add("hard", po::bool_switch(&flags.hard));
  add("runtime-socket", Text(flags.runtime_socket));
  add("tls-ca", Text(flags.tls_ca));
  add("tls-cert", Text(flags.tls_certificate));
  add("tls-key", Text(flags.tls_key));
  add("token-file", Text(flags.token_file));
  add("follow", po::bool_switch(&flags.follow));
  add("agent", Text(flags.agent_mode));
  add("agent-program", Text(flags.agent_path));
  add("mirrorfsd", Text(flags.daemon_path));
  add("progress", Text(flags.progress));
  AddAgentPodFlags(options, flags.agent_pod);
}

}  // namespace

void AddExecFlags(po::options_description& options, ExecFlags& flags) {
  auto add = options.add_options();
  add("config-file,f", Text(flags.config_file));
  add("target,t", Text(flags.target));
  add("container-cwd", po::bool_switch(&flags.container_cwd));
  add("env", List(flags.env)->implicit_value({"*"}, "*"));
  add("env-exclude", List(flags.env_exclude));
  AddClusterOptions(options, flags.cluster);
  AddFileFlags(options, flags);
  AddAgentFlags(options, flags);
}

std::string_view ExecFlagsHelp() {
  return R"(  -t, --target TARGET    whose files: pod/NAME, docker/NAME and so on, see 'mirrorfs help'
  -c, --container NAME   container of a pod             (these: for targets in a cluster, see
  -l, --selector LABELS  pods with these labels           'mirrorfs help mount')
  -n, --namespace NAME, --context NAME, --kubeconfig FILE, --kube-as USER, --kube-as-group GROUP
                         where it is, and as whom kubectl acts
  -f, --config-file FILE settings in our own form or in mirrord's, either as YAML, JSON or TOML
  --fs-mode MODE         where paths live that no list decides:
                           read                in the container; writes go to a private layer (default)
                           write               in the container, writes too
                           localwithoverrides  on this machine
                           local               on this machine, and no list applies
  --not-found PATTERN    paths that shall not exist           (lists come in this order, the first
  --read-write PATTERN   the container's, writes too           pattern that matches decides; each flag
  --read-only PATTERN    the container's, writes to the layer  may be given several times and takes
  --local PATTERN        this machine's                        the place of what files say)
  --mapping MATCH=REPLACE
                         another path is meant; $1 and ${name} stand for groups. Comes before all lists
  --no-auto-mount        volumes of the target are not looked up
  --show-credentials     ~/.aws, ~/.azure, ~/.config/gcloud, ~/.kube of this machine stay visible
  --env[=NAME]           take over the target's environment variables; NAME may have * and ?
  --env-exclude NAME     but not these
  --container-cwd        start in the target's working directory
  --agent MODE, --as WHO, --deadline TIME, --hard, --follow, --runtime-socket PATH, --tls-ca, --tls-cert, --tls-key,
  --token-file FILE, --agent-program PATH, --mirrorfsd PATH, --agent-..., --progress FORM
                         as for 'mirrorfs mount'

Patterns are regular expressions (RE2) that are looked for anywhere in the absolute path, upper and lower
case alike.
)";
}

}  // namespace mirrorfs
