#include "fusefs/daemon/options.h"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "boost/program_options.hpp"
#include "fmt/format.h"
#include "fusefs/daemon/mount_words.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

// Options that are kept as text until all are known.
struct RawOptions {
  std::string identity = "container";
  std::string deadline = "10s";
  std::string silence_limit = "0";
  std::vector<std::string> mount_words;
  bool read_write = false;
};

po::options_description Describe(DaemonOptions& options, RawOptions& raw) {
  po::options_description description("Options");
  auto add = description.add_options();
  add("endpoint", po::value(&options.remote.endpoint), "agent: unix:/PATH or HOST:PORT");
  add("mountpoint", po::value(&options.mount.mountpoint), "directory to mount on; /dev/fd/N: mounted already");
  add("source", po::value(&options.mount.source)->default_value("mirrorfs"), "what /proc/mounts shows");
  add("identity", po::value(&raw.identity), "container, caller, UID or UID:GID");
  add("rw", po::bool_switch(&raw.read_write), "allow changes");
  add("devices", po::bool_switch(&options.devices), "allow device nodes to be made");
  add("deadline", po::value(&raw.deadline), "longest wait for a sign of life; 0 for ever");
  add("follow", po::bool_switch(&options.remote.follow), "go on in another container that the agent serves");
  add("silence-limit", po::value(&raw.silence_limit), "after that without an answer, connect anew; 0 never");
  add("tls-ca", po::value(&options.tls_ca_file), "PEM file");
  add("tls-cert", po::value(&options.tls_certificate_file), "PEM file");
  add("tls-key", po::value(&options.tls_key_file), "PEM file");
  add("token-file", po::value(&options.token_file), "file with the agent's token");
  add("policy", po::value(&options.policy_file), "file that says which path is whose (JSON)");
  add("layer", po::value(&options.layer_directory), "directory of the private layer that takes the changes");
  add("layer-work", po::value(&options.layer_work), "apply or fetch: do that with the layer, mount nothing");
  add("path", po::value(&options.paths)->composing(), "apply: only that path");
  add("force", po::bool_switch(&options.force), "apply: also what has changed in the container");
  add("fetch-into", po::value(&options.fetch_directory), "fetch: directory for what the container has");
  add("transfer", po::value(&options.transfer),
      "get, put, cat or find: copy between container and here, or look only; mount nothing");
  add("remote-path", po::value(&options.remote_path), "get, put, cat, find: the container's");
  add("local-path", po::value(&options.local_path), "get, put: this machine's");
  add("output-fd", po::value(&options.output_fd), "cat: where to write");
  add("options,o", po::value(&raw.mount_words)->composing(), "mount options");
  add("control-fd", po::value(&options.control_fd), "socket to the keeper");
  add("probe", po::value(&options.probe), "only try to read that directory");
  add("verbose,v", po::bool_switch(&options.verbose), "log each request");
  add("version", po::bool_switch(&options.version), "say which version this is");
  add("help,h", po::bool_switch(&options.help), "this text");
  return description;
}

