// POSIX record locks, locks of open file descriptions, flock: within and between processes.
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

struct Kind {
  const char* name;
  int set;
  int wait;
  int get;
};

constexpr Kind kKinds[] = {{"posix", F_SETLK, F_SETLKW, F_GETLK}, {"ofd", F_OFD_SETLK, F_OFD_SETLKW, F_OFD_GETLK}};

// Each process of a play has its own copy of this.
struct Descriptors {
  int a = -1;
  int b = -1;
};

using Shared = std::shared_ptr<Descriptors>;

Step Opens(Box& box, int actor, const Shared& fds) {
  return {actor, [&box, fds] { fds->a = box.Open("f", O_RDWR); }};
}

void Conflict(Box& box, const Kind& kind, short first, short second) {
  box.Create("f", "0123456789");
  auto fds = std::make_shared<Descriptors>();
  box.Play(2, {Opens(box, 0, fds),
               Opens(box, 1, fds),
               {0, [&] { box.Lock(fds->a, kind.set, first, 10, 10); }},
               {1, [&] { box.GetLock(fds->a, kind.get, second, 0, 0); }},
               {1, [&] { box.Lock(fds->a, kind.set, second, 0, 10); }},
               {1, [&] { box.Lock(fds->a, kind.set, second, 15, 1); }},
               {1, [&] { box.Lock(fds->a, kind.set, second, 20, 0); }},
               {0, [&] { box.GetLock(fds->a, kind.get, F_WRLCK, 0, 0); }},
               {0, [&] { box.Lock(fds->a, kind.set, F_UNLCK, 0, 15); }},
               {1, [&] { box.Lock(fds->a, kind.set, second, 10, 5); }},
               {1, [&] { box.Lock(fds->a, kind.set, second, 10, 10); }},
               {0, [&] { box.Close(fds->a); }},
               {1, [&] { box.Lock(fds->a, kind.set, second, 0, 0); }},
               {1, [&] { box.GetLock(fds->a, kind.get, F_WRLCK, 0, 0); }}});
}

void Waiting(Box& box, const Kind& kind) {
  box.Create("f", "0123456789");
  const int fd = box.Open("f", O_RDWR);
  box.Lock(fd, kind.set, F_WRLCK, 0, 5);
  const pid_t child = box.Start([&](Box& other) {
    const int own = other.Open("f", O_RDWR);
    other.Lock(own, kind.set, F_WRLCK, 0, 5);
    other.Lock(own, kind.wait, F_WRLCK, 0, 5);
    other.Pwrite(own, "child", 0);
  });
  box.AwaitBlocked(child, {SYS_fcntl});
  box.Pwrite(fd, "first", 0);
  struct flock everything {};  // not logged: the waiter's line may come first
  everything.l_type = F_UNLCK;
  ::fcntl(fd, kind.set, &everything);
  box.Join(child);
  box.Contents("f");
}

void Killed(Box& box, const Kind& kind) {
  box.Create("f", "0123456789");
  const int fd = box.Open("f", O_RDWR);
  box.Lock(fd, kind.set, F_WRLCK);
  const pid_t child = box.Start([&](Box&) {
    const int own = ::open("f", O_RDWR | O_CLOEXEC);
    struct flock range {};
    range.l_type = F_WRLCK;
    ::fcntl(own, kind.wait, &range);
  });
  box.AwaitBlocked(child, {SYS_fcntl});
  ::kill(child, SIGKILL);
  box.Join(child);
  box.Lock(fd, kind.set, F_UNLCK);
  const int again = box.Open("f", O_RDWR);
  box.Lock(again, kind.set, F_WRLCK);
}

