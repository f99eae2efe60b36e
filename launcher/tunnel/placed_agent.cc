#include "launcher/tunnel/placed_agent.h"

#include <poll.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/keeper/child_end.h"
#include "launcher/printable.h"
#include "launcher/tunnel/cksum.h"
#include "launcher/tunnel/not_replaced.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Without any sign of progress for so long a step has failed.
constexpr absl::Duration kPatience = absl::Seconds(30);
// The agent clears away and ends by itself when its stdin does.
constexpr absl::Duration kEndGrace = absl::Milliseconds(2000);
constexpr size_t kMostFacts = 16 << 20;
constexpr std::string_view kFacts = "facts ";
constexpr std::string_view kAgentPrefix = "mirrorfs-agent: ";

std::string NewName() {
  uint64_t number = 0;
  (void)!::getrandom(&number, sizeof number, 0);  // eight bytes are given whole, once the kernel has any
  return fmt::format(".mirrorfs-agent-{:016x}", number);
}

std::string OwnMachine() {
  utsname name = {};
  ::uname(&name);
  return name.machine;
}

// Empty if it cannot be read. It is large, and read each time that an agent is put somewhere.
std::string BytesOf(const std::string& path) {
  std::error_code failed;
  const uintmax_t size = std::filesystem::file_size(path, failed);
  if (failed) return {};
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  return file ? bytes : std::string();
}

absl::StatusOr<std::string> BinaryFor(const std::string& machine, const PlacementOptions& options) {
  const bool own = machine == OwnMachine();
  const std::string path = own ? options.agent_path : fmt::format("{}-{}", options.agent_path, Printable(machine));
  std::string binary = BytesOf(path);
  if (!binary.empty()) return binary;
  if (own) {
    return Failure(ExitCode::kUnreachable, fmt::format("{} cannot be read. Is mirrorfs installed completely?", path));
  }
  return Failure(ExitCode::kUnreachable,
                 fmt::format("{} runs on a machine of another architecture ({}) than this one: put "
                             "the mirrorfs-agent that was built for it at {}.",
                             options.target, Printable(machine), path));
}

absl::Status About(const PlacementOptions& options, const absl::Status& status) {
  return Failure(ExitCodeOf(status), fmt::format("{}: {}", options.target, MessageOf(status)));
}

std::vector<std::string> AgentArguments(const PlacementOptions& options) {
  std::vector<std::string> arguments = {"--target",
                                        "self:" + options.target,
                                        "--listen",
                                        "unix:@/agent.sock",
                                        "--identities",
                                        "container",
                                        "--ready-fd",
                                        "1",
                                        "--exit-with-stdin",
                                        "--remove-directory",
                                        "@"};
  if (options.asks_for_facts) arguments.insert(arguments.end(), {"--process-facts-fd", "1"});
  arguments.insert(arguments.end(), options.agent_arguments.begin(), options.agent_arguments.end());
  return arguments;
}

absl::Status AnotherContainer(const PlacementOptions& options) {
  return Failure(ExitCode::kNoTarget, fmt::format("{} is not the container any more that it was.", options.target));
}

// "got CHECKSUM SIZE": what has arrived. Without a checksum the length is what tells a lost tail.
absl::Status CheckArrival(const std::string& line, const std::string& binary, const std::string& directory) {
  for (const std::string& sum : {std::to_string(Cksum(binary)), std::string("-")}) {
    if (line == fmt::format("got {} {}", sum, binary.size())) return absl::OkStatus();
  }
  return Failure(
      ExitCode::kUnreachable,
      fmt::format("the agent ({} bytes) did not arrive whole in the container, at {}: is there enough space, "
                  "and memory if that is a tmpfs? ({})",
                  binary.size(), Printable(directory), Printable(line.substr(0, 100))));
}

}  // namespace

absl::StatusOr<std::unique_ptr<PlacedAgent>> PlacedAgent::Start(EventLoop& loop,
                                                                std::unique_ptr<ContainerRunner> runner,
                                                                const PlacementOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<PlacedAgent> agent, Find(loop, std::move(runner), options));
  RETURN_IF_ERROR(agent->Begin(options));
  return agent;
}

absl::StatusOr<std::string> PlacedAgent::TryPlace(std::unique_ptr<ContainerRunner> runner,
                                                  const PlacementOptions& options) {
  EventLoop loop;
  ASSIGN_OR_RETURN(const std::unique_ptr<PlacedAgent> agent, Find(loop, std::move(runner), options));
  ASSIGN_OR_RETURN(const Place place, agent->FindPlace(options));
  RETURN_IF_ERROR(BinaryFor(place.machine, options).status());
  return place.directory;
}

absl::StatusOr<std::unique_ptr<PlacedAgent>> PlacedAgent::Find(EventLoop& loop, std::unique_ptr<ContainerRunner> runner,
                                                               const PlacementOptions& options) {
  const std::string& expected = options.expected_container;
  const std::string expected_name = expected.substr(0, expected.rfind(' '));
  absl::StatusOr<std::string> found = runner->Find(expected_name);
  if (!found.ok()) return About(options, found.status());
  if (!expected.empty() && *found != expected_name) return AnotherContainer(options);
  if (!options.left_container.empty() && options.left_container.starts_with(*found + " ")) return NotReplaced();
  return std::unique_ptr<PlacedAgent>(new PlacedAgent(loop, std::move(runner), *std::move(found)));
}

