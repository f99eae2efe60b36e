// A ticket of a shared agent that is renewed before its life is over: by asking with the token again.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_TICKET_KEEPER_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_TICKET_KEEPER_H_

#include <condition_variable>
#include <functional>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

struct Ticket {
  std::string text;
  absl::Duration life;
};

// Thread-safe. Has one thread, in which tickets are asked for.
class TicketKeeper {
 public:
  using Ask = std::function<absl::StatusOr<Ticket>()>;  // may block

  TicketKeeper(Ticket first, Ask ask);
  TicketKeeper(const TicketKeeper&) = delete;
  // Waits for what runs of `ask`.
  ~TicketKeeper();

  std::string Current() const;
  // It was not taken: another one is needed at once.
  void Refused();

 private:
  void RunThread();
  bool WaitForNeed(absl::Duration limit);
  absl::Duration Renew();
  absl::Duration HalfLife() const;

  const Ask ask_;
  mutable Mutex mutex_;
  std::condition_variable changed_;
  Ticket ticket_ ABSL_GUARDED_BY(mutex_);
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_TICKET_KEEPER_H_
