// ReadDir, CloseDir, Fsyncdir.
//
// A directory that only one side has is passed on page by page. Else its names are put together here, each once: those
// of the layer, then those of the side that the policy takes, then directories of the other side that lead somewhere.
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fusefs/view/view_file_system_impl.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kInnerPageBytes = 1 << 20;
// About what an entry takes, beside its strings.
constexpr size_t kBareEntryBytes = 24;
constexpr size_t kFullEntryBytes = 140;

// Cursors of a side are passed on. Those of the local side are marked; the highest bit marks the view's own.
constexpr uint64_t kLocalMark = uint64_t{1} << 62;

absl::StatusOr<DirCursor> MarkCursor(Side side, DirCursor cursor) {
  if (cursor == DirCursor::kEnd) return cursor;
  if ((ToNumber(cursor) & (kLocalMark | UnionListings::kMark)) != 0) return ErrnoStatus(EIO, "directory cursor");
  return side == Side::kLocal ? DirCursor{ToNumber(cursor) | kLocalMark} : cursor;
}

size_t BytesOf(const DirectoryEntry& entry, bool with_attributes) {
  if (!with_attributes || !entry.entry) return kBareEntryBytes + entry.name.size();
  return kFullEntryBytes + entry.name.size() + entry.entry->link_target.size();
}

}  // namespace

absl::StatusOr<DirectoryPage> ViewFileSystemImpl::ReadDir(const CallContext& context, NodeId node, DirCursor cursor,
                                                          uint32_t max_bytes, bool with_attributes) {
  ASSIGN_OR_RETURN(const ViewNodePtr directory, FindDirectory(node));
  if (cursor != DirCursor::kStart && UnionListings::Owns(cursor)) {
    const UnionListings::ListingPtr listing = listings_.Find(node, cursor);
    if (listing == nullptr) return ErrnoStatus(ESTALE, "directory cursor");
    return PageOf(node, listing, cursor, max_bytes, with_attributes);
  }
  if (cursor != DirCursor::kStart) {
    const Side side = (ToNumber(cursor) & kLocalMark) != 0 ? Side::kLocal : Side::kContainer;
    const Counterpart part = directory->On(side);
    if (part.state != Counterpart::State::kPresent) return ErrnoStatus(ESTALE, "directory cursor");
    return ReadStraight(context, directory, side, part.node, DirCursor{ToNumber(cursor) & ~kLocalMark}, max_bytes,
                        with_attributes);
  }
  ASSIGN_OR_RETURN(const Contents contents, ContentsOf(context, directory));
  if (contents.sides.empty()) return ErrnoStatus(ESTALE);
  const bool checked_here = RecordsOwners() && directory->Serving() == Side::kLayer;
  if (checked_here) RETURN_IF_ERROR(CheckAccess(context, directory, {.read = true}));
  if (!contents.merged()) {
    const auto& [side, inner] = contents.sides.front();
    return ReadStraight(context, directory, side, inner, cursor, max_bytes, with_attributes);
  }
  ASSIGN_OR_RETURN(const UnionListings::ListingPtr listing, ReadUnion(context, directory, contents));
  return PageOf(node, listing, cursor, max_bytes, with_attributes);
}

void ViewFileSystemImpl::CloseDir(NodeId node, DirCursor cursor) {
  const ViewNodePtr directory = nodes_.Find(node);
  if (directory == nullptr || cursor == DirCursor::kEnd) return;
  if (UnionListings::Owns(cursor)) return listings_.Remove(node, cursor);
  const Side side = (ToNumber(cursor) & kLocalMark) != 0 ? Side::kLocal : Side::kContainer;
  const Counterpart part = directory->On(side);
  if (Has(side) && part.state == Counterpart::State::kPresent) {
    On(side).CloseDir(part.node, DirCursor{ToNumber(cursor) & ~kLocalMark});
  }
}

