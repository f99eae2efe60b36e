// read, write and their kin: sizes around page and chunk edges, append, sync, direct.
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"
#include "tests/conformance/fixture.h"

namespace mirrorfs::conformance {
namespace {

constexpr off_t kPage = 4096;
constexpr off_t kRequest = 128 << 10;
constexpr off_t kChunk = 1 << 20;
constexpr off_t kEdges[] = {0, kPage, kRequest, kChunk, 2 * kChunk, off_t(kBigSize)};

void AddEdges(CaseList& cases) {
  for (const off_t edge : kEdges) {
    const std::string suffix = std::to_string(edge);
    cases.Add("io.read_at_edge." + suffix,
              [edge](Box& box) {
                const int fd = box.Open("big", O_RDONLY);
                for (const off_t start : {edge - 5, edge - 1, edge, edge + 1}) {
                  for (const size_t size : {1, 2, 10, 4096, 70000}) {
                    if (start >= 0) box.Pread(fd, size, start);
                  }
                }
              },
              {.place = Place::kLowerBig});
    cases.Add("io.direct_read_at_edge." + suffix,
              [edge](Box& box) {
                const int fd = box.Open("big", O_RDONLY | O_DIRECT);
                const std::unique_ptr<char, decltype(&::free)> buffer(
                    static_cast<char*>(::aligned_alloc(4096, 2 * kChunk)), ::free);
                for (const size_t size : {size_t(4096), size_t(kRequest), size_t(2 * kChunk)}) {
                  const off_t start = std::max<off_t>(0, (edge - 4096) & ~(kPage - 1));
                  const ssize_t got = ::pread(fd, buffer.get(), size, start);
                  box.ReportValue("pread", got);
                  if (got > 0) box.Note(Summary({buffer.get(), size_t(got)}));
                }
              },
              {.place = Place::kLowerBig});
    cases.Add("io.write_at_edge." + suffix,
              [edge](Box& box) {
                const int fd = box.Open("big", O_RDWR);
                for (const off_t start : {edge - 5, edge - 1, edge, edge + 1}) {
                  if (start < 0) continue;
                  box.Pwrite(fd, "0123456789", start);
                  box.Pread(fd, 30, std::max<off_t>(0, start - 10));
                }
                box.Pwrite(fd, Pattern(70000, 7), edge);
                box.ShowFd(fd);
                box.Close(fd);
                box.Contents("big");
              },
              {.place = Place::kLowerBig});
    cases.Add("io.truncate_at_edge." + suffix,
              [edge](Box& box) {
                const int fd = box.Open("big", O_RDWR);
                for (const off_t size : {edge + 1, edge, edge - 1, edge + 5000}) {
                  if (size < 0) continue;
                  box.Ftruncate(fd, size);
                  box.ShowFd(fd);
                  box.Pread(fd, 9000, std::max<off_t>(0, size - 6000));
                }
                box.Close(fd);
                box.Contents("big");
              },
              {.place = Place::kLowerBig});
    cases.Add("io.new_file_of_size." + suffix, [edge](Box& box) {
      for (const off_t size : {edge - 1, edge, edge + 1}) {
        if (size < 0) continue;
        const std::string name = std::to_string(size);
        box.Create(name, Pattern(size_t(size)));
        box.Show(name);
        box.Contents(name);
      }
    });
  }
}

void AddSequences(CaseList& cases) {
  for (const size_t step :
       {size_t(1000), size_t(4096), size_t(65536), size_t(131072), size_t(999983), size_t(4) << 20}) {
    cases.Add("io.read_sequence.steps_of_" + std::to_string(step),
              [step](Box& box) {
                const int fd = box.Open("big", O_RDONLY);
                std::string all;
                std::string buffer(step, '\0');
                for (ssize_t got; (got = ::read(fd, buffer.data(), step)) > 0;) {
                  if (size_t(got) < step && all.size() + size_t(got) != kBigSize)
                    box.Note("short read inside of the file");
                  all.append(buffer.data(), size_t(got));
                }
                box.Note(Summary(all));
                box.Read(fd, 1);
              },
              {.place = Place::kLowerBig});
    cases.Add("io.write_sequence.steps_of_" + std::to_string(step), [step](Box& box) {
      const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
      const std::string data = Pattern(kBigSize, 3);
      for (size_t at = 0; at < data.size(); at += step) {
        const std::string part = data.substr(at, step);
        if (::write(fd, part.data(), part.size()) != ssize_t(part.size())) box.Note("short write");
      }
      box.ShowFd(fd);
      box.Close(fd);
      box.Show("f");
      box.Contents("f");
    });
  }
  cases.Add("io.read_backwards",
            [](Box& box) {
              const int fd = box.Open("big", O_RDONLY);
              for (off_t at = kBigSize - 100000; at >= 0; at -= 250000) box.Pread(fd, 100000, at);
            },
            {.place = Place::kLowerBig});
  cases.Add("io.byte_by_byte",
            [](Box& box) {
              const int fd = box.Open("file", O_RDONLY);
              for (int i = 0; i < 13; ++i) box.Read(fd, 1);
            },
            {.place = Place::kLower});
  cases.Add("io.write_byte_by_byte", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    const std::string data = Pattern(5000);
    for (char byte : data) {
      if (::write(fd, &byte, 1) != 1) box.Note("not written");
    }
    box.Seek(fd, 0, SEEK_SET);
    std::string all;
    for (char byte; ::read(fd, &byte, 1) == 1;) all += byte;
    box.Check("equal", all == data);
    box.ShowFd(fd);
  });
}

void AddAppend(CaseList& cases) {
  cases.Add("io.append", [](Box& box) {
    box.Create("f", "start ");
    const int fd = box.Open("f", O_RDWR | O_APPEND);
    box.Write(fd, "one ");
    box.Seek(fd, 0, SEEK_SET);
    box.Write(fd, "two ");
    box.Seek(fd, 0, SEEK_CUR);
    box.Pwrite(fd, "three ", 0);  // Linux appends
    box.Contents("f");
    box.Truncate("f", 2);
    box.Write(fd, "four");
    box.Contents("f");
    box.ShowFd(fd);
  });
  cases.Add("io.append_to_lower",
            [](Box& box) {
              const int fd = box.Open("file", O_WRONLY | O_APPEND);
              box.Write(fd, "and more\n");
              box.Close(fd);
              box.Contents("file");
              box.Show("file");
            },
            {.place = Place::kLower});
  cases.Add("io.append_by_two_descriptors", [](Box& box) {
    box.Create("f");
    const int a = box.Open("f", O_WRONLY | O_APPEND);
    const int b = box.Open("f", O_WRONLY | O_APPEND);
    const int c = box.Open("f", O_RDWR);
    for (int i = 0; i < 5; ++i) {
      box.Write(a, "aaa");
      box.Write(b, "bb");
    }
    box.Write(c, "C");
    box.Write(a, "!");
    box.Contents("f");
  });
  cases.Add("io.append_beyond_pages", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR | O_APPEND, 0644);
    for (int i = 0; i < 60; ++i) {
      const std::string data = Pattern(7001, unsigned(i));
      if (::write(fd, data.data(), data.size()) != ssize_t(data.size())) box.Note("short");
    }
    box.ShowFd(fd);
    box.Contents("f");
  });
}

