// Holes: SEEK_DATA and SEEK_HOLE, fallocate in all its modes, truncate.
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"
#include "tests/conformance/fixture.h"

namespace mirrorfs::conformance {
namespace {

constexpr off_t kMiB = 1 << 20;

struct Mode {
  const char* name;
  int mode;
};

constexpr Mode kModes[] = {
    {"allocate", 0},
    {"keep_size", FALLOC_FL_KEEP_SIZE},
    {"punch", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE},
    {"punch_without_keep", FALLOC_FL_PUNCH_HOLE},
    {"zero", FALLOC_FL_ZERO_RANGE},
    {"zero_keep_size", FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE},
    {"unshare", FALLOC_FL_UNSHARE_RANGE},
    {"unknown", 0x4000},
    {"zero_and_punch", FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE},
    {"collapse_keep_size", FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE},
};

void FallocateCase(Box& box, int mode) {
  const std::pair<off_t, off_t> kRanges[] = {{0, 4096},     {8192, 8192}, {100, 5000}, {16384, 40000}, {90000, 4096},
                                             {200000, 100}, {0, 0},       {-1, 10},    {10, -1},       {0, 65536}};
  int n = 0;
  for (const auto& [offset, length] : kRanges) {
    const std::string name = "f" + std::to_string(n++);
    box.Create(name, Pattern(65536));
    const int fd = box.Open(name, O_RDWR);
    box.Fallocate(fd, mode, offset, length);
    box.ShowFd(fd);
    box.Pread(fd, 300000, 0);
    box.Fsync(fd);
    box.Extents(fd);
    box.Close(fd);
  }
}

void AddSeek(CaseList& cases) {
  cases.Add("sparse.lower_file",
            [](Box& box) {
              const int fd = box.Open("sparse", O_RDONLY);
              box.Extents(fd);
              const off_t first = kSparseHole;
              const off_t second = 2 * kSparseHole + kSparseData;
              const off_t end = second + off_t(kSparseData);
              for (const off_t at :
                   {off_t(0), first, first + 1, first + off_t(kSparseData), second - 1, second, end - 1, end}) {
                box.Seek(fd, at, SEEK_DATA);
                box.Seek(fd, at, SEEK_HOLE);
              }
              box.Seek(fd, 100 * kMiB, SEEK_DATA);
              box.Seek(fd, 100 * kMiB, SEEK_HOLE);
              box.Seek(fd, -1, SEEK_DATA);
              box.Seek(fd, -1, SEEK_HOLE);
              box.Read(fd, 10);
            },
            {.place = Place::kLower});
  cases.Add("sparse.lower_file_after_copy_up",
            [](Box& box) {
              const int fd = box.Open("sparse", O_RDWR);
              box.Pwrite(fd, "x", 0);
              box.Fsync(fd);
              box.Extents(fd);
              box.Contents("sparse");
            },
            {.place = Place::kLower});
  cases.Add("sparse.seek_moves_the_offset", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    box.Pwrite(fd, Pattern(4096), kMiB);
    box.Fsync(fd);
    box.Seek(fd, 0, SEEK_DATA);
    box.Seek(fd, 0, SEEK_CUR);
    box.Read(fd, 20);
    box.Seek(fd, 0, SEEK_HOLE);
    box.Read(fd, 5);
    box.Seek(fd, 0, SEEK_END);
    box.Seek(fd, 0, SEEK_DATA);
    box.Seek(fd, kMiB + 4096, SEEK_DATA);
    box.Seek(fd, kMiB + 4096, SEEK_HOLE);
    box.Seek(fd, 0, SEEK_CUR);
  });
  cases.Add("sparse.empty_and_full", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    box.Seek(fd, 0, SEEK_DATA);
    box.Seek(fd, 0, SEEK_HOLE);
    box.Ftruncate(fd, kMiB);
    box.Seek(fd, 0, SEEK_DATA);
    box.Seek(fd, 0, SEEK_HOLE);
    box.Create("g", Pattern(10000));
    const int full = box.Open("g", O_RDONLY);
    box.Seek(full, 0, SEEK_DATA);
    box.Seek(full, 9999, SEEK_DATA);
    box.Seek(full, 10000, SEEK_DATA);
    box.Seek(full, 0, SEEK_HOLE);
    box.Seek(full, 9999, SEEK_HOLE);
  });
  cases.Add("sparse.unwritten_data_counts", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    box.Pwrite(fd, Pattern(8192), 2 * kMiB);
    box.Extents(fd);
    box.Pwrite(fd, Pattern(8192), kMiB);
    box.Extents(fd);
    box.Ftruncate(fd, 3 * kMiB);
    box.Extents(fd);
  });
  cases.Add("sparse.many_extents", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    for (int i = 0; i < 20; ++i) {
      const std::string data = Pattern(4096, unsigned(i));
      if (::pwrite(fd, data.data(), data.size(), off_t(i) * 65536 + 4096) != 4096) box.Note("short");
    }
    box.Fsync(fd);
    box.Extents(fd);
    box.ShowBlocks("f");
    box.Contents("f");
  });
  cases.Add("sparse.blocks", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    box.Ftruncate(fd, 100 * kMiB);
    box.ShowBlocks("f");
    box.Pwrite(fd, Pattern(4096), 50 * kMiB);
    box.Fsync(fd);
    box.ShowBlocks("f");
    box.Fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, kMiB);
    box.Fsync(fd);
    box.ShowBlocks("f");
  });
  cases.Add("sparse.beyond_four_gigabytes", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
    box.Pwrite(fd, "far away", (off_t(1) << 33) + 12345);
    box.ShowFd(fd);
    box.Pread(fd, 20, (off_t(1) << 33) + 12340);
    box.Fsync(fd);
    box.Extents(fd);
    box.Ftruncate(fd, (off_t(1) << 32) + 1);
    box.ShowFd(fd);
    box.Ftruncate(fd, 5);
    box.Pread(fd, 10, 0);
  });
}

