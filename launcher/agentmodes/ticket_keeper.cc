#include "launcher/agentmodes/ticket_keeper.h"

#include <chrono>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kTryAgain = absl::Seconds(5);

}  // namespace

TicketKeeper::TicketKeeper(Ticket first, Ask ask)
    : ask_(std::move(ask)), ticket_(std::move(first)), thread_([this] { RunThread(); }) {}

TicketKeeper::~TicketKeeper() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::string TicketKeeper::Current() const {
  const MutexLock lock(mutex_);
  return ticket_.text;
}

void TicketKeeper::Refused() {
  {
    const MutexLock lock(mutex_);
    refused_ = true;
  }
  changed_.notify_all();
}

void TicketKeeper::RunThread() {
  absl::Duration wait = HalfLife();
  while (WaitForNeed(wait)) wait = Renew();
}

// Until the ticket is refused, or the time has come. False: it is over.
bool TicketKeeper::WaitForNeed(absl::Duration limit) {
  const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(limit);
  MutexLock lock(mutex_);
  while (!refused_ && !ending_ && lock.WaitUntil(changed_, deadline) != std::cv_status::timeout) {
  }
  refused_ = false;
  return !ending_;
}

absl::Duration TicketKeeper::Renew() {
  absl::StatusOr<Ticket> next = ask_();
  if (!next.ok()) {
    fmt::print(stderr, "mirrorfs-tunnel: the shared agent does not let us in again: {}\n", MessageOf(next.status()));
    return kTryAgain;
  }
  {
    const MutexLock lock(mutex_);
    ticket_ = *std::move(next);
  }
  return HalfLife();
}

absl::Duration TicketKeeper::HalfLife() const {
  const MutexLock lock(mutex_);
  return ticket_.life / 2;
}

}  // namespace mirrorfs
