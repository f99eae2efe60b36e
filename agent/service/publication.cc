#include "agent/service/publication.h"

namespace mirrorfs {

void Publication::Publish() { published_.store(true, std::memory_order_release); }

void Publication::See() const { (void)published_.load(std::memory_order_acquire); }

}  // namespace mirrorfs
