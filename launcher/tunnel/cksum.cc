#include "launcher/tunnel/cksum.h"

#include <array>
#include <cstddef>

namespace mirrorfs {
namespace {

constexpr uint32_t kPolynomial = 0x04c11db7;

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table = {};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t sum = byte << 24;
    for (int bit = 0; bit < 8; ++bit) sum = (sum << 1) ^ ((sum >> 31) != 0 ? kPolynomial : 0);
    table[byte] = sum;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = MakeTable();

uint32_t Add(uint32_t sum, uint8_t byte) { return (sum << 8) ^ kTable[(sum >> 24) ^ byte]; }

}  // namespace

uint32_t Cksum(std::string_view bytes) {
  uint32_t sum = 0;
  for (const char byte : bytes) sum = Add(sum, static_cast<uint8_t>(byte));
  for (size_t size = bytes.size(); size != 0; size >>= 8) sum = Add(sum, static_cast<uint8_t>(size));
  return ~sum;
}

}  // namespace mirrorfs
