// A child of the front: the agent of one container, for one user, in one mode.
#ifndef MIRRORFS_AGENT_SHARED_CONTAINER_AGENT_H_
#define MIRRORFS_AGENT_SHARED_CONTAINER_AGENT_H_

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/posix/stream_descriptor.hpp"
#include "boost/asio/streambuf.hpp"

namespace mirrorfs {

// Not thread-safe: lives in the thread of its context. Callbacks come from there, later.
class ContainerAgent : public std::enable_shared_from_this<ContainerAgent> {
 public:
  struct Options {
    std::vector<std::string> command;  // argv[0] included
    std::string socket;                // where it will listen
    std::function<void(const std::string& line)> log;
    std::function<void()> ended;  // it is gone, and reaped
  };
  // Whoever has a stream to it is told.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnTargetGone() = 0;
    virtual void OnAgentEnded() = 0;
  };
  using Ready = std::function<void(const absl::Status&)>;

  // This very program is started once more, with an empty environment and no descriptor of ours but its log and its
  // ready line.
  static absl::StatusOr<std::shared_ptr<ContainerAgent>> Start(boost::asio::io_context& context, Options options);
  ~ContainerAgent();

  // Once it listens, or cannot: then with its own words.
  void WhenReady(Ready ready);
  void AddListener(std::weak_ptr<Listener> listener) { listeners_.push_back(std::move(listener)); }

  const std::string& socket() const { return options_.socket; }
  const std::string& facts() const { return facts_; }  // of its target's process; once it is ready
  bool target_gone() const { return target_gone_; }

  // It is asked to end.
  void End();

 private:
  ContainerAgent(boost::asio::io_context& context, Options options);

  absl::Status Spawn();
  void ReadSaid();
  bool HearAll();
  void Hear(const std::string& line);
  void ReadLog();
  void WaitForEnd();
  void OnEnd();
  void Settle(const absl::Status& status);
  template <typename Call>
  void TellListeners(Call call);

  boost::asio::io_context& context_;
  const Options options_;
  pid_t pid_ = 0;
  boost::asio::posix::stream_descriptor said_;
  boost::asio::posix::stream_descriptor log_;
  boost::asio::posix::stream_descriptor process_;  // a pidfd
  boost::asio::streambuf said_text_;
  boost::asio::streambuf log_text_;
  std::string last_words_;
  std::string facts_;
  bool ready_ = false;
  bool target_gone_ = false;
  std::vector<Ready> waiting_;
  std::vector<std::weak_ptr<Listener>> listeners_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_CONTAINER_AGENT_H_