void AddKinds(CaseList& cases) {
  for (const Kind& kind : kKinds) {
    const std::string prefix = std::string("lock.") + kind.name + ".";
    for (const auto& [name, types] :
         {std::pair<const char*, std::pair<short, short>>{"write_write", {F_WRLCK, F_WRLCK}},
          {"read_write", {F_RDLCK, F_WRLCK}},
          {"write_read", {F_WRLCK, F_RDLCK}},
          {"read_read", {F_RDLCK, F_RDLCK}}}) {
      cases.Add(prefix + name, [=, types = types](Box& box) { Conflict(box, kind, types.first, types.second); });
    }
    cases.Add(prefix + "waits", [=](Box& box) { Waiting(box, kind); });
    cases.Add(prefix + "killed_while_waiting", [=](Box& box) { Killed(box, kind); });
    cases.Add(prefix + "modes_and_arguments", [=](Box& box) {
      box.Create("f", "1");
      const int reader = box.Open("f", O_RDONLY);
      const int writer = box.Open("f", O_WRONLY);
      box.Lock(reader, kind.set, F_WRLCK);
      box.Lock(reader, kind.set, F_RDLCK);
      box.Lock(reader, kind.set, F_UNLCK);
      box.Lock(writer, kind.set, F_RDLCK);
      box.Lock(writer, kind.set, F_WRLCK);
      box.Lock(writer, kind.set, F_WRLCK, -1, 1);
      box.Lock(writer, kind.set, F_WRLCK, 5, -3);
      box.Lock(writer, kind.set, F_WRLCK, 5, -6);
      box.Lock(writer, kind.set, 77);
      box.Lock(writer, kind.set, F_UNLCK);
      const int directory = box.Open(".", O_RDONLY);
      box.Lock(directory, kind.set, F_RDLCK);
      box.Lock(directory, kind.set, F_WRLCK);
    });
  }
}

void AddPosix(CaseList& cases) {
  cases.Add("lock.posix.any_close_drops_all", [](Box& box) {
    box.Create("f", "0123456789");
    auto fds = std::make_shared<Descriptors>();
    box.Play(2, {Opens(box, 0, fds),
                 Opens(box, 1, fds),
                 {0, [&] { fds->b = box.Open("f", O_RDONLY); }},
                 {0, [&] { box.Lock(fds->a, F_SETLK, F_WRLCK); }},
                 {1, [&] { box.Lock(fds->a, F_SETLK, F_WRLCK); }},
                 {0, [&] { box.Close(fds->b); }},
                 {1, [&] { box.Lock(fds->a, F_SETLK, F_WRLCK); }}});
  });
  cases.Add("lock.posix.split_and_merge", [](Box& box) {
    box.Create("f", "0123456789");
    auto fds = std::make_shared<Descriptors>();
    box.Play(2, {Opens(box, 0, fds),
                 Opens(box, 1, fds),
                 {0, [&] { box.Lock(fds->a, F_SETLK, F_WRLCK, 0, 100); }},
                 {0, [&] { box.Lock(fds->a, F_SETLK, F_UNLCK, 40, 20); }},
                 {0, [&] { box.Lock(fds->a, F_SETLK, F_RDLCK, 80, 10); }},
                 {1, [&] { box.GetLock(fds->a, F_GETLK, F_WRLCK, 0, 0); }},
                 {1, [&] { box.GetLock(fds->a, F_GETLK, F_WRLCK, 40, 0); }},
                 {1, [&] { box.GetLock(fds->a, F_GETLK, F_WRLCK, 80, 5); }},
                 {1, [&] { box.Lock(fds->a, F_SETLK, F_RDLCK, 80, 10); }},
                 {1, [&] { box.Lock(fds->a, F_SETLK, F_WRLCK, 40, 20); }},
                 {0, [&] { box.Lock(fds->a, F_SETLK, F_WRLCK, 0, 100); }},
                 {0, [&] { box.GetLock(fds->a, F_GETLK, F_WRLCK, 40, 30); }}});
  });
  cases.Add("lock.posix.not_inherited", [](Box& box) {
    box.Create("f", "0123456789");
    const int fd = box.Open("f", O_RDWR);
    box.Lock(fd, F_SETLK, F_WRLCK, 0, 5);
    box.Child([fd](Box& child) {
      child.Lock(fd, F_SETLK, F_WRLCK, 0, 5);
      child.Lock(fd, F_SETLK, F_WRLCK, 5, 5);
      child.Close(fd);
    });
    box.Child([fd](Box& child) { child.GetLock(fd, F_GETLK, F_WRLCK, 0, 0); });
  });
  cases.Add("lock.posix.end_of_process_drops", [](Box& box) {
    box.Create("f", "0123456789");
    const int fd = box.Open("f", O_RDWR);
    box.Child([](Box& child) {
      const int own = child.Open("f", O_RDWR);
      child.Lock(own, F_SETLK, F_WRLCK);
      ::kill(::getpid(), SIGKILL);
    });
    box.Lock(fd, F_SETLK, F_WRLCK);
  });
  cases.Add("lock.posix.relative_to_end", [](Box& box) {
    box.Create("f", "0123456789");
    auto fds = std::make_shared<Descriptors>();
    box.Play(2, {Opens(box, 0, fds),
                 Opens(box, 1, fds),
                 {0,
                  [&] {
                    struct flock range {};
                    range.l_type = F_WRLCK;
                    range.l_whence = SEEK_END;
                    range.l_start = -3;
                    box.Report("fcntl(end)", ::fcntl(fds->a, F_SETLK, &range));
                  }},
                 {1, [&] { box.GetLock(fds->a, F_GETLK, F_WRLCK, 0, 0); }},
                 {1, [&] { box.Lock(fds->a, F_SETLK, F_WRLCK, 0, 7); }}});
  });
  cases.Add("lock.posix.upgrade", [](Box& box) {
    box.Create("f", "0123456789");
    auto fds = std::make_shared<Descriptors>();
    box.Play(2, {Opens(box, 0, fds),
                 Opens(box, 1, fds),
                 {0, [&] { box.Lock(fds->a, F_SETLK, F_RDLCK); }},
                 {1, [&] { box.Lock(fds->a, F_SETLK, F_RDLCK); }},
                 {0, [&] { box.Lock(fds->a, F_SETLK, F_WRLCK); }},
                 {1, [&] { box.Lock(fds->a, F_SETLK, F_UNLCK); }},
                 {0, [&] { box.Lock(fds->a, F_SETLK, F_WRLCK); }},
                 {1, [&] { box.Lock(fds->a, F_SETLK, F_RDLCK); }},
                 {0, [&] { box.Lock(fds->a, F_SETLK, F_RDLCK); }},
                 {1, [&] { box.Lock(fds->a, F_SETLK, F_RDLCK); }}});
  });
  cases.Add("lock.posix.other_link_same_file", [](Box& box) {
    box.Create("f", "0123456789");
    box.Link("f", "g");
    const int fd = box.Open("f", O_RDWR);
    box.Lock(fd, F_SETLK, F_WRLCK);
    box.Child([](Box& child) {
      const int own = child.Open("g", O_RDWR);
      child.Lock(own, F_SETLK, F_WRLCK);
      child.GetLock(own, F_GETLK, F_RDLCK);
    });
  });
}

