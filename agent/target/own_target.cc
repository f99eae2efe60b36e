#include "agent/target/own_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "agent/target/proc_text.h"
#include "agent/target/read_all.h"
#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// What the shell that has started the agent adds to the environment that the container gives.
constexpr std::array<std::string_view, 4> kOfTheShell = {"PWD", "OLDPWD", "SHLVL", "_"};

// Whether process 1 sees the files that the agent sees: in a pod that shares its processes it is another container's.
bool FirstProcessIsOurs() {
  struct stat first = {};
  struct stat own = {};
  return ::stat("/proc/1/ns/mnt", &first) == 0 && ::stat("/proc/self/ns/mnt", &own) == 0 &&
         first.st_ino == own.st_ino && first.st_dev == own.st_dev;
}

absl::StatusOr<std::string> ReadLink(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length < 0) return LastErrno(path);
  target.resize(static_cast<size_t>(length));
  return target;
}

absl::StatusOr<ProcessFacts> FactsOf(std::string_view process) {
  const std::string proc = fmt::format("/proc/{}/", process);
  ProcessFacts facts;
  ASSIGN_OR_RETURN(facts.working_directory, ReadLink(proc + "cwd"));
  ASSIGN_OR_RETURN(facts.mount_table, ReadAllOf(proc + "mountinfo"));
  ASSIGN_OR_RETURN(facts.environment, ReadAllOf(proc + "environ"));
  return facts;
}

std::string WithoutTheShells(const std::string& environment) {
  std::string rest;
  for (const std::string& variable : std::vector<std::string>(absl::StrSplit(environment, '\0', absl::SkipEmpty()))) {
    const std::string name = variable.substr(0, variable.find('='));
    if (std::find(kOfTheShell.begin(), kOfTheShell.end(), name) != kOfTheShell.end()) continue;
    rest.append(variable).push_back('\0');
  }
  return rest;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Target>> OwnTarget::Open(const std::string& description) {
  UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return LastErrno("/");
  ASSIGN_OR_RETURN(const std::string text, ReadAllOf("/proc/self/status"));
  ASSIGN_OR_RETURN(ProcessStatus own, ParseProcessStatus(text));
  return std::unique_ptr<Target>(new OwnTarget(description, std::move(root), std::move(own.credentials)));
}

absl::StatusOr<UniqueFd> OwnTarget::OpenRoot() const {
  UniqueFd copy(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return LastErrno(description_);
  return copy;
}

absl::StatusOr<ProcessFacts> OwnTarget::ReadProcessFacts() const {
  if (FirstProcessIsOurs()) {
    absl::StatusOr<ProcessFacts> facts = FactsOf("1");
    if (facts.ok()) return facts;
  }
  ASSIGN_OR_RETURN(ProcessFacts facts, FactsOf("self"));
  facts.environment = WithoutTheShells(facts.environment);
  return facts;
}

}  // namespace mirrorfs
