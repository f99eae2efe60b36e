// POSIX access control lists: set, shown, checked, inherited.
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

const Traits kRoot = {.root = true};

void MakeEverything(Box& box, const std::string& directory, mode_t mode) {
  const std::string suffix = Octal(mode);
  box.Open(directory + "/f" + suffix, O_CREAT | O_EXCL | O_RDWR, mode);
  box.Mkdir(directory + "/d" + suffix, mode);
  box.Mknod(directory + "/p" + suffix, S_IFIFO | mode);
  box.Mknod(directory + "/r" + suffix, S_IFREG | mode);
  for (const char* kind : {"/f", "/d", "/p", "/r"}) {
    const std::string path = directory + kind + suffix;
    box.Show(path);
    box.ShowAcl(path, "access");
    box.ShowAcl(path, "default");
  }
}

void AddDefaults(CaseList& cases) {
  const std::pair<const char*, const char*> kLists[] = {
      {"plain", "u::rwx,g::r-x,o::---"},
      {"named_user", "u::rwx,u:1000:rwx,g::r-x,m::rwx,o::r--"},
      {"named_group", "u::rw-,g::r--,g:2000:rwx,m::rw-,o::---"},
      {"everything", "u::rwx,u:1000:r-x,u:1001:-w-,g::rwx,g:5:r--,m::rwx,o::rwx"},
      {"nothing", "u::---,g::---,o::---"},
  };
  for (const auto& [name, list] : kLists) {
    for (const mode_t mask : {mode_t(0), mode_t(022), mode_t(077)}) {
      cases.Add(
          std::string("acl.default.") + name + ".umask_" + Octal(mask),
          [list = list, mask](Box& box) {
            box.Mkdir("d");
            box.SetAcl("d", "default", list);
            box.ShowAcl("d", "default");
            box.ShowAcl("d", "access");
            ::umask(mask);
            for (const mode_t mode : {0777, 0666, 0640, 02755}) MakeEverything(box, "d", mode);
            box.Symlink("x", "d/s");
            box.Show("d/s");
          },
          kRoot);
    }
  }
  cases.Add("acl.default.removed", [](Box& box) {
    box.Mkdir("d");
    box.SetAcl("d", "default", "u::rwx,g::---,o::---");
    box.Removexattr("d", "system.posix_acl_default");
    box.ShowAcl("d", "default");
    box.Create("d/f");
    box.Show("d/f");
    box.Create("f");
    box.SetAcl("f", "default", "u::rwx,g::---,o::---");
  });
  cases.Add("acl.default.by_owner", [](Box& box) {
    box.Mkdir("d");
    box.SetAcl("d", "default", "u::rwx,u:12345:r-x,g::---,m::rwx,o::---");
    MakeEverything(box, "d", 0777);
    MakeEverything(box, "d", 0600);
  });
}

void AddAccess(CaseList& cases) {
  cases.Add("acl.access.mode_follows", [](Box& box) {
    box.Create("f", "1", 0640);
    box.ShowAcl("f", "access");
    box.SetAcl("f", "access", "u::rw-,u:1000:rwx,g::r--,m::rwx,o::---");
    box.Show("f");
    box.ShowAcl("f", "access");
    box.Chmod("f", 0604);
    box.ShowAcl("f", "access");
    box.Show("f");
    box.SetAcl("f", "access", "u::rwx,g::r-x,o::r-x");  // no more than a mode
    box.ShowAcl("f", "access");
    box.Show("f");
    box.Listxattr("f");
  });
  cases.Add("acl.access.removed", [](Box& box) {
    box.Create("f", "1", 0640);
    box.SetAcl("f", "access", "u::rw-,u:1000:rwx,g::r--,m::rwx,o::---");
    box.Removexattr("f", "system.posix_acl_access");
    box.ShowAcl("f", "access");
    box.Show("f");
    box.Removexattr("f", "system.posix_acl_access");
  });
  cases.Add("acl.access.invalid", [](Box& box) {
    box.Create("f");
    box.SetAcl("f", "access", "u::rw-,u:1000:rwx,g::r--,o::---");  // no mask
    box.SetAcl("f", "access", "u::rw-,g::r--");                    // no other
    box.SetAcl("f", "access", "g::r--,u::rw-,o::---");             // wrong order
    box.Setxattr("f", "system.posix_acl_access", "x");
    box.Setxattr("f", "system.posix_acl_access", "");
    box.Setxattr("f", "system.posix_acl_other", "x");
    box.ShowAcl("f", "access");
    box.Show("f");
  });
  cases.Add(
      "acl.access.checked",
      [](Box& box) {
        box.Chmod(".", 0777);
        box.Create("f", "1", 0600);
        box.SetAcl("f", "access", "u::rw-,u:1000:r--,u:1001:rw-,u:1002:---,g::---,g:2000:-w-,m::rw-,o::r--");
        for (const Identity& who :
             {Identity{1000, 1, {}}, Identity{1001, 1, {}}, Identity{1002, 1, {}}, Identity{1003, 2000, {}},
              Identity{1003, 1, {2000}}, Identity{1003, 0, {}}, Identity{1003, 1, {}}}) {
          box.As(who, [](Box& user) {
            user.Open("f", O_RDONLY);
            user.Open("f", O_WRONLY);
            user.Open("f", O_RDWR);
            user.Access("f", R_OK);
            user.Access("f", W_OK);
            user.Access("f", X_OK);
            user.Chmod("f", 0777);
            user.SetAcl("f", "access", "u::rwx,g::rwx,o::rwx");
          });
        }
      },
      kRoot);
  cases.Add(
      "acl.access.mask_limits",
      [](Box& box) {
        box.Create("f", "1", 0600);
        box.SetAcl("f", "access", "u::rw-,u:1000:rwx,g::rwx,g:2000:rwx,m::r--,o::---");
        for (const Identity& who : {Identity{1000, 1, {}}, Identity{1001, 2000, {}}, Identity{1001, 0, {}}}) {
          box.As(who, [](Box& user) {
            user.Open("f", O_RDONLY);
            user.Open("f", O_WRONLY);
            user.Execute("f");
          });
        }
      },
      kRoot);
  cases.Add(
      "acl.access.directory",
      [](Box& box) {
        box.Mkdir("d", 0700);
        box.Create("d/f", "1");
        box.SetAcl("d", "access", "u::rwx,u:1000:--x,u:1001:r--,u:1002:-wx,g::---,m::rwx,o::---");
        for (const uid_t uid : {1000, 1001, 1002, 1003}) {
          box.As({uid, 1, {}}, [](Box& user) {
            user.List("d");
            user.Show("d/f");
            user.Create("d/new");
            user.Unlink("d/new");
          });
        }
      },
      kRoot);
  cases.Add("acl.access.lower_file",
            [](Box& box) {
              box.SetAcl("file", "access", "u::rw-,u:1000:rwx,g::r--,m::rwx,o::---");
              box.ShowAcl("file", "access");
              box.SetAcl("dir", "default", "u::rwx,u:1000:rwx,g::r--,m::rwx,o::---");
              box.Create("dir/new", "", 0666);
              box.ShowAcl("dir/new", "access");
              box.Contents("file");
            },
            {.place = Place::kLower});
}

}  // namespace

void AddAclCases(CaseList& cases) {
  AddDefaults(cases);
  AddAccess(cases);
}

}  // namespace mirrorfs::conformance