absl::Status ViewFileSystemImpl::Fsyncdir(const CallContext& context, NodeId node, bool data_only) {
  ASSIGN_OR_RETURN(const ViewNodePtr directory, FindDirectory(node));
  ASSIGN_OR_RETURN(const Inner inner, ServingInner(*directory));
  return inner.files->Fsyncdir(context, inner.node, data_only);
}

absl::StatusOr<ViewFileSystemImpl::Contents> ViewFileSystemImpl::ContentsOf(const CallContext& context,
                                                                            const ViewNodePtr& directory) {
  Contents contents;
  const absl::StatusOr<std::string> path = PathOf(*directory);
  const Side decided = directory->decision().side == PathSide::kLocal ? Side::kLocal : Side::kContainer;
  const Side other = decided == Side::kLocal ? Side::kContainer : Side::kLocal;
  const bool differs = path.ok() && MayLeadTo(other, *path);
  for (const Side side : {Side::kLayer, decided, other}) {
    if (side == other && !differs && directory->primary() != other) continue;
    const absl::StatusOr<NodeId> inner = InnerOf(context, directory, side);
    if (!inner.ok() && (side != other || !IsAnswer(inner.status()))) return inner.status();
    if (inner.ok() && *inner != NodeId::kInvalid) contents.sides.emplace_back(side, *inner);
  }
  return contents;
}

absl::StatusOr<DirectoryPage> ViewFileSystemImpl::ReadStraight(const CallContext& context, const ViewNodePtr& directory,
                                                               Side side, NodeId inner, DirCursor cursor,
                                                               uint32_t max_bytes, bool with_attributes) {
  ASSIGN_OR_RETURN(DirectoryPage page, On(side).ReadDir(context, inner, cursor, max_bytes, with_attributes));
  std::vector<UnionListings::Item> items;
  items.reserve(page.entries.size());
  absl::Status status;
  for (DirectoryEntry& entry : page.entries) {
    auto item = ShowListed(context, directory, side, std::move(entry));
    if (!item.ok()) {
      if (status.ok()) status = item.status();
    } else if (*item) {
      items.push_back(**std::move(item));
    }
  }
  if (!status.ok() && page.next != DirCursor::kEnd) On(side).CloseDir(inner, page.next);
  RETURN_IF_ERROR(status);
  DirectoryPage shown;
  shown.entries.reserve(items.size());
  for (UnionListings::Item& item : items) {
    if (item.node != nullptr && item.entry.entry) nodes_.GiveOut(item.node);
    shown.entries.push_back(std::move(item.entry));
  }
  ASSIGN_OR_RETURN(shown.next, MarkCursor(side, page.next));
  shown.directory = ShownAfterwards(*directory, side, page.directory);
  return shown;
}

DirectoryPage ViewFileSystemImpl::PageOf(NodeId directory, const UnionListings::ListingPtr& listing, DirCursor cursor,
                                         uint32_t max_bytes, bool with_attributes) {
  DirectoryPage page;
  size_t position = cursor == DirCursor::kStart ? 0 : UnionListings::PositionOf(cursor);
  for (size_t bytes = 0; position < listing->items.size() && (bytes < max_bytes || page.entries.empty()); ++position) {
    const UnionListings::Item& item = listing->items[position];
    page.entries.push_back(item.entry);
    DirectoryEntry& entry = page.entries.back();
    if (!with_attributes) entry.entry.reset();
    if (entry.entry) nodes_.GiveOut(item.node);
    bytes += BytesOf(entry, with_attributes);
  }
  if (position < listing->items.size()) {
    const uint64_t number =
        cursor == DirCursor::kStart ? listings_.Add(directory, listing) : UnionListings::NumberOf(cursor);
    page.next = UnionListings::MakeCursor(number, position);
  } else if (cursor != DirCursor::kStart) {
    listings_.MarkFinished(cursor);
  }
  return page;
}

