// Flags of open, on files of every type.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

constexpr int kModes[] = {O_RDONLY, O_WRONLY, O_RDWR};

struct Extra {
  const char* name;
  int flags;
};

constexpr Extra kExtras[] = {
    {"plain", 0},
    {"create", O_CREAT},
    {"exclusive", O_CREAT | O_EXCL},
    {"truncate", O_TRUNC},
    {"create_truncate", O_CREAT | O_TRUNC},
    {"append", O_APPEND},
    {"nofollow", O_NOFOLLOW},
    {"create_nofollow", O_CREAT | O_NOFOLLOW},
    {"directory", O_DIRECTORY},
    {"path", O_PATH},
    {"path_nofollow", O_PATH | O_NOFOLLOW},
    {"noatime", O_NOATIME},
    {"sync", O_SYNC},
    {"direct", O_DIRECT},
};

void OpenEverything(Box& box, int extra) {
  for (const char* path : {"file", "dir", "link", "dirlink", "dangling", "loop", "fifo", "missing", "readonly"}) {
    for (const int mode : kModes) {
      const int fd = box.Open(path, mode | extra | O_NONBLOCK, 0640);
      if (fd >= 0) {
        box.ShowFd(fd);
        // How direct reads and writes must be aligned is each file system's own.
        if ((extra & O_DIRECT) == 0) box.Read(fd, 4);
        if ((extra & O_DIRECT) == 0) box.Write(fd, "ab");
        box.Close(fd);
      }
      if ((extra & O_CREAT) != 0) ::unlink("missing");
      if ((extra & O_CREAT) != 0) ::unlink("nowhere");
    }
  }
}

void AddDescriptors(CaseList& cases) {
  cases.Add("open.path_descriptor", [](Box& box) {
    box.Create("f", "1");
    const int fd = box.Open("f", O_PATH);
    box.ShowFd(fd);
    box.Read(fd, 1);
    box.Write(fd, "x");
    box.Fchmod(fd, 0600);
    box.Ftruncate(fd, 0);
    box.Fsync(fd);
    box.Seek(fd, 0, SEEK_SET);
    box.Futimens(fd, kNow, kNow);
    box.Flock(fd, 2);
    box.Open("/proc/self/fd/" + std::to_string(fd), O_RDWR | O_APPEND);
    box.Unlink("f");
    box.ShowFd(fd);
  });
  cases.Add("open.path_of_symlink", [](Box& box) {
    box.Symlink("target", "s");
    const int fd = box.Open("s", O_PATH | O_NOFOLLOW);
    box.ShowFd(fd);
    char target[20];
    box.ReportValue("readlinkat", ::readlinkat(fd, "", target, sizeof target));
    box.Report("fchownat", ::fchownat(fd, "", ::getuid(), ::getgid(), AT_EMPTY_PATH));
  });
  cases.Add("open.directory_descriptor", [](Box& box) {
    box.Mkdir("d");
    const int fd = box.Open("d", O_RDONLY | O_DIRECTORY);
    box.Read(fd, 1);
    box.Write(fd, "x");
    box.Ftruncate(fd, 0);
    box.Truncate("d", 0);
    box.Fsync(fd);
    box.Fdatasync(fd);
    box.Fallocate(fd, 0, 0, 1);
    box.OpenAt(fd, "f", O_CREAT | O_WRONLY, 0644);
    box.Rename("d", "e");
    box.OpenAt(fd, "g", O_CREAT | O_WRONLY, 0644);
    box.List("e");
    box.Open("e", O_RDONLY | O_CREAT, 0644);
    box.Open("e", O_WRONLY);
    box.Open("e/", O_RDWR);
  });
  cases.Add("open.wrong_direction", [](Box& box) {
    box.Create("f", "123");
    const int reader = box.Open("f", O_RDONLY);
    box.Write(reader, "x");
    box.Pwrite(reader, "x", 0);
    box.Ftruncate(reader, 0);
    box.Fallocate(reader, 0, 0, 10);
    box.Fsync(reader);
    const int writer = box.Open("f", O_WRONLY);
    box.Read(writer, 1);
    box.Pread(writer, 1, 0);
    box.CopyFileRange(writer, 0, writer, 100, 1);
    box.CopyFileRange(reader, 0, reader, 100, 1);
  });
  cases.Add("open.closed_descriptor", [](Box& box) {
    box.Create("f", "123");
    const int fd = box.Open("f", O_RDWR);
    box.Close(fd);
    box.Close(fd);
    box.Read(fd, 1);
    box.Write(fd, "x");
    box.ShowFd(fd);
    box.Fsync(fd);
    box.Seek(fd, 0, SEEK_SET);
    box.Fchmod(fd, 0);
    box.Ftruncate(fd, 0);
  });
  cases.Add("open.shared_offset", [](Box& box) {
    box.Create("f", "0123456789");
    const int fd = box.Open("f", O_RDWR);
    box.Read(fd, 2);
    box.Child([fd](Box& child) {
      child.Read(fd, 3);
      child.Write(fd, "X");
    });
    box.Read(fd, 2);
    const int twin = ::dup(fd);
    box.Read(twin, 1);
    box.Seek(fd, 0, SEEK_CUR);
    box.Contents("f");
  });
  cases.Add("open.flags_shown_and_changed", [](Box& box) {
    box.Create("f", "12345");
    const int fd = box.Open("f", O_RDWR);
    box.Report("fcntl(F_SETFL, O_APPEND)", ::fcntl(fd, F_SETFL, O_APPEND));
    box.Check("append is set", (::fcntl(fd, F_GETFL) & O_APPEND) != 0);
    box.Write(fd, "end");
    box.Contents("f");
    box.Report("fcntl(F_SETFL, 0)", ::fcntl(fd, F_SETFL, 0));
    box.Seek(fd, 0, SEEK_SET);
    box.Write(fd, "B");
    box.Contents("f");
  });
  cases.Add("open.many_at_once", [](Box& box) {
    box.Create("f", "x");
    int opened = 0;
    for (int i = 0; i < 500; ++i) opened += ::open("f", O_RDWR | O_CLOEXEC) >= 0;
    box.ReportValue("opened", opened);
    box.Unlink("f");
  });
}

