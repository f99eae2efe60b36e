// Copying trees between the container and this machine through the port, without a mount.
#ifndef MIRRORFS_FUSEFS_TRANSFER_TRANSFER_H_
#define MIRRORFS_FUSEFS_TRANSFER_TRANSFER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// What is told while it goes on. Thread-safe; called from any thread.
struct TransferListener {
  // Something that was not copied, and why; the rest goes on.
  std::function<void(const std::string& path, const std::string& why)> failed;
  std::function<void(const std::string& path, const std::string& why)> skipped;  // no error: devices, sockets
};

struct TransferCounts {
  std::atomic<uint64_t> files = 0;
  std::atomic<uint64_t> bytes = 0;
};

// All paths of the container are "/a/b". What is found there has a reference, to be given back (Forget).

// The file at a path, links followed inside of the container's root as its own programs would (ELOOP after 40).
// `follow_last`: also the last one.
absl::StatusOr<Entry> FindFile(FileSystem& files, std::string_view path, bool follow_last);

// Writes a regular file's content to a descriptor in order.
absl::Status WriteContent(FileSystem& files, const Entry& file, int output);

// Makes `name` in the local directory what the container has at a path: content, permissions without set-id bits,
// times, links, holes; the owner is this process. A directory that is there gets what it does not have; a file that is
// there is replaced. Nothing below `name` is ever written through a link.
absl::Status Download(FileSystem& files, const std::string& path, int directory, const std::string& name,
                      const TransferListener& listener, TransferCounts& counts);

// The other way: makes `name` in the container's directory what the local one has.
absl::Status Upload(FileSystem& files, int directory, const std::string& local_name, const std::string& parent,
                    const std::string& name, const TransferListener& listener, TransferCounts& counts);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_TRANSFER_TRANSFER_H_
