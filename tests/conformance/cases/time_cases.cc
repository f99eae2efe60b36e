// Which times move with which call, and times that are set.
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

struct Change {
  const char* name;
  std::function<void(Box&)> act;
};

// Each is done in "d"; the times of "d", "d/f" and "d/sub" are looked at.
std::vector<Change> Changes() {
  return {
      {"create", [](Box& box) { box.Create("d/new"); }},
      {"mkdir", [](Box& box) { box.Mkdir("d/new"); }},
      {"mkfifo", [](Box& box) { box.Mknod("d/new", S_IFIFO | 0644); }},
      {"symlink", [](Box& box) { box.Symlink("x", "d/new"); }},
      {"link", [](Box& box) { box.Link("d/f", "d/new"); }},
      {"unlink_other_name", [](Box& box) { box.Unlink("d/g"); }},
      {"rmdir", [](Box& box) { box.Rmdir("d/sub"); }},
      {"rename_inside", [](Box& box) { box.Rename("d/g", "d/h"); }},
      {"rename_over", [](Box& box) { box.Rename("d/g", "d/f2"); }},
      {"rename_out", [](Box& box) { box.Rename("d/g", "out"); }},
      {"exchange", [](Box& box) { box.Rename("d/f", "d/f2", RENAME_EXCHANGE); }},
      {"failed_create", [](Box& box) { box.Open("d/f", O_CREAT | O_EXCL | O_WRONLY, 0644); }},
      {"failed_unlink", [](Box& box) { box.Unlink("d/sub"); }},
      {"failed_rename", [](Box& box) { box.Rename("d/f", "d/f2", RENAME_NOREPLACE); }},
      {"write",
       [](Box& box) {
         const int fd = box.Open("d/f", O_WRONLY);
         box.Write(fd, "x");
         box.Close(fd);
       }},
      {"truncate", [](Box& box) { box.Truncate("d/f", 1); }},
      {"truncate_same_size", [](Box& box) { box.Truncate("d/f", 7); }},
      {"open_truncate", [](Box& box) { box.Open("d/f", O_WRONLY | O_TRUNC); }},
      {"open_truncate_of_empty", [](Box& box) { box.Open("d/f2", O_WRONLY | O_TRUNC); }},
      {"open_for_writing", [](Box& box) { box.Open("d/f", O_WRONLY); }},
      {"open_create_existing", [](Box& box) { box.Open("d/f", O_CREAT | O_RDWR, 0644); }},
      {"read", [](Box& box) { box.Contents("d/f"); }},
      {"list", [](Box& box) { box.List("d"); }},
      {"write_nothing", [](Box& box) { box.Write(box.Open("d/f", O_WRONLY), ""); }},
      {"chmod", [](Box& box) { box.Chmod("d/f", 0600); }},
      {"chmod_same", [](Box& box) { box.Chmod("d/f", 0644); }},
      {"chown_same", [](Box& box) { box.Chown("d/f", ::getuid(), ::getgid()); }},
      {"chown_nothing", [](Box& box) { box.Chown("d/f", -1, -1); }},
      {"setxattr", [](Box& box) { box.Setxattr("d/f", "user.a", "1"); }},
      {"setxattr_directory", [](Box& box) { box.Setxattr("d", "user.a", "1"); }},
      {"chmod_directory", [](Box& box) { box.Chmod("d", 0700); }},
      {"utimens_directory", [](Box& box) { box.Utimens("d", kOldTime, kOldTime); }},
      {"fallocate", [](Box& box) { box.Fallocate(box.Open("d/f", O_RDWR), 0, 0, 5000); }},
      {"punch",
       [](Box& box) { box.Fallocate(box.Open("d/f", O_RDWR), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 3); }},
      {"acl", [](Box& box) { box.SetAcl("d/f", "access", "u::rw-,u:9:r--,g::r--,m::r--,o::r--"); }},
      {"utimens_now", [](Box& box) { box.Utimens("d/f", kNow, kNow); }},
      {"utimens_omit", [](Box& box) { box.Utimens("d/f", kOmit, kOmit); }},
      {"utimens_access_only", [](Box& box) { box.Utimens("d/f", kOldTime, kOmit); }},
      {"futimens", [](Box& box) { box.Futimens(box.Open("d/f", O_RDONLY), kOldTime, kOldTime); }},
      {"copy_file_range",
       [](Box& box) {
         const int in = box.Open("source", O_RDONLY);
         box.CopyFileRange(in, 0, box.Open("d/f", O_WRONLY), 0, 5);
       }},
      {"map_and_sync",
       [](Box& box) {
         const int fd = box.Open("d/f", O_RDWR);
         char* map = box.Map(fd, 7, PROT_READ | PROT_WRITE, MAP_SHARED);
         map[0] = 'M';
         box.Report("msync", ::msync(map, 7, MS_SYNC));
       }},
      {"fsync", [](Box& box) { box.Fsync(box.Open("d/f", O_RDWR)); }},
      {"execute", [](Box& box) { box.Execute("d/f"); }},
      {"readlink", [](Box& box) { box.Readlink("d/s"); }},
      {"rmdir_not_empty", [](Box& box) { box.Rmdir("d"); }},
      {"rename_onto_itself", [](Box& box) { box.Rename("d/f", "d/f"); }},
  };
}

