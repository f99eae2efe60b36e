// What is done to memory maps of files.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>

#include "fmt/format.h"
#include "tests/model/side.h"

namespace mirrorfs {
void Side::Unmap(int slot) {
  auto found = maps_.find(slot);
  if (found == maps_.end()) return;
  munmap(found->second.memory, found->second.size);
  maps_.erase(found);
}

std::string Side::MakeMap(const Operation& operation) {
  Map map = {.offset = operation.offset, .size = operation.length, .file = UniqueFd(dup(Fd(operation.slot)))};
  const int access = fcntl(map.file.get(), F_GETFL);
  map.writable = access >= 0 && (access & O_ACCMODE) == O_RDWR && operation.flags == MAP_SHARED;
  const int protection = PROT_READ | (map.writable ? PROT_WRITE : 0);
  void* memory = mmap(nullptr, map.size, protection, operation.flags, map.file.get(), map.offset);
  if (memory == MAP_FAILED) return Result(-1);
  map.memory = static_cast<char*>(memory);
  Unmap(operation.slot);
  maps_[operation.slot] = std::move(map);
  return "mapped";
}

// Touches what of the map lies within the file now: the rest would be SIGBUS.
std::string Side::UseMap(const Operation& operation) {
  auto found = maps_.find(operation.slot);
  if (found == maps_.end()) return "no map";
  const Map& map = found->second;
  struct stat status = {};
  if (fstat(map.file.get(), &status) != 0) return Result(-1);
  const uint64_t size = status.st_size;
  const uint64_t begin = operation.other_offset % map.size;
  const uint64_t end = std::min({begin + operation.length, uint64_t{map.size}, size - std::min(size, map.offset)});
  if (operation.verb == Verb::kMapSync) return Result(msync(map.memory, map.size, MS_SYNC));
  if (end <= begin) return "beyond the end";
  if (operation.verb == Verb::kMapRead) {
    return fmt::format("mapped {:x}", std::hash<std::string>()(std::string(map.memory + begin, end - begin)));
  }
  if (!map.writable) return "not writable";
  const std::string data = DataOf(operation.seed, end - begin);
  std::copy(data.begin(), data.end(), map.memory + begin);
  return fmt::format("stored {}", data.size());
}

std::string Side::DoMap(const Operation& operation) {
  if (operation.verb == Verb::kMap) return MakeMap(operation);
  if (operation.verb != Verb::kUnmap) return UseMap(operation);
  Unmap(operation.slot);
  return "unmapped";
}

}  // namespace mirrorfs
