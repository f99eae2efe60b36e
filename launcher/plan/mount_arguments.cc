#include "launcher/plan/mount_arguments.h"

#include "launcher/agentmodes/agent_pod_settings.h"
#include "launcher/plan/cluster_options.h"
#include "launcher/plan/command_line.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

// What mount(8) passes on to its helpers besides -o.
struct HelperFlags {
  bool sloppy = false;
  bool no_mtab = false;
};

po::options_description CommonOptions(MountArguments& arguments) {
  po::options_description options;
  auto add = options.add_options();
  add("target", po::value(&arguments.target));
  add("mountpoint", po::value(&arguments.mountpoint));
  add("options,o", po::value(&arguments.options)->composing());
  add("rw,w", po::bool_switch(&arguments.read_write));
  add("read-only,r", po::bool_switch(&arguments.read_only));
  add("verbose,v", po::bool_switch(&arguments.verbose));
  add("hard", po::bool_switch(&arguments.hard));
  add("mkdir", po::bool_switch(&arguments.make_directory));
  add("help,h", po::bool_switch(&arguments.help));
  add("cow", po::bool_switch(&arguments.private_layer));
  add("layer", po::value<std::string>()->notifier([&](const std::string& value) { arguments.layer = value; }));
  AddTargetFlags(options, arguments);
  return options;
}

}  // namespace

void AddTargetFlags(po::options_description& options, MountArguments& arguments) {
  auto add = options.add_options();
  add("as", po::value<std::string>()->notifier([&](const std::string& value) { arguments.identity = value; }));
  add("deadline", po::value<std::string>()->notifier([&](const std::string& value) { arguments.deadline = value; }));
  add("runtime-socket", po::value(&arguments.runtime_socket));
  add("tls-ca", po::value(&arguments.tls_ca));
  add("tls-cert", po::value(&arguments.tls_certificate));
  add("tls-key", po::value(&arguments.tls_key));
  add("token-file", po::value(&arguments.token_file));
  add("follow", po::bool_switch(&arguments.follow));
  add("agent", po::value(&arguments.agent_mode));
  add("agent-program", po::value(&arguments.agent_path));
  add("mirrorfsd", po::value(&arguments.daemon_path));
  add("progress", po::value(&arguments.progress));
  AddAgentPodFlags(options, arguments.agent_pod);
}

absl::StatusOr<MountArguments> ParseMountArguments(absl::Span<const std::string> words, MountCaller caller) {
  MountArguments arguments;
  HelperFlags helper;
  po::options_description options = CommonOptions(arguments);
  if (caller == MountCaller::kMountHelper) {
    AddAccessOptions(options, arguments.cluster);  // -n means something else here: a target may say it itself
    options.add_options()("fake,f", po::bool_switch(&arguments.fake));
    options.add_options()("sloppy,s", po::bool_switch(&helper.sloppy));
    options.add_options()("no-mtab,n", po::bool_switch(&helper.no_mtab));
  } else {
    AddClusterOptions(options, arguments.cluster);
    options.add_options()("foreground,f", po::bool_switch(&arguments.foreground));
    options.add_options()("dry-run", po::bool_switch(&arguments.dry_run));
  }
  po::positional_options_description positional;
  positional.add("target", 1).add("mountpoint", 1);
  RETURN_IF_ERROR(ParseCommandLine("mount", words, options, positional));
  return arguments;
}

}  // namespace mirrorfs