// One descriptor locks and is closed, the next one locks: how often that is refused.
int CountRefused(const std::function<bool(int fd)>& lock) {
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    UniqueFd first(::open("f", O_RDWR | O_CLOEXEC));
    const UniqueFd second(::open("f", O_RDWR | O_CLOEXEC));
    if (!lock(first.get())) ++refused;
    first.reset();
    if (!lock(second.get())) ++refused;
  }
  return refused;
}

void AddOfd(CaseList& cases) {
  cases.Add("lock.ofd.two_descriptions_of_one_process", [](Box& box) {
    box.Create("f", "0123456789");
    const int a = box.Open("f", O_RDWR);
    const int b = box.Open("f", O_RDWR);
    box.Lock(a, F_OFD_SETLK, F_WRLCK, 0, 5);
    box.Lock(b, F_OFD_SETLK, F_WRLCK, 0, 5);
    box.Lock(b, F_OFD_SETLK, F_WRLCK, 5, 5);
    box.GetLock(b, F_OFD_GETLK, F_WRLCK, 0, 0);
    box.Lock(b, F_SETLK, F_WRLCK, 0, 5);
    box.Lock(b, F_SETLK, F_WRLCK, 20, 5);
    const int twin = ::dup(a);
    box.Close(a);
    box.Lock(b, F_OFD_SETLK, F_WRLCK, 0, 5);
    ::close(twin);
    box.Lock(b, F_OFD_SETLK, F_WRLCK, 0, 5);
  });
  // The kernel tells a file system of the last close without waiting; who asks next must not find the lock still there.
  cases.Add("lock.ofd.free_at_once_after_close", [](Box& box) {
    box.Create("f", "0123456789");
    box.ReportValue("refused", CountRefused([](int fd) {
                      struct flock range {};
                      range.l_type = F_WRLCK;
                      return ::fcntl(fd, F_OFD_SETLK, &range) == 0;
                    }));
  });
  cases.Add("lock.ofd.inherited_by_fork", [](Box& box) {
    box.Create("f", "0123456789");
    const int fd = box.Open("f", O_RDWR);
    box.Lock(fd, F_OFD_SETLK, F_WRLCK, 0, 5);
    box.Child([fd](Box& child) {
      child.Lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10);
      child.Lock(fd, F_OFD_SETLK, F_UNLCK, 0, 5);
    });
    const int other = box.Open("f", O_RDWR);
    box.Lock(other, F_OFD_SETLK, F_WRLCK, 0, 5);
    box.Lock(other, F_OFD_SETLK, F_WRLCK, 5, 5);
  });
}

