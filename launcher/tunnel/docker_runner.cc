#include "launcher/tunnel/docker_runner.h"

#include <array>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/printable.h"
#include "launcher/tunnel/conversation.h"
#include "launcher/tunnel/no_shell.h"
#include "launcher/tunnel/tunnel_child.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(20);
// Id, whether it runs, whether it is paused, since when it runs. Both programs know these; the time has spaces in it.
constexpr char kFormat[] = "{{.Id}} {{.State.Running}} {{.State.Paused}} {{.State.StartedAt}}";

constexpr std::string_view kDoesNotAnswer = "the runtime does not answer: does it run?";

struct Sign {
  std::string_view text;  // in small letters
  ExitCode code;
  std::string_view meaning;
};

// What the clients say, and what it means. The first that is found counts.
constexpr std::array kSigns = {
    Sign{"permission denied while trying to connect", ExitCode::kNotPermitted,
         "the runtime's socket may not be used: become a member of its group (docker), or use sudo."},
    Sign{"cannot connect to", ExitCode::kUnreachable, kDoesNotAnswer},
    Sign{"connection refused", ExitCode::kUnreachable, kDoesNotAnswer},
    Sign{"unable to connect", ExitCode::kUnreachable, kDoesNotAnswer},
    Sign{"no such container", ExitCode::kNoTarget, "there is no such container."},
    Sign{"no such object", ExitCode::kNoTarget, "there is no such container."},
    Sign{"is paused", ExitCode::kNoTarget, "the container is paused: unpause it first."},
    Sign{"is not running", ExitCode::kNoTarget, "the container does not run: start it first."},
    Sign{"on running containers", ExitCode::kNoTarget, "the container does not run: start it first."},
};
std::string LastLine(const std::string& text) {
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipWhitespace());
  return lines.empty() ? "it said nothing" : Printable(lines.back());
}

}  // namespace

absl::StatusOr<std::unique_ptr<ContainerRunner>> DockerRunner::Create(const std::string& target,
                                                                      const std::string& runtime_socket) {
  const size_t slash = target.find('/');
  const std::string kind = target.substr(0, slash);
  const bool docker = kind == "docker";
  ASSIGN_OR_RETURN(const std::string program, FindInPath(kind, docker ? "MIRRORFS_DOCKER" : "MIRRORFS_PODMAN"));
  std::vector<std::string> client = {program};
  if (!runtime_socket.empty()) client.insert(client.end(), {docker ? "--host" : "--url", "unix://" + runtime_socket});
  return std::unique_ptr<ContainerRunner>(new DockerRunner(kind, target.substr(slash + 1), std::move(client)));
}

std::vector<std::string> DockerRunner::Client(const std::vector<std::string>& words) const {
  std::vector<std::string> command = client_;
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

absl::StatusOr<std::string> DockerRunner::Find(const std::string& before) {
  if (!before.empty()) container_ = before.substr(0, before.find(' '));
  ASSIGN_OR_RETURN(Conversation question,
                   Conversation::Start(Client({"container", "inspect", "--format", kFormat, container_}), Variables()));
  const absl::StatusOr<std::string> answer = question.ReadAll(kLimit);
  const int wait_status = question.End(absl::Seconds(1));
  if (!answer.ok()) {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("{} does not answer within {} s.", kind_, absl::ToInt64Seconds(kLimit)));
  }
  if (wait_status != 0) return Explain(question.TakeErrors());
  const std::vector<std::string> words = absl::StrSplit(absl::StripAsciiWhitespace(*answer), absl::MaxSplits(' ', 3));
  if (words.size() != 4) return Failure(ExitCode::kUnreachable, fmt::format("{} answers strangely.", kind_));
  if (words[1] != "true") return Explain("is not running");
  if (words[2] == "true") return Explain("is paused");
  container_ = words[0];
  return fmt::format("{} {}", words[0], words[3]);
}

std::vector<std::string> DockerRunner::Exec(const std::vector<std::string>& words) const {
  std::vector<std::string> command = Client({"exec", "-i", container_});
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

absl::Status DockerRunner::Explain(const std::string& errors) const {
  const std::string text = absl::AsciiStrToLower(errors);
  if (SaysNoShell(errors)) return NoShell(OtherWays());
  for (const Sign& sign : kSigns) {
    if (text.find(sign.text) != text.npos) return Failure(sign.code, std::string(sign.meaning));
  }
  return Failure(ExitCode::kUnreachable,
                 fmt::format("{} does not run programs in the container: {}.", kind_, LastLine(errors)));
}

std::string DockerRunner::OtherWays() const {
  return "Run mirrorfs as root, without --agent exec: then nothing is needed in the container.";
}

}  // namespace mirrorfs
