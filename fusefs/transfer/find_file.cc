// FindFile, WriteContent.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_split.h"
#include "fusefs/transfer/transfer.h"
#include "fusefs/transfer/transfer_parts.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr int kMostLinks = 40;  // as the kernel

std::deque<std::string> Parts(std::string_view path) {
  return absl::StrSplit(absl::string_view(path.data(), path.size()), '/', absl::SkipEmpty());
}

}  // namespace

absl::StatusOr<Entry> FindFile(FileSystem& files, std::string_view path, bool follow_last) {
  std::deque<std::string> left = Parts(path);
  ASSIGN_OR_RETURN(const AttributesReply root, files.GetAttr({}, {.node = NodeId::kRoot}));
  std::vector<Entry> way = {
      Entry{.node = NodeId::kRoot, .attributes = root.attributes, .identity = {}, .link_target = {}}};
  const absl::Cleanup give_back = [&] {
    for (size_t i = 1; i < way.size(); ++i) GiveBack(files, way[i].node);
  };
  for (int links = 0; !left.empty();) {
    const std::string name = std::move(left.front());
    left.pop_front();
    if (name == ".") continue;
    if (name == "..") {
      if (way.size() > 1) {
        GiveBack(files, way.back().node);
        way.pop_back();
      }
      continue;
    }
    if (way.back().attributes.type != FileType::kDirectory) return ErrnoStatus(ENOTDIR);
    ASSIGN_OR_RETURN(Entry entry, files.Lookup({}, way.back().node, name));
    if (entry.attributes.type == FileType::kSymlink && (follow_last || !left.empty())) {
      GiveBack(files, entry.node);
      if (++links > kMostLinks) return ErrnoStatus(ELOOP);
      std::deque<std::string> target = Parts(entry.link_target);
      if (entry.link_target.starts_with('/')) {
        while (way.size() > 1) {
          GiveBack(files, way.back().node);
          way.pop_back();
        }
      }
      left.insert(left.begin(), target.begin(), target.end());
      continue;
    }
    way.push_back(std::move(entry));
  }
  Entry found = way.back();
  if (way.size() > 1) way.pop_back();
  return found;
}

absl::Status WriteContent(FileSystem& files, const Entry& file, int output) {
  if (file.attributes.type == FileType::kDirectory) return ErrnoStatus(EISDIR);
  const HandleId handle = NextTransferHandle();
  RETURN_IF_ERROR(files.Open({}, file.node, handle, {.read = true}, 0).status());
  const absl::Cleanup release = [&] { files.Release(std::array{handle}); };
  for (uint64_t offset = 0;;) {
    ASSIGN_OR_RETURN(const absl::Cord data, files.Read({}, handle, offset, kTransferChunk));
    if (data.empty()) return absl::OkStatus();
    for (const absl::string_view part : data.Chunks()) RETURN_IF_ERROR(WriteAll(output, {part.data(), part.size()}));
    offset += data.size();
  }
}

}  // namespace mirrorfs
