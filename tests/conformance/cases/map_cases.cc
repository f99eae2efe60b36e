// Memory maps: shared and private, with read, write, truncate and copy-up beside them.
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"
#include "tests/conformance/fixture.h"

namespace mirrorfs::conformance {
namespace {

constexpr int kBoth = PROT_READ | PROT_WRITE;

// Touches a byte in a child, which may die of it.
void Touch(Box& box, std::string_view what, volatile char* at, bool write) {
  box.Note(what);
  box.Child([&](Box&) {
    ::signal(SIGBUS, SIG_DFL);
    if (write) {
      *at = 'T';
    } else {
      (void)*at;
    }
  });
}

void AddShared(CaseList& cases) {
  cases.Add("map.shared_and_read", [](Box& box) {
    box.Create("f", Pattern(10000));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 10000, kBoth, MAP_SHARED);
    std::memcpy(map + 4090, "across the page edge", 20);
    box.Pread(fd, 40, 4080);
    box.Pwrite(fd, "written", 8185);
    box.Note(Summary({map + 8180, 20}));
    box.Report("msync", ::msync(map, 10000, MS_SYNC));
    box.Contents("f");
  });
  cases.Add("map.shared_by_processes", [](Box& box) {
    box.Create("f", Pattern(8192));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 8192, kBoth, MAP_SHARED);
    box.Child([](Box& child) {
      const int own = child.Open("f", O_RDWR);
      char* other = child.Map(own, 8192, kBoth, MAP_SHARED);
      std::memcpy(other + 5000, "from the child", 14);
    });
    box.Note(Summary({map + 4995, 24}));
    box.Child([](Box& child) { child.Pwrite(child.Open("f", O_RDWR), "written by the child", 100); });
    box.Note(Summary({map + 95, 30}));
  });
  cases.Add("map.after_close", [](Box& box) {
    box.Create("f", Pattern(8192));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 8192, kBoth, MAP_SHARED);
    box.Close(fd);
    std::memcpy(map + 10, "after close", 11);
    box.Report("msync", ::msync(map, 8192, MS_SYNC));
    box.Contents("f");
    std::memcpy(map + 4100, "and again", 9);
    box.Report("munmap", ::munmap(map, 8192));
    box.Contents("f");
  });
  cases.Add("map.reaches_the_file", [](Box& box) {
    box.Create("f", Pattern(300000));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 300000, kBoth, MAP_SHARED);
    for (size_t at = 0; at < 300000; at += 7000) map[at] = 'M';
    box.Report("msync", ::msync(map, 300000, MS_SYNC));
    std::string data(400000, '\0');
    const int other = ::open(box.Inside("f").c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t got = ::read(other, data.data(), data.size());
    box.Check("equal from inside", got == 300000 && std::memcmp(map, data.data(), 300000) == 0);
    map[5] = 'N';
    box.Fsync(fd);
    char byte = 0;
    box.ReportValue("read", ::pread(other, &byte, 1, 5));
    box.Note(std::string(1, byte));
  });
  cases.Add("map.of_unlinked", [](Box& box) {
    box.Create("f", Pattern(8192));
    const int fd = box.Open("f", O_RDWR);
    box.Unlink("f");
    char* map = box.Map(fd, 8192, kBoth, MAP_SHARED);
    map[5000] = 'M';
    box.Report("msync", ::msync(map, 8192, MS_SYNC));
    box.Pread(fd, 10, 4995);
  });
  cases.Add("map.big_lower_file",
            [](Box& box) {
              const int fd = box.Open("big", O_RDONLY);
              char* map = box.Map(fd, kBigSize, PROT_READ, MAP_SHARED);
              box.Note(Summary({map, kBigSize}));
              char* part = box.Map(fd, 8192, PROT_READ, MAP_PRIVATE, (1 << 20) - 4096);
              box.Note(Summary({part + 4090, 12}));
              char* last = box.Map(fd, 4096, PROT_READ, MAP_SHARED, kBigSize / 4096 * 4096);
              box.Note(Summary({last, 4096}));
            },
            {.place = Place::kLowerBig});
}

