// Open, Create, Release.
#include <array>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {
namespace {

bool Changes(const OpenFlags& flags) { return flags.write || flags.append || flags.truncate; }

}  // namespace

void ViewFileSystemImpl::AddHandle(const ViewNodePtr& node, HandleId handle, const OpenFlags& flags, Side side) {
  handles_.Insert(handle, std::make_shared<ViewHandle>(handle, node, flags, side));
  node->AddHandle(handle);
}

absl::StatusOr<OpenResult> ViewFileSystemImpl::Open(const CallContext& context, NodeId node, HandleId handle,
                                                    OpenFlags flags, uint32_t inline_bytes) {
  RETURN_IF_ERROR(CheckNewHandle(handle));
  ASSIGN_OR_RETURN(const ViewNodePtr found, FindNode(node));
  return OpenNode(context, found, handle, flags, inline_bytes);
}

absl::StatusOr<OpenResult> ViewFileSystemImpl::OpenNode(const CallContext& context, const ViewNodePtr& found,
                                                        HandleId handle, const OpenFlags& flags,
                                                        uint32_t inline_bytes) {
  ASSIGN_OR_RETURN(Inner inner, ServingInner(*found));
  if (!Changes(flags)) {
    if (inner.side == Side::kLayer && RecordsOwners()) RETURN_IF_ERROR(CheckAccess(context, found, {.read = true}));
    return OpenOnSide(context, found, inner, handle, flags, inline_bytes);
  }
  if (found->IsDirectory()) return ErrnoStatus(EISDIR);
  if (!found->WritesGoToLayer()) {
    ASSIGN_OR_RETURN(inner, PrepareChange(context, found));
    return OpenOnSide(context, found, inner, handle, flags, inline_bytes);
  }
  if (!Has(Side::kLayer)) return ErrnoStatus(EROFS);
  if (found->type() != FileType::kRegular) return inner.files->Open(context, inner.node, handle, {.read = true}, 0);
  if (inner.side != Side::kLayer || RecordsOwners()) {
    RETURN_IF_ERROR(CheckAccess(context, found, {.read = flags.read, .write = true}));
  }
  if (inner.side != Side::kLayer && !flags.truncate) return OpenLazily(context, found, inner, handle, flags);
  ASSIGN_OR_RETURN(inner, PrepareChange(context, found, /*bytes=*/0));
  return OpenOnSide(context, found, inner, handle, flags, inline_bytes);
}

absl::StatusOr<OpenResult> ViewFileSystemImpl::OpenOnSide(const CallContext& context, const ViewNodePtr& node,
                                                          const Inner& inner, HandleId handle, const OpenFlags& flags,
                                                          uint32_t inline_bytes) {
  ASSIGN_OR_RETURN(OpenResult result, inner.files->Open(context, inner.node, handle, flags, inline_bytes));
  AddHandle(node, handle, flags, inner.side);
  result.attributes = Shown(*node, inner.side, result.attributes);
  if (node->Serving() != inner.side) result.inline_data.reset();
  RETURN_IF_ERROR(FollowCopy(context, node, inner.side, handle));
  return result;
}

// Opened for reading where it was; copied when something is written. If it is copied meanwhile, the handle follows.
absl::StatusOr<OpenResult> ViewFileSystemImpl::OpenLazily(const CallContext& context, const ViewNodePtr& node,
                                                          const Inner& inner, HandleId handle, const OpenFlags& flags) {
  OpenFlags reading{.read = true, .no_atime = flags.no_atime};
  const CallContext& whose = flags.read ? context : AsDaemon(context);
  ASSIGN_OR_RETURN(OpenResult result, inner.files->Open(whose, inner.node, handle, reading, 0));
  AddHandle(node, handle, flags, inner.side);
  RETURN_IF_ERROR(FollowCopy(context, node, inner.side, handle));
  result.has_capability = !result.attributes.without_xattrs;
  result.attributes = Shown(*node, inner.side, result.attributes);
  result.inline_data.reset();
  return result;
}

absl::StatusOr<CreateResult> ViewFileSystemImpl::Create(const CallContext& context, const NewNode& where,
                                                        bool exclusive, HandleId handle, OpenFlags flags) {
  RETURN_IF_ERROR(CheckNewHandle(handle));
  ASSIGN_OR_RETURN(const Place place, FindPlace(where.parent, where.name));
  while (true) {
    const absl::StatusOr<NewPlace> made = PrepareNew(context, place, where, FileType::kRegular);
    if (made.ok()) return CreateNew(context, *made, exclusive, handle, flags, where.proposed);
    if (ToErrno(made.status()) != EEXIST || exclusive) return made.status();
    absl::StatusOr<Found> there = LookupChild(context, place);
    if (there.ok()) return OpenForCreate(context, *std::move(there), handle, flags);
    if (ToErrno(there.status()) != ENOENT) return there.status();  // else it has just gone
  }
}

absl::StatusOr<CreateResult> ViewFileSystemImpl::CreateNew(const CallContext& context, const NewPlace& made,
                                                           bool exclusive, HandleId handle, const OpenFlags& flags,
                                                           NodeId proposed) {
  const absl::Cleanup end = [&] { EndNew(made); };
  const bool only_new = exclusive || made.side == Side::kLayer;
  ASSIGN_OR_RETURN(CreateResult result, On(made.side).Create(context, made.ForSide(), only_new, handle, flags));
  absl::StatusOr<Found> found = AdmitNew(context, made, std::move(result.entry), proposed);
  if (!found.ok()) On(made.side).Release(std::array{handle});
  RETURN_IF_ERROR(found.status());
  AddHandle(found->node, handle, flags, made.side);
  result.entry = GiveOut(*std::move(found));
  return result;
}

absl::StatusOr<CreateResult> ViewFileSystemImpl::OpenForCreate(const CallContext& context, Found there, HandleId handle,
                                                               const OpenFlags& flags) {
  if (there.node->type() == FileType::kSymlink) return ErrnoStatus(ELOOP);
  if (there.node->IsDirectory()) return ErrnoStatus(EISDIR);
  ASSIGN_OR_RETURN(const OpenResult opened, OpenNode(context, there.node, handle, flags, 0));
  CreateResult result;
  result.entry = GiveOut(std::move(there));
  result.entry.attributes = opened.attributes;
  return result;
}

void ViewFileSystemImpl::Release(absl::Span<const HandleId> handles) {
  std::array<std::vector<HandleId>, kSideCount> by_side;
  for (const HandleId id : handles) {
    const ViewHandlePtr handle = handles_.Remove(id);
    if (handle == nullptr) continue;
    EndLocks(handle);
    by_side[Index(handle->End())].push_back(id);
  }
  for (const Side side : {Side::kContainer, Side::kLocal, Side::kLayer}) {
    if (!by_side[Index(side)].empty()) On(side).Release(by_side[Index(side)]);
  }
}

}  // namespace mirrorfs
