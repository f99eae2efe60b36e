// mkdir, rmdir, unlink, create: types, names, umask, links of directories, what is removed while it is open.
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

constexpr const char* kTypes[] = {"file",     "directory", "symlink_to_file", "symlink_to_directory",
                                  "dangling", "fifo",      "socket"};

void MakeAll(Box& box) {
  box.Create("file", "1");
  box.Mkdir("directory");
  box.Symlink("file", "symlink_to_file");
  box.Symlink("directory", "symlink_to_directory");
  box.Symlink("nowhere", "dangling");
  box.Mknod("fifo", S_IFIFO | 0644);
  box.Mknod("socket", S_IFSOCK | 0644);
}

void AddExisting(CaseList& cases) {
  for (const std::string type : kTypes) {
    cases.Add("tree.exists." + type, [type](Box& box) {
      MakeAll(box);
      box.Mkdir(type);
      box.Symlink("x", type);
      box.Mknod(type, S_IFIFO | 0644);
      box.Mknod(type, S_IFREG | 0644);
      box.Open(type, O_CREAT | O_EXCL | O_WRONLY, 0644);
      box.Link("file", type);
      box.Show(type);
    });
    cases.Add("tree.remove." + type, [type](Box& box) {
      MakeAll(box);
      box.Rmdir(type);
      box.Unlink(type);
      box.Rmdir(type + "/");
      box.Unlink(type + "/");
      box.Show(type);
    });
  }
}

void AddUmask(CaseList& cases) {
  for (const mode_t mask : {mode_t(0), mode_t(022), mode_t(027), mode_t(077), mode_t(0777), mode_t(0111)}) {
    cases.Add("tree.umask." + Octal(mask), [mask](Box& box) {
      ::umask(mask);
      int n = 0;
      for (const mode_t mode : {0777, 0666, 0600, 0000, 07777, 01755, 02755, 04755, 0123}) {
        const std::string name = std::to_string(n++);
        box.Open("f" + name, O_CREAT | O_EXCL | O_RDWR, mode);
        box.Mkdir("d" + name, mode);
        box.Mknod("p" + name, S_IFIFO | mode);
        box.Mknod("r" + name, S_IFREG | mode);
        for (const char* kind : {"f", "d", "p", "r"}) box.Show(kind + name);
      }
      ::umask(022);
      for (int i = 0; i < n; ++i) box.Chmod("d" + std::to_string(i), 0755);
    });
  }
}

void AddNames(CaseList& cases) {
  const std::pair<const char*, std::string> kNames[] = {
      {"latin1", "caf\xe9"},
      {"invalid_utf8", "\xff\xfe\x80"},
      {"newline", "a\nb"},
      {"backslash", "a\\b"},
      {"utf8", "\xc3\xa4\xe2\x82\xac"},
      {"leading_dash", "-rf"},
      {"three_dots", "..."},
      {"longest", std::string(255, 'x')},
      {"longest_bytes", std::string(255, '\xe9')},
      {"space", " "},
      {"hidden", ".hidden"},
      {"control", "\x01\x7f"},
      {"case", "README"},
  };
  for (const auto& [what, name] : kNames) {
    cases.Add(std::string("tree.name.") + what, [name = name](Box& box) {
      box.Create(name, "content");
      box.List(".");
      box.Contents(name);
      box.Mkdir("d");
      box.Rename(name, "d/" + name);
      box.Symlink(name, name);
      box.Readlink(name);
      box.Link("d/" + name, "d/" + name.substr(1) + "2");
      box.List("d");
      box.Unlink("d/" + name);
      box.Unlink(name);
      box.Mkdir(name);
      box.Rmdir(name);
      box.Show("readme");
    });
  }
}