absl::Status Parse(int argc, char** argv, const po::options_description& description) {
  namespace style = po::command_line_style;
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv)
                  .options(description)
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              values);
    po::notify(values);
    return absl::OkStatus();
  } catch (const po::error& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

absl::Status ParseIdentity(std::string_view text, RemoteSessionOptions& remote) {
  if (text == "container" || text == "caller") {
    remote.identity = text == "caller" ? SessionIdentity::kCaller : SessionIdentity::kContainer;
    return absl::OkStatus();
  }
  const size_t colon = text.find(':');
  const std::string uid(text.substr(0, colon));
  const std::string gid(colon == text.npos ? std::string_view(uid) : text.substr(colon + 1));
  if (!absl::SimpleAtoi(uid, &remote.uid) || !absl::SimpleAtoi(gid, &remote.gid)) {
    return absl::InvalidArgumentError(fmt::format("--identity {}: not container, caller, UID or UID:GID", text));
  }
  remote.identity = SessionIdentity::kFixed;
  return absl::OkStatus();
}

absl::Status ParseDeadline(const std::string& text, absl::Duration& deadline) {
  if (!absl::ParseDuration(text, &deadline) || deadline < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(fmt::format("--deadline {}: not a length of time, like 10s", text));
  }
  if (deadline == absl::ZeroDuration()) deadline = absl::InfiniteDuration();
  return absl::OkStatus();
}

absl::Status Interpret(const RawOptions& raw, DaemonOptions& options) {
  if (options.remote.endpoint.empty() || options.mount.mountpoint.empty()) {
    return absl::InvalidArgumentError("--endpoint and --mountpoint are needed");
  }
  const bool known = options.layer_work.empty() || options.layer_work == "apply" || options.layer_work == "fetch";
  if (!known) return absl::InvalidArgumentError(fmt::format("--layer-work {}: apply or fetch", options.layer_work));
  if (!options.layer_work.empty() && options.layer_directory.empty()) {
    return absl::InvalidArgumentError("--layer-work goes with --layer");
  }
  const std::string& transfer = options.transfer;
  if (!transfer.empty() && transfer != "get" && transfer != "put" && transfer != "cat" && transfer != "find") {
    return absl::InvalidArgumentError(fmt::format("--transfer {}: get, put, cat or find", transfer));
  }
  RETURN_IF_ERROR(ParseIdentity(raw.identity, options.remote));
  RETURN_IF_ERROR(ParseDeadline(raw.deadline, options.remote.deadline));
  if (!absl::ParseDuration(raw.silence_limit, &options.remote.silence_limit)) {
    return absl::InvalidArgumentError(fmt::format("--silence-limit {}: not a length of time", raw.silence_limit));
  }
  for (const std::string& words : raw.mount_words) RETURN_IF_ERROR(ApplyMountWords(words, options.mount));
  options.remote.read_write = raw.read_write;
  options.remote.devices = options.devices && raw.read_write;
  options.mount.read_only = !raw.read_write && options.policy_file.empty() && options.layer_directory.empty();
  options.mount.debug = options.verbose;
  options.mount.send_caller = options.remote.identity == SessionIdentity::kCaller;
  return absl::OkStatus();
}

absl::Status ReadTextFile(const std::string& path, std::string& text) {
  if (path.empty()) return absl::OkStatus();
  std::ifstream file(path, std::ios::binary);
  text.assign(std::istreambuf_iterator<char>(file), {});
  if (!file) return ErrnoStatus(errno == 0 ? EIO : errno, path);
  if (text.empty()) return absl::InvalidArgumentError(path + " is empty");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DaemonOptions> ParseDaemonOptions(int argc, char** argv) {
  DaemonOptions options;
  RawOptions raw;
  RETURN_IF_ERROR(Parse(argc, argv, Describe(options, raw)));
  if (options.help || options.version || !options.probe.empty()) return options;
  RETURN_IF_ERROR(Interpret(raw, options));
  return options;
}

absl::Status ReadSecrets(DaemonOptions& options) {
  RETURN_IF_ERROR(ReadTextFile(options.tls_ca_file, options.remote.tls_ca));
  RETURN_IF_ERROR(ReadTextFile(options.tls_certificate_file, options.remote.tls_certificate));
  RETURN_IF_ERROR(ReadTextFile(options.tls_key_file, options.remote.tls_key));
  RETURN_IF_ERROR(ReadTextFile(options.token_file, options.remote.token));
  absl::StripAsciiWhitespace(&options.remote.token);
  return absl::OkStatus();
}

std::string DaemonHelp() {
  DaemonOptions options;
  RawOptions raw;
  std::ostringstream text;
  text << "mirrorfsd: one mount of mirrorfs. 'mirrorfs mount' starts it.\n\n" << Describe(options, raw);
  return text.str();
}

}  // namespace mirrorfs