absl::Status PlacedAgent::Begin(const PlacementOptions& options) {
  ASSIGN_OR_RETURN(const std::string directory, Copy(options));
  RETURN_IF_ERROR(Hear(options));
  carrier_ = std::make_unique<ExecCarrier>(
      loop_,
      ExecCarrierOptions{.command = runner_->Exec({directory + "/mirrorfs-agent", "relay", directory + "/agent.sock"}),
                         .variables = runner_->Variables(),
                         .failing = [this] { OnLost(); }});
  options.progress("attached", options.target);
  return absl::OkStatus();
}

// Starts the script in the container, and gives its first line.
absl::StatusOr<std::string> PlacedAgent::StartScript(const PlacementOptions& options) {
  const auto command = PlacementCommand(NewName(), AgentArguments(options));
  while (true) {
    ASSIGN_OR_RETURN(Conversation agent, Conversation::Start(runner_->Exec(command), runner_->Variables()));
    agent_.emplace(std::move(agent));
    absl::StatusOr<std::string> line = agent_->ReadLine(kPatience);
    if (line.ok()) return line;
    if (absl::IsDeadlineExceeded(line.status())) return Explain(line.status(), options);
    const int wait_status = agent_->End(kEndGrace);
    const std::string errors = agent_->TakeErrors();
    if (!runner_->TakeOtherProtocol(errors)) return ExplainEnd(wait_status, errors, options);
  }
}

absl::StatusOr<Place> PlacedAgent::FindPlace(const PlacementOptions& options) {
  ASSIGN_OR_RETURN(const std::string line, StartScript(options));
  absl::StatusOr<Place> place = ParsePlace(line, runner_->OtherWays());
  if (!place.ok()) return About(options, place.status());
  container_ = fmt::format("{} {}", found_, place->instance);
  // A runtime that is asked may tell of the one before for a while.
  if (!options.expected_container.empty() && container_ != options.expected_container) return AnotherContainer(options);
  return place;
}

// Gives the directory that it has been put into.
absl::StatusOr<std::string> PlacedAgent::Copy(const PlacementOptions& options) {
  ASSIGN_OR_RETURN(const Place place, FindPlace(options));
  ASSIGN_OR_RETURN(const std::string binary, BinaryFor(place.machine, options));
  const absl::Status sent = agent_->Send(fmt::format("{}\n", binary.size()) + binary, kPatience);
  if (!sent.ok()) return Explain(sent, options);
  const absl::StatusOr<std::string> got = agent_->ReadLine(kPatience);
  if (!got.ok()) return Explain(got.status(), options);
  const absl::Status arrived = CheckArrival(*got, binary, place.directory);
  if (!arrived.ok()) return About(options, arrived);
  options.progress("placed", place.directory);
  return place.directory;
}

// Starts it, and hears what it has to say until it listens.
absl::Status PlacedAgent::Hear(const PlacementOptions& options) {
  if (const absl::Status sent = agent_->Send("go\n", kPatience); !sent.ok()) return Explain(sent, options);
  while (true) {
    const absl::StatusOr<std::string> line = agent_->ReadLine(kPatience);
    if (!line.ok()) return Explain(line.status(), options);
    if (line->starts_with("ready ")) {
      options.progress("started", container_);
      return absl::OkStatus();
    }
    size_t size = 0;
    if (!line->starts_with(kFacts) || !absl::SimpleAtoi(line->substr(kFacts.size()), &size) || size > kMostFacts)
      continue;
    absl::StatusOr<std::string> facts = agent_->ReadBytes(size, kPatience);
    if (!facts.ok()) return Explain(facts.status(), options);
    facts_ = *std::move(facts);
  }
}

absl::Status PlacedAgent::Explain(const absl::Status& why, const PlacementOptions& options) {
  if (absl::IsDeadlineExceeded(why)) {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("{}: starting the agent in the container made no progress for {} s.", options.target,
                               absl::ToInt64Seconds(kPatience)));
  }
  const int wait_status = agent_->End(kEndGrace);
  return ExplainEnd(wait_status, agent_->TakeErrors(), options);
}

// The agent's own words if it has said any, else the runner's.
absl::Status PlacedAgent::ExplainEnd(int wait_status, const std::string& said, const PlacementOptions& options) {
  const std::string errors(absl::StripAsciiWhitespace(said));
  if (const size_t own = errors.find(kAgentPrefix); own != errors.npos) {
    const size_t words = own + kAgentPrefix.size();
    return Failure(ExitCodeOfChild(wait_status), Printable(errors.substr(words, errors.find('\n', words) - words)));
  }
  return About(options, runner_->Explain(errors));
}

void PlacedAgent::Watch(std::function<void()> lost) {
  lost_ = std::move(lost);
  loop_.Watch(agent_->stream(), POLLIN, [this] {
    if (!agent_->Drain()) OnLost();
  });
  loop_.Watch(agent_->error_stream(), POLLIN, [this] { OnErrors(); });
}

void PlacedAgent::OnErrors() {
  const int stream = agent_->error_stream();
  fmt::print(stderr, "{}", agent_->TakeErrors());
  if (agent_->error_stream() < 0) loop_.Unwatch(stream);
}

void PlacedAgent::OnLost() {
  loop_.Unwatch(agent_->stream());
  if (lost_) std::exchange(lost_, nullptr)();
}

absl::Status PlacedAgent::CheckContainer() const {
  ASSIGN_OR_RETURN(const std::string found, runner_->Find(found_));
  if (found == found_) return absl::OkStatus();
  return Failure(ExitCode::kNoTarget, "the container was started anew.");
}

PlacedAgent::~PlacedAgent() {
  if (!agent_) return;
  loop_.Unwatch(agent_->stream());
  loop_.Unwatch(agent_->error_stream());
  carrier_.reset();
  agent_->End(kEndGrace);
}

}  // namespace mirrorfs