void AddPrivate(CaseList& cases) {
  cases.Add("map.private", [](Box& box) {
    box.Create("f", Pattern(8192));
    const int fd = box.Open("f", O_RDONLY);
    char* map = box.Map(fd, 8192, kBoth, MAP_PRIVATE);
    std::memcpy(map, "mine only", 9);
    box.Contents("f");
    const int writer = box.Open("f", O_WRONLY);
    box.Pwrite(writer, "changed", 4096);
    box.Note(Summary({map, 12}));
    box.Note(Summary({map + 4096, 12}));
  });
  cases.Add("map.permissions", [](Box& box) {
    box.Create("f", Pattern(8192));
    const int reader = box.Open("f", O_RDONLY);
    const int writer = box.Open("f", O_WRONLY);
    const int both = box.Open("f", O_RDWR);
    for (const int fd : {reader, writer, both}) {
      for (const int protection : {PROT_READ, PROT_WRITE, kBoth}) {
        box.Map(fd, 4096, protection, MAP_SHARED);
        box.Map(fd, 4096, protection, MAP_PRIVATE);
      }
    }
    box.Map(both, 4096, PROT_READ, MAP_SHARED, 100);
    box.Map(both, 0, PROT_READ, MAP_SHARED);
    box.Map(both, 4096, PROT_READ, MAP_SHARED, 1 << 30);
    box.Mkdir("d");
    box.Map(box.Open("d", O_RDONLY), 4096, PROT_READ, MAP_SHARED);
    box.Map(box.Open("f", O_PATH), 4096, PROT_READ, MAP_SHARED);
    char* map = box.Map(reader, 4096, PROT_READ, MAP_SHARED);
    box.Report("mprotect", ::mprotect(map, 4096, kBoth));
  });
  cases.Add("map.shared_of_append_descriptor", [](Box& box) {
    box.Create("f", Pattern(5000));
    const int fd = box.Open("f", O_RDWR | O_APPEND);
    char* map = box.Map(fd, 5000, kBoth, MAP_SHARED);
    if (map == nullptr) return;
    map[10] = 'M';
    box.Report("msync", ::msync(map, 5000, MS_SYNC));
    box.Write(fd, "appended");
    map[4500] = 'N';
    box.Report("msync", ::msync(map, 5000, MS_SYNC));
    box.Contents("f");
  });
  cases.Add("map.execute",
            [](Box& box) {
              const int fd = box.Open("program", O_RDONLY);
              void* map = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
              box.Check("mapped", map != MAP_FAILED);
              box.Note(Summary({static_cast<char*>(map), 4}));
              box.Execute("program");
            },
            {.place = Place::kLower});
}

