#include "agent/shared/container_agent.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "boost/asio/post.hpp"
#include "boost/asio/read_until.hpp"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr int kSaidInChild = 3;
constexpr size_t kMostSaid = 17 << 20;  // of what the target's process is like: as much as a client takes
constexpr size_t kMostLogLine = 64 << 10;
constexpr size_t kMostLastWords = 500;

struct Pipe {
  UniqueFd ours;
  UniqueFd theirs;
};

absl::StatusOr<Pipe> MakePipe() {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return LastErrno("pipe2");
  return Pipe{.ours = UniqueFd(ends[0]), .theirs = UniqueFd(ends[1])};
}

std::string TakeText(asio::streambuf& buffer, size_t size) {
  std::string text(static_cast<const char*>(buffer.data().data()), size);
  buffer.consume(size);
  return text;
}

// The size that a line "facts BYTES" tells.
bool FactsSize(const std::string& line, size_t& size) {
  constexpr std::string_view kBegin = "facts ";
  return line.starts_with(kBegin) && absl::SimpleAtoi(line.substr(kBegin.size()), &size) && size <= kMostSaid;
}

}  // namespace

ContainerAgent::ContainerAgent(asio::io_context& context, Options options)
    : context_(context),
      options_(std::move(options)),
      said_(context),
      log_(context),
      process_(context),
      said_text_(kMostSaid),
      log_text_(kMostLogLine) {}

absl::StatusOr<std::shared_ptr<ContainerAgent>> ContainerAgent::Start(asio::io_context& context, Options options) {
  std::shared_ptr<ContainerAgent> agent(new ContainerAgent(context, std::move(options)));
  RETURN_IF_ERROR(agent->Spawn());
  agent->ReadSaid();
  agent->ReadLog();
  agent->WaitForEnd();
  return agent;
}

absl::Status ContainerAgent::Spawn() {
  ASSIGN_OR_RETURN(Pipe said, MakePipe());
  ASSIGN_OR_RETURN(Pipe log, MakePipe());
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  const absl::Cleanup release = [&] {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  };
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, log.theirs.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, log.theirs.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, said.theirs.get(), kSaidInChild);
  // Asio opens sockets without close-on-exec: the child must not hold other people's streams.
  ::posix_spawn_file_actions_addclosefrom_np(&actions, kSaidInChild + 1);
  std::vector<char*> words;
  for (const std::string& word : options_.command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  char* no_environment[] = {nullptr};
  const int error = ::posix_spawn(&pid_, "/proc/self/exe", &actions, &attributes, words.data(), no_environment);
  if (error != 0) {
    pid_ = 0;
    return ErrnoStatus(error, "the container's agent cannot be started");
  }
  said_.assign(said.ours.release());
  log_.assign(log.ours.release());
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (process < 0) return LastErrno("pidfd_open");  // the destructor ends it
  process_.assign(process);
  return absl::OkStatus();
}

ContainerAgent::~ContainerAgent() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void ContainerAgent::WhenReady(Ready ready) {
  waiting_.push_back(std::move(ready));
  if (ready_) asio::post(context_, [self = shared_from_this()] { self->Settle(absl::OkStatus()); });
  if (pid_ == 0) asio::post(context_, [self = shared_from_this()] { self->OnEnd(); });
}

void ContainerAgent::ReadSaid() {
  said_.async_read_some(said_text_.prepare(kMostLogLine),
                        [self = shared_from_this()](const Error& failed, size_t size) {
                          if (failed) return;  // it ends, and that is waited for
                          self->said_text_.commit(size);
                          if (self->HearAll()) self->ReadSaid();
                        });
}

// False if it says more than there can be.
bool ContainerAgent::HearAll() {
  while (said_text_.size() > 0) {
    const auto* begin = static_cast<const char*>(said_text_.data().data());
    const auto* end = static_cast<const char*>(std::memchr(begin, '\n', said_text_.size()));
    if (end == nullptr) break;
    const std::string line(begin, end);
    size_t facts = 0;
    if (FactsSize(line, facts)) {
      if (said_text_.size() < line.size() + 1 + facts) break;
      said_text_.consume(line.size() + 1);
      facts_ = TakeText(said_text_, facts);
    } else {
      said_text_.consume(line.size() + 1);
      Hear(line);
    }
  }
  return said_text_.size() + kMostLogLine <= said_text_.max_size();
}

void ContainerAgent::Hear(const std::string& line) {
  if (line.starts_with("ready ")) {
    ready_ = true;
    Settle(absl::OkStatus());
  } else if (line == "target gone" && !target_gone_) {
    target_gone_ = true;
    TellListeners([](Listener& listener) { listener.OnTargetGone(); });
  }
}

void ContainerAgent::ReadLog() {
  asio::async_read_until(log_, log_text_, '\n', [self = shared_from_this()](const Error& failed, size_t size) {
    if (failed == asio::error::not_found) {  // a line without an end: what is not read would stop the agent
      self->log_text_.consume(self->log_text_.size());
      return self->ReadLog();
    }
    if (failed) return;
    std::string line = TakeText(self->log_text_, size);
    line.pop_back();
    self->options_.log(line);
    constexpr std::string_view kName = "mirrorfs-agent: ";
    if (line.starts_with(kName)) line.erase(0, kName.size());
    self->last_words_ = line.substr(0, kMostLastWords);
    self->ReadLog();
  });
}

void ContainerAgent::WaitForEnd() {
  process_.async_wait(asio::posix::descriptor_base::wait_read, [self = shared_from_this()](const Error& failed) {
    if (failed) return;
    // What it has said last is still in the pipe.
    asio::post(self->context_, [self] { self->OnEnd(); });
  });
}

void ContainerAgent::OnEnd() {
  if (pid_ != 0) {
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
    ready_ = false;
    Error ignored;
    process_.close(ignored);
    options_.ended();
    TellListeners([](Listener& listener) { listener.OnAgentEnded(); });
  }
  Settle(absl::UnavailableError(last_words_.empty() ? "the container's agent has ended" : last_words_));
}

void ContainerAgent::Settle(const absl::Status& status) {
  for (const Ready& ready : std::exchange(waiting_, {})) ready(status);
}

template <typename Call>
void ContainerAgent::TellListeners(Call call) {
  for (const auto& listener : std::vector(listeners_)) {
    if (const auto there = listener.lock()) call(*there);
  }
  std::erase_if(listeners_, [](const auto& listener) { return listener.expired(); });
}

void ContainerAgent::End() {
  if (pid_ != 0) ::kill(pid_, SIGTERM);
}

}  // namespace mirrorfs