absl::Status ViewFileSystemImpl::ListInner(const CallContext& context, Side side, NodeId inner, const AddListed& add) {
  DirCursor cursor = DirCursor::kStart;
  do {
    ASSIGN_OR_RETURN(DirectoryPage page, On(side).ReadDir(context, inner, cursor, kInnerPageBytes, true));
    absl::Status status;
    for (DirectoryEntry& entry : page.entries) {
      const absl::Status added = add(std::move(entry));
      if (status.ok()) status = added;
    }
    cursor = page.next;
    if (!status.ok() && cursor != DirCursor::kEnd) On(side).CloseDir(inner, cursor);
    RETURN_IF_ERROR(status);
  } while (cursor != DirCursor::kEnd);
  return absl::OkStatus();
}

absl::StatusOr<UnionListings::ListingPtr> ViewFileSystemImpl::ReadUnion(const CallContext& context,
                                                                        const ViewNodePtr& directory,
                                                                        const Contents& contents) {
  auto listing = std::make_shared<UnionListings::Listing>();
  for (const auto& [side, inner] : contents.sides) {
    if (side == Side::kLayer) {
      RETURN_IF_ERROR(AddLayerNames(context, directory, inner, *listing));
      continue;
    }
    const absl::Status listed = ListInner(context, side, inner, [&, side = side](DirectoryEntry entry) -> absl::Status {
      if (listing->names.contains(entry.name)) {
        if (entry.entry) nodes_.GiveBack(side, entry.entry->node);
        return absl::OkStatus();
      }
      ASSIGN_OR_RETURN(std::optional<UnionListings::Item> item, ShowListed(context, directory, side, std::move(entry)));
      if (!item) return absl::OkStatus();
      listing->names[item->entry.name] = true;
      listing->items.push_back(*std::move(item));
      return absl::OkStatus();
    });
    // What the other side does not let us list is not seen. What it does not answer is not known: names that were left
    // out would be taken for absent.
    const bool needed = side == directory->Serving() || side == directory->primary();
    if (!listed.ok() && (needed || !IsAnswer(listed))) return listed;
  }
  return listing;
}

