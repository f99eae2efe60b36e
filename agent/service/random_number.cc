#include "agent/service/random_number.h"

#include <sys/random.h>

namespace mirrorfs {

uint64_t RandomNumber() {
  uint64_t number = 0;
  // getrandom gives up to 256 bytes whole once the kernel's pool is ready; it only waits before.
  while (getrandom(&number, sizeof number, 0) != sizeof number || number == 0) {
  }
  return number;
}

}  // namespace mirrorfs
