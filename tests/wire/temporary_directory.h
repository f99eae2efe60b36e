#ifndef MIRRORFS_TESTS_WIRE_TEMPORARY_DIRECTORY_H_
#define MIRRORFS_TESTS_WIRE_TEMPORARY_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace mirrorfs {

// A fresh directory, gone with all that is in it when this goes out of scope.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/mirrorfs-test-XXXXXX";
    if (mkdtemp(name) == nullptr) abort();  // a test can do nothing without
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& Path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_TEMPORARY_DIRECTORY_H_
