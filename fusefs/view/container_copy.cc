// Copying within the container.
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fusefs/view/container_tree.h"
#include "fusefs/view/layer_copy.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kChunkBytes = 1 << 20;

}  // namespace

absl::StatusOr<std::vector<std::string>> ContainerTree::NamesIn(NodeId directory) {
  std::vector<std::string> names;
  DirCursor cursor = DirCursor::kStart;
  do {
    ASSIGN_OR_RETURN(const DirectoryPage page, files_.ReadDir(call_, directory, cursor, kChunkBytes, false));
    for (const DirectoryEntry& entry : page.entries) names.push_back(entry.name);
    cursor = page.next;
  } while (cursor != DirCursor::kEnd);
  return names;
}

absl::Status ContainerTree::CopyTree(std::string_view from, std::string_view to) {
  const size_t from_slash = from.rfind('/');
  const size_t to_slash = to.rfind('/');
  ASSIGN_OR_RETURN(const NodeId source_parent, Directory(from.substr(0, from_slash)));
  const absl::Cleanup source_back = [&] { GiveBack(source_parent); };
  ASSIGN_OR_RETURN(const NodeId parent, Directory(to.substr(0, to_slash)));
  const absl::Cleanup back = [&] { GiveBack(parent); };
  ASSIGN_OR_RETURN(const Entry source, files_.Lookup(call_, source_parent, from.substr(from_slash + 1)));
  const absl::Status copied = CopyInto(source, parent, std::string(to.substr(to_slash + 1)));
  GiveBack(source.node);
  return copied;
}

absl::Status ContainerTree::CopyInto(const Entry& from, NodeId parent, const std::string& name) {
  const Attributes& is = from.attributes;
  const FileSystem::NewNode where{.parent = parent, .name = name, .permissions = 0700};
  if (is.type == FileType::kRegular) return CopyContent(from, parent, name);
  absl::StatusOr<Entry> made = is.type == FileType::kDirectory ? files_.Mkdir(call_, where)
                               : is.type == FileType::kSymlink
                                   ? files_.Symlink(call_, where, from.link_target)
                                   : files_.Mknod(call_, where, is.type, is.rdev_major, is.rdev_minor);
  RETURN_IF_ERROR(made.status());
  const absl::Cleanup back = [&] { GiveBack(made->node); };
  if (is.type == FileType::kDirectory) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(from.node));
    for (const std::string& below : names) {
      ASSIGN_OR_RETURN(const Entry child, files_.Lookup(call_, from.node, below));
      const absl::Status copied = CopyInto(child, made->node, below);
      GiveBack(child.node);
      RETURN_IF_ERROR(copied);
    }
  }
  return CopyAttributes(from, made->node);
}

absl::Status ContainerTree::CopyContent(const Entry& from, NodeId parent, const std::string& name) {
  const HandleId source = NextHandle();
  const HandleId target = NextHandle();
  RETURN_IF_ERROR(files_.Open(call_, from.node, source, {.read = true}, 0).status());
  const absl::Cleanup release_source = [&] { files_.Release(std::array{source}); };
  ASSIGN_OR_RETURN(const CreateResult made, files_.Create(call_, {.parent = parent, .name = name, .permissions = 0600},
                                                          true, target, {.write = true}));
  const absl::Cleanup back = [&] { GiveBack(made.entry.node); };
  const absl::Cleanup release = [&] { files_.Release(std::array{target}); };
  for (uint64_t offset = 0; offset < from.attributes.size;) {
    const uint64_t left = from.attributes.size - offset;
    const auto copied = files_.CopyFileRange(call_, source, offset, target, offset, left);
    if (copied.ok() && *copied > 0) {
      offset += *copied;
      continue;
    }
    ASSIGN_OR_RETURN(absl::Cord data,
                     files_.Read(call_, source, offset, static_cast<uint32_t>(std::min<uint64_t>(left, kChunkBytes))));
    if (data.empty()) return ErrnoStatus(EIO, "copy");  // it has become shorter
    ASSIGN_OR_RETURN(const Written written, files_.Write(call_, target, offset, std::move(data)));
    if (written.bytes == 0) return ErrnoStatus(EIO, "write");
    offset += written.bytes;
  }
  return CopyAttributes(from, made.entry.node);
}

absl::Status ContainerTree::CopyAttributes(const Entry& from, NodeId to) {
  const Attributes& is = from.attributes;
  RETURN_IF_ERROR(files_.SetAttr(call_, {.node = to}, {.uid = is.uid, .gid = is.gid}).status());
  if (!is.without_xattrs) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListXattr(call_, from.node));
    for (const std::string& name : names) {
      const auto value = files_.GetXattr(call_, from.node, name);
      if (MayBeLeftOut(value.status())) continue;
      RETURN_IF_ERROR(value.status());
      const absl::Status set = files_.SetXattr(call_, to, name, *value, XattrMode::kAny);
      if (!MayBeLeftOut(set)) RETURN_IF_ERROR(set);
    }
  }
  AttributeChange rest{.atime = TimeValue{.ns = is.atime_ns}, .mtime = TimeValue{.ns = is.mtime_ns}};
  if (is.type != FileType::kSymlink) rest.permissions = is.permissions;
  return files_.SetAttr(call_, {.node = to}, rest).status();
}

}  // namespace mirrorfs
