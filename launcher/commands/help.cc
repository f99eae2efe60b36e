#include "launcher/commands/help.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "fmt/format.h"
#include "launcher/agentmodes/agent_pod_settings.h"
#include "launcher/config/exec_flags.h"
#include "launcher/failure.h"
#include "launcher/own_name.h"
#include "launcher/plan/nearest.h"

namespace mirrorfs {
namespace {

struct Topic {
  std::string_view command;
  std::string_view text;
};

constexpr std::string_view kOverview =
    R"(mirrorfs mounts a container's file system on this machine, and runs programs of this machine on it.

  mirrorfs mount TARGET DIR     mount it, read-only unless --rw
  mirrorfs exec --target TARGET -- PROGRAM [ARGUMENT...]
                                run a program that sees the container's files
  mirrorfs shell --target TARGET
                                your shell, likewise
  mirrorfs status               what is mounted, what runs
  mirrorfs stats DIR|RUN        calls made to the agent, by method
  mirrorfs logs [DIR|RUN] [-f]  what keeper, daemon, tunnel and agent say, in one place
  mirrorfs umount DIR | --all   unmount
  mirrorfs ls [TYPE]            what can be mounted in a Kubernetes cluster, or of Docker or podman
  mirrorfs explain PATH...      whose a path is for a program that is run on a container's files, and why
  mirrorfs config show|check|schema
                                the settings for that, and where each comes from
  mirrorfs layers               private layers: what runs, and mounts with --cow, have changed
  mirrorfs diff [LAYER]         the changes in a private layer
  mirrorfs apply [LAYER]        bring them to the container
  mirrorfs discard [LAYER]      forget them
  mirrorfs cp FROM TO           copy files between a target (TARGET:/PATH) and this machine, without a mount
  mirrorfs cat TARGET:/PATH     print a file
  mirrorfs diff TARGET TARGET /PATH
                                compare a path in two targets
  mirrorfs completion SHELL     completion of commands and targets for bash, zsh or fish
  mirrorfs agent manifest|install|uninstall|ls|logs|clean
                                the agents in a Kubernetes cluster
  mirrorfs doctor [--target TARGET]
                                whether mounts can work here, and of that target; if not, why
  mirrorfs version              version of this program
  mirrorfs help COMMAND         more about a command

Targets: docker/NAME, podman/NAME, containerd/NAMESPACE/ID, cri/ID, pid/N, dir:/PATH,
         unix:/SOCKET (an agent that listens already), grpc://HOST:PORT; in a Kubernetes cluster
         pod/NAME, deployment/NAME, statefulset/, daemonset/, replicaset/, job/, cronjob/,
         rollout/, service/, node/, each also with /container/NAME

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 no such target, 4 not permitted, 5 mount point
cannot be used, 6 agent or daemon failed, 7 in use, 8 not mounted. exec, shell: that of the program; 126 it
cannot be run, 127 there is no such program.
)";

constexpr std::string_view kMount = R"(Usage: mirrorfs mount [OPTIONS] TARGET DIR

Mounts the root of TARGET, volumes included, on the empty directory DIR, and goes to the background once
the first read through the mount has succeeded.

