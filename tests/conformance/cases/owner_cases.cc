// Who owns what is created, and who may give what away.
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

const Traits kRoot = {.root = true};

void MakeEverything(Box& box, const std::string& directory) {
  box.Create(directory + "/file");
  box.Mkdir(directory + "/directory");
  box.Symlink("x", directory + "/symlink");
  box.Mknod(directory + "/fifo", S_IFIFO | 0644);
  box.Mknod(directory + "/node", S_IFREG | 0644);
  for (const char* name : {"/file", "/directory", "/symlink", "/fifo", "/node"}) box.Show(directory + name);
}

void AddCreation(CaseList& cases) {
  const std::pair<const char*, Identity> kWho[] = {
      {"root", {0, 0, {}}},
      {"user", {1000, 1000, {}}},
      {"user_with_groups", {1000, 100, {7, 8, 9}}},
      {"high_ids", {4000000001u, 4000000002u, {}}},
      {"root_in_other_group", {0, 77, {5}}},
      {"nobody", {65534, 65534, {}}},
  };
  for (const auto& [name, identity] : kWho) {
    cases.Add(
        std::string("owner.creates.") + name,
        [who = identity](Box& box) {
          box.Mkdir("d", 0777);
          box.Chmod("d", 0777);
          box.As(who, [](Box& user) { MakeEverything(user, "d"); });
        },
        kRoot);
  }
  cases.Add(
      "owner.file_system_ids",
      [](Box& box) {
        box.Chmod(".", 0777);
        box.Child([](Box& child) {
          ::setfsgid(2222);
          ::setfsuid(1111);
          child.Create("f");
          child.Mkdir("d");
          child.Show("f");
          child.Chown("f", 5, 5);
        });
      },
      kRoot);
  cases.Add(
      "owner.effective_ids",
      [](Box& box) {
        box.Chmod(".", 0777);
        box.Create("secret", "x", 0600);
        box.Child([](Box& child) {
          if (::setegid(501) != 0 || ::seteuid(500) != 0) child.Note("cannot change ids");
          child.Create("f");
          child.Show("f");
          child.Open("secret", O_RDONLY);
          child.Access("secret", R_OK);
          child.Access("secret", R_OK, AT_EACCESS);
          if (::seteuid(0) != 0) child.Note("cannot go back");
          child.Open("secret", O_RDONLY);
        });
      },
      kRoot);
  cases.Add(
      "owner.fd_keeps_its_rights",
      [](Box& box) {
        box.Create("f", "secret", 0600);
        const int fd = box.Open("f", O_RDWR);
        box.As({1000, 1000, {}}, [fd](Box& user) {
          user.Pread(fd, 10, 0);
          user.Pwrite(fd, "S", 0);
          user.Fsync(fd);
          user.Ftruncate(fd, 3);
          user.Fchmod(fd, 0644);
          user.Fchown(fd, 1000, 1000);
          user.Futimens(fd, kNow, kNow);
          user.Open("f", O_RDONLY);
        });
        box.Contents("f");
      },
      kRoot);
  cases.Add(
      "owner.mode_change_after_open",
      [](Box& box) {
        box.Chmod(".", 0777);
        box.As({1000, 1000, {}}, [](Box& user) {
          const int fd = user.Open("f", O_CREAT | O_RDWR, 0000);
          user.Write(fd, "created without rights");
          user.Pread(fd, 30, 0);
          user.Open("f", O_RDONLY);
          user.Fchmod(fd, 0600);
          user.Open("f", O_RDONLY);
        });
      },
      kRoot);
}

