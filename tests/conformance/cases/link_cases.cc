// link, symlink, readlink, unlink of files with several names.
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

void AddHardLinks(CaseList& cases) {
  cases.Add("link.counts", [](Box& box) {
    box.Create("a", "1");
    for (const char* name : {"b", "c", "d"}) {
      box.Link("a", name);
      box.Show("a");
      box.SameFile("a", name);
    }
    for (const char* name : {"a", "c", "d"}) {
      box.Unlink(name);
      box.Show("b");
    }
  });
  cases.Add("link.shares_everything", [](Box& box) {
    box.Create("a", "1");
    box.Link("a", "b");
    const int fd = box.Open("b", O_WRONLY | O_APPEND);
    box.Write(fd, "23");
    box.Contents("a");
    box.Chmod("a", 0600);
    box.Show("b");
    box.Utimens("b", kOldTime, kOldTime);
    box.Show("a");
    box.Setxattr("a", "user.k", "v");
    box.Getxattr("b", "user.k");
    box.Truncate("a", 1);
    box.ShowFd(fd);
  });
  cases.Add("link.existing_target", [](Box& box) {
    box.Create("a");
    box.Create("f");
    box.Mkdir("d");
    box.Symlink("nowhere", "s");
    for (const char* name : {"f", "d", "s", "a"}) box.Link("a", name);
  });
  cases.Add("link.of_directory", [](Box& box) {
    box.Mkdir("d");
    box.Link("d", "e");
  });
  cases.Add("link.of_symlink", [](Box& box) {
    box.Create("f");
    box.Symlink("f", "s");
    box.Link("s", "t");
    box.Show("t");
    box.Show("s");
    box.Link("s", "u", AT_SYMLINK_FOLLOW);
    box.SameFile("u", "f");
    box.Show("f");
  });
  cases.Add("link.of_special", [](Box& box) {
    box.Mknod("p", S_IFIFO | 0644);
    box.Mknod("k", S_IFSOCK | 0644);
    box.Link("p", "q");
    box.Link("k", "l");
    box.Show("q");
    box.Show("l");
  });
  cases.Add("link.times", [](Box& box) {
    box.Create("f", "1");
    box.Mkdir("d");
    const Stamp file = box.Before("f");
    const Stamp parent = box.Before("d");
    box.Link("f", "d/g");
    box.After("f", file);
    box.After("d", parent);
    const Stamp again = box.Before("f");
    const Stamp parent_again = box.Before("d");
    box.Unlink("d/g");
    box.After("f", again);
    box.After("d", parent_again);
  });
  cases.Add("link.of_open_unlinked",
            [](Box& box) {
              box.Create("f", "1");
              const int fd = box.Open("f", O_RDWR);
              box.Unlink("f");
              box.ShowFd(fd);
              box.Link("/proc/self/fd/" + std::to_string(fd), "again", AT_SYMLINK_FOLLOW);
            },
            {.documented = {}});
  cases.Add("link.many", [](Box& box) {
    box.Create("f", "1");
    for (int i = 0; i < 200; ++i) box.Link("f", "f" + std::to_string(i));
    box.Show("f199");
    for (int i = 0; i < 200; i += 2) box.Unlink("f" + std::to_string(i));
    box.Show("f199");
  });
}

void AddSymlinks(CaseList& cases) {
  cases.Add("symlink.targets", [](Box& box) {
    int n = 0;
    for (const std::string& target :
         {std::string("x"), std::string("../x"), std::string("/etc/passwd"), std::string("."), std::string("a//b/./c"),
          std::string("\xff\xfe\x01"), std::string(255, 't')}) {
      const std::string name = "s" + std::to_string(n++);
      box.Symlink(target, name);
      box.Show(name);
      box.Readlink(name);
    }
  });
  cases.Add("symlink.longest_target", [](Box& box) {
    std::string target = "t";
    while (target.size() + 2 <= 4095) target += "/t";
    box.Symlink(target, "s");
    box.Show("s");
    box.Readlink("s");
    box.Symlink(std::string(4095, 'x'), "u");
    box.Readlink("u");
    box.Symlink(std::string(4096, 'x'), "v");
    box.Symlink("", "w");
  });
  cases.Add("symlink.readlink_sizes", [](Box& box) {
    box.Symlink("0123456789", "s");
    for (size_t size : {1, 5, 10, 11, 100}) box.Readlink("s", size);
    box.Readlink("s", 0);
    box.Create("f");
    box.Readlink("f");
    box.Mkdir("d");
    box.Readlink("d");
  });
  cases.Add("symlink.existing", [](Box& box) {
    box.Create("f");
    box.Mkdir("d");
    box.Symlink("x", "s");
    for (const char* name : {"f", "d", "s"}) box.Symlink("y", name);
  });
  for (int length : {1, 39, 40, 41, 45}) {
    cases.Add("symlink.chain_of_" + std::to_string(length), [length](Box& box) {
      box.Create("end", "end");
      std::string previous = "end";
      for (int i = 1; i <= length; ++i) {
        const std::string name = "s" + std::to_string(i);
        if (::symlink(previous.c_str(), name.c_str()) != 0) box.Note("no link");
        previous = name;
      }
      box.ShowFollow(previous);
      box.Contents(previous);
      box.Open(previous, O_RDONLY | O_NOFOLLOW);
      box.Truncate(previous, 1);
      box.Readlink(previous);
    });
  }
  cases.Add("symlink.to_directory", [](Box& box) {
    box.Mkdir("d");
    box.Symlink("d", "s");
    box.Create("s/f", "1");
    box.List("s");
    box.Contents("d/f");
    box.Rmdir("s");
    box.Unlink("s/f");
    box.Rename("s", "t");
    box.Rmdir("t/");
    box.Unlink("t");
    box.List(".");
  });
  cases.Add("symlink.create_through_dangling", [](Box& box) {
    box.Symlink("target", "s");
    box.Open("s", O_CREAT | O_EXCL | O_WRONLY, 0644);
    box.Open("s", O_CREAT | O_WRONLY | O_NOFOLLOW, 0644);
    box.Create("other");
    box.Open("s", O_CREAT | O_WRONLY, 0644);
    box.Show("target");
    box.Mkdir("s");
    box.Mknod("s", S_IFREG | 0644);
  });
  cases.Add("symlink.times_and_owner", [](Box& box) {
    box.Symlink("f", "s");
    box.Utimens("s", kOldTime, kOldTime, AT_SYMLINK_NOFOLLOW);
    box.ShowTimes("s");
    box.Show("s");
    box.Show("f");
    box.Utimens("s", kOldTime, kOldTime);
  });
  cases.Add("symlink.owner",
            [](Box& box) {
              box.Symlink("f", "s");
              box.Lchown("s", 11, 22);
              box.Show("s");
              box.Chown("s", 33, 44);
              box.Create("f");
              box.Chown("s", 33, 44);
              box.Show("s");
              box.Show("f");
            },
            {.root = true});
}

}  // namespace

void AddLinkCases(CaseList& cases) {
  AddHardLinks(cases);
  AddSymlinks(cases);
}

}  // namespace mirrorfs::conformance
