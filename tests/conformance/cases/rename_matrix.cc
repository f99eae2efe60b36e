// rename: type of the source × type of the destination × flags, in one directory, and of lower files.
#include <stdio.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "tests/conformance/box.h"
#include "tests/conformance/cases/families.h"

namespace mirrorfs::conformance {
namespace {

struct Flavour {
  const char* name;
  unsigned flags;
};

constexpr Flavour kFlavours[] = {{"replace", 0}, {"noreplace", RENAME_NOREPLACE}, {"exchange", RENAME_EXCHANGE}};
constexpr const char* kTypes[] = {"missing", "file", "empty_dir", "full_dir", "symlink", "fifo"};
constexpr const char* kLowerTypes[] = {"missing", "file", "empty_dir", "dir", "link", "fifo", "hard_a"};

void Make(Box& box, const std::string& type, const std::string& path) {
  if (type == "file") box.Create(path, path);
  if (type == "empty_dir" || type == "full_dir") box.Mkdir(path);
  if (type == "full_dir") box.Create(path + "/inner");
  if (type == "symlink") box.Symlink("to_" + path, path);
  if (type == "fifo") box.Mknod(path, S_IFIFO | 0640);
}

void RenameMade(Box& box, const std::string& from, const std::string& to, unsigned flags) {
  Make(box, from, "a");
  Make(box, to, "b");
  box.Rename("a", "b", flags);
  box.Show("a");
  box.Show("b");
  box.List(".");
}

void RenameLower(Box& box, const std::string& from, const std::string& to, unsigned flags) {
  if (to != "missing") Make(box, to, "target");
  box.Rename(from, "target", flags);
  box.Show(from);
  box.Show("target");
  box.List(".");
}

}  // namespace

void AddRenameMatrix(CaseList& cases) {
  for (const Flavour& flavour : kFlavours) {
    for (const std::string from : kTypes) {
      for (const std::string to : kTypes) {
        cases.Add("rename.matrix." + from + ".onto_" + to + "." + flavour.name,
                  [=](Box& box) { RenameMade(box, from, to, flavour.flags); });
      }
    }
    for (const std::string from : kLowerTypes) {
      for (const std::string to : {"missing", "file", "full_dir"}) {
        cases.Add("rename.lower." + from + ".onto_" + to + "." + flavour.name,
                  [=](Box& box) { RenameLower(box, from, to, flavour.flags); }, {.place = Place::kLower});
      }
    }
  }
}

}  // namespace mirrorfs::conformance
