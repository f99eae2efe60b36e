// Extended attributes: namespaces, flags, sizes, types of files, rights.
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

// trusted.* and security.* have cases of their own, below.
const char* const kNames[] = {"user.a", "system.a", "other.a", "user.", "user", ""};

void TryAll(Box& box, const std::string& path) {
  for (const std::string name : kNames) {
    box.Setxattr(path, name, "value");
    box.Getxattr(path, name);
    box.Setxattr(path, name, "other", XATTR_CREATE);
    box.Setxattr(path, name, "third", XATTR_REPLACE);
    box.Getxattr(path, name);
    box.Listxattr(path);
    box.Removexattr(path, name);
    box.Removexattr(path, name);
    box.Setxattr(path, name, "fourth", XATTR_REPLACE);
    box.Getxattr(path, name);
  }
}

void AddTypes(CaseList& cases) {
  for (const std::string type : {"file", "directory", "symlink", "fifo", "socket"}) {
    cases.Add("xattr.namespaces." + type, [type](Box& box) {
      if (type == "file") box.Create("x");
      if (type == "directory") box.Mkdir("x");
      if (type == "symlink") box.Symlink("target", "x");
      if (type == "fifo") box.Mknod("x", S_IFIFO | 0644);
      if (type == "socket") box.Mknod("x", S_IFSOCK | 0644);
      TryAll(box, "x");
      box.Show("x");
    });
  }
  cases.Add("xattr.namespaces.by_user",
            [](Box& box) {
              box.Chmod(".", 0777);
              box.As({1000, 1000, {}}, [](Box& user) {
                user.Create("x");
                TryAll(user, "x");
              });
              box.As({1000, 1000, {}}, [](Box& user) {
                user.Setxattr("x", "trusted.a", "1");
                user.Getxattr("x", "trusted.a");
                user.Removexattr("x", "trusted.a");
              });
            },
            {.root = true});
  cases.Add("xattr.overlay_names",
            [](Box& box) {
              box.Create("x");
              box.Setxattr("x", "user.overlay.opaque", "y");
              box.Getxattr("x", "user.overlay.opaque");
              box.Listxattr("x");
            },
            {.root = true});
  // EOPNOTSUPP, so that ls(1) does not ask for the label of each file.
  cases.Add("xattr.no_label",
            [](Box& box) {
              box.Create("x");
              box.Getxattr("x", "security.selinux");
              box.Setxattr("x", "user.a", "1");  // the agent has to be asked then
              box.Getxattr("x", "security.selinux");
            },
            {.documented = {"open(x, O_WRONLY|O_CREAT|O_EXCL, 0644) = ok", "close(x) = ok",
                            "getxattr(x, security.selinux, 65536) = EOPNOTSUPP", "setxattr(x, user.a, \"1\") = ok",
                            "getxattr(x, security.selinux, 65536) = EOPNOTSUPP"}});
  // They need CAP_SYS_ADMIN, which an agent never has (docs/semantics.md): there they cannot be set, and are not seen.
  for (const std::string name : {"trusted.a", "trusted.overlay.opaque", "security.a"}) {
    cases.Add(
        "xattr.set." + name,
        [name](Box& box) {
          box.Create("x");
          box.Setxattr("x", name, "value");
          box.Getxattr("x", name);
          box.Listxattr("x");
          box.Removexattr("x", name);
        },
        {.root = true,
         .documented = {"open(x, O_WRONLY|O_CREAT|O_EXCL, 0644) = ok", "close(x) = ok",
                        "setxattr(x, " + name + ", \"value\") = EPERM", "getxattr(x, " + name + ", 65536) = ENODATA",
                        "listxattr(x, 65536) = ", "removexattr(x, " + name + ") = EPERM"}});
  }
}