void AddVectors(CaseList& cases) {
  cases.Add("io.vectors", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    char one[] = "one";
    char two[] = "two22";
    iovec parts[] = {{one, 3}, {two, 0}, {two, 5}};
    box.ReportValue("writev", ::writev(fd, parts, 3));
    box.ReportValue("pwritev", ::pwritev(fd, parts, 3, 100));
    box.ReportValue("pwritev2", ::pwritev2(fd, parts, 3, -1, RWF_APPEND));
    box.ReportValue("pwritev2", ::pwritev2(fd, parts, 1, 50, RWF_DSYNC));
    box.ReportValue("readv", ::preadv(fd, parts, 3, 98));
    box.Note(std::string(one) + two);
    volatile int negative = -1;  // unknown to the compiler, which would warn
    box.ReportValue("writev", ::writev(fd, parts, negative));
    box.ReportValue("pwritev", ::pwritev(fd, parts, 1, -5));
    box.Contents("f");
  });
  cases.Add("io.bad_arguments", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    box.Write(fd, "12345");
    box.Pread(fd, 1, -1);
    box.Pwrite(fd, "x", -1);
    box.Seek(fd, -1, SEEK_SET);
    box.Seek(fd, 0, 99);
    box.Seek(fd, 1000, SEEK_SET);
    box.Read(fd, 10);
    box.Seek(fd, 0, SEEK_CUR);
    void* volatile nowhere = reinterpret_cast<void*>(8);
    box.ReportValue("write", ::pwrite(fd, nowhere, 10, 0));
    box.ReportValue("read", ::pread(fd, nowhere, 5, 0));
    box.Ftruncate(fd, -1);
    box.Truncate("f", -1);
    box.Contents("f");
  });
  cases.Add("io.write_beyond_end", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    box.Pwrite(fd, "far", 3000000);
    box.ShowFd(fd);
    box.Pread(fd, 100, 2999950);
    box.Pread(fd, 10, 0);
    box.Pwrite(fd, "near", 5);
    box.Contents("f");
  });
}

