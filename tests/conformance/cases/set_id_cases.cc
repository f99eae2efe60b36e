// Set-id bits: inherited by what is made in a set-group-id directory, dropped by writes and changes of owner.
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

const Traits kRoot = {.root = true};
const Identity kUser = {1000, 1000, {}};
const Identity kMember = {1000, 1000, {2000}};

struct Change {
  const char* name;
  std::function<void(Box&)> act;
};

void WriteThroughMap(Box& box) {
  const int fd = box.Open("f", O_RDWR);
  char* map = box.Map(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED);
  if (map == nullptr) return;
  map[0] = 'M';
  ::msync(map, 4096, MS_SYNC);
}

std::vector<Change> Changes() {
  return {
      {"write", [](Box& box) { box.Write(box.Open("f", O_WRONLY), "x"); }},
      {"write_nothing", [](Box& box) { box.Write(box.Open("f", O_WRONLY), ""); }},
      {"append", [](Box& box) { box.Write(box.Open("f", O_WRONLY | O_APPEND), "x"); }},
      {"pwrite_beyond", [](Box& box) { box.Pwrite(box.Open("f", O_WRONLY), "x", 100000); }},
      {"truncate", [](Box& box) { box.Truncate("f", 2); }},
      {"truncate_same_size", [](Box& box) { box.Truncate("f", 8); }},
      {"truncate_longer", [](Box& box) { box.Truncate("f", 100); }},
      {"ftruncate", [](Box& box) { box.Ftruncate(box.Open("f", O_WRONLY), 1); }},
      {"open_truncate", [](Box& box) { box.Open("f", O_WRONLY | O_TRUNC); }},
      {"fallocate", [](Box& box) { box.Fallocate(box.Open("f", O_WRONLY), 0, 0, 100); }},
      {"punch",
       [](Box& box) { box.Fallocate(box.Open("f", O_WRONLY), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4); }},
      {"copy_file_range",
       [](Box& box) {
         const int in = box.Open("source", O_RDONLY);
         box.CopyFileRange(in, 0, box.Open("f", O_WRONLY), 0, 4);
       }},
      {"map", WriteThroughMap},
      {"chown_same", [](Box& box) { box.Chown("f", 1000, 1000); }},
      {"chown_nothing", [](Box& box) { box.Chown("f", -1, -1); }},
      {"chgrp", [](Box& box) { box.Chown("f", -1, 2000); }},
      {"chmod_same",
       [](Box& box) {
         struct stat now {};
         ::stat("f", &now);
         box.Chmod("f", now.st_mode & 07777);
       }},
      {"utimens", [](Box& box) { box.Utimens("f", kOldTime, kOldTime); }},
      {"setxattr", [](Box& box) { box.Setxattr("f", "user.a", "1"); }},
      {"rename",
       [](Box& box) {
         box.Rename("f", "g");
         box.Rename("g", "f");
       }},
      {"link", [](Box& box) { box.Link("f", "g"); }},
  };
}

void DropCase(Box& box, const Change& change, const Identity& who, bool lower) {
  box.Chmod(".", 0777);
  box.Create("source", "sourcesource");
  for (const mode_t mode : {06777, 04755, 02755, 02745, 04711, 06777}) {
    box.Unlink("f");
    if (lower) {
      box.Rename("suid", "f");
      lower = false;
    } else {
      box.Create("f", "set ids\n");
    }
    box.Chown("f", 1000, 1000);
    box.Chmod("f", mode);
    box.As(who, change.act);
    box.Show("f");
  }
}