void AddEnds(CaseList& cases) {
  cases.Add("map.beyond_the_end", [](Box& box) {
    box.Create("f", Pattern(5000));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 16384, kBoth, MAP_SHARED);
    box.Note(Summary({map + 4995, 10}));
    Touch(box, "rest of the last page", map + 8191, true);
    Touch(box, "page beyond", map + 8192, false);
    Touch(box, "write beyond", map + 12000, true);
    box.ShowFd(fd);
    box.Ftruncate(fd, 8192);
    box.Pread(fd, 10, 8182);
    box.Ftruncate(fd, 16384);
    Touch(box, "now inside", map + 12000, true);
    box.Note(Summary({map + 11995, 10}));
  });
  cases.Add("map.truncated", [](Box& box) {
    box.Create("f", Pattern(20000));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 20000, kBoth, MAP_SHARED);
    std::memcpy(map + 10000, "dirty", 5);
    box.Ftruncate(fd, 4097);
    Touch(box, "kept", map + 4096, false);
    Touch(box, "cut", map + 8192, false);
    box.Note(Summary({map + 4090, 20}));
    box.Ftruncate(fd, 20000);
    box.Note(Summary({map + 9995, 20}));
    box.Contents("f");
  });
  cases.Add("map.truncated_by_path", [](Box& box) {
    box.Create("f", Pattern(20000));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 20000, kBoth, MAP_SHARED);
    map[15000] = 'd';
    box.Truncate("f", 0);
    Touch(box, "cut", map, false);
    box.ShowFd(fd);
    box.Open("f", O_WRONLY | O_TRUNC);
    box.Pwrite(fd, "new", 0);
    box.Note(Summary({map, 10}));
  });
  cases.Add("map.of_empty", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    char* map = box.Map(fd, 4096, kBoth, MAP_SHARED);
    Touch(box, "nothing there", map, false);
    box.Write(fd, "something");
    Touch(box, "there now", map, true);
    box.Contents("f");
  });
  cases.Add("map.punched", [](Box& box) {
    box.Create("f", Pattern(20000));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 20000, kBoth, MAP_SHARED);
    map[5000] = 'd';
    box.Fallocate(fd, 3, 4096, 8192);
    box.Note(Summary({map, 20000}));
    map[6000] = 'e';
    box.Report("msync", ::msync(map, 20000, MS_SYNC));
    box.Contents("f");
  });
  cases.Add("map.replaced_file", [](Box& box) {
    box.Create("f", Pattern(5000, 1));
    box.Create("g", Pattern(5000, 2));
    char* map = box.Map(box.Open("f", O_RDWR), 5000, kBoth, MAP_SHARED);
    box.Rename("g", "f");
    box.Note(Summary({map, 10}));
    map[0] = 'z';
    box.Contents("f");
  });
}

void AddCoherence(CaseList& cases) {
  cases.Add("map.with_direct_reads", [](Box& box) {
    box.Create("f", Pattern(8192));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 8192, kBoth, MAP_SHARED);
    std::memcpy(map + 100, "mapped", 6);
    box.Report("msync", ::msync(map, 8192, MS_SYNC));
    const int direct = box.Open("f", O_RDWR | O_DIRECT);
    alignas(4096) static char buffer[8192];
    box.ReportValue("pread", ::pread(direct, buffer, 8192, 0));
    box.Note(Summary({buffer + 95, 20}));
    std::memcpy(buffer + 5000, "direct", 6);
    box.ReportValue("pwrite", ::pwrite(direct, buffer + 4096, 4096, 4096));
    box.Note(Summary({map + 4995, 20}));
  });
  cases.Add("map.many_small_stores_and_writes", [](Box& box) {
    box.Create("f", Pattern(100000));
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 100000, kBoth, MAP_SHARED);
    for (size_t i = 0; i < 200; ++i) {
      const size_t at = (i * 7919) % 99000;
      if (i % 2 == 0) {
        map[at] = char('a' + i % 26);
      } else if (::pwrite(fd, "0123456789", 10, off_t(at)) != 10) {
        box.Note("short");
      }
    }
    box.Note(Summary({map, 100000}));
    box.Pread(fd, 100000, 0);
    box.Fsync(fd);
    box.Close(fd);
    box.Contents("f");
  });
  cases.Add("map.extended_by_write", [](Box& box) {
    box.Create("f", "start");
    const int fd = box.Open("f", O_RDWR);
    char* map = box.Map(fd, 8192, kBoth, MAP_SHARED);
    box.Pwrite(fd, Pattern(5000), 3000);
    box.Note(Summary({map, 8000}));
    map[4000] = 'm';
    box.Pwrite(fd, "end", 8000);
    box.ShowFd(fd);
    box.Contents("f");
  });
}

}  // namespace

void AddMapCases(CaseList& cases) {
  AddShared(cases);
  AddPrivate(cases);
  AddEnds(cases);
  AddCoherence(cases);
}

}  // namespace mirrorfs::conformance
