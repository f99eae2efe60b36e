// What a process in the container does beside the mount: changes that show, locks that conflict.
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

// These run without a container too: then the other way is the same way, which is what the mount is compared with.
const Traits kFresh = {};
const Traits kLower = {.place = Place::kLower};

int OpenInside(Box& box, const std::string& path, int flags) {
  const int fd = ::open(box.Inside(path).c_str(), flags | O_CLOEXEC, 0644);
  box.Report("open from inside(" + path + ")", fd);
  return fd;
}

std::string ReadAll(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string data(100000, '\0');
  const ssize_t got = ::read(fd.get(), data.data(), data.size());
  data.resize(size_t(got < 0 ? 0 : got));
  return data;
}

void AddLocks(CaseList& cases) {
  cases.Add(
      "inside.posix_lock_conflicts",
      [](Box& box) {
        box.Create("f", "0123456789");
        const int mine = box.Open("f", O_RDWR);
        box.Lock(mine, F_SETLK, F_WRLCK, 0, 5);
        box.Child([](Box& child) {
          const int other = OpenInside(child, "f", O_RDWR);
          child.Lock(other, F_SETLK, F_WRLCK, 0, 5);
          child.Lock(other, F_SETLK, F_RDLCK, 2, 1);
          child.Lock(other, F_SETLK, F_WRLCK, 5, 5);
          child.GetLock(other, F_GETLK, F_WRLCK, 0, 0);
        });
        box.Lock(mine, F_SETLK, F_UNLCK, 0, 5);
        box.Child([](Box& child) { child.Lock(OpenInside(child, "f", O_RDWR), F_SETLK, F_WRLCK, 0, 5); });
      },
      kFresh);
  cases.Add(
      "inside.posix_lock_held_there",
      [](Box& box) {
        box.Create("f", "0123456789");
        int fd = -1;
        box.Play(2, {{1, [&] { fd = OpenInside(box, "f", O_RDWR); }},
                     {1, [&] { box.Lock(fd, F_SETLK, F_WRLCK, 3, 4); }},
                     {0, [&] { fd = box.Open("f", O_RDWR); }},
                     {0, [&] { box.Lock(fd, F_SETLK, F_RDLCK, 0, 10); }},
                     {0, [&] { box.GetLock(fd, F_GETLK, F_RDLCK, 0, 10); }},
                     {0, [&] { box.Lock(fd, F_SETLK, F_WRLCK, 0, 3); }},
                     {1, [&] { box.Lock(fd, F_SETLK, F_UNLCK, 0, 0); }},
                     {0, [&] { box.Lock(fd, F_SETLK, F_WRLCK, 0, 10); }},
                     {1, [&] { box.Lock(fd, F_SETLK, F_WRLCK, 0, 10); }}});
      },
      kFresh);
  cases.Add(
      "inside.flock_conflicts",
      [](Box& box) {
        box.Create("f", "1");
        const int mine = box.Open("f", O_RDWR);
        const int other = OpenInside(box, "f", O_RDWR);
        box.Flock(mine, LOCK_EX | LOCK_NB);
        box.Flock(other, LOCK_SH | LOCK_NB);
        box.Flock(mine, LOCK_UN);
        box.Flock(other, LOCK_EX | LOCK_NB);
        box.Flock(mine, LOCK_SH | LOCK_NB);
        ::close(other);
        box.Flock(mine, LOCK_EX | LOCK_NB);
      },
      kFresh);
  cases.Add(
      "inside.waits_for_lock_there",
      [](Box& box) {
        box.Create("f", "0123456789");
        const int other = OpenInside(box, "f", O_RDWR);
        box.Lock(other, F_OFD_SETLK, F_WRLCK);
        const pid_t child = box.Start([](Box& waiter) {
          const int own = waiter.Open("f", O_RDWR);
          waiter.Lock(own, F_SETLKW, F_WRLCK);
        });
        box.AwaitBlocked(child, {SYS_fcntl});
        box.Note("released");
        struct flock everything {};  // not logged: the waiter's line may come first
        everything.l_type = F_UNLCK;
        ::fcntl(other, F_OFD_SETLK, &everything);
        box.Join(child);
      },
      kFresh);
  cases.Add(
      "inside.close_releases_for_there",
      [](Box& box) {
        box.Create("f", "0123456789");
        const int mine = box.Open("f", O_RDWR);
        const int other = OpenInside(box, "f", O_RDWR);
        box.Lock(mine, F_OFD_SETLK, F_WRLCK);
        box.Lock(other, F_OFD_SETLK, F_WRLCK);
        box.Close(mine);
        box.Eventually("free after close", [&] {
          struct flock range {};
          range.l_type = F_WRLCK;
          return ::fcntl(other, F_OFD_SETLK, &range) == 0;
        });
      },
      kFresh);
}