  --rw, -w               let programs change the container's files (also -o rw)
  -r, --read-only        the default
  --cow                  let programs change files privately: the container stays as it is, the changes
                         go to a private layer (mirrorfs diff, apply, discard)
  --layer NAME           with --cow: name the layer, or go on with the one of that name
  -o OPTION[,OPTION...]  mount options, see below
  --as WHO               whose rights operations have in the container:
                           container  those of its main process (default for ordinary users)
                           caller     those of the program that makes the call (default for root)
                           UID[:GID]  those
  -c, --container NAME   in a cluster: the container of the pod (or TARGET/container/NAME); else the one that
                         the pod's annotation kubectl.kubernetes.io/default-container names, else the only
                         one that is no known sidecar
  -l, --selector LABELS  in place of TARGET: pods with these labels
  -n, --namespace NAME, --context NAME, --kubeconfig FILE
                         as kubectl has them
  --kube-as USER, --kube-as-group GROUP
                         kubectl's --as and --as-group
  --deadline TIME        longest wait for a sign of life from the agent (default 10s)
  --hard                 wait for ever
  --follow               in a cluster: when the container ends, go on in the one that takes its place (a
                         workload's next pod; for pod/NAME the same container started anew, or a new pod of
                         that name). It is a new root: what was opened before is stale. Else: errors
  --mkdir                make DIR if it is missing
  --agent MODE           where the agent is that serves the container's files:
                           auto  on this machine (default); for an ordinary user who may not enter the
                                 container from there, but may run programs in it: exec. In a cluster the
                                 first of shared, job, ephemeral, exec that it permits; one line says which, and
                                 why; exec also if the agent's pod cannot start after all
                           job   in a pod of its own on the target's node (a Job, which is gone afterwards)
                           ephemeral
                                 in an ephemeral container of the target's pod, which lists it for ever
                           shared
                                 on the target's node, installed for all users who may run programs there
                           exec  in the container, put there by docker, podman or kubectl exec; it needs a
                                 shell and a directory to write and run it in, and has the rights of its user
  --agent-image IMAGE and other --agent-... options
                         what the pod of job and ephemeral is like: see 'mirrorfs help agent'
  --progress FORM        how the steps of its start are told: auto (on a terminal), json (a line for each)
  --dry-run              print what would be made in the cluster, and make nothing
  --runtime-socket PATH  socket of Docker, podman, containerd or the CRI, if not in a usual place
  --tls-ca, --tls-cert, --tls-key FILE
                         mutual TLS for grpc:// (PEM files)
  --token-file FILE      token for an agent that wants one
  --agent-program PATH, --mirrorfsd PATH
                         these programs, instead of those that are installed with mirrorfs
  -f, --foreground       stay here and log to the terminal; Ctrl-C unmounts, twice even if in use
  -v, --verbose          log more

Mount options:
  ro, rw                 as -r and --rw
  allow_other            other users may use the mount too; with --as caller, or with default_permissions
  default_permissions    the kernel checks owners and modes (always on with allow_other and --as caller)
  suid, nosuid           setuid programs work, or do not (default); suid is for root only
  dev, nodev             device nodes work and can be made, or not (default); dev is for root only
  exec, noexec           programs on the mount may be run (default), or not
  acl                    tell programs of each file that it has no ACL, also while none was seen (slower ls -l)
  idmap=none|user        user: the container identity's files are shown as yours
  symlinks=rebase|raw    rebase: absolute links stay inside the mount (default); raw: shown as they are
  attr_timeout=TIME, entry_timeout=TIME
                         how long attributes and names are kept (default 1s)
  nonempty               root only: DIR may hold files, which are hidden meanwhile
  x-*, nofail, noauto, _netdev, ...
                         for /etc/fstab and mount(8): no effect here
)";

constexpr std::string_view kExec = R"(Usage: mirrorfs exec --target TARGET [OPTIONS] -- PROGRAM [ARGUMENT...]

Runs a program of this machine so that it sees the files of TARGET: data, configuration and volumes of the
container, and programs, libraries and your own files of this machine. Which path is whose, 'mirrorfs explain'
tells. What it writes to the container's paths lands in a private layer, unless you say otherwise.

The program is run as it would be without mirrorfs: here, with this environment, terminal, descriptors, limits
and rights; its exit code is the one you get. Nothing of the view is seen by other programs, and when the last
process in it has ended, all is cleared away. An ordinary user's program runs in a user namespace.

  --layer NAME           name of the private layer: another run with that name goes on with it; not in mode local
  --dry-run              print what would be done (mounts, policy, environment), and do nothing
  -v, --verbose          log more
)";

constexpr std::string_view kShell = R"(Usage: mirrorfs shell --target TARGET [OPTIONS]

Runs your shell ($SHELL) as 'mirrorfs exec' would. The prompt of bash and sh tells the target (but in mode local,
where nothing of the target is seen); so does $MIRRORFS_TARGET.

  --layer NAME           name of the private layer: another run with that name goes on with it
  --dry-run              print what would be done (mounts, policy, environment), and do nothing
  -v, --verbose          log more
)";

