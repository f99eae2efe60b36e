// Listing directories: completeness, positions, changes while they are read.
#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"
#include "tests/conformance/fixture.h"

namespace mirrorfs::conformance {
namespace {

class Directory {
 public:
  explicit Directory(const char* path) : stream_(::opendir(path)) {}
  ~Directory() {
    if (stream_ != nullptr) ::closedir(stream_);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  DIR* get() const { return stream_; }
  // The next name; empty at the end.
  std::string Next() {
    const dirent* entry = ::readdir(stream_);
    return entry == nullptr ? std::string() : entry->d_name;
  }
  std::vector<std::string> Rest() {
    std::vector<std::string> names;
    for (std::string name = Next(); !name.empty(); name = Next()) names.push_back(name);
    return names;
  }

 private:
  DIR* stream_;
};

bool HasTwins(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

void MakeFiles(Box& box, int count) {
  box.Mkdir("d");
  for (int i = 0; i < count; ++i) {
    if (::mknod(fmt::format("d/file{:04}", i).c_str(), S_IFREG | 0644, 0) != 0) box.Note("mknod failed");
  }
}

// The files that nobody touched must be there, each once.
void CheckUntouched(Box& box, const std::vector<std::string>& names, const std::function<bool(int)>& untouched,
                    int count) {
  const std::set<std::string> seen(names.begin(), names.end());
  int missing = 0;
  for (int i = 0; i < count; ++i) {
    if (untouched(i) && seen.count(fmt::format("file{:04}", i)) == 0) ++missing;
  }
  box.Check("nothing twice", !HasTwins(names));
  box.Note(fmt::format("{} missing", missing));
}

void AddCounts(CaseList& cases) {
  for (const int count : {0, 1, 2, 20, 127, 128, 129, 500, 3000}) {
    cases.Add("directory.list_of_" + std::to_string(count), [count](Box& box) {
      MakeFiles(box, count);
      box.List("d");
      std::vector<std::string> names = box.Names("d");
      box.ReportValue("entries", long(names.size()));
      box.Check("nothing twice", !HasTwins(names));
    });
  }
  cases.Add("directory.long_names", [](Box& box) {
    box.Mkdir("d");
    for (int i = 0; i < 150; ++i) {
      if (::mknod(fmt::format("d/{:0>255}", i).c_str(), S_IFREG | 0644, 0) != 0) box.Note("mknod failed");
    }
    box.List("d");
  });
  cases.Add("directory.lower",
            [](Box& box) {
              box.List(".");
              box.List("many");
              box.List("dir");
              box.List("dirlink");
              box.List("empty_dir");
              box.List("file");
              box.List("fifo");
              box.List("missing");
              box.List("loop");
            },
            {.place = Place::kLowerMany});
  cases.Add("directory.lower_and_upper_merged",
            [](Box& box) {
              for (int i = 0; i < kManyFiles; i += 2) ::unlink(fmt::format("many/file{:05}", i).c_str());
              for (int i = 0; i < 50; ++i) ::mknod(fmt::format("many/new{}", i).c_str(), S_IFREG | 0644, 0);
              box.List("many");
              box.Rename("many/file00001", "many/renamed");
              box.Unlink("many/new3");
              box.List("many");
              box.Show("many/file00000");
              box.Show("many/file00003");
              box.Create("many/file00000", "again");
              box.Contents("many/file00000");
              box.List("many");
            },
            {.place = Place::kLowerMany});
  cases.Add("directory.inode_numbers_agree", [](Box& box) {
    box.Mkdir("d/");
    box.Create("d/f");
    box.Mkdir("d/sub");
    box.Symlink("x", "d/s");
    Directory directory("d");
    int wrong = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
      struct stat attributes;
      if (::lstat(fmt::format("d/{}", entry->d_name).c_str(), &attributes) != 0) ++wrong;
      if (std::string(entry->d_name) != ".." && attributes.st_ino != entry->d_ino) ++wrong;
    }
    box.ReportValue("wrong", wrong);
  });
  cases.Add("directory.types", [](Box& box) {
    box.Mkdir("d");
    box.Create("d/f");
    box.Mkdir("d/sub");
    box.Symlink("x", "d/s");
    box.Mknod("d/p", S_IFIFO | 0644);
    box.Mknod("d/k", S_IFSOCK | 0644);
    box.List("d");
  });
}

void AddPositions(CaseList& cases) {
  cases.Add("directory.seek_to_each_position", [](Box& box) {
    MakeFiles(box, 150);
    Directory directory("d");
    std::vector<long> positions;
    std::vector<std::string> names;
    for (;;) {
      positions.push_back(::telldir(directory.get()));
      const std::string name = directory.Next();
      if (name.empty()) break;
      names.push_back(name);
    }
    int wrong = 0;
    for (size_t i = 0; i < names.size(); ++i) {
      const size_t at = (i * 37) % names.size();
      ::seekdir(directory.get(), positions[at]);
      if (directory.Next() != names[at]) ++wrong;
    }
    box.ReportValue("wrong", wrong);
    ::seekdir(directory.get(), positions.back());
    box.Check("end", directory.Next().empty());
  });
  cases.Add("directory.rewind_shows_changes", [](Box& box) {
    MakeFiles(box, 10);
    Directory directory("d");
    box.ReportValue("entries", long(directory.Rest().size()));
    box.Unlink("d/file0003");
    box.Create("d/new");
    ::rewinddir(directory.get());
    std::vector<std::string> names = directory.Rest();
    std::sort(names.begin(), names.end());
    box.Note(fmt::format("{}", fmt::join(names, " ")));
  });
  cases.Add("directory.seek_of_descriptor", [](Box& box) {
    MakeFiles(box, 5);
    const int fd = box.Open("d", O_RDONLY | O_DIRECTORY);
    alignas(8) char buffer[4096];
    box.Check("entries", ::syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
    box.ReportValue("getdents64", ::syscall(SYS_getdents64, fd, buffer, sizeof buffer));
    box.Report("lseek", ::lseek(fd, 0, SEEK_SET));
    box.Check("entries again", ::syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
    box.Report("lseek", ::lseek(fd, -1, SEEK_SET));
    box.ReportValue("getdents64", ::syscall(SYS_getdents64, fd, buffer, 1));
    const int file = box.Open("d/file0001", O_RDONLY);
    box.ReportValue("getdents64", ::syscall(SYS_getdents64, file, buffer, sizeof buffer));
  });
  cases.Add("directory.small_buffers", [](Box& box) {
    MakeFiles(box, 300);
    const int fd = box.Open("d", O_RDONLY | O_DIRECTORY);
    alignas(8) char buffer[64];
    int calls = 0;
    std::vector<std::string> names;
    for (long got; (got = ::syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0; ++calls) {
      for (long at = 0; at < got;) {
        const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
        names.push_back(entry->d_name);
        at += entry->d_reclen;
      }
    }
    CheckUntouched(
        box, names, [](int) { return true; }, 300);
  });
  cases.Add("directory.two_readers", [](Box& box) {
    MakeFiles(box, 300);
    Directory a("d");
    Directory b("d");
    std::vector<std::string> first;
    std::vector<std::string> second;
    for (int i = 0; i < 150; ++i) {
      first.push_back(a.Next());
      second.push_back(b.Next());
      second.push_back(b.Next());
    }
    box.Check("same order", std::equal(first.begin(), first.end(), second.begin()));
  });
}

void AddChanges(CaseList& cases) {
  for (const int count : {50, 2000}) {
    const std::string suffix = std::to_string(count);
    cases.Add("directory.create_while_reading." + suffix, [count](Box& box) {
      MakeFiles(box, count);
      Directory directory("d");
      std::vector<std::string> names;
      for (int i = 0; i < count / 2; ++i) names.push_back(directory.Next());
      for (int i = 0; i < 20; ++i) ::mknod(fmt::format("d/new{}", i).c_str(), S_IFREG | 0644, 0);
      for (const std::string& name : directory.Rest()) names.push_back(name);
      CheckUntouched(
          box, names, [](int) { return true; }, count);
      box.List("d");
    });
    cases.Add("directory.unlink_while_reading." + suffix, [count](Box& box) {
      MakeFiles(box, count);
      Directory directory("d");
      std::vector<std::string> names;
      for (int i = 0; i < count / 2; ++i) names.push_back(directory.Next());
      for (int i = 0; i < count; i += 3) ::unlink(fmt::format("d/file{:04}", i).c_str());
      for (const std::string& name : directory.Rest()) names.push_back(name);
      CheckUntouched(
          box, names, [](int i) { return i % 3 != 0; }, count);
      box.List("d");
    });
    cases.Add("directory.remove_all_as_read." + suffix, [count](Box& box) {
      MakeFiles(box, count);
      Directory directory("d");
      for (std::string name = directory.Next(); !name.empty(); name = directory.Next()) {
        if (name != "." && name != ".." && ::unlink(("d/" + name).c_str()) != 0) box.Report("unlink", -1);
      }
      box.List("d");
      box.Rmdir("d");
    });
    cases.Add("directory.rename_while_reading." + suffix, [count](Box& box) {
      MakeFiles(box, count);
      Directory directory("d");
      std::vector<std::string> names;
      for (int i = 0; i < count / 2; ++i) names.push_back(directory.Next());
      for (int i = 0; i < count; i += 5) {
        ::rename(fmt::format("d/file{:04}", i).c_str(), fmt::format("d/moved{:04}", i).c_str());
      }
      for (const std::string& name : directory.Rest()) names.push_back(name);
      CheckUntouched(
          box, names, [](int i) { return i % 5 != 0; }, count);
      box.List("d");
    });
  }
  cases.Add("directory.sync", [](Box& box) {
    MakeFiles(box, 3);
    const int fd = box.Open("d", O_RDONLY | O_DIRECTORY);
    box.Fsync(fd);
    box.Fdatasync(fd);
    box.Report("syncfs", ::syncfs(fd));
    box.Unlink("d/file0001");
    box.Fsync(fd);
  });
  cases.Add("directory.statfs", [](Box& box) {
    box.Create("f");
    box.Mkdir("d");
    for (const char* path : {".", "f", "d", "missing", "f/x"}) box.Statfs(path);
  });
}

}  // namespace

void AddDirectoryCases(CaseList& cases) {
  AddCounts(cases);
  AddPositions(cases);
  AddChanges(cases);
}

}  // namespace mirrorfs::conformance
