// Metrics over HTTP, for Prometheus.
#ifndef MIRRORFS_AGENT_SHARED_METRICS_SERVER_H_
#define MIRRORFS_AGENT_SHARED_METRICS_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

// Not thread-safe: lives in the thread of its context.
class MetricsServer {
 public:
  // GET /metrics is answered with `text`.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(boost::asio::io_context& context, UniqueFd listener,
                                                              std::function<std::string()> text);

 private:
  MetricsServer(boost::asio::io_context& context, std::function<std::string()> text)
      : acceptor_(context), text_(std::move(text)) {}
  void Accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  const std::function<std::string()> text_;
  std::shared_ptr<size_t> serving_ = std::make_shared<size_t>(0);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_METRICS_SERVER_H_
