#include "agent/target/proc_text.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include "absl/status/status.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr std::string_view kBlank = " \t";

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const size_t end = std::min(text.find_first_of(kBlank), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

template <typename Number>
std::optional<Number> ToNumberIn(std::string_view text, int base = 10) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// The rest of the line that begins with `key`.
std::optional<std::string_view> Line(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (text.starts_with(key)) return text.substr(key.size(), end - key.size());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

absl::Status Malformed(std::string_view what) {
  return absl::InternalError("unexpected text in /proc: " + std::string(what));
}

// real, effective, saved, file system
absl::StatusOr<uint32_t> FileSystemId(std::string_view text, std::string_view key) {
  constexpr size_t kFileSystemColumn = 3;
  const auto line = Line(text, key);
  if (!line) return Malformed(key);
  const auto words = Words(*line);
  if (words.size() <= kFileSystemColumn) return Malformed(key);
  const auto id = ToNumberIn<uint32_t>(words[kFileSystemColumn]);
  if (!id) return Malformed(key);
  return *id;
}

}  // namespace

absl::StatusOr<ProcessStat> ParseProcessStat(std::string_view text) {
  // After the command, which is in parentheses and may hold anything: state (field 3), flags (9), start time (22).
  constexpr size_t kState = 0;
  constexpr size_t kFlags = 6;
  constexpr size_t kStartTime = 19;
  constexpr uint64_t kKernelThreadFlag = 0x00200000;  // PF_KTHREAD of the kernel's include/linux/sched.h
  const size_t command_end = text.rfind(')');
  if (command_end == std::string_view::npos) return Malformed("stat");
  const auto words = Words(text.substr(command_end + 1));
  if (words.size() <= kStartTime || words[kState].size() != 1) return Malformed("stat");
  const auto flags = ToNumberIn<uint64_t>(words[kFlags]);
  const auto start_time = ToNumberIn<uint64_t>(words[kStartTime]);
  if (!flags || !start_time) return Malformed("stat");
  return ProcessStat{
      .state = words[kState].front(), .start_time = *start_time, .kernel_thread = (*flags & kKernelThreadFlag) != 0};
}

absl::StatusOr<ProcessStatus> ParseProcessStatus(std::string_view text) {
  ProcessStatus status;
  ASSIGN_OR_RETURN(status.credentials.uid, FileSystemId(text, "Uid:"));
  ASSIGN_OR_RETURN(status.credentials.gid, FileSystemId(text, "Gid:"));
  for (std::string_view word : Words(Line(text, "Groups:").value_or(""))) {
    const auto group = ToNumberIn<uint32_t>(word);
    if (!group) return Malformed("Groups");
    status.credentials.groups.push_back(*group);
  }
  const auto capability_words = Words(Line(text, "CapEff:").value_or(""));
  if (capability_words.empty()) return Malformed("status");
  const auto capabilities = ToNumberIn<uint64_t>(capability_words.front(), 16);
  if (!capabilities) return Malformed("status");
  status.credentials.capabilities = *capabilities;
  return status;
}

std::vector<std::string> ContainerIdsInCgroup(std::string_view text) {
  constexpr size_t kIdLength = 64;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<std::string> ids;
  while (!text.empty()) {
    const size_t begin = std::min(text.find_first_of(kDigits), text.size());
    text.remove_prefix(begin);
    const size_t length = std::min(text.find_first_not_of(kDigits), text.size());
    if (length == kIdLength) ids.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return ids;
}

}  // namespace mirrorfs
