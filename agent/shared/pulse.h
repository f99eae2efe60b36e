// Whether the one thread that does everything in a front still comes round, for probes that are answered by others.
#ifndef MIRRORFS_AGENT_SHARED_PULSE_H_
#define MIRRORFS_AGENT_SHARED_PULSE_H_

#include <atomic>
#include <chrono>

#include "boost/asio/io_context.hpp"
#include "boost/asio/steady_timer.hpp"

namespace mirrorfs {

// `context` outlives it.
class Pulse {
 public:
  // Counted as standing still once it has not come round for `patience`.
  Pulse(boost::asio::io_context& context, std::chrono::milliseconds patience);

  // Thread-safe.
  bool Beats() const;

 private:
  void Beat();

  const std::chrono::milliseconds patience_;
  boost::asio::steady_timer timer_;
  std::atomic<std::chrono::steady_clock::time_point> last_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SHARED_PULSE_H_
