#include "tests/model/side.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

size_t HashOf(const std::string& data) { return std::hash<std::string>()(data); }

std::string ContentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string content;
  char block[1 << 16];
  do {
    file.read(block, sizeof block);
    content.append(block, file.gcount());
  } while (file);
  return content;
}

std::string XattrsOf(const std::string& path) {
  char list[65536];
  const ssize_t size = llistxattr(path.c_str(), list, sizeof list);
  std::vector<std::string> found;
  for (ssize_t at = 0; at < size; at += strlen(&list[at]) + 1) {
    char value[4096];
    const ssize_t length = lgetxattr(path.c_str(), &list[at], value, sizeof value);
    if (std::string_view(&list[at]).starts_with("user.")) {
      found.push_back(fmt::format("{}={:x}", &list[at], HashOf(std::string(value, length < 0 ? 0 : length))));
    }
  }
  std::sort(found.begin(), found.end());
  std::string result;
  for (const std::string& one : found) result += " " + one;
  return result;
}

// Sizes and link counts of directories are each file system's own.
std::string DescribeStat(const struct stat& status) {
  const bool directory = S_ISDIR(status.st_mode);
  return fmt::format("mode={:o} nlink={} uid={} gid={} size={}", status.st_mode, directory ? 0 : status.st_nlink,
                     status.st_uid, status.st_gid, directory ? 0 : status.st_size);
}

}  // namespace

std::string Result(int64_t result) {
  if (result >= 0) return fmt::format("ok {}", result);
  const char* name = strerrorname_np(errno);
  return fmt::format("errno {}", name ? name : "?");
}

Side::~Side() {
  while (!maps_.empty()) Unmap(maps_.begin()->first);
}

int Side::Fd(int slot) const {
  auto found = open_.find(slot);
  return found == open_.end() ? -1 : found->second.get();
}

std::string Side::Do(const Operation& operation) {
  if (operation.verb >= Verb::kMap) return DoMap(operation);
  if (operation.verb >= Verb::kOpen) return DoFile(operation);
  return DoTree(operation);
}

std::string Side::Describe() const {
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
    const std::string path = entry.path().string();
    struct stat status = {};
    if (lstat(path.c_str(), &status) != 0) {
      lines.push_back(fmt::format("{} {}", path.substr(directory_.size()), Result(-1)));
      continue;
    }
    std::string line = path.substr(directory_.size()) + " " + DescribeStat(status);
    if (S_ISREG(status.st_mode)) line += fmt::format(" content={:x}", HashOf(ContentOf(path)));
    if (S_ISLNK(status.st_mode)) line += " target=" + std::filesystem::read_symlink(path).string();
    lines.push_back(line + XattrsOf(path));
  }
  std::sort(lines.begin(), lines.end());
  std::string result;
  for (const std::string& line : lines) result += line + "\n";
  return result;
}

std::string Side::DescribeOpenFiles() {
  std::string result;
  for (const auto& [slot, fd] : open_) {
    struct stat status = {};
    const int got = fstat(fd.get(), &status);
    std::string content(got == 0 && status.st_size < (64 << 20) ? status.st_size : 0, '\0');
    const ssize_t size = pread(fd.get(), content.data(), content.size(), 0);  // EBADF where it is open for writing only
    result += fmt::format("slot {} {} position={} content={:x}\n", slot, got == 0 ? DescribeStat(status) : Result(got),
                          lseek(fd.get(), 0, SEEK_CUR), size < 0 ? size_t(errno) : HashOf(content.substr(0, size)));
  }
  return result;
}

void Side::Clear() {
  while (!maps_.empty()) Unmap(maps_.begin()->first);
  open_.clear();
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) std::filesystem::remove_all(entry.path());
}

}  // namespace mirrorfs
