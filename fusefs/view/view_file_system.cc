#include "fusefs/view/view_file_system.h"

#include <cerrno>
#include <utility>

#include "fusefs/view/view_file_system_impl.h"
#include "protos/rootfs/component_name.h"

namespace mirrorfs {
namespace {

constexpr uint64_t kInternalHandles = uint64_t{1} << 63;

Side RootSide(const ViewOptions& options) {
  const PathDecision decision = options.policy.Decide(options.policy.Map("/"));
  const bool local = decision.side == PathSide::kLocal || options.container == nullptr;
  return local && options.local != nullptr ? Side::kLocal : Side::kContainer;
}

std::optional<PathPolicy> LocalRulesOf(const PathPolicy& policy) {
  PolicySpec spec = policy.spec();
  if (spec.mode != FsMode::kRead && spec.mode != FsMode::kWrite) return std::nullopt;  // undecided paths are local, too
  std::erase_if(spec.rules,
                [](const PolicyRule& rule) { return rule.list != kLocalList && rule.list != kDefaultLocalList; });
  absl::StatusOr<PathPolicy> rules = PathPolicy::Compile(std::move(spec));
  if (!rules.ok()) return std::nullopt;
  return *std::move(rules);
}

// The root is there whatever the rules say.
PathDecision RootDecision(const ViewOptions& options) {
  PathDecision decision = options.policy.Decide(options.policy.Map("/"));
  if (decision.side == PathSide::kNotFound) decision = {PathSide::kLocal, WritesGo::kNowhere, decision.rule};
  return decision;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ViewFileSystem>> ViewFileSystem::Create(ViewOptions options) {
  if (options.container == nullptr && options.local == nullptr) return ErrnoStatus(EINVAL, "a view of nothing");
  auto view = std::make_unique<ViewFileSystemImpl>(std::move(options));
  RETURN_IF_ERROR(view->Begin());
  return view;
}

ViewFileSystemImpl::ViewFileSystemImpl(ViewOptions options)
    : options_(std::move(options)),
      container_reads_(DeferredReads::Of(options_.container)),
      local_rules_(LocalRulesOf(options_.policy)),
      nodes_({options_.container, options_.local, options_.layer_files}, RootDecision(options_), RootSide(options_)) {}

ViewFileSystemImpl::~ViewFileSystemImpl() = default;

absl::Status ViewFileSystemImpl::Begin() {
  const SteadyTime now = std::chrono::steady_clock::now();
  for (const Side side : {Side::kContainer, Side::kLocal}) {
    if (Has(side)) nodes_.Root()->AddCounterpart(side, NodeId::kRoot, now);
  }
  if (options_.layer == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Entry tree, On(Side::kLayer).Lookup({}, NodeId::kRoot, "tree"));
  ASSIGN_OR_RETURN(const Entry work, On(Side::kLayer).Lookup({}, NodeId::kRoot, "work"));
  roots_[Index(Side::kLayer)] = tree.node;
  layer_work_ = work.node;
  ASSIGN_OR_RETURN(LayerRecord record, options_.layer->ReadRecord(options_.layer->tree()));
  if (record.Empty()) RETURN_IF_ERROR(DecorateRoot({}));
  ASSIGN_OR_RETURN(record, options_.layer->ReadRecord(options_.layer->tree()));
  nodes_.Root()->SetRecord(record);
  nodes_.Root()->AddCounterpart(Side::kLayer, tree.node, now);
  return absl::OkStatus();
}

absl::StatusOr<Entry> ViewFileSystemImpl::Root(const CallContext& context) {
  ASSIGN_OR_RETURN(const Attributes attributes, AttributesOf(context, *nodes_.Root(), HandleId::kNone));
  return Entry{.node = NodeId::kRoot, .attributes = attributes, .identity = {}, .link_target = {}};
}

void ViewFileSystemImpl::Forget(absl::Span<const ForgottenNode> nodes) {
  for (const ForgottenNode& forgotten : nodes) nodes_.Forget(forgotten.node, forgotten.count);
}

absl::StatusOr<ViewNodePtr> ViewFileSystemImpl::FindNode(NodeId node) const {
  ViewNodePtr found = nodes_.Find(node);
  if (found == nullptr) return ErrnoStatus(ESTALE);
  return found;
}

absl::StatusOr<ViewNodePtr> ViewFileSystemImpl::FindDirectory(NodeId node) const {
  ASSIGN_OR_RETURN(ViewNodePtr found, FindNode(node));
  if (!found->IsDirectory()) return ErrnoStatus(ENOTDIR);
  return found;
}

absl::StatusOr<ViewHandlePtr> ViewFileSystemImpl::FindHandle(HandleId handle) const {
  ViewHandlePtr found = handles_.Find(handle);
  if (found == nullptr) return ErrnoStatus(EBADF);
  return found;
}

absl::StatusOr<ViewFileSystemImpl::Place> ViewFileSystemImpl::FindPlace(NodeId parent, std::string_view name) const {
  ASSIGN_OR_RETURN(const ViewNodePtr directory, FindNode(parent));
  RETURN_IF_ERROR(CheckComponentName(name));
  if (!directory->IsDirectory()) return ErrnoStatus(ENOTDIR);
  return PlaceIn(directory, name);
}

absl::StatusOr<ViewFileSystemImpl::Place> ViewFileSystemImpl::PlaceIn(const ViewNodePtr& parent,
                                                                      std::string_view name) const {
  Place place{.parent = parent, .name = std::string(name), .path = {}, .decision = {}};
  ASSIGN_OR_RETURN(const std::string above, PathOf(*parent));
  place.path = JoinPath(above, name);
  place.decision = Decide(place.path);
  return place;
}

absl::StatusOr<Side> ViewFileSystemImpl::SideOfWrites(const PathDecision& decision) const {
  switch (decision.writes) {
    case WritesGo::kContainer:
      return Side::kContainer;
    case WritesGo::kLocal:
      return Side::kLocal;
    case WritesGo::kLayer:
      if (!Has(Side::kLayer)) return ErrnoStatus(EROFS);
      return Side::kLayer;
    case WritesGo::kNowhere:
      break;
  }
  return ErrnoStatus(ENOENT, "the path is hidden");
}

CallContext ViewFileSystemImpl::AsDaemon(const CallContext& context) {
  CallContext own = context;
  own.caller = Caller{};
  return own;
}

absl::Status ViewFileSystemImpl::CheckNewHandle(HandleId handle) const {
  const bool usable =
      handle != HandleId::kNone && ToNumber(handle) < kInternalHandles && handles_.Find(handle) == nullptr;
  return ErrnoStatus(usable ? 0 : EINVAL);
}

}  // namespace mirrorfs
