// The view's parts and operations. Each operation is in the file that is named after its kind.
#ifndef MIRRORFS_FUSEFS_VIEW_VIEW_FILE_SYSTEM_IMPL_H_
#define MIRRORFS_FUSEFS_VIEW_VIEW_FILE_SYSTEM_IMPL_H_

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "fusefs/view/union_listings.h"
#include "fusefs/view/view_file_system.h"
#include "fusefs/view/view_handle.h"
#include "fusefs/view/view_table.h"
#include "protos/shared/deferred_reads.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/handle_table.h"

namespace mirrorfs {

// Thread-safe. Lock order: gates (view_node.h) → placing_ → the tables' mutexes.
class ViewFileSystemImpl final : public ViewFileSystem, public DeferredReads {
 public:
  explicit ViewFileSystemImpl(ViewOptions options);
  ~ViewFileSystemImpl() override;
  // Finds the roots.
  absl::Status Begin();

  // view_file_system.cc
  absl::StatusOr<Entry> Root(const CallContext& context) override;
  void Forget(absl::Span<const ForgottenNode> nodes) override;

  // names.cc
  absl::StatusOr<Entry> Lookup(const CallContext& context, NodeId parent, std::string_view name) override;
  std::optional<absl::StatusOr<Entry>> LookupHere(const CallContext& context, NodeId parent,
                                                  std::string_view name) override;
  absl::StatusOr<std::string> Readlink(const CallContext& context, NodeId node) override;

  // attributes.cc
  absl::StatusOr<AttributesReply> GetAttr(const CallContext& context, NodeOrHandle file) override;
  absl::StatusOr<AttributesReply> SetAttr(const CallContext& context, NodeOrHandle file,
                                          const AttributeChange& change) override;
  absl::Status Access(const CallContext& context, NodeId node, AccessMask mask) override;
  absl::StatusOr<FileSystemStatistics> StatFs(const CallContext& context, NodeId node) override;

  // directories.cc
  absl::StatusOr<DirectoryPage> ReadDir(const CallContext& context, NodeId node, DirCursor cursor, uint32_t max_bytes,
                                        bool with_attributes) override;
  void CloseDir(NodeId node, DirCursor cursor) override;
  absl::Status Fsyncdir(const CallContext& context, NodeId node, bool data_only) override;

  // creation.cc
  absl::StatusOr<Entry> Mknod(const CallContext& context, const NewNode& where, FileType type, uint32_t rdev_major,
                              uint32_t rdev_minor) override;
  absl::StatusOr<Entry> Mkdir(const CallContext& context, const NewNode& where) override;
  absl::StatusOr<Entry> Symlink(const CallContext& context, const NewNode& where, std::string_view target) override;
  absl::StatusOr<Entry> Link(const CallContext& context, NodeId node, NodeId new_parent,
                             std::string_view new_name) override;

  // removal.cc
  absl::StatusOr<Removed> Unlink(const CallContext& context, NodeId parent, std::string_view name) override;
  absl::StatusOr<Removed> Rmdir(const CallContext& context, NodeId parent, std::string_view name) override;

  // rename.cc
  absl::StatusOr<Renamed> Rename(const CallContext& context, NodeId parent, std::string_view name, NodeId new_parent,
                                 std::string_view new_name, RenameMode mode) override;

  // opening.cc
  absl::StatusOr<OpenResult> Open(const CallContext& context, NodeId node, HandleId handle, OpenFlags flags,
                                  uint32_t inline_bytes) override;
  absl::StatusOr<CreateResult> Create(const CallContext& context, const NewNode& where, bool exclusive, HandleId handle,
                                      OpenFlags flags) override;
  void Release(absl::Span<const HandleId> handles) override;

