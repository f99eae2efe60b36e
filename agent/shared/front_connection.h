// One stream of a caller, from its handshake to its end.
#ifndef MIRRORFS_AGENT_SHARED_FRONT_CONNECTION_H_
#define MIRRORFS_AGENT_SHARED_FRONT_CONNECTION_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/shared/container_agent.h"
#include "agent/shared/front.h"
#include "boost/asio/local/stream_protocol.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/streambuf.hpp"

namespace mirrorfs {

// Keeps itself alive as long as anything is under way. Handshake and preface have a deadline, and so has all that
// follows until the caller is answered.
class FrontConnection : public std::enable_shared_from_this<FrontConnection>, public ContainerAgent::Listener {
 public:
  FrontConnection(std::shared_ptr<FrontState> state, boost::asio::ssl::context& tls,
                  boost::asio::ip::tcp::socket socket);
  ~FrontConnection() override;

  void Begin();
  void OnTargetGone() override;
  void OnAgentEnded() override;

 private:
  // In the order in which they happen.
  void ReadPreface();
  void OnPreface(const std::string& line);
  void Ask(PrefaceRequest request);
  void OnVerdict(Verdict verdict);
  void LetIn(const AgentKey& key, std::string ticket);
  void OnReady(const absl::Status& status, std::string ticket);
  void Welcome(std::string ticket);
  void Refuse(PrefaceCode code, std::string message);
  void Drain();
  void Relay();
  void Watch();

  void ReadClient();
  void ReadAgent();
  void Send(std::string text, bool then_close = false);
  void Note(PrefaceCode code, std::string message);
  void Limit(std::chrono::seconds limit);
  void NoLongerPending();
  void Close();

  const std::shared_ptr<FrontState> state_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> client_;
  boost::asio::local::stream_protocol::socket agent_socket_;
  boost::asio::steady_timer timer_;
  boost::asio::streambuf line_;
  PrefaceRequest request_;  // without token and ticket
  ClusterUser caller_;      // as far as he is known
  bool asked_ = false;      // there has been a preface, or something in its place
  bool by_ticket_ = false;
  bool noted_ = false;
  bool pending_ = true;
  std::optional<Quota::Slot> slot_;
  AgentTable::Use agent_;
  std::string outgoing_;  // what is being sent that is not relayed
  std::string queued_;    // behind it
  bool close_after_ = false;
  std::vector<char> up_;
  std::vector<char> down_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_FRONT_CONNECTION_H_
