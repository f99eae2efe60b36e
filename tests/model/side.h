// One of the two directories that the model checker keeps alike: the one under test, or the reference.
#ifndef MIRRORFS_TESTS_MODEL_SIDE_H_
#define MIRRORFS_TESTS_MODEL_SIDE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "protos/shared/unique_fd.h"
#include "tests/model/operation.h"

namespace mirrorfs {

// Not thread-safe.
class Side {
 public:
  explicit Side(std::string directory) : directory_(std::move(directory)) {}
  ~Side();
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  // Does it, and tells what came of it: errno or result, and what was read. Two sides that are alike tell the same.
  std::string Do(const Operation& operation);

  // Everything that can be known about the tree, without times and numbers that are the file system's own.
  std::string Describe() const;
  // The same about what the slots hold.
  std::string DescribeOpenFiles();
  // Removes everything and closes all.
  void Clear();

 private:
  struct Map {
    char* memory = nullptr;
    uint64_t offset = 0;
    size_t size = 0;
    bool writable = false;
    UniqueFd file;  // tells how much of the map may be touched
  };

  std::string Path(const std::string& relative) const { return directory_ + "/" + relative; }
  int Fd(int slot) const;
  // operations_tree.cc
  std::string DoTree(const Operation& operation);
  std::string ReadDirectory(const Operation& operation) const;
  // operations_file.cc
  std::string DoFile(const Operation& operation);
  std::string Read(const Operation& operation) const;
  std::string Write(const Operation& operation) const;
  // operations_map.cc
  std::string DoMap(const Operation& operation);
  std::string MakeMap(const Operation& operation);
  std::string UseMap(const Operation& operation);
  void Unmap(int slot);

  const std::string directory_;
  std::map<int, UniqueFd> open_;
  std::map<int, Map> maps_;
};

// "ok" with a number or "errno NAME".
std::string Result(int64_t result);

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_MODEL_SIDE_H_
