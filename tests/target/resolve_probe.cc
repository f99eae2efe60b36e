// Resolves one target and tells what it found, as KEY=VALUE lines: what the tests against real runtimes run.
//   resolve_probe TARGET [RUNTIME-SOCKET [FILE]]
// Exit status: the number of the absl::StatusCode. FILE, relative to the root, is read and told too.
#include <fcntl.h>
#include <unistd.h>

#include "agent/target/read_all.h"
#include "agent/target/target.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/file_types.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

absl::Status TellFile(const Target& target, const char* name) {
  ASSIGN_OR_RETURN(const UniqueFd root, target.OpenRoot());
  UniqueFd file(::openat(root.get(), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return LastErrno(name);
  ASSIGN_OR_RETURN(const std::string text, ReadAll(file.get()));
  fmt::print("CONTENT={}\n", text.substr(0, text.find('\n')));
  return absl::OkStatus();
}

absl::Status Tell(int argc, char** argv) {
  TargetOptions options{.target = argc > 1 ? argv[1] : "", .runtime_socket = argc > 2 ? argv[2] : ""};
  ASSIGN_OR_RETURN(const auto target, Target::Resolve(options));
  const Credentials& credentials = target->ProcessCredentials();
  fmt::print("DESCRIPTION={}\nALIVE={}\n", target->Description(), target->Alive());
  fmt::print("UID={}\nGID={}\nGROUPS={}\n", credentials.uid, credentials.gid, fmt::join(credentials.groups, ","));
  fmt::print("CAPABILITIES={:x}\n", credentials.capabilities);
  fmt::print("UID_0_OUTSIDE={}\n", target->Uids().ToAgent(0).value_or(kOverflowId));
  fmt::print("GID_0_OUTSIDE={}\n", target->Gids().ToAgent(0).value_or(kOverflowId));
  return argc > 3 ? TellFile(*target, argv[3]) : absl::OkStatus();
}

}  // namespace
}  // namespace mirrorfs

int main(int argc, char** argv) {
  const absl::Status status = mirrorfs::Tell(argc, argv);
  if (!status.ok()) fmt::print(stderr, "{}\n", status.ToString());
  return static_cast<int>(status.code());
}
