// Files of the lower layer: what copies them up, and what open handles and other links see of it.
#include <linux/falloc.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"
#include "tests/conformance/fixture.h"

namespace mirrorfs::conformance {
namespace {

const Traits kLower = {.place = Place::kLower};

struct Change {
  const char* name;
  std::function<void(Box&, const std::string&)> act;
};

std::vector<Change> Changes() {
  return {
      {"open_for_writing", [](Box& box, const std::string& path) { box.Open(path, O_RDWR); }},
      {"write", [](Box& box, const std::string& path) { box.Write(box.Open(path, O_WRONLY), "NEW"); }},
      {"append", [](Box& box, const std::string& path) { box.Write(box.Open(path, O_WRONLY | O_APPEND), "NEW"); }},
      {"truncate", [](Box& box, const std::string& path) { box.Truncate(path, 3); }},
      {"open_truncate", [](Box& box, const std::string& path) { box.Open(path, O_WRONLY | O_TRUNC); }},
      {"chmod", [](Box& box, const std::string& path) { box.Chmod(path, 0600); }},
      {"chown", [](Box& box, const std::string& path) { box.Chown(path, ::getuid(), ::getgid()); }},
      {"utimens",
       [](Box& box, const std::string& path) {
         box.Utimens(path, {5, 6}, {7, 8});
       }},
      {"setxattr", [](Box& box, const std::string& path) { box.Setxattr(path, "user.new", "1"); }},
      {"link", [](Box& box, const std::string& path) { box.Link(path, "linked"); }},
      {"rename", [](Box& box, const std::string& path) { box.Rename(path, "renamed"); }},
      {"unlink", [](Box& box, const std::string& path) { box.Unlink(path); }},
      {"replace",
       [](Box& box, const std::string& path) {
         box.Create("replacement", "replacement");
         box.Rename("replacement", path);
       }},
      {"map",
       [](Box& box, const std::string& path) {
         char* map = box.Map(box.Open(path, O_RDWR), 8, PROT_READ | PROT_WRITE, MAP_SHARED);
         map[0] = 'M';
         box.Report("msync", ::msync(map, 8, MS_SYNC));
       }},
      {"fallocate", [](Box& box, const std::string& path) { box.Fallocate(box.Open(path, O_RDWR), 0, 0, 5000); }},
  };
}

// Every change of one link of a lower file with two, with handles open on it.
void HardLinkCase(Box& box, const Change& change) {
  const int before = box.Open("hard_a", O_RDONLY);
  const int other = box.Open("hard_b", O_RDONLY);
  box.SameFile("hard_a", "hard_b");
  change.act(box, "hard_a");
  box.Show("hard_a");
  box.Show("hard_b");
  box.ShowFd(other);
  box.Contents("hard_b");
  box.Pread(before, 100, 0);
  box.Pread(other, 100, 0);
  box.Fsync(before);
}

void SingleCase(Box& box, const Change& change) {
  const int before = box.Open("file", O_RDONLY);
  box.Read(before, 3);
  change.act(box, "file");
  box.Read(before, 30);
  box.Pread(before, 30, 0);
  box.ShowFd(before);
  box.Show("file");
  box.Contents("file");
  box.Contents("link");
  box.List(".");
}

void AddHandles(CaseList& cases) {
  cases.Add(
      "lower.handle_sees_copy_up",
      [](Box& box) {
        const int reader = box.Open("file", O_RDONLY);
        box.Read(reader, 100);
        const int writer = box.Open("file", O_RDWR);
        box.Write(writer, "UPPER");
        box.Pread(reader, 100, 0);
        box.ShowFd(reader);
        box.Close(writer);
        box.Pread(reader, 100, 0);
        box.Contents("file");
      },
      kLower);
  cases.Add(
      "lower.handle_after_chmod",
      [](Box& box) {
        const int reader = box.Open("file", O_RDONLY);
        box.Fchmod(reader, 0600);
        box.ShowFd(reader);
        box.Futimens(reader, kOldTime, {3, 4});
        box.ShowFd(reader);
        box.Pread(reader, 100, 0);
        box.Show("file");
      },
      kLower);
  cases.Add("lower.big_file_written_in_the_middle",
            [](Box& box) {
              const int reader = box.Open("big", O_RDONLY);
              box.Pread(reader, 100, (1 << 20) - 50);
              const int writer = box.Open("big", O_WRONLY);
              box.Pwrite(writer, "across the edge of a chunk", (1 << 20) - 10);
              box.Pread(reader, 100, (1 << 20) - 50);
              box.Close(writer);
              box.Pread(reader, 100, (1 << 20) - 50);
              box.Contents("big");
              box.Show("big");
            },
            {.place = Place::kLowerBig});
  cases.Add("lower.big_file_renamed_while_read",
            [](Box& box) {
              const int reader = box.Open("big", O_RDONLY);
              box.Read(reader, 200000);
              box.Rename("big", "moved");
              box.Read(reader, 200000);
              box.Unlink("moved");
              box.Seek(reader, 1900000, SEEK_SET);
              box.Read(reader, 200000);
              box.ShowFd(reader);
            },
            {.place = Place::kLowerBig});
  cases.Add(
      "lower.lock_before_copy_up",
      [](Box& box) {
        const int fd = box.Open("file", O_RDONLY);
        box.Lock(fd, F_SETLK, F_RDLCK);
        box.Flock(fd, LOCK_SH);
        box.Child([](Box& child) {
          child.Lock(child.Open("file", O_RDONLY), F_SETLK, F_RDLCK);
          const int own = child.Open("file", O_RDWR);
          child.Lock(own, F_SETLK, F_WRLCK);
          child.Flock(own, LOCK_EX | LOCK_NB);
        });
      },
      kLower);
  cases.Add(
      "lower.same_inode_after_copy_up",
      [](Box& box) {
        struct stat before {};
        struct stat after {};
        ::stat("file", &before);
        box.Write(box.Open("file", O_WRONLY), "x");
        ::stat("file", &after);
        box.Check("same inode number", before.st_ino == after.st_ino);
        ::stat("dir", &before);
        box.Create("dir/new");
        ::stat("dir", &after);
        box.Check("same inode number of the directory", before.st_ino == after.st_ino);
      },
      kLower);
}

void AddDirectories(CaseList& cases) {
  cases.Add(
      "lower.directory_renamed",
      [](Box& box) {
        box.Rename("dir", "moved");  // EXDEV unless the overlay redirects
        box.List(".");
        box.Rename("empty_dir", "moved_empty");
        box.Rename("dir/sub", "sub");
        box.Rename("dir/one", "dir/uno");
        box.Contents("dir/uno");
        box.List("dir");
      },
      kLower);
  cases.Add(
      "lower.directory_emptied_and_removed",
      [](Box& box) {
        box.Rmdir("dir");
        for (const char* path : {"dir/one", "dir/two", "dir/sub/deep"}) box.Unlink(path);
        box.Rmdir("dir/sub");
        box.List("dir");
        box.Rmdir("dir");
        box.Show("dir");
        box.Mkdir("dir");
        box.List("dir");
        box.Show("dir/one");
        box.Create("dir/one", "new");
        box.List("dir");
      },
      kLower);
  cases.Add(
      "lower.name_reused_as_other_type",
      [](Box& box) {
        box.Unlink("file");
        box.Mkdir("file");
        box.List("file");
        box.Rmdir("file");
        box.Symlink("dir", "file");
        box.Contents("file/one");
        box.Unlink("file");
        box.Create("file", "new");
        box.Contents("link");
      },
      kLower);
  cases.Add(
      "lower.create_below",
      [](Box& box) {
        box.Create("dir/sub/new", "1");
        box.Mkdir("dir/sub/newdir");
        box.Symlink("x", "dir/sub/s");
        box.Link("file", "dir/sub/linked");
        box.Mknod("dir/sub/p", S_IFIFO | 0644);
        box.List("dir/sub");
        box.Show("dir");
        box.Show("dir/sub");
        box.Show("file");
      },
      kLower);
  cases.Add(
      "lower.directory_descriptor",
      [](Box& box) {
        const int fd = box.Open("dir", O_RDONLY | O_DIRECTORY);
        box.OpenAt(fd, "new", O_CREAT | O_WRONLY, 0644);
        box.List("dir");
        box.Fchmod(fd, 0700);
        box.ShowFd(fd);
        box.Fsync(fd);
        box.OpenAt(fd, "../file", O_RDONLY);
      },
      kLower);
}

void AddTypes(CaseList& cases) {
  cases.Add(
      "lower.show_everything",
      [](Box& box) {
        for (const char* path :
             {"file", "readonly", "private", "empty", "hard_a", "hard_b", "suid", "sgid", "program", "sparse", "dir",
              "dir/one", "dir/sub/deep", "empty_dir", "link", "dirlink", "dangling", "loop", "fifo"}) {
          box.Show(path);
          box.ShowFollow(path);
          box.Readlink(path);
          box.Listxattr(path);
        }
        box.SameFile("hard_a", "hard_b");
        box.SameFile("file", "link");
        box.Contents("dirlink/one");
        box.ShowBlocks("sparse");
      },
      kLower);
  cases.Add(
      "lower.links_and_fifos_change",
      [](Box& box) {
        box.Lchown("link", ::getuid(), ::getgid());
        box.Utimens("link", kOldTime, kOldTime, AT_SYMLINK_NOFOLLOW);
        box.ShowTimes("link");
        box.Link("link", "link2");
        box.SameFile("link", "link2");
        box.Chmod("fifo", 0600);
        box.Rename("fifo", "fifo2");
        const int fd = box.Open("fifo2", O_RDWR | O_NONBLOCK);
        box.Write(fd, "x");
        box.Read(fd, 1);
      },
      kLower);
}

}  // namespace

void AddLowerCases(CaseList& cases) {
  for (const Change& change : Changes()) {
    cases.Add(
        std::string("lower.hard_link.") + change.name, [change](Box& box) { HardLinkCase(box, change); }, kLower);
    cases.Add(
        std::string("lower.changed_by.") + change.name, [change](Box& box) { SingleCase(box, change); }, kLower);
  }
  AddHandles(cases);
  AddDirectories(cases);
  AddTypes(cases);
}

}  // namespace mirrorfs::conformance
