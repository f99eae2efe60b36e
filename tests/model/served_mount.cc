#include "tests/model/served_mount.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "fusefs/kernel/fuse_session.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"
#include "tests/wire/in_process_agent.h"

namespace mirrorfs {
namespace {

// Until the mount is gone. Tells through `ready` when it is there.
absl::Status Serve(const std::string& directory, const std::string& mountpoint, UniqueFd ready) {
  InProcessAgentOptions options;
  options.directory = directory;
  ASSIGN_OR_RETURN(auto agent, InProcessAgent::Start(std::move(options)));
  RemoteSessionOptions remote;
  remote.read_write = true;
  ASSIGN_OR_RETURN(auto session, agent->Connect(remote));
  MountOptions mount;
  mount.mountpoint = mountpoint;
  mount.source = "model";
  mount.read_only = false;
  mount.max_read = session->Facts().max_read;
  mount.max_write = session->Facts().max_write;
  mount.max_page = session->Facts().max_page;
  ASSIGN_OR_RETURN(auto fuse, FuseSession::Mount(session->Files(), session->Facts().root, mount));
  if (write(ready.get(), "r", 1) != 1) return LastErrno("ready");
  return fuse->Run();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServedMount>> ServedMount::Start(const std::string& directory,
                                                                const std::string& mountpoint) {
  if (unshare(CLONE_NEWNS) != 0) return LastErrno("unshare");
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return LastErrno("private mounts");
  int ends[2];
  if (pipe(ends) != 0) return LastErrno("pipe");
  UniqueFd ready(ends[0]);
  UniqueFd tell(ends[1]);
  const pid_t server = fork();
  if (server < 0) return LastErrno("fork");
  if (server == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ready.reset();
    const absl::Status status = Serve(directory, mountpoint, std::move(tell));
    if (!status.ok()) fprintf(stderr, "served mount: %s\n", status.ToString().c_str());
    _exit(status.ok() ? 0 : 1);
  }
  tell.reset();
  auto mounted = std::unique_ptr<ServedMount>(new ServedMount(mountpoint, server));
  char byte = 0;
  if (read(ready.get(), &byte, 1) != 1) return absl::UnavailableError("the server of the mount has ended");
  return mounted;
}

bool ServedMount::Stop() {
  if (server_ == 0) return true;
  umount2(mountpoint_.c_str(), MNT_DETACH);
  int status = 0;
  waitpid(server_, &status, 0);
  server_ = 0;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace mirrorfs