void AddChown(CaseList& cases) {
  const std::pair<const char*, std::pair<int, int>> kTargets[] = {
      {"both", {70, 80}}, {"user", {70, -1}}, {"group", {-1, 80}}, {"neither", {-1, -1}}, {"to_root", {0, 0}}};
  for (const auto& [name, ids] : kTargets) {
    cases.Add(
        std::string("owner.chown.") + name,
        [ids = ids](Box& box) {
          box.Create("f");
          box.Mkdir("d");
          box.Symlink("f", "s");
          box.Mknod("p", S_IFIFO | 0644);
          for (const char* path : {"f", "d", "p"}) box.Chown(path, 5, 6);
          box.Lchown("s", 5, 6);
          for (const char* path : {"f", "d", "p", "s"}) {
            const Stamp before = box.Before(path);
            box.Lchown(path, uid_t(ids.first), gid_t(ids.second));
            box.Show(path);
            box.After(path, before);
          }
        },
        kRoot);
  }
  cases.Add(
      "owner.chgrp_by_owner",
      [](Box& box) {
        box.Chmod(".", 0777);
        box.Create("f");
        box.Chown("f", 1000, 1000);
        box.As({1000, 1000, {2000, 3000}}, [](Box& user) {
          user.Chown("f", -1, 2000);
          user.Chown("f", 1000, 3000);
          user.Chown("f", -1, 4000);
          user.Chown("f", 1001, -1);
          user.Chown("f", 1001, 2000);
          user.Chown("f", 1000, 1000);
          user.Show("f");
          const int fd = user.Open("f", O_RDONLY);
          user.Fchown(fd, -1, 2000);
          user.Fchown(fd, 0, -1);
          user.Show("f");
        });
      },
      kRoot);
  cases.Add(
      "owner.high_ids",
      [](Box& box) {
        box.Create("f");
        box.Chown("f", 4294967294u, 4294967294u);
        box.Show("f");
        box.Chown("f", 2147483648u, 65536);
        box.Show("f");
      },
      kRoot);
  cases.Add(
      "owner.chown_by_others",
      [](Box& box) {
        box.Create("f", "", 0666);
        box.Chown("f", 1000, 1000);
        for (const Identity& who : {Identity{1001, 1001, {}}, Identity{1001, 1000, {}}, Identity{1001, 5, {1000}}}) {
          box.As(who, [](Box& user) {
            user.Chown("f", 1001, -1);
            user.Chown("f", -1, 1000);
            user.Chown("f", -1, 1001);
            user.Chown("f", -1, -1);
            user.Chmod("f", 0600);
          });
        }
        box.Show("f");
      },
      kRoot);
  cases.Add("owner.chmod_bits", [](Box& box) {
    box.Create("f");
    box.Mkdir("d");
    for (const mode_t mode : {0, 01, 02, 04, 010, 0777, 01000, 02000, 04000, 07777, 0644}) {
      box.Chmod("f", mode);
      box.Show("f");
      box.Chmod("d", mode);
      box.Show("d");
    }
    box.Chmod("d", 0755);
  });
  cases.Add("owner.own_ids_by_user",
            [](Box& box) {
              box.Create("f");
              box.Chown("f", ::getuid(), ::getgid());
              box.Chown("f", -1, ::getgid());
              box.Chown("f", ::getuid() + 1, -1);
              box.Chown("f", 0, 0);
              box.Chmod("f", 06777);
              box.Show("f");
            },
            {.ordinary = true});
}

// What matters is the parent's group and sticky bit, the file's owner, and who acts.
void StickyCase(Box& box, uid_t directory_owner, uid_t file_owner, bool sticky) {
  box.Mkdir("d");
  box.Create("d/f", "1");
  box.Mkdir("d/sub");
  box.Create("mine", "2");
  for (const char* path : {"d/f", "d/sub"}) box.Chown(path, file_owner, 100);
  box.Chown("mine", 1000, 100);
  box.Chmod("mine", 0666);
  box.Chmod("d/f", 0666);
  box.Chmod(".", 0777);
  box.Chown("d", directory_owner, 100);
  box.Chmod("d", sticky ? 01777 : 0777);
  box.As({1000, 100, {}}, [](Box& user) {
    user.Rename("d/f", "d/g");
    user.Rename("d/g", "d/f");
    user.Rename("mine", "d/f");
    user.Rename("mine", "d/f", RENAME_EXCHANGE);
    user.Rename("d/f", "out");
    user.Link("d/f", "d/h");
    user.Unlink("d/h");
    user.Unlink("d/f");
    user.Rename("d/sub", "d/sub2");
    user.Rmdir("d/sub");
    user.Rmdir("d/sub2");
    user.Create("d/new");
    user.Unlink("d/new");
  });
  box.List("d");
}

}  // namespace

void AddStickyCases(CaseList& cases) {
  const std::pair<const char*, uid_t> kOwners[] = {{"self", 1000}, {"other", 1001}, {"root", 0}};
  for (const bool sticky : {true, false}) {
    for (const auto& [directory_name, directory_owner] : kOwners) {
      for (const auto& [file_name, file_owner] : kOwners) {
        cases.Add(
            std::string(sticky ? "sticky" : "not_sticky") + ".directory_of_" + directory_name + ".file_of_" + file_name,
            [=, directory_owner = directory_owner, file_owner = file_owner](Box& box) {
              StickyCase(box, directory_owner, file_owner, sticky);
            },
            kRoot);
      }
    }
  }
}

void AddOwnerCases(CaseList& cases) {
  AddCreation(cases);
  AddChown(cases);
}

}  // namespace mirrorfs::conformance
