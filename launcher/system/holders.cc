#include "launcher/system/holders.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/system/mount_table.h"

namespace mirrorfs {
namespace {

constexpr size_t kNamedHolders = 3;

std::optional<std::string> ReadLink(const std::string& path) {
  std::array<char, PATH_MAX> target;
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length < 0) return std::nullopt;
  return std::string(target.data(), static_cast<size_t>(length));
}

std::vector<std::string> Names(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;  // a process that ends, or is not ours to look into
  for (std::filesystem::directory_iterator it(directory, ignored), end; !ignored && it != end; it.increment(ignored)) {
    names.push_back(it->path().filename().string());
  }
  return names;
}

std::vector<pid_t> Processes() {
  std::vector<pid_t> processes;
  for (const std::string& name : Names("/proc")) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) processes.push_back(pid);
  }
  return processes;
}

std::optional<std::string> HeldLink(const std::string& process, const std::string& mountpoint) {
  struct Link {
    const char* name;
    const char* reason;
  };
  for (const Link link : {Link{"cwd", "its working directory"}, {"root", "its root"}, {"exe", "its program"}}) {
    const auto target = ReadLink(fmt::format("{}/{}", process, link.name));
    if (target && IsWithin(*target, mountpoint)) return link.reason;
  }
  return std::nullopt;
}

std::optional<std::string> HeldFile(const std::string& process, const std::string& mountpoint) {
  for (const std::string& fd : Names(process + "/fd")) {
    const auto target = ReadLink(fmt::format("{}/fd/{}", process, fd));
    if (target && IsWithin(*target, mountpoint)) return "open file " + *target;
  }
  return std::nullopt;
}

std::optional<std::string> HeldMap(const std::string& process, const std::string& mountpoint) {
  std::ifstream maps(process + "/maps");
  for (std::string line; std::getline(maps, line);) {
    const size_t path = line.find('/');
    if (path != line.npos && IsWithin(std::string_view(line).substr(path), mountpoint))
      return "mapped " + line.substr(path);
  }
  return std::nullopt;
}

std::optional<std::string> Reason(const std::string& process, const std::string& mountpoint) {
  if (auto link = HeldLink(process, mountpoint)) return link;
  if (auto file = HeldFile(process, mountpoint)) return file;
  return HeldMap(process, mountpoint);
}

// By its real user: what it may do can be another's.
bool IsOfThisUser(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    uid_t uid = 0;
    if (std::sscanf(line.c_str(), "Uid: %u", &uid) == 1) return uid == ::getuid();
  }
  return false;
}

}  // namespace

std::vector<Holder> FindHolders(const std::string& mountpoint) {
  std::vector<Holder> holders;
  for (const pid_t pid : Processes()) {
    const std::string process = fmt::format("/proc/{}", pid);
    if (auto reason = Reason(process, mountpoint)) {
      std::string program;
      std::ifstream comm(process + "/comm");
      std::getline(comm, program);
      holders.push_back({.pid = pid, .name = program, .reason = *std::move(reason)});
    }
  }
  return holders;
}

bool MayBeInhabited(std::string_view mount_namespace, const ProcessIdentity& first) {
  const std::vector<pid_t> processes = Processes();
  return std::any_of(processes.begin(), processes.end(), [&](pid_t pid) {
    const auto there = ReadLink(fmt::format("/proc/{}/ns/mnt", pid));
    if (there) return *there == mount_namespace;
    const bool hidden = errno == EACCES || errno == EPERM;
    return hidden && IsOfThisUser(pid) && IdentifyProcess(pid).start_ticks >= first.start_ticks;
  });
}

bool IsHeldBy(pid_t pid, const std::string& mountpoint) {
  return Reason(fmt::format("/proc/{}", pid), mountpoint).has_value();
}

std::string DescribeHolders(const std::string& mountpoint) {
  std::vector<std::string> who;
  const std::vector<Holder> holders = FindHolders(mountpoint);
  for (const Holder& holder : holders) {
    if (who.size() == kNamedHolders) break;
    who.push_back(fmt::format("{} (pid {}: {})", holder.name, holder.pid, holder.reason));
  }
  if (holders.size() > kNamedHolders) who.push_back(fmt::format("{} more processes", holders.size() - kNamedHolders));
  for (const std::string& below : MountsBelow(ReadMountTable(), mountpoint)) {
    who.push_back(fmt::format("the mount on {}", below));
  }
  return who.empty() ? "." : fmt::format(" by {}.", absl::StrJoin(who, ", "));
}

}  // namespace mirrorfs