absl::Status ViewFileSystemImpl::AddLayerNames(const CallContext& context, const ViewNodePtr& directory, NodeId inner,
                                               UnionListings::Listing& listing) {
  UniqueFd tree;
  {
    MutexLock lock(placing_);
    ASSIGN_OR_RETURN(tree, OpenLayerParent(*directory));
  }
  return ListInner(context, Side::kLayer, inner, [&](DirectoryEntry entry) -> absl::Status {
    const NodeId child = entry.entry ? entry.entry->node : NodeId::kInvalid;  // it may be seen and not be looked at
    const auto give_back = [&] {
      if (child != NodeId::kInvalid) nodes_.GiveBack(Side::kLayer, child);
    };
    LayerRecord record;
    if (!entry.entry || !entry.entry->attributes.without_xattrs) {
      const absl::StatusOr<UniqueFd> fd = options_.layer->OpenName(tree.get(), entry.name);
      absl::StatusOr<LayerRecord> read = fd.ok() ? options_.layer->ReadRecord(fd->get()) : fd.status();
      if (!read.ok()) give_back();
      if (ToErrno(read.status()) == ENOENT) return absl::OkStatus();  // it has just gone
      RETURN_IF_ERROR(read.status());
      record = *std::move(read);
    }
    ASSIGN_OR_RETURN(const Place place, PlaceIn(directory, entry.name));
    const bool hidden = record.whiteout || place.decision.writes != WritesGo::kLayer;
    if (hidden) give_back();
    if (record.whiteout && place.decision.writes == WritesGo::kLayer) listing.names[entry.name] = false;
    if (hidden) return absl::OkStatus();
    listing.names[entry.name] = true;
    if (!entry.entry) {
      entry.inode = record.inode.value_or(ShownInode(Side::kLayer, entry.inode));
      listing.items.push_back({std::move(entry), nullptr});
      return absl::OkStatus();
    }
    InLayer in_layer{InLayer::State::kPresent, *std::move(entry.entry), std::move(record)};
    Found found = AdmitFromLayer(place, std::move(in_layer));
    listing.items.push_back(ItemOf(std::move(entry), std::move(found)));
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> ViewFileSystemImpl::IsSeenOn(const CallContext& context, Side side, const Place& place,
                                                  const DirectoryEntry& entry) {
  if (place.decision.side == PathSide::kNotFound) return false;
  const Side wanted = place.decision.side == PathSide::kLocal ? Side::kLocal : Side::kContainer;
  if (side == wanted) return true;
  const FileType type = entry.entry ? entry.entry->attributes.type : entry.type;
  if (type != FileType::kDirectory || !MayLeadTo(side, place.path)) return false;
  if (entry.entry) return LeadsSomewhere(AsDaemon(context), side, entry.entry->node, place.path);
  const absl::StatusOr<Entry> found = InnerLookup(AsDaemon(context), side, place);
  if (!found.ok() && !IsAnswer(found.status())) return found.status();
  if (!found.ok()) return false;
  const bool leads = LeadsSomewhere(AsDaemon(context), side, found->node, place.path);
  nodes_.GiveBack(side, found->node);
  return leads;
}

absl::StatusOr<std::optional<UnionListings::Item>> ViewFileSystemImpl::ShowListed(const CallContext& context,
                                                                                  const ViewNodePtr& directory,
                                                                                  Side side, DirectoryEntry entry) {
  absl::Cleanup give_back = [&] {
    if (entry.entry) nodes_.GiveBack(side, entry.entry->node);
  };
  const absl::StatusOr<Place> place = PlaceIn(directory, entry.name);
  if (!place.ok()) return std::nullopt;  // it is being removed
  if (!options_.policy.spec().mappings.empty() && options_.policy.MappingOf(place->path) != nullptr) {
    std::move(give_back).Invoke();
    return ShowMapped(context, *place, side, std::move(entry));
  }
  ASSIGN_OR_RETURN(const bool seen, IsSeenOn(context, side, *place, entry));
  if (!seen) return std::nullopt;
  std::move(give_back).Cancel();
  if (!entry.entry) {
    entry.inode = ShownInode(side, entry.inode);
    return UnionListings::Item{std::move(entry), nullptr};
  }
  absl::StatusOr<Found> found = Admit(context, *place, side, *std::move(entry.entry));
  if (!found.ok() && IsAnswer(found.status())) return std::nullopt;
  RETURN_IF_ERROR(found.status());
  return ItemOf(std::move(entry), *std::move(found));
}

// What the side has is only a name here. It is listed also where what it leads to may not be looked at.
absl::StatusOr<std::optional<UnionListings::Item>> ViewFileSystemImpl::ShowMapped(const CallContext& context,
                                                                                  const Place& place, Side side,
                                                                                  DirectoryEntry entry) {
  absl::StatusOr<Found> found = LookupChild(context, place);
  const int error = ToErrno(found.status());
  if (error == EACCES || error == EPERM) {
    entry.entry.reset();
    entry.inode = ShownInode(side, entry.inode);
    return UnionListings::Item{std::move(entry), nullptr};
  }
  if (!found.ok() && IsAnswer(found.status())) return std::nullopt;
  RETURN_IF_ERROR(found.status());
  return ItemOf(std::move(entry), *std::move(found));
}

UnionListings::Item ViewFileSystemImpl::ItemOf(DirectoryEntry entry, Found found) {
  entry.type = found.entry.attributes.type;
  entry.inode = found.entry.attributes.inode;
  entry.entry = std::move(found.entry);
  return {std::move(entry), std::move(found.node)};
}

absl::Status ViewFileSystemImpl::CheckEmpty(const CallContext& context, const ViewNodePtr& directory) {
  const CallContext own = AsDaemon(context);
  ASSIGN_OR_RETURN(const Contents contents, ContentsOf(own, directory));
  ASSIGN_OR_RETURN(const UnionListings::ListingPtr listing, ReadUnion(own, directory, contents));
  return ErrnoStatus(listing->items.empty() ? 0 : ENOTEMPTY);
}

}  // namespace mirrorfs
