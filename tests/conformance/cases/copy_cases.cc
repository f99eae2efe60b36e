// Copying inside of the kernel: copy_file_range, sendfile, splice.
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"
#include "tests/conformance/fixture.h"

namespace mirrorfs::conformance {
namespace {

void AddCopyFileRange(CaseList& cases) {
  const std::pair<const char*, std::pair<off_t, size_t>> kRanges[] = {
      {"start", {0, 1000}},      {"middle", {123456, 70000}},          {"end", {off_t(kBigSize) - 100, 5000}},
      {"beyond", {1 << 30, 10}}, {"all", {0, kBigSize * 2}},           {"nothing", {0, 0}},
      {"chunk", {0, 1 << 20}},   {"chunk_and_one", {1, (1 << 20) + 1}}};
  for (const auto& [name, range] : kRanges) {
    cases.Add(std::string("copy.range.") + name,
              [range = range](Box& box) {
                const int in = box.Open("big", O_RDONLY);
                const int out = box.Open("copy", O_CREAT | O_RDWR, 0644);
                long done = 0;
                off_t at = range.first;
                // A copy may be shorter than asked; what has been copied in the end is compared.
                for (size_t left = range.second; left > 0;) {
                  off_t source = at;
                  off_t target = at;
                  const long got = ::copy_file_range(in, &source, out, &target, left, 0);
                  if (got <= 0) {
                    if (got < 0) box.Report("copy_file_range", got);
                    break;
                  }
                  done += got;
                  at += got;
                  left -= size_t(got);
                }
                box.ReportValue("copied", done);
                box.ShowFd(out);
                box.Contents("copy");
              },
              {.place = Place::kLowerBig});
  }
  cases.Add("copy.range.offsets_of_descriptors", [](Box& box) {
    box.Create("a", "0123456789");
    const int in = box.Open("a", O_RDONLY);
    const int out = box.Open("b", O_CREAT | O_RDWR, 0644);
    box.Seek(in, 3, SEEK_SET);
    box.Seek(out, 2, SEEK_SET);
    box.ReportValue("copy_file_range", ::copy_file_range(in, nullptr, out, nullptr, 4, 0));
    box.Seek(in, 0, SEEK_CUR);
    box.Seek(out, 0, SEEK_CUR);
    box.Contents("b");
    box.ReportValue("copy_file_range", ::copy_file_range(in, nullptr, out, nullptr, 100, 0));
    box.ReportValue("copy_file_range", ::copy_file_range(in, nullptr, out, nullptr, 100, 0));
    box.Contents("b");
  });
  cases.Add("copy.range.same_file", [](Box& box) {
    box.Create("a", Pattern(10000));
    const int fd = box.Open("a", O_RDWR);
    box.CopyFileRange(fd, 0, fd, 20000, 5000);
    box.CopyFileRange(fd, 0, fd, 100, 5000);
    box.CopyFileRange(fd, 100, fd, 0, 100);
    box.Contents("a");
  });
  cases.Add("copy.range.errors", [](Box& box) {
    box.Create("a", "0123456789");
    box.Mkdir("d");
    const int in = box.Open("a", O_RDONLY);
    const int out = box.Open("b", O_CREAT | O_RDWR, 0644);
    const int append = box.Open("c", O_CREAT | O_RDWR | O_APPEND, 0644);
    const int directory = box.Open("d", O_RDONLY);
    box.CopyFileRange(in, 0, append, 0, 5);
    box.CopyFileRange(in, 0, directory, 0, 5);
    box.CopyFileRange(directory, 0, out, 0, 5);
    box.CopyFileRange(in, -1, out, 0, 5);
    box.CopyFileRange(in, 0, out, -1, 5);
    box.CopyFileRange(out, 0, in, 0, 5);
    off_t zero = 0;
    box.ReportValue("copy_file_range", ::copy_file_range(in, &zero, out, nullptr, 5, 1));
  });
  cases.Add("copy.range.sees_unwritten_data", [](Box& box) {
    const int in = box.Open("a", O_CREAT | O_RDWR, 0644);
    box.Write(in, Pattern(100000));
    const int out = box.Open("b", O_CREAT | O_RDWR, 0644);
    box.Write(out, Pattern(50, 5));
    box.CopyFileRange(in, 10, out, 20, 50000);
    box.Pread(out, 60000, 0);
    box.Pwrite(in, "later", 15);
    box.CopyFileRange(in, 10, out, 20, 100);
    box.Pread(out, 60, 0);
    box.ShowFd(out);
  });
  cases.Add("copy.range.drops_stale_pages", [](Box& box) {
    box.Create("a", Pattern(20000, 1));
    box.Create("b", Pattern(20000, 2));
    const int out = box.Open("b", O_RDWR);
    box.Read(out, 20000);
    box.CopyFileRange(box.Open("a", O_RDONLY), 0, out, 0, 20000);
    box.Pread(out, 20000, 0);
    box.Contents("b");
  });
  cases.Add("copy.range.lower_to_lower",
            [](Box& box) {
              const int in = box.Open("file", O_RDONLY);
              const int out = box.Open("private", O_RDWR);
              box.CopyFileRange(in, 0, out, 3, 11);
              box.Contents("private");
              box.Show("private");
            },
            {.place = Place::kLower});
  cases.Add("copy.clone", [](Box& box) {
    box.Create("a", Pattern(10000));
    const int in = box.Open("a", O_RDONLY);
    const int out = box.Open("b", O_CREAT | O_RDWR, 0644);
    const long result = ::ioctl(out, FICLONE, in);
    box.Check("cloned", result == 0);  // which errno refuses it is the file system's own
    box.ShowFd(out);
  });
}

void AddSendfile(CaseList& cases) {
  cases.Add("copy.sendfile",
            [](Box& box) {
              const int in = box.Open("big", O_RDONLY);
              const int out = box.Open("copy", O_CREAT | O_RDWR, 0644);
              box.Sendfile(out, in, 100, 5000);
              box.Sendfile(out, in, (1 << 20) - 10, 20);
              box.Sendfile(out, in, off_t(kBigSize) - 5, 100);
              box.Sendfile(out, in, off_t(kBigSize) + 5, 100);
              box.Contents("copy");
              box.Seek(in, 0, SEEK_CUR);
              const int append = box.Open("copy", O_WRONLY | O_APPEND);
              box.Sendfile(append, in, 0, 10);
              box.Sendfile(in, out, 0, 10);
              box.Sendfile(out, box.Open("dir", O_RDONLY), 0, 10);
            },
            {.place = Place::kLowerBig});
  cases.Add("copy.splice",
            [](Box& box) {
              int pipe[2];
              if (::pipe(pipe) != 0) return;
              const int in = box.Open("big", O_RDONLY);
              const int out = box.Open("copy", O_CREAT | O_RDWR, 0644);
              long done = 0;
              for (off_t at = (1 << 20) - 30000; done < 100000;) {
                const long filled = ::splice(in, &at, pipe[1], nullptr, 30000, 0);
                if (filled <= 0) break;
                long moved = 0;
                while (moved < filled) {
                  const long got = ::splice(pipe[0], nullptr, out, nullptr, size_t(filled - moved), 0);
                  if (got <= 0) return box.Note("splice into the file failed");
                  moved += got;
                }
                done += moved;
              }
              box.Check("all was moved", done >= 100000);
              box.Ftruncate(out, 100000);
              box.Contents("copy");
              const int append = box.Open("copy", O_WRONLY | O_APPEND);
              box.ReportValue("splice", ::splice(pipe[0], nullptr, append, nullptr, 10, SPLICE_F_NONBLOCK));
            },
            {.place = Place::kLowerBig});
  cases.Add("copy.sendfile_to_pipe",
            [](Box& box) {
              int pipe[2];
              if (::pipe(pipe) != 0) return;
              const int in = box.Open("file", O_RDONLY);
              box.ReportValue("sendfile", ::sendfile(pipe[1], in, nullptr, 5));
              box.ReportValue("sendfile", ::sendfile(pipe[1], in, nullptr, 100));
              box.ReportValue("sendfile", ::sendfile(pipe[1], in, nullptr, 100));
              box.Read(pipe[0], 100);
            },
            {.place = Place::kLower});
}

}  // namespace

void AddCopyCases(CaseList& cases) {
  AddCopyFileRange(cases);
  AddSendfile(cases);
}

}  // namespace mirrorfs::conformance
