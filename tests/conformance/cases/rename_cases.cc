// rename beyond the matrix.
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

void AddPlain(CaseList& cases) {
  cases.Add("rename.onto_itself", [](Box& box) {
    box.Create("a", "1");
    box.Rename("a", "a");
    box.Rename("a", "./a");
    box.Rename("a", "a", RENAME_NOREPLACE);
    box.Rename("a", "a", RENAME_EXCHANGE);
    box.Show("a");
  });
  cases.Add("rename.onto_other_link_of_itself", [](Box& box) {
    box.Create("a", "1");
    box.Link("a", "b");
    box.Rename("a", "b");  // POSIX: does nothing
    box.Show("a");
    box.Show("b");
  });
  cases.Add("rename.into_itself", [](Box& box) {
    box.Mkdir("d");
    box.Mkdir("d/e");
    box.Rename("d", "d/x");
    box.Rename("d", "d/e/x");
    box.Rename("d", "d/e");
    box.Rename("d/e", "d");
    box.Rename("d", "d/x", RENAME_EXCHANGE);
    box.Rename("d", "d/e", RENAME_EXCHANGE);
  });
  cases.Add("rename.bad_flags", [](Box& box) {
    box.Create("a");
    box.Rename("a", "b", RENAME_NOREPLACE | RENAME_EXCHANGE);
    box.Rename("a", "b", 1u << 10);
    box.Rename("a", "b", RENAME_WHITEOUT);
    box.Rename("a", "b", RENAME_WHITEOUT | RENAME_EXCHANGE);
    box.List(".");
  });
  cases.Add("rename.dots", [](Box& box) {
    box.Mkdir("d");
    for (const char* path : {".", "..", "d/.", "d/.."}) {
      box.Rename(path, "x");
      box.Rename("d", path);
    }
  });
  cases.Add("rename.trailing_slash", [](Box& box) {
    box.Create("f");
    box.Mkdir("d");
    box.Rename("f", "g/");
    box.Rename("f/", "g");
    box.Rename("d/", "e");
    box.Rename("e", "h/");
    box.List(".");
  });
  cases.Add("rename.symlink_is_not_followed", [](Box& box) {
    box.Create("f", "1");
    box.Symlink("f", "s");
    box.Rename("s", "t");
    box.Readlink("t");
    box.Create("g", "2");
    box.Rename("g", "t");
    box.Show("t");
    box.Contents("f");
  });
  cases.Add("rename.chain", [](Box& box) {
    box.Create("f0", "x");
    for (int i = 0; i < 30; ++i) box.Rename("f" + std::to_string(i), "f" + std::to_string(i + 1));
    box.List(".");
    box.Contents("f30");
  });
}

void AddDirectories(CaseList& cases) {
  cases.Add("rename.directory_with_content", [](Box& box) {
    box.Mkdir("a");
    box.Mkdir("a/b");
    box.Create("a/b/c", "deep");
    const int fd = box.Open("a/b/c", O_RDWR);
    box.Rename("a", "z");
    box.Contents("z/b/c");
    box.Write(fd, "DE");
    box.Contents("z/b/c");
    box.Show("a/b/c");
    box.Show("z/b");
  });
  cases.Add("rename.across_directories", [](Box& box) {
    box.Mkdir("a");
    box.Mkdir("b");
    box.Create("a/f", "1");
    box.Mkdir("a/d");
    const Stamp a = box.Before("a");
    const Stamp b = box.Before("b");
    box.Rename("a/f", "b/f");
    box.Rename("a/d", "b/d");
    box.After("a", a);
    box.After("b", b);
    box.Show("a");
    box.Show("b");
    box.Show("b/d/..");
    box.SameFile("b/d/..", "b");
  });
  cases.Add("rename.exchange_across_directories", [](Box& box) {
    box.Mkdir("a");
    box.Mkdir("b");
    box.Mkdir("a/x");
    box.Create("a/x/in");
    box.Create("b/y", "file");
    box.Rename("a/x", "b/y", RENAME_EXCHANGE);
    box.Show("a");
    box.Show("b");
    box.Show("a/x");
    box.List("b/y");
    box.SameFile("b/y/..", "b");
  });
  cases.Add("rename.working_directory", [](Box& box) {
    box.Mkdir("a");
    box.Chdir("a");
    box.Create("f");
    box.Rename("../a", "../b");
    box.Create("g");
    box.List(".");
    box.List("../b");
    box.Chdir("..");
    box.List(".");
  });
  cases.Add("rename.over_open_file", [](Box& box) {
    box.Create("old", "old content");
    box.Create("new", "new content");
    const int fd = box.Open("old", O_RDWR);
    box.Rename("new", "old");
    box.Pread(fd, 100, 0);
    box.ShowFd(fd);
    box.Contents("old");
    box.Pwrite(fd, "gone", 0);
    box.Contents("old");
    box.Pread(fd, 100, 0);
  });
  cases.Add("rename.over_empty_open_directory", [](Box& box) {
    box.Mkdir("old");
    box.Mkdir("new");
    box.Create("new/f");
    const int fd = box.Open("old", O_RDONLY | O_DIRECTORY);
    box.Rename("new", "old");
    box.ShowFd(fd);
    box.OpenAt(fd, "x", O_CREAT | O_WRONLY, 0644);
    box.List("old");
  });
  cases.Add("rename.times", [](Box& box) {
    box.Create("f", "1");
    const Stamp file = box.Before("f");
    const Stamp parent = box.Before(".");
    box.Rename("f", "g");
    box.After("g", file);
    box.After(".", parent);
  });
  cases.Add("rename.replaced_link_loses_a_link", [](Box& box) {
    box.Create("a", "a");
    box.Create("b", "b");
    box.Link("b", "c");
    const Stamp before = box.Before("c");
    box.Rename("a", "b");
    box.Show("c");
    box.After("c", before);
  });
}

}  // namespace

void AddRenameCases(CaseList& cases) {
  AddPlain(cases);
  AddDirectories(cases);
}

}  // namespace mirrorfs::conformance