constexpr std::string_view kAgent = R"(Usage: mirrorfs agent manifest TARGET [OPTIONS]
       mirrorfs agent install [--chart CHART] [--agent-image IMAGE] [-n NAME] [-- HELM-WORD...]
       mirrorfs agent uninstall [-n NAME] [-- HELM-WORD...]
       mirrorfs agent ls [-A] [-o json]
       mirrorfs agent logs NAME [-f]
       mirrorfs agent clean [-A] [--all]

The agents that serve containers of a cluster to somebody. manifest prints what would be made there for TARGET, and
makes nothing; ls lists jobs and ephemeral containers; logs shows what one has said; clean removes the jobs of those
that have ended or never started, with --all those in use as well. An agent that nobody uses ends by itself (--agent-ttl).
install gives every node a shared agent by your own helm (namespace mirrorfs, or -n), uninstall takes them away;
words after -- are helm's, such as --set readWrite=never. Who may create pods/exec may then mount with
--agent shared. It is looked for in --agent-namespace, and asks for the token of your kubeconfig.

-n, --context, --kubeconfig, --kube-as, --kube-as-group as kubectl has them. manifest also takes --rw, --as and
--runtime-socket as 'mirrorfs mount' does, --devices (with --rw: device nodes may be made). The following are for it
and for every command that reaches a target. Each may be in the environment, too: --agent-pull-policy is
MIRRORFS_AGENT_PULL_POLICY, with ; between several; or in a settings file of yours: agent: {pull_policy: Never}.

  --agent MODE                           auto (default), job, ephemeral or shared
)";

constexpr std::string_view kUmount = R"(Usage: mirrorfs umount [OPTIONS] DIR...
       mirrorfs umount [OPTIONS] --all

Unmounts, and ends what ran for the mount. Works for mounts whose daemon or keeper has died, too.

  -a, --all    everything that you have mounted
  -l, --lazy   take it out of sight now; it ends when the last program has let go of it
  -f, --force  end the daemon first: programs that use the mount get errors
)";

constexpr std::string_view kLs = R"(Usage: mirrorfs ls [TYPE] [-n NAMESPACE | -A] [-l LABELS] [-o wide|json|name]
       mirrorfs ls docker|podman

Lists what can be mounted in a Kubernetes cluster: kind, name, containers (the default one first), how many of
them, or of its pods, are ready, and the node. TYPE is pod, deployment, statefulset, daemonset, replicaset, job,
cronjob, rollout, service or node, or a short form as kubectl has it; without it pods and what people deploy are
listed. docker, podman: containers of this machine that run.

  -n, --namespace NAME   this namespace (default: the context's)
  -A, --all-namespaces   all of them
  -l, --selector LABELS  only what has these labels
  -o wide                status, age and images, too
  -o json                for programs
  -o name                targets, one a line
  --context NAME, --kubeconfig FILE, --kube-as USER, --kube-as-group GROUP
                         as for 'mirrorfs mount'

The cluster is reached through your own kubectl: $MIRRORFS_KUBECTL, else the one in $PATH.
)";

constexpr std::string_view kCompletion = R"(Usage: mirrorfs completion bash|zsh|fish

Prints a script that completes commands, options, targets, namespaces and contexts. To have it now, and in
every new shell if the line is in its start file:

  bash: source <(mirrorfs completion bash)
  zsh:  source <(mirrorfs completion zsh)
  fish: mirrorfs completion fish | source

As a plugin (kubectl mirrorfs) it is completed by kubectl's own completion.
)";

constexpr std::string_view kStatus = R"(Usage: mirrorfs status [-o wide|json]

Lists your mounts, and your runs of programs (exec/PID). States: healthy; agent restarting; target gone (the container has ended); following
(likewise, and what takes its place is looked for); daemon dead
(every access gives ENOTCONN until it is unmounted); keeper dead (it works, but the agent is not watched);
detached (unmounted lazily, still in use).
)";

constexpr std::string_view kStats = R"(Usage: mirrorfs stats DIR [-o json]
       mirrorfs stats exec/PID [-o json]

Shows the calls that the mount on DIR, or the run of a program, has made to its agent, by method, and the
requests that came from the kernel. In a run, its name is $MIRRORFS_RUN.
)";