void AddRemoved(CaseList& cases) {
  cases.Add("tree.unlinked_but_open", [](Box& box) {
    box.Create("f", "content");
    const int fd = box.Open("f", O_RDWR);
    box.Unlink("f");
    box.ShowFd(fd);
    box.Read(fd, 10);
    box.Pwrite(fd, Pattern(100000), 5);
    box.ShowFd(fd);
    box.Pread(fd, 200000, 0);
    box.Ftruncate(fd, 3);
    box.Fchmod(fd, 0600);
    box.Futimens(fd, kOldTime, kOldTime);
    box.ShowFd(fd);
    box.Fsync(fd);
    box.Create("f", "another");
    box.Pread(fd, 10, 0);
    box.Contents("f");
    box.Close(fd);
  });
  cases.Add("tree.unlinked_of_two_links_but_open", [](Box& box) {
    box.Create("a", "12");
    box.Link("a", "b");
    const int fd = box.Open("a", O_RDWR);
    box.Unlink("a");
    box.ShowFd(fd);
    box.Write(fd, "xy");
    box.Contents("b");
    box.Unlink("b");
    box.ShowFd(fd);
    box.Write(fd, "z");
    box.Pread(fd, 10, 0);
  });
  cases.Add("tree.removed_but_open_directory", [](Box& box) {
    box.Mkdir("d");
    const int fd = box.Open("d", O_RDONLY | O_DIRECTORY);
    box.Rmdir("d");
    box.ShowFd(fd);
    box.OpenAt(fd, "x", O_CREAT | O_WRONLY, 0644);
    box.OpenAt(fd, "x", O_RDONLY);
    box.Report("mkdirat", ::mkdirat(fd, "y", 0755));
    box.Fchmod(fd, 0700);
  });
  cases.Add("tree.removed_working_directory", [](Box& box) {
    box.Mkdir("d");
    box.Chdir("d");
    box.Rmdir("../d");
    box.Create("x");
    box.Mkdir("y");
    box.Show("../d");
    box.Rmdir(".");
  });
  cases.Add("tree.recreated_name_is_another_file", [](Box& box) {
    for (int i = 0; i < 20; ++i) {
      box.Create("f", std::to_string(i));
      const int fd = box.Open("f", O_RDONLY);
      box.Contents("f");
      box.Unlink("f");
      box.Read(fd, 10);
      box.Close(fd);
    }
  });
  cases.Add("tree.inode_reuse_of_other_type", [](Box& box) {
    for (int i = 0; i < 20; ++i) {
      box.Create("x", "file");
      box.Show("x");
      box.Unlink("x");
      box.Mkdir("x");
      box.Show("x");
      box.List("x");
      box.Rmdir("x");
      box.Symlink("target", "x");
      box.Readlink("x");
      box.Unlink("x");
    }
  });
}

void AddDirectories(CaseList& cases) {
  cases.Add("tree.directory_links", [](Box& box) {
    box.Mkdir("d");
    box.Show("d");
    for (const char* name : {"d/a", "d/b", "d/c"}) {
      box.Mkdir(name);
      box.Show("d");
    }
    box.Create("d/f");
    box.Show("d");
    box.Rmdir("d/b");
    box.Show("d");
    box.Mkdir("e");
    box.Rename("d/a", "e/a");
    box.Show("d");
    box.Show("e");
  });
  cases.Add("tree.rmdir_not_empty", [](Box& box) {
    box.Mkdir("d");
    box.Create("d/f");
    box.Rmdir("d");
    box.Unlink("d/f");
    box.Mknod("d/.p", S_IFIFO | 0644);
    box.Rmdir("d");
    box.Unlink("d/.p");
    box.Rmdir("d");
    box.Show("d");
  });
  cases.Add("tree.deep", [](Box& box) {
    std::string path = "d";
    for (int i = 0; i < 100; ++i) {
      if (::mkdir(path.c_str(), 0755) != 0) box.Note("mkdir failed at " + std::to_string(i));
      path += "/d";
    }
    box.Create(path, "deep");
    box.Contents(path);
    box.Show(path + "/../../..");
    box.Rename("d", "e");
    box.Contents("e" + path.substr(1));
  });
  cases.Add("tree.path_of_4095_bytes", [](Box& box) {
    // 16 components of 249 bytes and their slashes; the rest is the last name's.
    std::string path;
    for (int i = 0; i < 16; ++i) {
      path += std::string(249, char('a' + i));
      box.Mkdir(path);
      path += "/";
    }
    box.Create(path + std::string(4095 - path.size(), 'z'), "end");
    box.Contents(path + std::string(4095 - path.size(), 'z'));
    box.Show(path + std::string(4096 - path.size(), 'z'));
    box.Unlink(path + std::string(4095 - path.size(), 'z'));
  });
  cases.Add("tree.dot_and_dotdot", [](Box& box) {
    box.Mkdir("d");
    box.Mkdir("d/e");
    box.SameFile("d/e/..", "d");
    box.SameFile("d/e/.", "d/e");
    box.SameFile("d/./e/../e", "d/e");
    box.Show("d/e/..");
    box.Create("d/e/../f", "1");
    box.Contents("d/f");
  });
  cases.Add("tree.many_in_one_directory", [](Box& box) {
    box.Mkdir("d");
    for (int i = 0; i < 600; ++i) {
      if (::mknod(("d/" + std::to_string(i)).c_str(), S_IFREG | 0644, 0) != 0)
        box.Note("failed at " + std::to_string(i));
    }
    box.List("d");
    for (int i = 0; i < 600; i += 3) {
      if (::unlink(("d/" + std::to_string(i)).c_str()) != 0) box.Note("failed at " + std::to_string(i));
    }
    box.List("d");
  });
}

}  // namespace

void AddTreeCases(CaseList& cases) {
  AddExisting(cases);
  AddUmask(cases);
  AddNames(cases);
  AddRemoved(cases);
  AddDirectories(cases);
}

}  // namespace mirrorfs::conformance
