// A mount that is read-only: every change gives EROFS, or what comes before it.
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"
#include "tests/conformance/cases/path_operations.h"

namespace mirrorfs::conformance {
namespace {

const Traits kReadOnly = {.place = Place::kReadOnly};

}  // namespace

void AddReadOnlyCases(CaseList& cases) {
  for (const PathOperation& operation : PathOperations()) {
    const auto act = operation.act;
    cases.Add(
        "read_only." + operation.name,
        [act](Box& box) {
          for (const char* path :
               {"file", "dir", "link", "missing", "dangling", "readonly", "fifo", "file/x", "missing/x"}) {
            act(box, path);
          }
        },
        kReadOnly);
  }
  cases.Add(
      "read_only.reading",
      [](Box& box) {
        const int fd = box.Open("file", O_RDONLY);
        box.Read(fd, 100);
        box.Fchmod(fd, 0600);
        box.Futimens(fd, kNow, kNow);
        box.Write(fd, "x");
        box.Fsync(fd);
        box.Map(fd, 10, PROT_READ, MAP_SHARED);
        box.Map(fd, 10, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        box.Map(fd, 10, PROT_READ | PROT_WRITE, MAP_SHARED);
        box.Access("file", R_OK);
        box.Access("file", W_OK);
        box.Access("dir", W_OK);
        box.Execute("program");
        box.List(".");
        box.Contents("link");
        box.Extents(box.Open("sparse", O_RDONLY));
      },
      kReadOnly);
  cases.Add(
      "read_only.open_flags",
      [](Box& box) {
        for (const int flags : {O_RDONLY | O_TRUNC, O_WRONLY, O_RDWR, O_RDONLY | O_CREAT, O_WRONLY | O_CREAT | O_TRUNC,
                                O_WRONLY | O_CREAT | O_EXCL, O_WRONLY | O_APPEND, O_RDONLY | O_DIRECT, O_PATH}) {
          for (const char* path : {"file", "missing", "dir", "dangling", "empty"}) box.Open(path, flags, 0644);
        }
      },
      kReadOnly);
  cases.Add(
      "read_only.locks",
      [](Box& box) {
        const int fd = box.Open("file", O_RDONLY);
        box.Lock(fd, F_SETLK, F_RDLCK);
        box.Lock(fd, F_SETLK, F_WRLCK);
        box.Flock(fd, LOCK_SH | LOCK_NB);
        box.Flock(fd, LOCK_EX | LOCK_NB);
      },
      kReadOnly);
}

}  // namespace mirrorfs::conformance