void AddTruncate(CaseList& cases) {
  cases.Add("sparse.truncate_clears_the_rest", [](Box& box) {
    box.Create("f", Pattern(10000));
    const int fd = box.Open("f", O_RDWR);
    box.Ftruncate(fd, 5000);
    box.Ftruncate(fd, 9000);
    box.Pread(fd, 10000, 4990);
    box.Pwrite(fd, "y", 9999);
    box.Contents("f");
  });
  cases.Add("sparse.truncate_by_path_and_descriptor", [](Box& box) {
    box.Create("f", Pattern(10000));
    const int fd = box.Open("f", O_RDWR);
    box.Read(fd, 20000);
    box.Truncate("f", 100);
    box.ShowFd(fd);
    box.Read(fd, 10);
    box.Pread(fd, 300, 50);
    box.Write(fd, "beyond");
    box.ShowFd(fd);
    box.Contents("f");
  });
  cases.Add("sparse.truncate_lower",
            [](Box& box) {
              box.Truncate("file", 5);
              box.Contents("file");
              box.Truncate("sgid", 0);
              box.Show("sgid");
              box.Truncate("empty", 70000);
              box.Contents("empty");
              box.Truncate("link", 2);
              box.Contents("file");
              box.Truncate("dangling", 2);
              box.Truncate("loop", 2);
              box.Truncate("dir", 2);
              box.Truncate("fifo", 2);
              box.Truncate("readonly", 3);
            },
            {.place = Place::kLower});
  cases.Add("sparse.truncate_sizes", [](Box& box) {
    box.Create("f", Pattern(100));
    for (const off_t size : {off_t(0), off_t(1), off_t(4095), off_t(4096), off_t(4097), off_t(1) << 40, off_t(1) << 43,
                             off_t(0x7fffffffffffffff), off_t(0)}) {
      box.Truncate("f", size);
      box.Show("f");
    }
  });
}

}  // namespace

void AddSparseCases(CaseList& cases) {
  for (const Mode& mode : kModes) {
    cases.Add(std::string("sparse.fallocate.") + mode.name, [mode](Box& box) { FallocateCase(box, mode.mode); });
  }
  // The kernel's FUSE knows neither, and answers itself.
  for (const Mode& mode : {Mode{"collapse", FALLOC_FL_COLLAPSE_RANGE}, Mode{"insert", FALLOC_FL_INSERT_RANGE}}) {
    const std::string name = mode.name;
    cases.Add("sparse.fallocate." + name,
              [mode](Box& box) {
                const int fd = box.Open("f", O_CREAT | O_RDWR, 0644);
                box.Ftruncate(fd, 65536);
                box.Fallocate(fd, mode.mode, 4096, 8192);
              },
              {.documented = {"open(f, O_RDWR|O_CREAT, 0644) = ok", "ftruncate(f, 65536) = ok",
                              "fallocate(f, " + name + ", 4096, 8192) = EOPNOTSUPP"}});
  }
  cases.Add("sparse.fallocate.lower_file",
            [](Box& box) {
              const int fd = box.Open("sparse", O_RDWR);
              box.Fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kSparseHole + 4096, 4096);
              box.Fsync(fd);
              box.Extents(fd);
              box.Contents("sparse");
            },
            {.place = Place::kLower});
  cases.Add("sparse.fallocate.on_append_and_pipe", [](Box& box) {
    const int fd = box.Open("f", O_CREAT | O_RDWR | O_APPEND, 0644);
    box.Fallocate(fd, 0, 0, 100);
    box.Write(fd, "x");
    box.ShowFd(fd);
    box.Fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 10);
    box.Mknod("p", S_IFIFO | 0644);
    box.Fallocate(box.Open("p", O_RDWR), 0, 0, 10);
    box.Fallocate(fd, 0, off_t(1) << 62, off_t(1) << 62);
    box.Fallocate(fd, 0, off_t(1) << 45, 10);
  });
  AddSeek(cases);
  AddTruncate(cases);
}

}  // namespace mirrorfs::conformance