int OpenDirect(Box& box, const char* path, int flags) { return box.Open(path, flags | O_DIRECT, 0644); }

void AddDirect(CaseList& cases) {
  cases.Add("io.direct_write", [](Box& box) {
    const int fd = OpenDirect(box, "f", O_CREAT | O_RDWR);
    const std::unique_ptr<char, decltype(&::free)> buffer(static_cast<char*>(::aligned_alloc(4096, 2 * kChunk)),
                                                          ::free);
    Pattern(2 * kChunk, 9).copy(buffer.get(), 2 * kChunk);
    box.ReportValue("pwrite", ::pwrite(fd, buffer.get(), 4096, 0));
    box.ReportValue("pwrite", ::pwrite(fd, buffer.get(), size_t(2 * kChunk), 8192));
    box.ShowFd(fd);
    box.Contents("f");
    const int cached = box.Open("f", O_RDWR);
    box.Pwrite(cached, "through the cache", 4000);
    box.ReportValue("pread", ::pread(fd, buffer.get(), 8192, 0));
    box.Note(Summary({buffer.get(), 8192}));
    box.ReportValue("pwrite", ::pwrite(fd, buffer.get() + 4096, 4096, 0));
    box.Pread(cached, 4096, 0);
  });
  cases.Add("io.direct_append", [](Box& box) {
    const int fd = OpenDirect(box, "f", O_CREAT | O_RDWR | O_APPEND);
    const std::unique_ptr<char, decltype(&::free)> buffer(static_cast<char*>(::aligned_alloc(4096, 8192)), ::free);
    Pattern(8192).copy(buffer.get(), 8192);
    for (int i = 0; i < 3; ++i) box.ReportValue("write", ::write(fd, buffer.get(), 8192));
    box.ShowFd(fd);
    box.Contents("f");
  });
}

void AddSync(CaseList& cases) {
  for (const auto& [name, flag] : {std::pair<const char*, int>{"sync", O_SYNC}, {"dsync", O_DSYNC}, {"fsync", 0}}) {
    cases.Add(std::string("io.written.") + name, [flag = flag](Box& box) {
      const int fd = box.Open("f", O_CREAT | O_RDWR | flag, 0644);
      box.Write(fd, Pattern(50000));
      box.Fsync(fd);
      box.Fdatasync(fd);
      const int other = ::open(box.Inside("f").c_str(), O_RDONLY | O_CLOEXEC);
      std::string data(60000, '\0');
      box.ReportValue("read from inside", ::read(other, data.data(), data.size()));
      box.Check("equal", data.substr(0, 50000) == Pattern(50000));
      box.Report("sync_file_range", ::sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE));
      box.Report("syncfs", ::syncfs(fd));
      box.Report("fadvise", ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
      box.Pread(fd, 60000, 0);
    });
  }
  cases.Add("io.close_writes", [](Box& box) {
    box.Create("f", Pattern(200000));
    const int other = ::open(box.Inside("f").c_str(), O_RDONLY | O_CLOEXEC);
    std::string data(300000, '\0');
    const ssize_t got = ::read(other, data.data(), data.size());
    box.Check("there after close", got == 200000 && data.substr(0, 200000) == Pattern(200000));
  });
  cases.Add("io.writers_see_each_other", [](Box& box) {
    box.Create("f", Pattern(9000));
    const int a = box.Open("f", O_RDWR);
    const int b = box.Open("f", O_RDWR);
    for (int i = 0; i < 4; ++i) {
      box.Pwrite(a, "from a", i * 3000);
      box.Pread(b, 12, i * 3000);
      box.Pwrite(b, "from b", i * 3000 + 6);
      box.Pread(a, 12, i * 3000);
    }
    box.Ftruncate(a, 100);
    box.ShowFd(b);
    box.Pread(b, 200, 50);
    box.Pwrite(b, "beyond", 150);
    box.ShowFd(a);
    box.Pread(a, 200, 90);
  });
}

}  // namespace

void AddReadWriteCases(CaseList& cases) {
  AddEdges(cases);
  AddSequences(cases);
  AddAppend(cases);
  AddVectors(cases);
  AddDirect(cases);
  AddSync(cases);
}

}  // namespace mirrorfs::conformance