void AddSizes(CaseList& cases) {
  cases.Add("xattr.buffer_sizes", [](Box& box) {
    box.Create("f");
    box.Setxattr("f", "user.a", "0123456789");
    box.Setxattr("f", "user.bb", "x");
    for (const size_t size : {0, 1, 9, 10, 11, 65536}) box.Getxattr("f", "user.a", size);
    for (const size_t size : {0, 1, 14, 15, 16, 65536}) box.Listxattr("f", size);
    box.Getxattr("f", "user.missing", 0);
    box.Getxattr("f", "user.missing", 10);
  });
  cases.Add("xattr.empty_value", [](Box& box) {
    box.Create("f");
    box.Setxattr("f", "user.empty", "");
    box.Getxattr("f", "user.empty");
    box.Getxattr("f", "user.empty", 0);
    box.Listxattr("f");
    box.Setxattr("f", "user.empty", "", XATTR_CREATE);
  });
  cases.Add("xattr.binary_value", [](Box& box) {
    box.Create("f");
    box.Setxattr("f", "user.binary", std::string("\0\xff\0\x80", 4));
    box.Getxattr("f", "user.binary");
    box.Setxattr("f", "user.\xff\xfe", "odd name");
    box.Listxattr("f");
    box.Getxattr("f", "user.\xff\xfe");
  });
  for (const size_t size : {size_t(1000), size_t(3000), size_t(4096), size_t(40000), size_t(65536), size_t(65537)}) {
    cases.Add("xattr.value_of_" + std::to_string(size), [size](Box& box) {
      box.Create("f");
      box.Setxattr("f", "user.big", Pattern(size));
      box.Getxattr("f", "user.big");
      box.Listxattr("f");
    });
  }
  cases.Add("xattr.name_lengths", [](Box& box) {
    box.Create("f");
    for (const size_t length : {254, 255, 256, 300}) {
      const std::string name = "user." + std::string(length - 5, 'n');
      box.Setxattr("f", name, "1");
      box.Getxattr("f", name);
      box.Removexattr("f", name);
    }
  });
  cases.Add("xattr.many", [](Box& box) {
    box.Create("f");
    for (int i = 0; i < 60; ++i) box.Setxattr("f", "user.name" + std::to_string(i), std::to_string(i));
    box.Listxattr("f");
    box.Listxattr("f", 100);
    box.Getxattr("f", "user.name33");
  });
  cases.Add("xattr.replaced_by_longer_and_shorter", [](Box& box) {
    box.Create("f");
    for (const size_t size : {10, 500, 3, 0, 1000}) {
      box.Setxattr("f", "user.a", Pattern(size));
      box.Getxattr("f", "user.a");
    }
  });
  cases.Add("xattr.bad_flags", [](Box& box) {
    box.Create("f");
    box.Setxattr("f", "user.a", "1", XATTR_CREATE | XATTR_REPLACE);
    box.Setxattr("f", "user.a", "1", 4);
    box.Setxattr("f", "user.a", "1", XATTR_REPLACE);
    box.Setxattr("f", "user.a", "1", XATTR_CREATE);
    box.Setxattr("f", "user.a", "2", XATTR_CREATE);
    box.Getxattr("f", "user.a");
  });
}

void AddStories(CaseList& cases) {
  cases.Add("xattr.lower_file",
            [](Box& box) {
              box.Getxattr("file", "user.color");
              box.Listxattr("file");
              box.Setxattr("file", "user.shape", "round");
              box.Getxattr("file", "user.color");
              box.Listxattr("file");
              box.Removexattr("file", "user.color");
              box.Getxattr("file", "user.color");
              box.Contents("file");
              box.Setxattr("link", "user.x", "1");
              box.Setxattr("dir", "user.x", "1");
              box.Setxattr("readonly", "user.x", "1");
              box.Listxattr("dir");
            },
            {.place = Place::kLower});
  cases.Add("xattr.through_descriptor", [](Box& box) {
    box.Create("f");
    const int fd = box.Open("f", O_RDONLY);
    box.Report("fsetxattr", ::fsetxattr(fd, "user.a", "1", 1, 0));
    char value[10];
    box.ReportValue("fgetxattr", ::fgetxattr(fd, "user.a", value, sizeof value));
    box.Unlink("f");
    box.ReportValue("fgetxattr", ::fgetxattr(fd, "user.a", value, sizeof value));
    box.Report("fsetxattr", ::fsetxattr(fd, "user.b", "1", 1, 0));
    box.ReportValue("flistxattr", ::flistxattr(fd, nullptr, 0));
    box.Report("fremovexattr", ::fremovexattr(fd, "user.a"));
    const int path_only = box.Open(".", O_PATH);
    box.Report("fsetxattr", ::fsetxattr(path_only, "user.a", "1", 1, 0));
  });
  cases.Add("xattr.follows_rename_and_link", [](Box& box) {
    box.Create("f");
    box.Setxattr("f", "user.a", "1");
    box.Link("f", "g");
    box.Rename("f", "h");
    box.Getxattr("g", "user.a");
    box.Getxattr("h", "user.a");
    box.Removexattr("g", "user.a");
    box.Getxattr("h", "user.a");
  });
  cases.Add("xattr.new_file_under_old_name", [](Box& box) {
    box.Create("f");
    box.Setxattr("f", "user.a", "1");
    box.Getxattr("f", "user.a");
    box.Unlink("f");
    box.Create("f");
    box.Getxattr("f", "user.a");
    box.Listxattr("f");
  });
  cases.Add("xattr.sticky_directory",
            [](Box& box) {
              box.Mkdir("d");
              box.Chmod("d", 01777);
              box.As({1000, 1000, {}}, [](Box& user) {
                user.Setxattr("d", "user.a", "1");
                user.Getxattr("d", "user.a");
              });
              box.Setxattr("d", "user.a", "1");
              box.As({1000, 1000, {}}, [](Box& user) { user.Getxattr("d", "user.a"); });
            },
            {.root = true});
}

}  // namespace

void AddXattrCases(CaseList& cases) {
  AddTypes(cases);
  AddSizes(cases);
  AddStories(cases);
}

}  // namespace mirrorfs::conformance
