#include "agent/service/session.h"

namespace mirrorfs {

std::shared_ptr<void> Session::Enter(size_t bytes) {
  const bool too_many = in_flight_.fetch_add(1, std::memory_order_relaxed) >= limits_.max_in_flight;
  const bool too_much = bytes_in_flight_.fetch_add(bytes, std::memory_order_relaxed) > limits_.max_bytes_in_flight;
  if (too_many || too_much) {
    Leave(bytes);
    return nullptr;
  }
  // The pointer is to the session itself, which so lives as long as its requests.
  return std::shared_ptr<void>(this, [self = shared_from_this(), bytes](void*) { self->Leave(bytes); });
}

void Session::Leave(size_t bytes) {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  bytes_in_flight_.fetch_sub(bytes, std::memory_order_relaxed);
}

}  // namespace mirrorfs
