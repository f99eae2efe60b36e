// A container's process without its runtime: by the control groups of all processes that can be seen.
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "absl/status/status.h"
#include "agent/target/container_choice.h"
#include "agent/target/found_container.h"
#include "agent/target/proc_text.h"
#include "agent/target/read_all.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr size_t kIdLength = 64;

struct Candidate {
  uint64_t start_time = 0;
  int pid = 0;
};

bool IsIn(int pid, std::string_view id) {
  const auto text = ReadAllOf(fmt::format("/proc/{}/cgroup", pid));
  if (!text.ok()) return false;
  const auto ids = ContainerIdsInCgroup(*text);
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

// A runtime's monitor (conmon of CRI-O) is in a group of the container's id too, but sees the host's files.
bool HasFilesOfTheHost(int pid) {
  struct stat its = {};
  struct stat hosts = {};
  return ::stat(fmt::format("/proc/{}/ns/mnt", pid).c_str(), &its) == 0 && ::stat("/proc/1/ns/mnt", &hosts) == 0 &&
         its.st_ino == hosts.st_ino && its.st_dev == hosts.st_dev;
}

std::optional<Candidate> Look(int pid, std::string_view id, bool first_is_the_hosts) {
  if (!IsIn(pid, id)) return std::nullopt;
  if (first_is_the_hosts && HasFilesOfTheHost(pid)) return std::nullopt;
  const auto text = ReadAllOf(fmt::format("/proc/{}/stat", pid));
  if (!text.ok()) return std::nullopt;
  const auto stat = ParseProcessStat(*text);
  if (!stat.ok() || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  return Candidate{.start_time = stat->start_time, .pid = pid};
}

}  // namespace

absl::StatusOr<FoundContainer> FindContainerInCgroups(const TargetName& target) {
  if (target.name.size() != kIdLength) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: --pid-from cgroup needs the container's whole id, {} hexadecimal digits", target.name, kIdLength));
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
  if (processes == nullptr) return LastErrno("/proc");
  const bool first_is_the_hosts = !IsIn(1, target.name);
  std::optional<Candidate> oldest;
  while (const dirent* entry = ::readdir(processes.get())) {
    const std::string_view name = entry->d_name;
    int pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    const auto seen = Look(pid, target.name, first_is_the_hosts);
    // Of two that began in the same tick of the clock the one with the lower number has begun the other.
    if (seen && (!oldest || std::tie(seen->start_time, seen->pid) < std::tie(oldest->start_time, oldest->pid))) {
      oldest = seen;
    }
  }
  const std::string description = fmt::format("container {}", ShortId(target.name));
  if (!oldest) {
    return absl::NotFoundError(
        fmt::format("{}: no process that can be seen here belongs to it; it has ended, or runs on another node, or the "
                    "agent is not in the host's pid namespace (hostPID: true)",
                    description));
  }
  return FoundContainer{.id = target.name, .pid = oldest->pid, .description = description};
}

}  // namespace mirrorfs
