// A directory of a test's own, with files in it.
#ifndef MIRRORFS_TESTS_CONFIG_SCRATCH_H_
#define MIRRORFS_TESTS_CONFIG_SCRATCH_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace mirrorfs {

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "mirrorfs-config-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string Path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }

  // Makes the directories on the way, too.
  std::string Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
    std::ofstream(Path(name)) << text;
    return Path(name);
  }

 private:
  std::string path_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_CONFIG_SCRATCH_H_
