// Each call that takes a path, with paths that are missing, not directories, loops, dots, or as long as can be.
#include <string>

#include "tests/conformance/cases/families.h"
#include "tests/conformance/cases/path_operations.h"

namespace mirrorfs::conformance {
namespace {

using Act = std::function<void(Box&, const std::string&)>;

void Missing(Box& box, const Act& act) {
  box.Create("spare");
  box.Symlink("nowhere", "dangling");
  act(box, "missing/x");
  act(box, "missing");
  box.Symlink("nowhere2/x", "dangling_deep");
  act(box, "dangling_deep");
  act(box, "dangling");
}

void NotADirectory(Box& box, const Act& act) {
  box.Create("spare");
  box.Create("file");
  box.Mknod("fifo", S_IFIFO | 0644);
  box.Symlink("file", "link");
  for (const char* path : {"file/x", "fifo/x", "link/x", "file/", "link/", "file/.", "file/.."}) act(box, path);
}

void Loop(Box& box, const Act& act) {
  box.Create("spare");
  box.Symlink("loop_b", "loop_a");
  box.Symlink("loop_a", "loop_b");
  for (const char* path : {"loop_a/x", "loop_a/"}) act(box, path);
  act(box, "loop_a");
}

void Dots(Box& box, const Act& act) {
  box.Create("spare");
  box.Mkdir("dir");
  for (const char* path : {"", ".", "dir/.", "dir/..", "missing/."}) act(box, path);
  act(box, "dir/");
}

// The file's name behind so many "./" that the path has this length.
std::string PaddedPath(const std::string& name, size_t length) {
  std::string path;
  while (path.size() + name.size() + 3 < length) path += "./";
  path += path.size() + name.size() + 3 == length ? ".//" : "./";
  return path + name;
}

void Lengths(Box& box, const Act& act) {
  box.Create("spare");
  const std::string longest(255, 'n');
  box.Create(longest, "longest");
  act(box, std::string(256, 'n'));
  act(box, "spare_directory/" + std::string(256, 'n'));
  act(box, PaddedPath("spare", 4095));
  act(box, PaddedPath("spare", 4096));
  act(box, longest);
}

}  // namespace

void AddPathCases(CaseList& cases) {
  for (const PathOperation& operation : PathOperations()) {
    const Act act = operation.act;
    cases.Add("path.missing." + operation.name, [act](Box& box) { Missing(box, act); });
    cases.Add("path.not_directory." + operation.name, [act](Box& box) { NotADirectory(box, act); });
    cases.Add("path.loop." + operation.name, [act](Box& box) { Loop(box, act); });
    cases.Add("path.dots." + operation.name, [act](Box& box) { Dots(box, act); });
    cases.Add("path.length." + operation.name, [act](Box& box) { Lengths(box, act); });
  }
}

}  // namespace mirrorfs::conformance