void AddDrops(CaseList& cases) {
  for (const Change& change : Changes()) {
    const std::string name = std::string("setid.drop.") + change.name;
    cases.Add(
        name + ".owner", [=](Box& box) { DropCase(box, change, kMember, false); }, kRoot);
    // FUSE does not tell chown(f, -1, -1) from the loss of set-id bits by a write: who may write may do it (natively
    // EPERM).
    if (std::string(change.name) != "chown_nothing") {
      cases.Add(
          name + ".other",
          [=](Box& box) {
            DropCase(box, change, {1500, 1500, {}}, false);
          },
          kRoot);
    }
    cases.Add(
        name + ".root",
        [=](Box& box) {
          DropCase(box, change, {0, 0, {}}, false);
        },
        kRoot);
    cases.Add(name + ".lower", [=](Box& box) { DropCase(box, change, kMember, true); },
              {.place = Place::kLower, .root = true});
  }
  cases.Add(
      "setid.drop.directory_keeps_on_chown",
      [](Box& box) {
        box.Mkdir("d");
        box.Chmod("d", 07777);
        box.Chown("d", 5, 6);
        box.Show("d");
        box.As({5, 6, {7}}, [](Box& user) { user.Chown("d", -1, 7); });
        box.Show("d");
      },
      kRoot);
  cases.Add(
      "setid.capability_is_dropped",
      [](Box& box) {
        std::string capability("\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
        box.Create("f", "1", 0666);
        box.Setxattr("f", "security.capability", capability);
        box.Getxattr("f", "security.capability");
        box.Chmod("f", 0666);
        box.Getxattr("f", "security.capability");
        box.As(kUser, [](Box& user) { user.Write(user.Open("f", O_WRONLY), "x"); });
        box.Getxattr("f", "security.capability");
        box.Setxattr("f", "security.capability", capability);
        box.Chown("f", 3, 3);
        box.Getxattr("f", "security.capability");
        box.Setxattr("f", "security.capability", capability);
        box.Truncate("f", 0);
        box.Getxattr("f", "security.capability");
      },
      kRoot);
}

void AddInheritance(CaseList& cases) {
  const std::pair<const char*, Identity> kWho[] = {{"member", {1000, 1000, {2000}}},
                                                   {"stranger", {1000, 1000, {3000}}},
                                                   {"primary_member", {1000, 2000, {}}},
                                                   {"root", {0, 0, {}}}};
  for (const auto& [name, identity] : kWho) {
    cases.Add(
        std::string("setid.inherit.") + name,
        [who = identity](Box& box) {
          box.Mkdir("d");
          box.Chown("d", 0, 2000);
          box.Chmod("d", 02777);
          box.As(who, [](Box& user) {
            ::umask(0);
            int n = 0;
            for (const mode_t mode : {0777, 02777, 06755, 02755, 02745, 02766, 0644}) {
              const std::string suffix = std::to_string(n++);
              user.Open("d/f" + suffix, O_CREAT | O_EXCL | O_RDWR, mode);
              user.Mkdir("d/d" + suffix, mode);
              user.Mknod("d/p" + suffix, S_IFIFO | mode);
              user.Mknod("d/r" + suffix, S_IFREG | mode);
              for (const char* kind : {"d/f", "d/d", "d/p", "d/r"}) user.Show(kind + suffix);
            }
            user.Symlink("x", "d/s");
            user.Show("d/s");
            user.Mkdir("d/d0/deeper");
            user.Show("d/d0/deeper");
          });
        },
        kRoot);
    cases.Add(
        std::string("setid.chmod.") + name,
        [who = identity](Box& box) {
          box.Chmod(".", 0777);
          box.Create("f");
          box.Mkdir("d");
          box.Chown("f", 1000, 2000);
          box.Chown("d", 1000, 2000);
          box.As(who, [](Box& user) {
            for (const mode_t mode : {02755, 06755, 04755, 02644, 01777, 07777}) {
              user.Chmod("f", mode);
              user.Show("f");
              user.Chmod("d", mode);
              user.Show("d");
              const int fd = user.Open("f", O_RDONLY);
              user.Fchmod(fd, mode);
              user.ShowFd(fd);
            }
          });
        },
        kRoot);
  }
  cases.Add("setid.execute",
            [](Box& box) {
              box.Chmod("program", 04755);
              box.Chown("program", 1000, 1000);
              box.Show("program");
              box.Execute("program");
            },
            {.place = Place::kLower, .root = true});
}

}  // namespace

void AddSetIdCases(CaseList& cases) {
  AddDrops(cases);
  AddInheritance(cases);
}

}  // namespace mirrorfs::conformance