void AddChanges(CaseList& cases) {
  cases.Add(
      "inside.change_of_content_shows",
      [](Box& box) {
        box.Contents("file");
        const int fd = OpenInside(box, "file", O_WRONLY | O_TRUNC);
        box.ReportValue("write from inside", ::write(fd, "changed by the container", 24));
        ::close(fd);
        box.Eventually("new content", [] { return ReadAll("file") == "changed by the container"; });
        box.Show("file");
      },
      kLower);
  // Only ctime tells: a program that keeps pages while size and mtime are the same would show what was there before.
  cases.Add(
      "inside.change_behind_size_and_mtime_shows_at_open",
      [](Box& box) {
        box.Contents("file");
        const int fd = OpenInside(box, "file", O_WRONLY);
        struct stat before {};
        ::fstat(fd, &before);
        box.ReportValue("write from inside", ::write(fd, "Lower File\n", 11));
        const timespec times[] = {before.st_atim, before.st_mtim};
        box.ReportValue("times as before", ::futimens(fd, times));
        ::close(fd);
        box.Contents("file");
      },
      kLower);
  // Not a matter of time: an open asks.
  cases.Add(
      "inside.change_of_same_size_shows_at_open",
      [](Box& box) {
        box.Contents("file");
        const int fd = OpenInside(box, "file", O_WRONLY);
        box.ReportValue("write from inside", ::write(fd, "LOWER FILE\n", 11));
        ::close(fd);
        box.Contents("file");
      },
      kLower);
  cases.Add(
      "inside.new_name_shows",
      [](Box& box) {
        box.Show("new");
        box.List("dir");
        ::close(OpenInside(box, "new", O_CREAT | O_WRONLY));
        ::close(OpenInside(box, "dir/new", O_CREAT | O_WRONLY));
        box.Eventually("there", [] { return ::access("new", F_OK) == 0 && ::access("dir/new", F_OK) == 0; });
        box.Eventually("listed", [&] { return box.Names("dir").size() == 6; });
      },
      kLower);
  cases.Add(
      "inside.removed_name_goes",
      [](Box& box) {
        box.Show("file");
        box.List("dir");
        box.Report("unlink from inside", ::unlink(box.Inside("file").c_str()));
        box.Report("unlink from inside", ::unlink(box.Inside("dir/one").c_str()));
        box.Eventually("gone", [] { return ::access("file", F_OK) != 0 && ::access("dir/one", F_OK) != 0; });
        box.Eventually("not listed", [&] { return box.Names("dir").size() == 4; });
      },
      kLower);
  cases.Add(
      "inside.renamed_shows",
      [](Box& box) {
        box.Contents("file");
        box.Report("rename from inside", ::rename(box.Inside("readonly").c_str(), box.Inside("file").c_str()));
        box.Eventually("replaced", [] { return ReadAll("file") == "read only\n"; });
        box.Eventually("gone", [] { return ::access("readonly", F_OK) != 0; });
      },
      kLower);
  cases.Add(
      "inside.attributes_show",
      [](Box& box) {
        box.Show("file");
        box.Report("chmod from inside", ::chmod(box.Inside("file").c_str(), 0751));
        box.Eventually("new mode", [] {
          struct stat attributes {};
          return ::stat("file", &attributes) == 0 && (attributes.st_mode & 07777) == 0751;
        });
      },
      kLower);
  cases.Add(
      "inside.size_shows_to_open_handle",
      [](Box& box) {
        const int fd = box.Open("file", O_RDONLY);
        box.Read(fd, 100);
        const int other = OpenInside(box, "file", O_WRONLY | O_APPEND);
        box.ReportValue("write from inside", ::write(other, "appended\n", 9));
        box.Eventually("new size", [&] {
          struct stat attributes {};
          return ::fstat(fd, &attributes) == 0 && attributes.st_size == 20;
        });
        box.Read(fd, 100);
        box.Contents("file");
      },
      kLower);
  cases.Add(
      "inside.unlinked_there_still_readable",
      [](Box& box) {
        const int fd = box.Open("file", O_RDONLY);
        box.Report("unlink from inside", ::unlink(box.Inside("file").c_str()));
        box.Pread(fd, 100, 0);
        box.Eventually("no link left", [&] {
          struct stat attributes {};
          return ::fstat(fd, &attributes) == 0 && attributes.st_nlink == 0;
        });
      },
      kLower);
  cases.Add(
      "inside.replaced_there_old_handle_reads_old",
      [](Box& box) {
        const int fd = box.Open("file", O_RDONLY);
        box.Report("unlink from inside", ::unlink(box.Inside("file").c_str()));
        const int other = OpenInside(box, "file", O_CREAT | O_EXCL | O_WRONLY);
        box.ReportValue("write from inside", ::write(other, "another file", 12));
        ::close(other);
        box.Pread(fd, 100, 0);
        box.Eventually("new content", [] { return ReadAll("file") == "another file"; });
        box.Pread(fd, 100, 0);
      },
      kLower);
  cases.Add(
      "inside.created_there_exclusive_fails_here",
      [](Box& box) {
        box.Show("f");
        ::close(OpenInside(box, "f", O_CREAT | O_EXCL | O_WRONLY));
        box.Open("f", O_CREAT | O_EXCL | O_WRONLY, 0644);
        box.Mkdir("f");
        box.Report("mkdir from inside", ::mkdir(box.Inside("d").c_str(), 0755));
        box.Mkdir("d");
        box.Report("rmdir from inside", ::rmdir(box.Inside("d").c_str()));
        box.Mkdir("d");
      },
      kFresh);
  cases.Add(
      "inside.created_there_noreplace_fails_here",
      [](Box& box) {
        box.Create("f", "1");
        box.Show("g");
        ::close(OpenInside(box, "g", O_CREAT | O_EXCL | O_WRONLY));
        box.Rename("f", "g", RENAME_NOREPLACE);
        box.Report("unlink from inside", ::unlink(box.Inside("g").c_str()));
        box.Rename("f", "g", RENAME_NOREPLACE);
      },
      kFresh);
  cases.Add(
      "inside.append_to_what_was_appended_there",
      [](Box& box) {
        box.Create("f", "start ");
        const int mine = box.Open("f", O_WRONLY | O_APPEND);
        const int other = OpenInside(box, "f", O_WRONLY | O_APPEND);
        box.Write(mine, "mine ");
        box.Fsync(mine);
        box.ReportValue("write from inside", ::write(other, "theirs ", 7));
        box.Write(mine, "mine again ");
        box.Fsync(mine);
        box.Note(Summary(ReadAll(box.Inside("f"))));
      },
      kFresh);
}

}  // namespace

void AddInsideCases(CaseList& cases) {
  AddLocks(cases);
  AddChanges(cases);
}

}  // namespace mirrorfs::conformance
