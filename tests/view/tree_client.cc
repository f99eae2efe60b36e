#include "tests/view/tree_client.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"

namespace mirrorfs {
namespace {

absl::Cord ToCord(std::string_view text) { return absl::Cord(absl::string_view(text.data(), text.size())); }

}  // namespace

std::string ErrorName(const absl::Status& status) {
  if (status.ok()) return "OK";
  const char* name = strerrorname_np(ToErrno(status));
  return HasErrno(status) && name != nullptr ? name : "no answer: " + std::string(status.message());
}

void TreeClient::GiveBack(NodeId node) {
  if (node == NodeId::kRoot || node == NodeId::kInvalid) return;
  const ForgottenNode forgotten{node, 1};
  files_.Forget({&forgotten, 1});
}

absl::StatusOr<Entry> TreeClient::Find(std::string_view path) {
  Entry at{.node = NodeId::kRoot, .attributes = {}, .identity = {}, .link_target = {}};
  const std::vector<std::string> names = absl::StrSplit(std::string(path), '/', absl::SkipEmpty());
  for (const std::string& name : names) {
    absl::StatusOr<Entry> next = files_.Lookup(call_, at.node, name);
    GiveBack(at.node);
    if (!next.ok()) return next.status();
    at = *std::move(next);
  }
  return at;
}

absl::StatusOr<TreeClient::Spot> TreeClient::FindSpot(std::string_view path) {
  const size_t slash = path.rfind('/');
  ASSIGN_OR_RETURN(const Entry parent, Find(path.substr(0, slash)));
  return Spot{parent.node, std::string(path.substr(slash + 1))};
}

std::string TreeClient::Finish(const absl::StatusOr<Entry>& made) {
  if (made.ok()) GiveBack(made->node);
  return ErrorName(made);
}

HandleId TreeClient::Open(std::string_view path, const OpenFlags& flags) {
  const auto found = Find(path);
  if (!found.ok()) return HandleId::kNone;
  const HandleId handle = NextHandle();
  const bool opened = files_.Open(call_, found->node, handle, flags, 0).ok();
  GiveBack(found->node);
  return opened ? handle : HandleId::kNone;
}

std::string TreeClient::Write(std::string_view path, std::string_view content) {
  const auto spot = FindSpot(path);
  if (!spot.ok()) return ErrorName(spot);
  const HandleId handle = NextHandle();
  const FileSystem::NewNode where{.parent = spot->parent, .name = spot->name, .permissions = 0644};
  const auto made = files_.Create(call_, where, false, handle, {.write = true, .truncate = true});
  GiveBack(spot->parent);
  if (!made.ok()) return ErrorName(made);
  const std::string written = WriteHandle(handle, 0, content);
  Close(handle);
  GiveBack(made->entry.node);
  return written;
}

std::string TreeClient::Create(std::string_view path, uint32_t permissions) {
  const auto spot = FindSpot(path);
  if (!spot.ok()) return ErrorName(spot);
  const HandleId handle = NextHandle();
  const FileSystem::NewNode where{.parent = spot->parent, .name = spot->name, .permissions = permissions};
  const auto made = files_.Create(call_, where, true, handle, {.write = true});
  GiveBack(spot->parent);
  if (!made.ok()) return ErrorName(made);
  Close(handle);
  GiveBack(made->entry.node);
  return "OK";
}

std::string TreeClient::WriteHandle(HandleId handle, uint64_t offset, std::string_view content) {
  const auto written = files_.Write(call_, handle, offset, ToCord(content));
  if (written.ok() && written->bytes != content.size()) return "short";
  return ErrorName(written);
}

std::string TreeClient::Overwrite(std::string_view path, uint64_t offset, std::string_view content) {
  const auto found = Find(path);
  if (!found.ok()) return ErrorName(found);
  const HandleId handle = NextHandle();
  const auto opened = files_.Open(call_, found->node, handle, {.write = true}, 0);
  GiveBack(found->node);
  if (!opened.ok()) return ErrorName(opened);
  const std::string written = WriteHandle(handle, offset, content);
  Close(handle);
  return written;
}

std::string TreeClient::Append(std::string_view path, std::string_view content) {
  const auto found = Find(path);
  if (!found.ok()) return ErrorName(found);
  const HandleId handle = NextHandle();
  const auto opened = files_.Open(call_, found->node, handle, {.write = true, .append = true}, 0);
  GiveBack(found->node);
  if (!opened.ok()) return ErrorName(opened);
  const std::string written = WriteHandle(handle, 0, content);
  Close(handle);
  return written;
}

std::string TreeClient::Read(std::string_view path) {
  const auto found = Find(path);
  if (!found.ok()) return "!" + ErrorName(found);
  const HandleId handle = NextHandle();
  const auto opened = files_.Open(call_, found->node, handle, {.read = true}, 0);
  GiveBack(found->node);
  if (!opened.ok()) return "!" + ErrorName(opened);
  const std::string content = ReadHandle(handle);
  Close(handle);
  return content;
}

std::string TreeClient::ReadHandle(HandleId handle) {
  const auto data = files_.Read(call_, handle, 0, 1 << 20);
  return data.ok() ? std::string(*data) : "!" + ErrorName(data);
}

std::string TreeClient::Change(std::string_view path, const AttributeChange& change) {
  const auto found = Find(path);
  if (!found.ok()) return ErrorName(found);
  const auto changed = files_.SetAttr(call_, {.node = found->node}, change);
  GiveBack(found->node);
  return ErrorName(changed);
}

std::string TreeClient::Truncate(std::string_view path, uint64_t size) { return Change(path, {.size = size}); }
std::string TreeClient::Chmod(std::string_view path, uint32_t permissions) {
  return Change(path, {.permissions = permissions});
}
std::string TreeClient::Chown(std::string_view path, uint32_t uid, uint32_t gid) {
  return Change(path, {.uid = uid, .gid = gid});
}
std::string TreeClient::SetTime(std::string_view path, int64_t seconds) {
  return Change(path, {.mtime = TimeValue{.ns = absl::int128(seconds) * 1'000'000'000}});
}

std::string TreeClient::SetXattr(std::string_view path, std::string_view name, std::string_view value) {
  const auto found = Find(path);
  if (!found.ok()) return ErrorName(found);
  const absl::Status set = files_.SetXattr(call_, found->node, name, value, XattrMode::kAny);
  GiveBack(found->node);
  return ErrorName(set);
}

std::string TreeClient::GetXattr(std::string_view path, std::string_view name) {
  const auto found = Find(path);
  if (!found.ok()) return "!" + ErrorName(found);
  const auto value = files_.GetXattr(call_, found->node, name);
  GiveBack(found->node);
  return value.ok() ? *value : "!" + ErrorName(value);
}

std::string TreeClient::RemoveXattr(std::string_view path, std::string_view name) {
  const auto found = Find(path);
  if (!found.ok()) return ErrorName(found);
  const absl::Status removed = files_.RemoveXattr(call_, found->node, name);
  GiveBack(found->node);
  return ErrorName(removed);
}

std::string TreeClient::Mkdir(std::string_view path, uint32_t permissions) {
  const auto spot = FindSpot(path);
  if (!spot.ok()) return ErrorName(spot);
  const std::string made =
      Finish(files_.Mkdir(call_, {.parent = spot->parent, .name = spot->name, .permissions = permissions}));
  GiveBack(spot->parent);
  return made;
}

std::string TreeClient::Mkfifo(std::string_view path) {
  const auto spot = FindSpot(path);
  if (!spot.ok()) return ErrorName(spot);
  const std::string made = Finish(
      files_.Mknod(call_, {.parent = spot->parent, .name = spot->name, .permissions = 0600}, FileType::kFifo, 0, 0));
  GiveBack(spot->parent);
  return made;
}

std::string TreeClient::Symlink(std::string_view path, std::string_view target) {
  const auto spot = FindSpot(path);
  if (!spot.ok()) return ErrorName(spot);
  const std::string made = Finish(files_.Symlink(call_, {.parent = spot->parent, .name = spot->name}, target));
  GiveBack(spot->parent);
  return made;
}

std::string TreeClient::Link(std::string_view path, std::string_view new_path) {
  const auto found = Find(path);
  if (!found.ok()) return ErrorName(found);
  const auto spot = FindSpot(new_path);
  if (!spot.ok()) return ErrorName(spot);
  const std::string made = Finish(files_.Link(call_, found->node, spot->parent, spot->name));
  GiveBack(found->node);
  GiveBack(spot->parent);
  return made;
}

std::string TreeClient::Unlink(std::string_view path) {
  const auto spot = FindSpot(path);
  if (!spot.ok()) return ErrorName(spot);
  const auto removed = files_.Unlink(call_, spot->parent, spot->name);
  GiveBack(spot->parent);
  return ErrorName(removed);
}

std::string TreeClient::Rmdir(std::string_view path) {
  const auto spot = FindSpot(path);
  if (!spot.ok()) return ErrorName(spot);
  const auto removed = files_.Rmdir(call_, spot->parent, spot->name);
  GiveBack(spot->parent);
  return ErrorName(removed);
}

std::string TreeClient::Rename(std::string_view from, std::string_view to, RenameMode mode) {
  const auto source = FindSpot(from);
  if (!source.ok()) return ErrorName(source);
  const auto target = FindSpot(to);
  if (!target.ok()) return ErrorName(target);
  const auto moved = files_.Rename(call_, source->parent, source->name, target->parent, target->name, mode);
  GiveBack(source->parent);
  GiveBack(target->parent);
  return ErrorName(moved);
}

std::string TreeClient::List(std::string_view path) {
  const auto found = Find(path);
  if (!found.ok()) return "!" + ErrorName(found);
  std::vector<std::string> names;
  DirCursor cursor = DirCursor::kStart;
  do {
    const auto page = files_.ReadDir(call_, found->node, cursor, 4096, true);
    if (!page.ok()) return "!" + ErrorName(page);
    for (const DirectoryEntry& entry : page->entries) {
      names.push_back(entry.name);
      if (entry.entry) GiveBack(entry.entry->node);
    }
    cursor = page->next;
  } while (cursor != DirCursor::kEnd);
  GiveBack(found->node);
  std::sort(names.begin(), names.end());
  return absl::StrJoin(names, " ");
}

std::string TreeClient::Stat(std::string_view path) {
  const auto found = Find(path);
  if (!found.ok()) return ErrorName(found);
  const auto reply = files_.GetAttr(call_, {.node = found->node});
  GiveBack(found->node);
  if (!reply.ok()) return ErrorName(reply);
  const Attributes& is = reply->attributes;
  const uint64_t size = is.type == FileType::kRegular ? is.size : 0;
  return fmt::format("{} {:o} {}:{} {} {}", static_cast<int>(is.type), is.permissions, is.uid, is.gid, size,
                     found->link_target);
}

uint64_t TreeClient::Inode(std::string_view path) {
  const auto found = Find(path);
  if (!found.ok()) return 0;
  GiveBack(found->node);
  return found->attributes.inode;
}

std::map<std::string, std::string> TreeClient::Snapshot(std::string_view path) {
  std::map<std::string, std::string> all;
  AddSnapshot(path == "/" ? "" : std::string(path), all);
  return all;
}

void TreeClient::AddSnapshot(const std::string& path, std::map<std::string, std::string>& all) {
  std::string text = Stat(path);
  if (text[0] == '1') text += " <" + Read(path) + "> " + GetXattr(path, "user.a");
  all[path] = text;
  if (text[0] != '2') return;
  const std::vector<std::string> names = absl::StrSplit(List(path), ' ', absl::SkipEmpty());
  for (const std::string& name : names) AddSnapshot(path + "/" + name, all);
}

}  // namespace mirrorfs