void AddFlock(CaseList& cases) {
  cases.Add("lock.flock.two_descriptions", [](Box& box) {
    box.Create("f", "1");
    const int a = box.Open("f", O_RDONLY);
    const int b = box.Open("f", O_RDWR);
    box.Flock(a, LOCK_SH | LOCK_NB);
    box.Flock(b, LOCK_SH | LOCK_NB);
    box.Flock(b, LOCK_EX | LOCK_NB);
    box.Flock(a, LOCK_UN);
    box.Flock(b, LOCK_EX | LOCK_NB);
    box.Flock(a, LOCK_SH | LOCK_NB);
    box.Flock(b, LOCK_SH | LOCK_NB);
    box.Flock(a, LOCK_SH | LOCK_NB);
    box.Flock(a, 99);
    box.Flock(a, LOCK_UN);
    box.Flock(a, LOCK_UN);
  });
  cases.Add("lock.flock.free_at_once_after_close", [](Box& box) {
    box.Create("f", "1");
    box.ReportValue("refused", CountRefused([](int fd) { return ::flock(fd, LOCK_EX | LOCK_NB) == 0; }));
  });
  cases.Add("lock.flock.between_processes", [](Box& box) {
    box.Create("f", "1");
    auto fds = std::make_shared<Descriptors>();
    box.Play(2, {Opens(box, 0, fds),
                 Opens(box, 1, fds),
                 {0, [&] { box.Flock(fds->a, LOCK_EX | LOCK_NB); }},
                 {1, [&] { box.Flock(fds->a, LOCK_SH | LOCK_NB); }},
                 {0, [&] { box.Close(fds->a); }},
                 {1, [&] { box.Flock(fds->a, LOCK_EX | LOCK_NB); }}});
  });
  cases.Add("lock.flock.waits", [](Box& box) {
    box.Create("f", "1");
    const int fd = box.Open("f", O_RDWR);
    box.Flock(fd, LOCK_EX);
    const pid_t child = box.Start([](Box& other) {
      const int own = other.Open("f", O_RDWR);
      other.Flock(own, LOCK_EX);
      other.Write(own, "child");
    });
    box.AwaitBlocked(child, {SYS_flock});
    box.Write(fd, "first");
    ::flock(fd, LOCK_UN);  // not logged: the waiter's line may come first
    box.Join(child);
    box.Contents("f");
  });
  cases.Add("lock.flock.shared_by_dup_and_fork", [](Box& box) {
    box.Create("f", "1");
    const int fd = box.Open("f", O_RDWR);
    box.Flock(fd, LOCK_EX);
    box.Child([fd](Box& child) { child.Flock(fd, LOCK_UN); });
    box.Flock(box.Open("f", O_RDWR), LOCK_EX | LOCK_NB);
  });
  cases.Add("lock.flock.independent_of_posix", [](Box& box) {
    box.Create("f", "1");
    const int fd = box.Open("f", O_RDWR);
    box.Flock(fd, LOCK_EX | LOCK_NB);
    box.Child([](Box& child) {
      const int own = child.Open("f", O_RDWR);
      child.Lock(own, F_SETLK, F_WRLCK);
      child.Flock(own, LOCK_SH | LOCK_NB);
    });
  });
  cases.Add("lock.flock.directory", [](Box& box) {
    box.Mkdir("d");
    box.Flock(box.Open("d", O_RDONLY), LOCK_EX | LOCK_NB);
    box.Flock(box.Open("d", O_RDONLY), LOCK_EX | LOCK_NB);
  });
}

}  // namespace

void AddLockCases(CaseList& cases) {
  AddKinds(cases);
  AddPosix(cases);
  AddOfd(cases);
  AddFlock(cases);
}

}  // namespace mirrorfs::conformance