constexpr std::string_view kLogs = R"(Usage: mirrorfs logs [DIR | exec/PID] [-f] [--since TIME]

Shows what the programs of a mount, or of a run, have said, or of all of them: keeper, daemon, tunnel and agent, an
agent in a pod included; by time, each line with the mount and whose it is. A log ends with its mount. mount -v and
exec -v make them say more.

  -f, --follow   go on with what is said from now on, of mounts and runs that begin later, too; of one that is
                 named until it ends
  --since TIME   only what is not older than that: 10m, 2h, or 2026-11-27T10:00:00Z
)";

constexpr std::string_view kExplain = R"(Usage: mirrorfs explain [OPTIONS] PATH...

Says of each path whether a program that is run on the container's files gets the container's, this machine's
or none, which rule makes it so (with file and line), and what a write would do. Decides as the mount does;
no container is needed, and PATH need not exist. With --target the target's volumes are looked up where they
would change the answer. Rules are about the path that is reached in the end, so name that where symbolic
links lead elsewhere. Relative paths are taken from here.

  -o json                for programs
  --program PROGRAM      the program that would be run: its own file is this machine's
)";

constexpr std::string_view kConfig = R"(Usage: mirrorfs config show [OPTIONS] [FILE] [-o json]
       mirrorfs config check [OPTIONS] [FILE]
       mirrorfs config schema

show    prints every setting with its value and where that comes from
check   says whether everything is valid, patterns included; 0 if so, 2 if not
schema  prints a JSON schema of configuration files

Where a setting is looked for, the first place that has it counts:
  flags
  environment: MIRRORFS_FS_MODE, MIRRORFS_FS_NOT_FOUND, MIRRORFS_FS_READ_WRITE, MIRRORFS_FS_READ_ONLY,
               MIRRORFS_FS_LOCAL; lists are separated by semicolons
  the file of -f (or FILE)
  .mirrorfs.yaml here, or in the nearest directory above
  $XDG_CONFIG_HOME/mirrorfs/config.yaml (~/.config/mirrorfs/config.yaml)
  defaults

)";

constexpr std::string_view kLayers = R"(Usage: mirrorfs layers [-o wide|json]

Lists your private layers: the changes that programs made in runs ('mirrorfs exec') and below mounts with
--cow. A layer is kept until it is applied or discarded; one without changes goes with its run or mount.
)";

constexpr std::string_view kDiff = R"(Usage: mirrorfs diff [LAYER] [-p | -o json]

Shows what a private layer changes in its container, one path a line: A added, M modified, D deleted,
R renamed; then type, mode, size and path. LAYER is a name or a directory; it may be left out if there is
only one.

  -p, --patch  the changes of text files as a patch (the container is asked for what it has)
  -o json      for programs

       mirrorfs diff [OPTIONS] TARGET TARGET /PATH

Compares a path in two targets, as diff -r does: exit code 0 if it is the same in both, 1 if it is not. Options:
as for mirrorfs cp.
)";

constexpr std::string_view kApply = R"(Usage: mirrorfs apply [OPTIONS] [LAYER] [PATH...]

Brings the changes of a private layer to its container and reports each path; what has been applied leaves
the layer. Each file is replaced as a whole. A path that has changed in the container since the layer began
to cover it is refused and kept; the others are applied. May be repeated.

  -f, --force            apply also over what has changed in the container
  PATH                   only these paths and what lies below them
  --agent MODE, --agent-..., --progress FORM, --as WHO, --runtime-socket PATH, --tls-ca, --tls-cert, --tls-key,
  --token-file FILE, --agent-program PATH, --mirrorfsd PATH
                         as for mirrorfs mount
)";

constexpr std::string_view kCopy = R"(Usage: mirrorfs cp [OPTIONS] FROM... TO

