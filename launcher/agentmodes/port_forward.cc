#include "launcher/agentmodes/port_forward.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "boost/asio/local/stream_protocol.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/streambuf.hpp"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/system/child_process.h"
#include "launcher/tunnel/tunnel_child.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr std::chrono::seconds kStartLimit{15};
constexpr std::chrono::milliseconds kFirstBackOff{50};
constexpr std::chrono::milliseconds kLongestBackOff{5'000};

// "Forwarding from 127.0.0.1:41234 -> 7443": the first of the two ports; 0: another line.
int PortIn(std::string_view line) {
  constexpr std::string_view kBegin = "Forwarding from 127.0.0.1:";
  if (!line.starts_with(kBegin)) return 0;
  line.remove_prefix(kBegin.size());
  int port = 0;
  return absl::SimpleAtoi(std::string(line.substr(0, line.find(' '))), &port) ? port : 0;
}

absl::StatusOr<UniqueFd> ConnectToLoopback(int port) {
  UniqueFd connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // On the loopback this does not wait: somebody listens, or not.
  if (!connection || ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Failure(ExitCode::kUnreachable, fmt::format("kubectl port-forward does not listen: {}.", ErrnoText(errno)));
  }
  const int on = 1;
  ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return connection;
}

}  // namespace

// One kubectl, for one port of the pod.
class PortForwardTransport::Program : public std::enable_shared_from_this<Program> {
 public:
  Program(asio::io_context& context, std::vector<std::string> command, int port)
      : command_(std::move(command)), pod_port_(port), output_(context), timer_(context) {}
  ~Program() { End(); }

  int pod_port() const { return pod_port_; }
  size_t connections() const { return connections_; }

  void Connect(Connected connected) {
    ++connections_;
    if (port_ != 0) return HandOver(connected);
    waiting_.push_back(std::move(connected));
    if (pid_ == 0 && !resting_) Start();
  }

 private:
  // kubectl takes connections as long as it lives, also while it cannot carry them anywhere.
  void HandOver(const Connected& connected) {
    connected(ConnectToLoopback(port_), [weak = weak_from_this(), pid = pid_] {
      const auto self = weak.lock();
      if (self == nullptr || pid == 0 || self->pid_ != pid) return;
      self->Fail(Failure(ExitCode::kUnreachable, "kubectl port-forward carries nothing; it is started again."));
    });
  }

  void Start() {
    std::array<int, 2> ends;
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return Fail(LastErrno("socketpair"));
    const UniqueFd theirs(ends[1]);
    output_.assign(asio::local::stream_protocol(), ends[0]);
    const auto pid = StartTunnelChild({.command = command_, .variables = {}, .stream = theirs.get()});
    if (!pid.ok()) return Fail(pid.status());
    pid_ = *pid;
    timer_.expires_after(kStartLimit);
    timer_.async_wait([self = shared_from_this()](const Error& cancelled) {
      if (!cancelled) self->Fail(Failure(ExitCode::kUnreachable, "kubectl port-forward did not begin to listen."));
    });
    ReadLine();
  }

  void ReadLine() {
    asio::async_read_until(output_, text_, '\n', [self = shared_from_this()](const Error& failed, size_t size) {
      if (failed == asio::error::operation_aborted) return;
      if (failed) return self->Fail(Failure(ExitCode::kUnreachable, "kubectl port-forward has ended."));
      const std::string line(static_cast<const char*>(self->text_.data().data()), size);
      self->text_.consume(size);
      if (const int port = PortIn(line); port != 0 && self->port_ == 0) self->OnListening(port);
      self->ReadLine();
    });
  }

  void OnListening(int port) {
    timer_.cancel();
    port_ = port;
    back_off_ = kFirstBackOff;
    for (const Connected& connected : std::exchange(waiting_, {})) HandOver(connected);
  }

  void Fail(const absl::Status& why) {
    End();
    resting_ = true;
    timer_.expires_after(back_off_);
    timer_.async_wait([self = shared_from_this()](const Error& cancelled) {
      if (cancelled) return;
      self->resting_ = false;
      if (!self->waiting_.empty()) self->Start();
    });
    back_off_ = std::min(back_off_ * 2, kLongestBackOff);
    for (const Connected& connected : std::exchange(waiting_, {})) connected(why, [] {});
  }

  // Its connections break with it.
  void End() {
    Error ignored;
    output_.close(ignored);
    text_.consume(text_.size());
    port_ = 0;
    connections_ = 0;
    if (pid_ == 0) return;
    KillTunnelChild(pid_);
    Reap(std::exchange(pid_, 0));
  }

  const std::vector<std::string> command_;
  const int pod_port_;
  asio::local::stream_protocol::socket output_;
  asio::streambuf text_;
  asio::steady_timer timer_;  // of the start, or of the rest after a failure
  pid_t pid_ = 0;
  int port_ = 0;  // of this machine; 0: it does not listen
  bool resting_ = false;
  size_t connections_ = 0;  // that were made with the program that runs
  std::chrono::milliseconds back_off_ = kFirstBackOff;
  std::vector<Connected> waiting_;
};

PortForwardTransport::PortForwardTransport(asio::io_context& context, PortForwardOptions options)
    : context_(context), options_(std::move(options)) {}

PortForwardTransport::~PortForwardTransport() = default;

void PortForwardTransport::Connect(int port, Connected connected) {
  std::vector<std::shared_ptr<Program>> able;
  for (const auto& program : programs_) {
    if (program->pod_port() == port) able.push_back(program);
  }
  const auto least = std::min_element(able.begin(), able.end(), [](const auto& one, const auto& other) {
    return one->connections() < other->connections();
  });
  if (least != able.end() && ((*least)->connections() == 0 || able.size() >= options_.programs)) {
    return (*least)->Connect(std::move(connected));
  }
  std::vector<std::string> command = options_.command;
  command.push_back(fmt::format(":{}", port));
  programs_.push_back(std::make_shared<Program>(context_, std::move(command), port));
  programs_.back()->Connect(std::move(connected));
}

}  // namespace mirrorfs
