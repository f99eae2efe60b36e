#include "agent/service/token.h"

#include <cstddef>

namespace mirrorfs {

bool TokensEqual(std::string_view expected, std::string_view given) {
  if (expected.size() != given.size()) return false;
  volatile unsigned char difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    difference = difference | static_cast<unsigned char>(expected[i] ^ given[i]);
  }
  return difference == 0;
}

}  // namespace mirrorfs
