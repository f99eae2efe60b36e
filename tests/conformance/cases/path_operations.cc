#include "tests/conformance/cases/path_operations.h"

#include <sys/stat.h>
#include <unistd.h>

namespace mirrorfs::conformance {
namespace {

void AddReading(std::vector<PathOperation>& all) {
  all.push_back({"lstat", [](Box& box, const std::string& path) { box.Show(path); }});
  all.push_back({"stat", [](Box& box, const std::string& path) { box.ShowFollow(path); }});
  all.push_back({"open_read", [](Box& box, const std::string& path) { box.Open(path, O_RDONLY | O_NONBLOCK); }});
  all.push_back({"open_path", [](Box& box, const std::string& path) { box.Open(path, O_PATH | O_NOFOLLOW); }});
  all.push_back(
      {"open_nofollow", [](Box& box, const std::string& path) { box.Open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK); }});
  all.push_back({"opendir", [](Box& box, const std::string& path) { box.Open(path, O_RDONLY | O_DIRECTORY); }});
  all.push_back({"readlink", [](Box& box, const std::string& path) { box.Readlink(path); }});
  all.push_back({"access", [](Box& box, const std::string& path) { box.Access(path, R_OK | W_OK); }});
  all.push_back({"getxattr", [](Box& box, const std::string& path) { box.Getxattr(path, "user.color"); }});
  all.push_back({"listxattr", [](Box& box, const std::string& path) { box.Listxattr(path); }});
  all.push_back({"statfs", [](Box& box, const std::string& path) { box.Statfs(path); }});
  all.push_back({"execve", [](Box& box, const std::string& path) { box.Execute(path); }});
  all.push_back(
      {"chdir", [](Box& box, const std::string& path) { box.Child([&](Box& child) { child.Chdir(path); }); }});
}

void AddAttributeChanges(std::vector<PathOperation>& all) {
  all.push_back({"chmod", [](Box& box, const std::string& path) { box.Chmod(path, 0755); }, true});
  all.push_back({"chown", [](Box& box, const std::string& path) { box.Chown(path, ::getuid(), ::getgid()); }, true});
  all.push_back({"lchown", [](Box& box, const std::string& path) { box.Lchown(path, ::getuid(), ::getgid()); }, true});
  all.push_back({"truncate", [](Box& box, const std::string& path) { box.Truncate(path, 3); }, true});
  all.push_back({"utimens", [](Box& box, const std::string& path) { box.Utimens(path, kOldTime, kOldTime); }, true});
  all.push_back({"lutimens",
                 [](Box& box, const std::string& path) { box.Utimens(path, kOldTime, kOldTime, AT_SYMLINK_NOFOLLOW); },
                 true});
  all.push_back({"setxattr", [](Box& box, const std::string& path) { box.Setxattr(path, "user.x", "1"); }, true});
  all.push_back({"removexattr", [](Box& box, const std::string& path) { box.Removexattr(path, "user.color"); }, true});
}

void AddTreeChanges(std::vector<PathOperation>& all) {
  all.push_back({"open_write",
                 [](Box& box, const std::string& path) { box.Open(path, O_WRONLY | O_NONBLOCK | O_APPEND); }, true});
  all.push_back({"open_create",
                 [](Box& box, const std::string& path) { box.Open(path, O_CREAT | O_RDWR | O_NONBLOCK, 0644); }, true});
  all.push_back({"open_exclusive",
                 [](Box& box, const std::string& path) { box.Open(path, O_CREAT | O_EXCL | O_WRONLY, 0644); }, true});
  all.push_back({"mkdir", [](Box& box, const std::string& path) { box.Mkdir(path); }, true});
  all.push_back({"mkfifo", [](Box& box, const std::string& path) { box.Mknod(path, S_IFIFO | 0644); }, true});
  all.push_back({"mknod_file", [](Box& box, const std::string& path) { box.Mknod(path, S_IFREG | 0644); }, true});
  all.push_back({"symlink", [](Box& box, const std::string& path) { box.Symlink("target", path); }, true});
  all.push_back({"link_from", [](Box& box, const std::string& path) { box.Link(path, "linked"); }, true});
  all.push_back(
      {"link_follow", [](Box& box, const std::string& path) { box.Link(path, "followed", AT_SYMLINK_FOLLOW); }, true});
  all.push_back({"link_to", [](Box& box, const std::string& path) { box.Link("spare", path); }, true});
  all.push_back({"rename_from", [](Box& box, const std::string& path) { box.Rename(path, "renamed"); }, true});
  all.push_back({"rename_to", [](Box& box, const std::string& path) { box.Rename("spare", path); }, true});
  all.push_back({"unlink", [](Box& box, const std::string& path) { box.Unlink(path); }, true});
  all.push_back({"rmdir", [](Box& box, const std::string& path) { box.Rmdir(path); }, true});
}

}  // namespace

std::vector<PathOperation> PathOperations() {
  std::vector<PathOperation> all;
  AddReading(all);
  AddAttributeChanges(all);
  AddTreeChanges(all);
  return all;
}

}  // namespace mirrorfs::conformance
