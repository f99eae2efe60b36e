// Open, Create, Release.
#include <array>
#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {
namespace {

bool Changes(const OpenFlags& flags) { return flags.write || flags.append || flags.truncate; }

}  // namespace

void ViewFileSystemImpl::AddHandle(const ViewNodePtr& node, HandleId handle, const OpenFlags& flags, Side side) {
  handles_.Add(std::make_shared<ViewHandle>(handle, node, flags, side));
  node->AddHandle(handle);
}

absl::StatusOr<OpenResult> ViewFileSystemImpl::Open(const CallContext& context, NodeId node, HandleId handle,
                                                    OpenFlags flags, uint32_t inline_bytes) {
  RETURN_IF_ERROR(CheckNewHandle(handle));
  ASSIGN_OR_RETURN(const ViewNodePtr found, FindNode(node));
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
  if (inner.side != Side::kLayer && !flags.truncate) return OpenLazily(context, found, handle, flags, inline_bytes);
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

// Opened for reading where it is; copied when something is written.
absl::StatusOr<OpenResult> ViewFileSystemImpl::OpenLazily(const CallContext& context, const ViewNodePtr& node,
                                                          HandleId handle, const OpenFlags& flags,
                                                          uint32_t inline_bytes) {
  ASSIGN_OR_RETURN(const Inner inner, ServingInner(*node));
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
  if (place.decision.writes == WritesGo::kLayer && Has(Side::kLayer)) {
    absl::StatusOr<CreateResult> result = CreateInLayer(context, place, where, exclusive, handle, flags);
    return result;
  }
  ASSIGN_OR_RETURN(NewPlace made, PrepareNew(context, where, FileType::kRegular));
  absl::StatusOr<CreateResult> created = On(made.side).Create(context, made.ForSide(), exclusive, handle, flags);
  EndWalk(made.side, made.inner);
  ASSIGN_OR_RETURN(CreateResult result, std::move(created));
  absl::StatusOr<Found> found = Admit(context, made.place, made.side, std::move(result.entry), where.proposed);
  if (!found.ok()) {
    On(made.side).Release(std::array{handle});
    return found.status();
  }
  AddHandle(found->node, handle, flags, made.side);
  result.entry = GiveOut(*std::move(found));
  return result;
}

absl::StatusOr<CreateResult> ViewFileSystemImpl::CreateInLayer(const CallContext& context, const Place& place,
                                                               const NewNode& where, bool exclusive, HandleId handle,
                                                               const OpenFlags& flags) {
  while (true) {
    absl::StatusOr<NewPlace> made = PrepareNew(context, where, FileType::kRegular);
    if (ToErrno(made.status()) == EEXIST && !exclusive) {
      absl::StatusOr<Found> there = LookupChild(context, place);
      if (there.ok()) return OpenForCreate(context, *std::move(there), handle, flags);
      if (ToErrno(there.status()) == ENOENT) continue;  // it has just gone
      return there.status();
    }
    RETURN_IF_ERROR(made.status());
    absl::StatusOr<CreateResult> result = On(Side::kLayer).Create(context, made->ForSide(), true, handle, flags);
    if (!result.ok()) return UndoNew(*made, result.status());
    absl::StatusOr<Found> found = AdmitNew(context, *made, std::move(result->entry), where.proposed);
    if (!found.ok()) {
      On(Side::kLayer).Release(std::array{handle});
      return found.status();
    }
    AddHandle(found->node, handle, flags, Side::kLayer);
    result->entry = GiveOut(*std::move(found));
    return result;
  }
}

absl::StatusOr<CreateResult> ViewFileSystemImpl::OpenForCreate(const CallContext& context, Found there, HandleId handle,
                                                               const OpenFlags& flags) {
  if (there.node->type() == FileType::kSymlink) return ErrnoStatus(ELOOP);
  if (there.node->IsDirectory()) return ErrnoStatus(EISDIR);
  CreateResult result;
  result.entry = GiveOut(std::move(there));
  const absl::StatusOr<OpenResult> opened = Open(context, result.entry.node, handle, flags, 0);
  if (!opened.ok()) {
    nodes_.Forget(result.entry.node, 1);
    return opened.status();
  }
  result.entry.attributes = opened->attributes;
  return result;
}

void ViewFileSystemImpl::Release(absl::Span<const HandleId> handles) {
  std::array<std::vector<HandleId>, kSideCount> by_side;
  for (const HandleId id : handles) {
    const ViewHandlePtr handle = handles_.Remove(id);
    if (handle == nullptr) continue;
    EndLocks(handle);
    by_side[Index(handle->side())].push_back(id);
  }
  for (const Side side : {Side::kContainer, Side::kLocal, Side::kLayer}) {
    if (!by_side[Index(side)].empty()) On(side).Release(by_side[Index(side)]);
  }
}

}  // namespace mirrorfs
