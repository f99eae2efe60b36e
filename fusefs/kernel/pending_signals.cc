#include "fusefs/kernel/pending_signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>

#include "fmt/format.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

constexpr uint64_t Bit(int signal) { return uint64_t{1} << (signal - 1); }

// What a program that does not catch them never notices.
constexpr uint64_t kIgnoredByDefault = Bit(SIGCHLD) | Bit(SIGURG) | Bit(SIGWINCH) | Bit(SIGCONT);

uint64_t Mask(std::string_view status, std::string_view field) {
  const size_t at = status.find(field);
  if (at == std::string_view::npos) return 0;
  std::string_view value = status.substr(at + field.size());
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  uint64_t mask = 0;
  std::from_chars(value.data(), value.data() + value.size(), mask, 16);
  return mask;
}

}  // namespace

PendingSignals ParsePendingSignals(std::string_view status) {
  const uint64_t pending = Mask(status, "\nSigPnd:") | Mask(status, "\nShdPnd:");
  const uint64_t caught = Mask(status, "\nSigCgt:");
  const uint64_t unseen = Mask(status, "\nSigBlk:") | Mask(status, "\nSigIgn:") | (kIgnoredByDefault & ~caught) |
                          Bit(SIGURG);  // Go preempts its threads with it all the time
  PendingSignals result;
  result.killed = (pending & Bit(SIGKILL)) != 0;
  result.visible = result.killed || (pending & ~unseen) != 0;
  return result;
}

PendingSignals ReadPendingSignals(pid_t thread) {
  const UniqueFd file(::open(fmt::format("/proc/{}/status", thread).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {.killed = true, .visible = true};
  std::array<char, 4096> text;
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size <= 0) return {.killed = true, .visible = true};
  return ParsePendingSignals({text.data(), static_cast<size_t>(size)});
}

}  // namespace mirrorfs
