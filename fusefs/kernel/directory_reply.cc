#include "fusefs/kernel/directory_reply.h"

#include <string>
#include <vector>

#include "fusefs/kernel/conversions.h"

namespace mirrorfs {
namespace {

// Appends one name to a buffer of fixed capacity; 0 if there is no room.
size_t AddName(fuse_req_t req, char* at, size_t room, const FilesystemCore::DirectoryAnswer& answer, bool plus) {
  const std::string name(answer.name);
  fuse_entry_param param = {};
  if (answer.entry.node != NodeId::kInvalid) {
    param = ToEntryParam(answer.entry);
  } else {
    param.attr.st_ino = answer.inode_number;
    param.attr.st_mode = ToMode(answer.type, 0);
  }
  const auto next = static_cast<off_t>(answer.next_offset);
  const size_t needed = plus ? fuse_add_direntry_plus(req, at, room, name.c_str(), &param, next)
                             : fuse_add_direntry(req, at, room, name.c_str(), &param.attr, next);
  return needed > room ? 0 : needed;
}

}  // namespace

void AnswerDirectory(Request& request, HandleId handle, uint64_t offset, size_t size, bool plus) {
  std::vector<char> buffer(size);
  std::vector<NodeId> delivered;
  size_t used = 0;
  const auto add = [&](const FilesystemCore::DirectoryAnswer& answer) {
    const size_t added = AddName(request.raw(), buffer.data() + used, size - used, answer, plus);
    if (added == 0) return false;
    used += added;
    if (answer.entry.node != NodeId::kInvalid) delivered.push_back(answer.entry.node);
    return true;
  };
  FilesystemCore& core = request.core();
  const absl::Status status = core.ReadDir(request.context(), handle, offset, plus, add);
  // What was read before an error is told first; the next call meets the error again.
  bool taken = false;
  if (status.ok() || used != 0) {
    buffer.resize(used);
    taken = request.AnswerNames(buffer);
  } else {
    request.Answer(status);
  }
  if (taken) return;
  for (const NodeId node : delivered) core.Forget(node, 1);
}

}  // namespace mirrorfs