Copies files and trees between a target and this machine; one side is TARGET:/PATH. Nothing is mounted and
nothing is needed in the container, neither a shell nor tar. As cp -a: a directory as a whole, permissions
(without set-id bits), times, links, hard links to this machine and holes are kept; owners are the receiver's.
Into a directory that is there, under its own name; FROM/. means what is in it. Devices, FIFOs and sockets are
left out, and told. What cannot be copied is told; the rest is, and the exit code is 1.

  -v, --verbose          say how much it was
  --as WHO, --deadline TIME, --runtime-socket PATH, --tls-ca, --tls-cert, --tls-key, --token-file FILE,
  --agent PATH, --mirrorfsd PATH
                         as for mirrorfs mount
)";

constexpr std::string_view kCat = R"(Usage: mirrorfs cat [OPTIONS] TARGET:/PATH...

Prints files of a target, links followed inside of it. Options: as for mirrorfs cp.
)";

constexpr std::string_view kDiscard = R"(Usage: mirrorfs discard [LAYER]

Removes a private layer with all its changes.
)";

constexpr std::string_view kDoctor = R"(Usage: mirrorfs doctor [--target TARGET] [--mountpoint DIR] [-o json]

Looks at what mounts and runs need, and says of each whether it is ok: this machine (kernel, FUSE, namespaces, the
programs of mirrorfs, its state, mounts that have died, container runtimes), and the cluster that your kubectl
reaches. With --target what a mount of that takes: whether it can be found; in a cluster also each agent mode, and
the right or the shell that it lacks. Makes nothing. A line for each: ok; warning (something does not work that a
mount can do without); failed, and then the exit code is the one that a mount would fail with.

  -t, --target TARGET    what is to be mounted, or -l, -c, -n as for mirrorfs mount
  --mountpoint DIR       whether it can be mounted there
  -o json                for programs
  --agent MODE, --agent-image IMAGE and so on, --as WHO, --runtime-socket PATH, --context NAME, --kubeconfig FILE, ...
                         as for mirrorfs mount
)";

constexpr std::string_view kVersion = R"(Usage: mirrorfs version

Prints the version of mirrorfs.
)";

constexpr std::string_view kHelp = R"(Usage: mirrorfs help [COMMAND]

Explains a command.
)";

// What exec's flags mean is said once.
constexpr std::array kWithExecFlags = {std::string_view("exec"), std::string_view("shell"), std::string_view("explain"),
                                       std::string_view("config")};

constexpr std::array kTopics = {Topic{"mount", kMount},
                                Topic{"exec", kExec},
                                Topic{"shell", kShell},
                                Topic{"ls", kLs},
                                Topic{"completion", kCompletion},
                                Topic{"umount", kUmount},
                                Topic{"status", kStatus},
                                Topic{"stats", kStats},
                                Topic{"logs", kLogs},
                                Topic{"explain", kExplain},
                                Topic{"config", kConfig},
                                Topic{"layers", kLayers},
                                Topic{"diff", kDiff},
                                Topic{"apply", kApply},
                                Topic{"cp", kCopy},
                                Topic{"cat", kCat},
                                Topic{"discard", kDiscard},
                                Topic{"doctor", kDoctor},
                                Topic{"version", kVersion},
                                Topic{"help", kHelp},
                                Topic{"agent", kAgent}};

}  // namespace

std::vector<std::string> CommandNames() {
  std::vector<std::string> names;
  names.reserve(kTopics.size());
  for (const Topic& topic : kTopics) names.emplace_back(topic.command);
  return names;
}

std::string HelpText(std::string_view command) {
  if (command.empty()) return std::string(kOverview);
  for (const Topic& topic : kTopics) {
    if (topic.command != command) continue;
    std::string text(topic.text);
    if (std::find(kWithExecFlags.begin(), kWithExecFlags.end(), command) != kWithExecFlags.end()) {
      text += ExecFlagsHelp();
    }
    if (command == "agent") text += AgentPodFlagsHelp();
    return text;
  }
  return {};
}

absl::Status PrintHelp(std::string_view command) {
  const std::string text = HelpText(command);
  if (text.empty()) return UnknownCommand(command);
  fmt::print("{}", InOwnName(text));
  return absl::OkStatus();
}

absl::Status UnknownCommand(std::string_view word) {
  return Failure(ExitCode::kUsage, fmt::format("there is no command '{}'{} 'mirrorfs help' lists them.", word,
                                               DidYouMean(word, CommandNames())));
}

}  // namespace mirrorfs