void MoveCase(Box& box, const Change& change) {
  box.Mkdir("d");
  box.Mkdir("d/sub");
  box.Create("source", "source");
  box.Create("d/f", "content");
  box.Create("d/g", "g");
  box.Create("d/f2");
  box.Symlink("f", "d/s");
  for (const char* path : {"d/f", "d/f2"}) box.Utimens(path, kOldTime, kOldTime);  // alike: they are exchanged
  const Stamp f = box.Before("d/f");
  const Stamp sub = box.Before("d/sub");
  const Stamp d = box.Before("d");
  change.act(box);
  box.After("d", d);
  box.After("d/f", f);
  box.After("d/sub", sub);
}

void AddExplicit(CaseList& cases) {
  const std::pair<const char*, timespec> kTimes[] = {
      {"nanoseconds", kOldTime},
      {"one_nanosecond", {1000000000, 1}},
      {"last_nanosecond", {1000000000, 999999999}},
      {"epoch", {0, 0}},
      {"before_epoch", {-1, 999999999}},
      {"long_before_epoch", {-2000000000, 5}},
      {"2038", {2147483647, 999999999}},
      {"after_2038", {7258118401, 123456789}},
      {"year_2400", {13569465600, 7}},
      {"beyond_ext4", {99999999999, 7}},
      {"lowest", {-99999999999, 7}},
      {"bad_nanoseconds", {1000000000, 1000000000}},
      {"negative_nanoseconds", {1000000000, -1}},
  };
  for (const auto& [name, time] : kTimes) {
    cases.Add(std::string("time.set.") + name, [time = time](Box& box) {
      box.Create("f", "1");
      box.Mkdir("d");
      box.Symlink("f", "s");
      for (const char* path : {"f", "d", "s"}) {
        box.Utimens(path, time, time, AT_SYMLINK_NOFOLLOW);
        box.ShowTimes(path);
        box.Utimens(path, kOmit, time, AT_SYMLINK_NOFOLLOW);
        box.Utimens(path, time, kOmit, AT_SYMLINK_NOFOLLOW);
        box.Utimens(path, kOldTime, kOmit, AT_SYMLINK_NOFOLLOW);
        box.ShowTimes(path);
        box.Utimens(path, kOmit, kOldTime, AT_SYMLINK_NOFOLLOW);
        box.ShowTimes(path);
        box.Utimens(path, kNow, kOmit, AT_SYMLINK_NOFOLLOW);
        box.ShowTimes(path);
      }
      const int fd = box.Open("f", O_RDWR);
      box.Futimens(fd, time, kOldTime);
      box.ShowTimes("f");
    });
  }
}

void AddStory(CaseList& cases) {
  cases.Add("time.explicit_survives_earlier_writes", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    box.Write(fd, Pattern(300000));
    box.Futimens(fd, kOldTime, kOldTime);
    box.ShowTimes("f");
    box.Close(fd);
    box.ShowTimes("f");
    box.Show("f");
  });
  cases.Add("time.explicit_survives_read_only_mode", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_WRONLY, 0444);
    box.Write(fd, "as tar does");
    box.Futimens(fd, kOldTime, kOldTime);
    box.Fchmod(fd, 0400);
    box.Close(fd);
    box.ShowTimes("f");
    box.Show("f");
  });
  cases.Add("time.write_after_explicit", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    box.Futimens(fd, kOldTime, kOldTime);
    box.Write(fd, "x");
    box.ShowTimes("f");
    box.Close(fd);
    box.ShowTimes("f");
  });
  cases.Add("time.other_link", [](Box& box) {
    box.Create("f");
    box.Link("f", "g");
    box.Utimens("f", kOldTime, kOldTime);
    box.ShowTimes("g");
  });
  cases.Add("time.lower_files",
            [](Box& box) {
              box.ShowTimes("file");
              box.Chmod("file", 0600);
              box.ShowTimes("file");
              box.Open("empty", O_RDWR);
              box.ShowTimes("empty");
              box.Utimens("suid", {123456789, 987654321}, {123456789, 987654321});
              box.ShowTimes("suid");
              box.Rename("readonly", "dir/moved");
              box.ShowTimes("dir/moved");
              box.Link("private", "again");
              box.ShowTimes("again");
            },
            {.place = Place::kLower});
  cases.Add("time.change_time_is_later_than_before", [](Box& box) {
    box.Create("f", "1");
    for (int i = 0; i < 3; ++i) {
      const Stamp before = box.Before("f");
      box.Chmod("f", mode_t(0600 + i));
      box.After("f", before);
    }
    const Stamp before = box.Before("f");
    box.Utimens("f", {2000000000, 1}, {2000000000, 1});
    box.ShowTimes("f");
    box.After("f", before);
  });
}

}  // namespace

void AddTimeCases(CaseList& cases) {
  for (const Change& change : Changes()) {
    cases.Add(std::string("time.moved_by.") + change.name, [change](Box& box) { MoveCase(box, change); });
  }
  AddExplicit(cases);
  AddStory(cases);
}

}  // namespace mirrorfs::conformance
