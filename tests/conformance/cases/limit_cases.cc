// Limits: sizes of files, RLIMIT_FSIZE, numbers of open files, other file systems, busy mount points.
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

void LimitSize(Box& box, rlim_t size) {
  const rlimit limit{size, size};
  box.Report("setrlimit(RLIMIT_FSIZE)", ::setrlimit(RLIMIT_FSIZE, &limit));
}

void AddSizes(CaseList& cases) {
  cases.Add("limit.file_size.write", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    LimitSize(box, 10000);
    box.Write(fd, Pattern(9000));
    box.Write(fd, Pattern(2000));
    box.Write(fd, "x");
    box.Pwrite(fd, "x", 10000);
    box.Pwrite(fd, "x", 9999);
    box.ShowFd(fd);
    box.Contents("f");
  });
  cases.Add("limit.file_size.append", [](Box& box) {
    box.Create("f", Pattern(9990));
    const int fd = box.Open("f", O_WRONLY | O_APPEND);
    LimitSize(box, 10000);
    box.Write(fd, "0123456789abc");
    box.Write(fd, "x");
    box.ShowFd(fd);
  });
  cases.Add("limit.file_size.truncate", [](Box& box) {
    box.Create("f", "1");
    LimitSize(box, 10000);
    box.Truncate("f", 10000);
    box.Truncate("f", 10001);
    const int fd = box.Open("f", O_RDWR);
    box.Ftruncate(fd, 20000);
    box.Fallocate(fd, 0, 0, 10001);
    box.Fallocate(fd, 0, 0, 10000);
    box.ShowFd(fd);
  });
  cases.Add("limit.file_size.copy", [](Box& box) {
    box.Create("in", Pattern(20000));
    const int in = box.Open("in", O_RDONLY);
    const int out = box.Open("out", O_CREAT | O_RDWR, 0644);
    LimitSize(box, 10000);
    box.CopyFileRange(in, 0, out, 10000, 10);
    box.CopyFileRange(in, 0, out, 9990, 10);
    box.ShowFd(out);
  });
  cases.Add("limit.file_size.signal", [](Box& box) {
    box.Child([](Box& child) {
      ::signal(SIGXFSZ, SIG_DFL);
      const int fd = child.Open("f", O_CREAT | O_RDWR, 0644);
      LimitSize(child, 10);
      child.Write(fd, "0123456789");
      child.Write(fd, "x");
    });
    box.Show("f");
  });
  cases.Add("limit.largest_offset", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    const off_t last = 0x7fffffffffffffff;
    box.Pread(fd, 10, last);
    box.Pread(fd, 10, last - 5);
    box.Pwrite(fd, "x", last);
    box.Pwrite(fd, "x", last - 1);
    box.Pwrite(fd, "x", off_t(1) << 50);
    box.Ftruncate(fd, last);
    box.ShowFd(fd);
  });
  cases.Add("limit.open_files", [](Box& box) {
    box.Create("f");
    box.Child([](Box& child) {
      const rlimit limit{20, 20};
      child.Report("setrlimit(RLIMIT_NOFILE)", ::setrlimit(RLIMIT_NOFILE, &limit));
      int last = 0;
      while (last >= 0) last = ::open("f", O_RDONLY | O_CLOEXEC);
      child.Open("f", O_RDONLY);
      child.Open("new", O_CREAT | O_WRONLY, 0644);
    });
    box.List(".");
  });
}

void AddOtherFileSystems(CaseList& cases) {
  cases.Add("limit.across_file_systems", [](Box& box) {
    box.Create("f", "1");
    box.Mkdir("d");
    box.Rename("f", "/dev/shm/mirrorfs-conformance");
    box.Link("f", "/dev/shm/mirrorfs-conformance");
    box.Rename("d", "/dev/shm/mirrorfs-conformance");
    box.Rename("/proc/self/stat", "f");
    box.Link("/proc/self/stat", "g");
    box.List(".");
  });
  cases.Add("limit.bad_pointers", [](Box& box) {
    struct stat attributes;
    const auto* nowhere = reinterpret_cast<const char*>(8);
    box.Report("stat", ::stat(nowhere, &attributes));
    box.Report("mkdir", ::mkdir(nowhere, 0755));
    box.Report("open", ::open(nowhere, O_RDONLY | O_CLOEXEC));
    box.Create("f");
    box.Report("rename", ::rename("f", nowhere));
    box.Report("symlink", ::symlink(nowhere, "s"));
    box.Report("unlink", ::unlink(nowhere));
    box.Report("stat", ::stat("f", reinterpret_cast<struct stat*>(8)));
    box.List(".");
  });
  cases.Add("limit.relative_to_file", [](Box& box) {
    box.Create("f");
    const int fd = box.Open("f", O_RDONLY);
    box.OpenAt(fd, "x", O_RDONLY);
    box.Report("mkdirat", ::mkdirat(fd, "x", 0755));
    box.Report("unlinkat", ::unlinkat(fd, "x", 0));
    box.Report("unlinkat flags", ::unlinkat(AT_FDCWD, "f", 0x7000));
    box.Report("linkat flags", ::linkat(AT_FDCWD, "f", AT_FDCWD, "g", 0x7000));
    struct stat attributes;
    box.Report("fstatat flags", ::fstatat(AT_FDCWD, "f", &attributes, 0x8000000));
    box.OpenAt(-5, "x", O_RDONLY);
    box.OpenAt(-5, "x", O_CREAT | O_RDWR, 0644);
  });
  cases.Add("limit.attributes_of_descriptor", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0640);
    box.Fchmod(fd, 0604);
    box.Fchown(fd, ::getuid(), ::getgid());
    box.Ftruncate(fd, 77);
    box.Futimens(fd, kOldTime, kOldTime);
    box.ShowFd(fd);
    box.Show("f");
    box.Rename("f", "g");
    box.Fchmod(fd, 0600);
    box.Show("g");
  });
}

}  // namespace

void AddLimitCases(CaseList& cases) {
  AddSizes(cases);
  AddOtherFileSystems(cases);
}

}  // namespace mirrorfs::conformance