  // file_data.cc
  absl::StatusOr<absl::Cord> Read(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size) override;
  void StartRead(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size, ReadDone done) override;
  absl::StatusOr<Written> Write(const CallContext& context, HandleId handle, uint64_t offset, absl::Cord data) override;
  absl::Status Fsync(const CallContext& context, HandleId handle, bool data_only) override;
  absl::Status Fallocate(const CallContext& context, HandleId handle, FallocateMode mode, bool keep_size,
                         uint64_t offset, uint64_t length) override;
  absl::StatusOr<uint64_t> Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                SeekWhence whence) override;
  absl::StatusOr<uint64_t> CopyFileRange(const CallContext& context, HandleId source, uint64_t source_offset,
                                         HandleId destination, uint64_t destination_offset, uint64_t length) override;

  // locks.cc
  absl::StatusOr<LockRange> GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                    const LockRange& lock) override;
  absl::Status SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                       const LockRange& lock, absl::Duration wait) override;

  // xattrs.cc
  absl::StatusOr<std::string> GetXattr(const CallContext& context, NodeId node, std::string_view name) override;
  absl::Status SetXattr(const CallContext& context, NodeId node, std::string_view name, std::string_view value,
                        XattrMode mode) override;
  absl::StatusOr<std::vector<std::string>> ListXattr(const CallContext& context, NodeId node) override;
  absl::Status RemoveXattr(const CallContext& context, NodeId node, std::string_view name) override;

 private:
  // A node as its side knows it.
  struct Inner {
    FileSystem* files = nullptr;
    NodeId node = NodeId::kInvalid;
    Side side = Side::kContainer;
  };
  // A node of the view and what is told of it. Not given out yet.
  struct Found {
    ViewNodePtr node;
    Entry entry;
    Side side = Side::kContainer;
  };
  // A name in a directory of the view.
  struct Place {
    ViewNodePtr parent;
    std::string name;
    std::string path;  // in the view
    PathDecision decision;
  };
  struct InLayer {
    enum class State : uint8_t { kAbsent, kHidden, kPresent };
    State state = State::kAbsent;
    Entry entry;
    LayerRecord record;
    UniqueFd file = {};  // O_PATH; where a record had to be looked for
  };

  // --- view_file_system.cc
  FileSystem& On(Side side) const { return *nodes_.On(side); }
  bool Has(Side side) const { return nodes_.On(side) != nullptr; }
  absl::StatusOr<ViewNodePtr> FindNode(NodeId node) const;
  absl::StatusOr<ViewNodePtr> FindDirectory(NodeId node) const;
  absl::StatusOr<ViewHandlePtr> FindHandle(HandleId handle) const;
  absl::StatusOr<Place> FindPlace(NodeId parent, std::string_view name) const;
  absl::StatusOr<Place> PlaceIn(const ViewNodePtr& parent, std::string_view name) const;
  // Where changes go. ENOENT if nowhere, EROFS if to a layer that is not there.
  absl::StatusOr<Side> SideOfWrites(const PathDecision& decision) const;
  // The same call in the daemon's own name.
  static CallContext AsDaemon(const CallContext& context);
  HandleId NextInternalHandle() { return HandleId{next_internal_.fetch_add(1)}; }

  // --- counterparts.cc
  // "/", "/a/b". ESTALE if it has no name any more.
  static absl::StatusOr<std::string> PathOf(const ViewNode& node);
  PathDecision Decide(std::string_view path) const { return options_.policy.Decide(options_.policy.Map(path)); }
  NodeId RootOf(Side side) const { return roots_[Index(side)]; }
  // True: a side has told that a file is not there, or not for this caller. False: it could not be asked, and nothing
  // may be concluded from that.
  static bool IsAnswer(const absl::Status& error);
  // The directory on that side; kInvalid if there is none.
  absl::StatusOr<NodeId> InnerOf(const CallContext& context, const ViewNodePtr& directory, Side side);
  absl::StatusOr<NodeId> FindInner(const CallContext& context, const ViewNodePtr& directory, Side side);
  // The side that answers for the node, and the node there.
  absl::StatusOr<Inner> ServingInner(const ViewNode& node) const;
  // Where a mapping of the policy leads with this name, if that is not below where the directory is.
  std::optional<std::string> MappedAway(const Place& place) const;
  // The directory of a side in which a name of the view lies, and the name there. ENOENT if there is none.
  struct InnerPlace {
    NodeId parent = NodeId::kInvalid;
    std::string name;
    bool walked = false;  // the reference to `parent` is to be given back
  };
  absl::StatusOr<InnerPlace> InnerPlaceOf(const CallContext& context, Side side, const Place& place);
  // ENOENT if it is not there. With a reference to the inner node.
  absl::StatusOr<Entry> InnerLookup(const CallContext& context, Side side, const Place& place);
  // `path` from the side's root, links followed but for the last.
  absl::StatusOr<Entry> Walk(const CallContext& context, Side side, std::string path);
  absl::StatusOr<Entry> WalkStraight(const CallContext& context, Side side, const std::vector<std::string>& names,
                                     std::string& redirected);

  // --- names.cc
  // Whether a listing of the directory asks the container for its part.
  bool ContainerHasPart(const ViewNode& directory) const;
  absl::StatusOr<Found> LookupChild(const CallContext& context, const Place& place);
  // Of a name that the policy takes from this machine.
  absl::StatusOr<Found> LookupLocally(const CallContext& context, const Place& place);
  // Of a name that the layer says nothing of.
  absl::StatusOr<Found> LookupOnSides(const CallContext& context, const Place& place);
  absl::StatusOr<Found> GiveNameToCopy(const CallContext& context, const Place& place, Found found);
  absl::StatusOr<InLayer> LookupInLayer(const CallContext& context, const Place& place);
  Found AdmitFromLayer(const Place& place, InLayer in_layer, NodeId proposed = NodeId::kInvalid);
  absl::StatusOr<Found> Admit(const CallContext& context, const Place& place, Side side, Entry entry,
                              NodeId proposed = NodeId::kInvalid);
  absl::StatusOr<Found> LookupOnTheWay(const CallContext& context, const Place& place, Side side);
  Entry GiveOut(Found found);
  void TranslateDirectory(const Place& place, Side side, Entry& entry) const;

  // --- on_the_way.cc
  // Could anything below the path be taken from that side?
  bool MayLeadTo(Side side, std::string_view path) const;
  // Whether a directory of `side` leads to anything that the policy takes from there.
  bool LeadsSomewhere(const CallContext& context, Side side, NodeId inner, const std::string& path);
  bool LeadsSomewhere(const CallContext& context, Side side, NodeId inner, const std::string& path, int& budget);

  // --- attributes.cc
  Attributes Shown(const ViewNode& node, Side side, Attributes attributes) const;
  // What a side tells of a directory after a change, if it is that side that answers for the directory.
  std::optional<Attributes> ShownAfterwards(const ViewNode& directory, Side side,
                                            const std::optional<Attributes>& attributes) const;
  // The same, asked for.
  std::optional<Attributes> LayerTells(const CallContext& context, const ViewNode& directory);
  uint64_t ShownInode(Side side, uint64_t inode) const;
  absl::StatusOr<Attributes> AttributesOf(const CallContext& context, const ViewNode& node, HandleId handle);
  // Makes the node one that may be changed, as its decision says: copies it into the layer. EROFS, EACCES.
  absl::StatusOr<Inner> PrepareChange(const CallContext& context, const ViewNodePtr& node, uint64_t bytes = UINT64_MAX);
  absl::StatusOr<AttributesReply> SetAttrInLayer(const CallContext& context, const ViewNodePtr& node,
                                                 const NodeOrHandle& inner, const AttributeChange& change);

  // --- rights.cc: what the kernel or the agent would check, for files of the layer
  bool ChecksRights() const { return options_.acting_as.has_value(); }
  bool RecordsOwners() const { return options_.layer != nullptr && !options_.layer->info().native_ids; }
  absl::Status CheckAccess(const CallContext& context, const ViewNodePtr& node, AccessMask mask);
  absl::Status CheckSearch(const CallContext& context, const ViewNodePtr& directory);
  // Whether the layer's file system will not do it.
  bool ChecksHere(const ViewNode& node) const;
  // To make a name in the directory, which is in the layer then.
  absl::Status CheckMayAdd(const CallContext& context, const ViewNodePtr& parent);
  // To take `victim` out of the directory of `place`, which is in the layer then.
  absl::Status CheckRemoval(const CallContext& context, const Place& place, const Found& victim);
  absl::Status CheckSetAttr(const CallContext& context, const ViewNodePtr& node, const AttributeChange& change,
                            bool by_writer);
  absl::Status CheckSetXattr(const CallContext& context, const ViewNodePtr& node, std::string_view name);
  absl::Status CheckOwner(const Attributes& attributes) const;

  // --- directories.cc
  struct Contents {
    std::vector<std::pair<Side, NodeId>> sides;  // where the directory is
    bool merged() const { return sides.size() > 1 || (sides.size() == 1 && sides[0].first == Side::kLayer); }
  };
  absl::StatusOr<Contents> ContentsOf(const CallContext& context, const ViewNodePtr& directory);
  absl::StatusOr<DirectoryPage> ReadStraight(const CallContext& context, const ViewNodePtr& directory, Side side,
                                             NodeId inner, DirCursor cursor, uint32_t max_bytes, bool with_attributes);
  DirectoryPage PageOf(NodeId directory, const UnionListings::ListingPtr& listing, DirCursor cursor, uint32_t max_bytes,
                       bool with_attributes);
  absl::StatusOr<UnionListings::ListingPtr> ReadUnion(const CallContext& context, const ViewNodePtr& directory,
                                                      const Contents& contents);
  using AddListed = std::function<absl::Status(DirectoryEntry entry)>;
  absl::Status ListInner(const CallContext& context, Side side, NodeId inner, const AddListed& add);
  // As the view shows it; nothing if it does not. Takes over the reference that comes with the entry.
  // Fails if a side that was asked did not answer: a name that was left out would be taken for absent.
  absl::StatusOr<std::optional<UnionListings::Item>> ShowListed(const CallContext& context,
                                                                const ViewNodePtr& directory, Side side,
                                                                DirectoryEntry entry);
  absl::StatusOr<std::optional<UnionListings::Item>> ShowMapped(const CallContext& context, const Place& place,
                                                                Side side, DirectoryEntry entry);
  static UnionListings::Item ItemOf(DirectoryEntry entry, Found found);
  // Whether a name that `side` has is to be seen.
  absl::StatusOr<bool> IsSeenOn(const CallContext& context, Side side, const Place& place, const DirectoryEntry& entry);
  absl::Status AddLayerNames(const CallContext& context, const ViewNodePtr& directory, NodeId inner,
                             UnionListings::Listing& listing);
  absl::Status CheckEmpty(const CallContext& context, const ViewNodePtr& directory);

  // --- copy_up.cc
  // The node in the layer: brought there if it is not yet, with the first `bytes` of its content.
  absl::StatusOr<NodeId> CopyUp(const CallContext& context, const ViewNodePtr& node, uint64_t bytes = UINT64_MAX);
  absl::StatusOr<NodeId> EnsureLayerDirectory(const CallContext& context, const ViewNodePtr& directory);
  absl::StatusOr<NodeId> CopyFileUp(const CallContext& context, const ViewNodePtr& node, uint64_t bytes);
  absl::StatusOr<UniqueFd> MakeCopy(const CallContext& context, const ViewNodePtr& node, const Attributes& attributes,
                                    uint64_t bytes, const std::string& work_name);
  absl::Status PutCopyInPlace(const CallContext& context, const ViewNodePtr& node, const std::string& work_name);
  void RecordMapping(const ViewNode& node, LayerRecord& record) const;
  absl::Status MoveHandles(const CallContext& context, const ViewNodePtr& node, NodeId inner);
  absl::Status DecorateCopy(const CallContext& context, const ViewNodePtr& node, const Attributes& attributes, int fd,
                            LayerRecord& record);
  // What was opened before its file was copied goes on with the copy. EBADF if it has ended.
  absl::Status MoveToCopy(const CallContext& context, const ViewHandle& handle);
  // What was opened on a side while the file was being copied follows it. Ends the handle if it cannot.
  absl::Status FollowCopy(const CallContext& context, const ViewNodePtr& node, Side opened_on, HandleId handle);
  absl::Status DecorateRoot(const CallContext& context);

  // --- layer_names.cc: names of the layer's tree
  // Of the parent of a place, O_PATH. For direct calls on names in it.
  absl::StatusOr<UniqueFd> OpenLayerParent(const ViewNode& parent) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(placing_);
  absl::StatusOr<UniqueFd> OpenInLayer(const Place& place);
  // The node's file in the layer, by whichever name it has there. ENOENT if it has none.
  absl::StatusOr<UniqueFd> OpenCopy(const CallContext& context, const ViewNode& node);
  // With copying() of the node held: so no two changes of a record meet.
  absl::Status UpdateRecord(const CallContext& context, ViewNode& node,
                            const std::function<void(LayerRecord&)>& change);
  // A file that the container has under several names, and that has been copied: the copy gets all of those that are
  // known. With copying() of the node held.
  absl::Status LinkKnownNames(const CallContext& context, const ViewNodePtr& node);
  absl::Status LinkKnownName(const CallContext& context, const ViewNode& node, const Place& place, int copy);
  // Tells the layer's file system, which finds its nodes by the names that it has seen them under.
  absl::Status NoteLayerName(const CallContext& context, const Place& place);
  // What the container has under the name, hidden or not.
  absl::StatusOr<std::optional<Attributes>> ContainerHas(const CallContext& context, const Place& place);
  absl::Status HideName(const Place& place, const std::optional<Attributes>& what);

  // --- creation.cc
  // Where something new goes.
  struct NewPlace {
    Place place;
    Side side = Side::kContainer;
    InnerPlace inner;
    uint32_t permissions = 0;
    uint32_t umask = 0;
    // In the layer:
    LayerRecord record;  // what the new file begins with; a link's is written already
    bool is_link = false;
    bool hidden = false;  // a place holder is there
    UniqueFd stage;       // where it is made before it is placed, if that is needed
    std::string stage_name;
    Gate::Pass changing;

    NewNode ForSide() const { return {inner.parent, inner.name, permissions, umask}; }
  };
  // `type`: none for a link, which is what it leads to.
  absl::StatusOr<NewPlace> PrepareNew(const CallContext& context, Place place, const NewNode& where,
                                      std::optional<FileType> type);
  absl::Status PrepareNewInLayer(const CallContext& context, std::optional<FileType> type, NewPlace& made);
  absl::Status RecordNewOwner(const CallContext& context, FileType type, NewPlace& made);
  absl::Status MakeStage(const CallContext& context, NewPlace& made);
  absl::StatusOr<Entry> FinishNew(const CallContext& context, const NewPlace& made, absl::StatusOr<Entry> entry,
                                  NodeId proposed);
  absl::StatusOr<Found> AdmitNew(const CallContext& context, const NewPlace& made, Entry entry, NodeId proposed);
  absl::Status PlaceFromStage(const CallContext& context, const NewPlace& made);
  // Whether it was made or not.
  void EndNew(const NewPlace& made);
  absl::StatusOr<Entry> LinkIn(const CallContext& context, const ViewNodePtr& source, NewPlace& made);
  void EndWalk(Side side, const InnerPlace& inner) const {
    if (inner.walked) nodes_.GiveBack(side, inner.parent);
  }

  // --- removal.cc
  absl::StatusOr<Removed> Remove(const CallContext& context, NodeId parent, std::string_view name, bool directory);
  absl::StatusOr<Removed> RemoveOnSide(const CallContext& context, Side side, const Place& place, bool directory);
  absl::Status UnlinkInLayer(const CallContext& context, const Place& place);
  absl::Status RmdirInLayer(const CallContext& context, const Place& place);
  // With the `changing` gates of both.
  absl::Status RemoveDirectory(const CallContext& context, const Place& place, const Found& found);
  absl::Status RemoveLayerDirectory(const Place& place, const std::optional<Attributes>& covered);
  // What the container has under the name of something that was found.
  absl::StatusOr<std::optional<Attributes>> Covered(const CallContext& context, const Place& place, const Found& found);
  // A name in the layer as it is seen, and what the container has there, seen or not.
  struct Sight {
    std::optional<Found> found;  // nothing: ENOENT
    std::optional<Attributes> covered;
  };
  absl::StatusOr<Sight> LookAt(const CallContext& context, const Place& place);
  // The `changing` gates of all, in the order that everybody keeps to.
  static absl::StatusOr<std::vector<Gate::Pass>> EnterAll(std::vector<ViewNode*> directories,
                                                          const std::stop_token& stop);

  // --- rename.cc
  absl::StatusOr<Renamed> RenameOnSide(const CallContext& context, Side side, const Place& from, const Place& to,
                                       RenameMode mode);
  // EXDEV if anything below what is moved from `from`, seen or hidden, is decided otherwise than it, there or at `to`.
  absl::Status CheckUniform(const CallContext& context, const ViewNodePtr& moved, const Place& from, const Place& to);
  absl::Status CheckUniformBelow(const CallContext& context, const ViewNodePtr& directory, const std::string& to,
                                 const PathDecision& decision, int& budget);
  void NoteMoved(const Place& from, const Place& to, const ViewNodePtr& moved, const ViewNodePtr& replaced,
                 RenameMode mode);

  // --- rename_in_layer.cc
  // A rename in the layer, looked at from all sides.
  struct Move {
    Place from;
    Place to;
    RenameMode mode = RenameMode::kReplace;
    Found moved;
    std::optional<Found> target;
    std::optional<Attributes> covered;         // by the moved one's name
    std::optional<Attributes> target_covered;  // by the other name

    // What the moved one takes the place of; null if nothing is lost.
    ViewNodePtr Replaced() const { return target && mode != RenameMode::kExchange ? target->node : nullptr; }
  };
  // A record that was changed for a move.
  struct Rewritten {
    ViewNodePtr node;
    LayerRecord before;
  };
  absl::Status RenameInLayer(const CallContext& context, const Place& from, const Place& to, RenameMode mode);
  absl::StatusOr<Move> LookAtMove(const CallContext& context, const Place& from, const Place& to, RenameMode mode);
  absl::Status CheckMove(const CallContext& context, const Move& move);
  absl::Status CheckMoveRights(const CallContext& context, const Move& move);
  // To be taken out of the directory in which it is.
  absl::Status CheckMayLeave(const CallContext& context, const ViewNodePtr& node);
  absl::Status BringAndMove(const CallContext& context, const Move& move);
  absl::Status BringForMove(const CallContext& context, const Place& from, const Found& found,
                            const std::optional<Attributes>& covered_there, std::vector<Rewritten>& rewritten);
  void PutRecordBack(const CallContext& context, const Rewritten& rewritten);
  // What it leaves in the layer's work is not removed yet: that may take a while, and `placing_` is held.
  absl::Status MoveInTree(const Move& move, std::vector<std::string>& left) ABSL_EXCLUSIVE_LOCKS_REQUIRED(placing_);
  absl::Status MoveDirectory(const Move& move, int from, int to, std::vector<std::string>& left);
  absl::Status ReplaceAndHide(const Move& move, int from, int to);
  // Where in the container the names of a directory are looked for; nothing if nowhere.
  std::optional<std::string> ContainerPathOf(const ViewNode& directory) const;

  // --- opening.cc
  absl::Status CheckNewHandle(HandleId handle) const;
  absl::StatusOr<OpenResult> OpenNode(const CallContext& context, const ViewNodePtr& found, HandleId handle,
                                      const OpenFlags& flags, uint32_t inline_bytes);
  // `inner`: on another side than the layer.
  absl::StatusOr<OpenResult> OpenLazily(const CallContext& context, const ViewNodePtr& node, const Inner& inner,
                                        HandleId handle, const OpenFlags& flags);
  absl::StatusOr<OpenResult> OpenOnSide(const CallContext& context, const ViewNodePtr& node, const Inner& inner,
                                        HandleId handle, const OpenFlags& flags, uint32_t inline_bytes);
  void AddHandle(const ViewNodePtr& node, HandleId handle, const OpenFlags& flags, Side side);
  absl::StatusOr<CreateResult> CreateNew(const CallContext& context, const NewPlace& made, bool exclusive,
                                         HandleId handle, const OpenFlags& flags, NodeId proposed);
  absl::StatusOr<CreateResult> OpenForCreate(const CallContext& context, Found there, HandleId handle,
                                             const OpenFlags& flags);

  // --- file_data.cc
  // For what changes the content: brings the file into the layer if that is where changes of it go.
  absl::Status PrepareWrite(const CallContext& context, const ViewHandle& handle);
  // Calls with the side that the handle is on; again if it has moved meanwhile.
  template <typename Call>
  auto OnHandle(const ViewHandle& handle, Call call) -> decltype(call(Side::kLayer)) {
    while (true) {
      const Side side = handle.side();
      auto result = call(side);
      if (handle.side() == side || ToErrno(StatusOf(result)) != EBADF) return result;
    }
  }
  static const absl::Status& StatusOf(const absl::Status& status) { return status; }
  template <typename T>
  static const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
    return result.status();
  }

  // --- locks.cc
  struct LockPlace {
    FileSystem* files = nullptr;
    HandleId handle = HandleId::kNone;
  };
  absl::StatusOr<LockPlace> WhereLocksAre(const CallContext& context, ViewHandle& handle);
  absl::StatusOr<HandleId> LockHandle(ViewHandle& handle);  // with locking_ held
  void EndLocks(const ViewHandlePtr& handle);

  // --- xattrs.cc
  bool IsOwnXattr(std::string_view name) const;

  const ViewOptions options_;
  DeferredReads* const container_reads_;  // of the container; may be null
  // Only the rules that take paths from this machine, where nothing else does: what others say about a directory does
  // not make it one that leads there.
  const std::optional<PathPolicy> local_rules_;
  std::array<NodeId, kSideCount> roots_ = {NodeId::kRoot, NodeId::kRoot, NodeId::kInvalid};
  NodeId layer_work_ = NodeId::kInvalid;
  ViewTable nodes_;
  HandleTable<ViewHandle> handles_;
  UnionListings listings_;
  std::atomic<uint64_t> next_internal_{uint64_t{1} << 63};
  Gate locking_;

  // Held across a few short calls on the layer's own directories, from the making of a path to its use, and from a
  // rename there until the nodes know of it: a path in between would lead astray. The exception to "no lock across a
  // system call".
  Mutex placing_;

  mutable Mutex mutex_;
  struct Remembered {
    bool leads = false;
    SteadyTime at;
  };
  absl::flat_hash_map<std::string, Remembered> leads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_VIEW_VIEW_FILE_SYSTEM_IMPL_H_
