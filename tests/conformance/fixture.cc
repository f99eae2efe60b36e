#include "tests/conformance/fixture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "protos/shared/unique_fd.h"
#include "tests/conformance/box.h"

namespace mirrorfs::conformance {
namespace {

void Require(bool done, const std::string& what) {
  if (done) return;
  fmt::print(stderr, "mirrorfs-conformance: cannot prepare {}: {}\n", what, ErrnoName(errno));
  std::exit(2);
}

class Filler {
 public:
  explicit Filler(std::string directory) : directory_(std::move(directory)) {}

  void File(const std::string& name, std::string_view content, mode_t mode = 0644) {
    const std::string path = directory_ + "/" + name;
    const UniqueFd fd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    Require(bool(fd) && ::write(fd.get(), content.data(), content.size()) == ssize_t(content.size()) &&
                ::fchmod(fd.get(), mode) == 0,
            path);
    const timespec times[2] = {kOldTime, kOldTime};
    Require(::futimens(fd.get(), times) == 0, path);
  }
  void Directory(const std::string& name) { Require(::mkdir(Path(name).c_str(), 0755) == 0, name); }
  void Symlink(const std::string& target, const std::string& name) {
    Require(::symlink(target.c_str(), Path(name).c_str()) == 0, name);
  }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

 private:
  std::string directory_;
};

void FillSparse(const Filler& filler) {
  const std::string path = filler.Path("sparse");
  const UniqueFd fd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
  const std::string data = Pattern(kSparseData);
  Require(bool(fd) && ::pwrite(fd.get(), data.data(), data.size(), kSparseHole) == ssize_t(data.size()) &&
              ::pwrite(fd.get(), data.data(), data.size(), 2 * kSparseHole + kSparseData) == ssize_t(data.size()),
          path);
}

void FillCommon(Filler filler) {
  filler.File("file", "lower file\n");
  // Not every file system has user attributes: where they are missing they are missing on both sides.
  (void)::setxattr(filler.Path("file").c_str(), "user.color", "blue", 4, 0);
  filler.File("readonly", "read only\n", 0444);
  filler.File("private", "private\n", 0600);
  filler.File("empty", "");
  filler.File("hard_a", "two names\n");
  Require(::link(filler.Path("hard_a").c_str(), filler.Path("hard_b").c_str()) == 0, "hard_b");
  filler.File("suid", "set ids\n", 06755);
  filler.File("sgid", "set group id\n", 02755);
  std::error_code error;
  std::filesystem::copy_file("/bin/sleep", filler.Path("program"), error);
  Require(!error, "program: " + error.message());
  FillSparse(filler);
  filler.Directory("dir");
  filler.Directory("dir/sub");
  filler.Directory("empty_dir");
  filler.File("dir/one", "1\n");
  filler.File("dir/two", "2\n");
  filler.File("dir/sub/deep", "deep\n");
  filler.Symlink("file", "link");
  filler.Symlink("dir", "dirlink");
  filler.Symlink("nowhere", "dangling");
  filler.Symlink("loop", "loop");
  Require(::mkfifo(filler.Path("fifo").c_str(), 0644) == 0, "fifo");
}

void FillMany(Filler filler) {
  filler.Directory("many");
  for (int i = 0; i < kManyFiles; ++i) filler.File(fmt::format("many/file{:05}", i), fmt::format("{}", i));
}

void GiveAway(const std::string& root, uid_t owner) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    struct stat before;
    Require(::lstat(entry.path().c_str(), &before) == 0, entry.path());
    Require(::lchown(entry.path().c_str(), owner, owner) == 0, entry.path());
    if (!S_ISLNK(before.st_mode)) {
      Require(::chmod(entry.path().c_str(), before.st_mode & 07777) == 0, entry.path());
    }
  }
}

}  // namespace

void FillDirectory(const std::string& directory, Place place) {
  if (place == Place::kFresh) return;
  FillCommon(Filler(directory));
  if (place == Place::kLowerBig) Filler(directory).File("big", Pattern(kBigSize));
  if (place == Place::kLowerMany) FillMany(Filler(directory));
}

void MakeLower(const std::string& root, const std::vector<Case>& cases, uid_t owner) {
  std::filesystem::create_directories(root + "/cases");
  for (const Case& one : cases) {
    if (one.traits.place == Place::kFresh) continue;
    const std::string directory = root + "/cases/" + one.name;
    Require(::mkdir(directory.c_str(), 0755) == 0, directory);
    FillDirectory(directory, one.traits.place);
  }
  if (owner != ::getuid()) GiveAway(root, owner);
}

}  // namespace mirrorfs::conformance