void AddTemporary(CaseList& cases) {
  // The FUSE library of Debian 12 has no tmpfile request: EOPNOTSUPP is the documented answer there, on which programs
  // fall back.
  cases.Add("open.tmpfile", [](Box& box) { box.Open(".", O_TMPFILE | O_RDWR, 0600); },
            {.documented = {"open(., O_RDWR|O_TMPFILE, 0600) = EOPNOTSUPP"}});
  cases.Add("open.tmpfile_errors", [](Box& box) {
    box.Create("f");
    box.Open("f", O_TMPFILE | O_RDWR, 0600);
    box.Open("missing", O_TMPFILE | O_RDWR, 0600);
    box.Open(".", O_TMPFILE | O_RDONLY, 0600);
  });
}

void AddExecution(CaseList& cases) {
  cases.Add("open.busy_text",
            [](Box& box) {
              const int fd = box.Open("program", O_RDWR | O_APPEND);
              box.Execute("program");
              box.Close(fd);
              box.Execute("program");
            },
            {.place = Place::kLower});
  cases.Add("open.busy_text_of_running",
            [](Box& box) {
              int ready[2];
              if (::pipe(ready) != 0) return;
              const pid_t child = box.Start([&](Box&) {
                ::close(ready[0]);
                ::fcntl(ready[1], F_SETFD, FD_CLOEXEC);  // end of file for the parent: it runs
                ::execl("program", "sleep", "100", nullptr);
              });
              ::close(ready[1]);
              char byte;
              (void)!::read(ready[0], &byte, 1);
              box.Open("program", O_WRONLY);
              box.Open("program", O_RDWR | O_TRUNC);
              box.Truncate("program", 0);
              box.Open("program", O_RDONLY);
              box.Unlink("program");
              ::kill(child, SIGKILL);
              box.JoinQuietly(child);
            },
            {.place = Place::kLower});
  cases.Add("open.execute", [](Box& box) {
    box.Create("script", "#!/bin/sh\nexit 7\n", 0755);
    box.Execute("script");
    box.Execute("./script");
    box.Create("no_interpreter", "#!/missing/sh\n", 0755);
    box.Execute("no_interpreter");
    box.Create("garbage", "neither script nor program", 0755);
    box.Execute("garbage");
    box.Create("empty", "", 0755);
    box.Execute("empty");
    box.Create("not_executable", "#!/bin/sh\n", 0644);
    box.Execute("not_executable");
    box.Mkdir("d");
    box.Execute("d");
    box.Mknod("p", S_IFIFO | 0777);
    box.Execute("p");
    box.Symlink("script", "s");
    box.Execute("s");
  });
}

}  // namespace

void AddOpenCases(CaseList& cases) {
  for (const Extra& extra : kExtras) {
    cases.Add(std::string("open.flags.") + extra.name, [extra](Box& box) { OpenEverything(box, extra.flags); },
              {.place = Place::kLower});
  }
  AddDescriptors(cases);
  AddTemporary(cases);
  AddExecution(cases);
}

}  // namespace mirrorfs::conformance
