#include "fusefs/view/layer_apply.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "fusefs/view/container_tree.h"
#include "protos/layer/file_tree.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr std::string_view kAside = ".mirrorfs-apply-";

bool IsBelow(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

// As it was when the layer began to cover it. What is in a directory may have changed: that is not the directory's.
bool IsUnchanged(const LayerBase& base, const Attributes& now) {
  LayerBase current = MakeLayerBase(now);
  current.inode = base.inode;  // numbers of the container's lower layers change by themselves
  if (base.type == FileType::kDirectory) current.mtime_ns = base.mtime_ns;
  return current == base;
}

absl::Status Refused(std::string message) { return absl::AbortedError(std::move(message)); }
bool IsRefusal(const absl::Status& status) { return absl::IsAborted(status) && !HasErrno(status); }
std::string TextOf(const absl::Status& status) {
  return IsRefusal(status) ? std::string(status.message()) : strerror(ToErrno(status));
}

class Applier {
 public:
  Applier(FileSystem& container, const Layer& layer, const ApplyOptions& options,
          const std::function<void(const AppliedChange&)>& told)
      : tree_(container), layer_(layer), options_(options), told_(told) {}

  absl::Status Run() {
    ASSIGN_OR_RETURN(changes_, ListLayerChanges(layer_, OldNames::kAsDeleted));
    for (const LayerChange& change : changes_) {
      if (change.kind == ChangeKind::kRenamed) renamed_from_.insert(change.from);
    }
    MoveAside();
    // What leads somewhere comes before what is there; what is removed goes when all that was to be moved is moved.
    for (const bool deletions : {false, true}) {
      for (const LayerChange& change : changes_) {
        if (IsWanted(change.path) && (change.kind == ChangeKind::kDeleted) == deletions) Do(change);
      }
    }
    FinishDirectories();
    Prune(layer_.tree());
    return absl::OkStatus();
  }

 private:
  bool IsWanted(const std::string& path) const {
    if (options_.paths.empty()) return true;
    return std::any_of(options_.paths.begin(), options_.paths.end(), [&](std::string wanted) {
      while (wanted.size() > 1 && wanted.back() == '/') wanted.pop_back();
      return wanted == "/" || path == wanted || IsBelow(path, wanted);
    });
  }

  void Do(const LayerChange& change) {
    const absl::StatusOr<ApplyResult> result = Apply(change);
    if (!result.ok()) failed_.insert(change.path);
    const bool directory = change.type == FileType::kDirectory && change.kind != ChangeKind::kDeleted;
    if (result.ok() && directory) return to_finish_.push_back(&change);
    // The old name of something that was moved is told of there.
    const bool quiet = change.kind == ChangeKind::kDeleted && renamed_from_.contains(change.origin) && result.ok();
    if (!quiet) Tell(change, result);
  }

  void Tell(const LayerChange& change, const absl::StatusOr<ApplyResult>& result) {
    AppliedChange told{.kind = change.kind, .path = change.path, .result = result.value_or(ApplyResult::kFailed)};
    if (!result.ok()) {
      if (IsRefusal(result.status())) told.result = ApplyResult::kRefused;
      told.message = TextOf(result.status());
    }
    told_(told);
  }

  absl::StatusOr<ApplyResult> Apply(const LayerChange& change) {
    for (const std::string& failed : failed_) {
      if (IsBelow(change.path, failed)) return Refused(fmt::format("{} was not applied", failed));
    }
    if (const auto why = not_moved_.find(change.path); why != not_moved_.end()) return why->second;
    ASSIGN_OR_RETURN(const std::optional<Entry> there, tree_.Find(change.container_path));
    if (change.kind == ChangeKind::kDeleted) return Delete(change, there);
    ASSIGN_OR_RETURN(const UniqueFd file, layer_.OpenPath(std::string_view(change.path).substr(1)));
    if (change.type == FileType::kDirectory) return ApplyDirectory(change, there);
    return ApplyFile(change, there, file.get());
  }

  // --- Directories that move: all of them step aside first, those that lie deepest at first, so that no removal or
  // other move can meet them.
  void MoveAside() {
    std::vector<LayerChange*> moves;
    for (LayerChange& change : changes_) {
      if (change.kind == ChangeKind::kRenamed && change.type == FileType::kDirectory) moves.push_back(&change);
    }
    const auto depth = [](const std::string& path) { return std::count(path.begin(), path.end(), '/'); };
    std::stable_sort(moves.begin(), moves.end(), [&](const LayerChange* one, const LayerChange* other) {
      return depth(one->from) > depth(other->from);
    });
    for (LayerChange* change : moves) {
      const absl::Status moved = IsWanted(change->path) ? MoveAside(*change) : Refused("it was not asked for");
      if (moved.ok()) continue;
      waiting_.insert(change->from);
      not_moved_.emplace(change->path, moved);
    }
  }

  absl::Status MoveAside(LayerChange& change) {
    if (IsAside(change.from)) return absl::OkStatus();  // an earlier run was interrupted
    const std::string aside = AsidePath(change.from);
    ASSIGN_OR_RETURN(const std::optional<Entry> source, tree_.Find(change.from));
    bool copied = false;
    if (source) {
      RETURN_IF_ERROR(CheckOldName(change.from, source));
      RETURN_IF_ERROR(tree_.Remove(aside));  // what is left of a copy that was interrupted
      const absl::Status renamed = tree_.Rename(change.from, aside);
      copied = ToErrno(renamed) == EXDEV;
      RETURN_IF_ERROR(copied ? tree_.CopyTree(change.from, aside) : renamed);
    } else {
      ASSIGN_OR_RETURN(const std::optional<Entry> before, tree_.Find(aside));
      if (!before) return Refused(fmt::format("{} is gone from the container", change.from));
    }
    ASSIGN_OR_RETURN(const UniqueFd directory, layer_.OpenPath(std::string_view(change.path).substr(1)));
    moved_.insert(change.from);
    const std::string from = std::exchange(change.from, aside);
    change.record.from = aside;
    RETURN_IF_ERROR(layer_.WriteRecord(directory.get(), change.record));
    return copied ? tree_.Remove(from) : absl::OkStatus();
  }

  absl::Status CheckOldName(const std::string& path, const std::optional<Entry>& there) const {
    for (const LayerChange& change : changes_) {
      if (change.kind == ChangeKind::kDeleted && change.origin == path) return CheckBase(change.record.base, there);
    }
    return absl::OkStatus();
  }

  static bool IsAside(std::string_view path) { return path.substr(path.rfind('/') + 1).starts_with(kAside); }

  // Beside the directory, or above where nothing of this is removed or moved. The same each time.
  std::string AsidePath(const std::string& from) const {
    std::string directory = from.substr(0, from.rfind('/'));
    const auto passes = [&directory](const LayerChange& change) {
      const bool renamed = change.kind == ChangeKind::kRenamed;
      const std::string& place = renamed ? change.from : change.origin;
      const bool goes = renamed || change.kind == ChangeKind::kDeleted || change.record.opaque;
      return goes && (place == directory || IsBelow(directory, place));
    };
    while (!directory.empty() && std::any_of(changes_.begin(), changes_.end(), passes)) {
      directory.resize(directory.rfind('/'));
    }
    return fmt::format("{}/{}{:016x}", directory, kAside, std::hash<std::string>()(from));
  }

  // What is removed must not have anything in it that is still to be moved.
  absl::Status Remove(const std::string& path) {
    for (const std::string& waiting : waiting_) {
      if (waiting == path || IsBelow(waiting, path)) {
        return Refused(fmt::format("{} was not moved out of it", waiting));
      }
    }
    return tree_.Remove(path);
  }

  // Fails if the container's file is another one than the layer was made over.
  absl::Status CheckBase(const std::optional<LayerBase>& base, const std::optional<Entry>& there) const {
    if (options_.force) return absl::OkStatus();
    if (!base && there) return Refused("there is one in the container now");
    if (base && !there) return Refused("it is gone from the container");
    if (base && !IsUnchanged(*base, there->attributes)) return Refused("it has changed in the container");
    return absl::OkStatus();
  }

  absl::StatusOr<ApplyResult> Delete(const LayerChange& change, const std::optional<Entry>& there) {
    const bool gone = !there || moved_.contains(change.origin);
    if (!gone) {
      RETURN_IF_ERROR(CheckMoved(change));
      RETURN_IF_ERROR(CheckBase(change.record.base, there));
      RETURN_IF_ERROR(Remove(change.container_path));
    }
    RETURN_IF_ERROR(DropFromLayer(change.path));
    return gone ? ApplyResult::kAlready : ApplyResult::kApplied;
  }

  // An old name goes when the new one is there.
  absl::Status CheckMoved(const LayerChange& old) const {
    for (const LayerChange& change : changes_) {
      if (change.kind != ChangeKind::kRenamed || change.from != old.origin) continue;
      if (!IsWanted(change.path) || failed_.contains(change.path)) return Refused(change.path + " was not applied");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ApplyResult> ApplyFile(const LayerChange& change, const std::optional<Entry>& there, int file) {
    if (change.type == FileType::kSocket) return ErrnoStatus(EOPNOTSUPP, "a socket without its process");
    bool same = false;
    if (there) {
      ASSIGN_OR_RETURN(same, tree_.IsSame(change.container_path, *there, change, file));
    }
    // Another name of the same file may be the one that the record is about.
    const bool new_name = change.links > 1 && !there;
    if (!same && !new_name) RETURN_IF_ERROR(CheckCovered(change, there));
    // Content that is right may still have other times or attributes.
    const bool already = same && !(change.record.base && IsUnchanged(*change.record.base, there->attributes));
    if (!already) {
      if (there && there->attributes.type == FileType::kDirectory) RETURN_IF_ERROR(Remove(change.container_path));
      RETURN_IF_ERROR(tree_.Put(change.container_path, change, file, layer_));
    }
    RETURN_IF_ERROR(DropFromLayer(change.path));
    return already ? ApplyResult::kAlready : ApplyResult::kApplied;
  }

  // As CheckBase, where something may have been moved away by this very run.
  absl::Status CheckCovered(const LayerChange& change, const std::optional<Entry>& there) const {
    if (!there && moved_.contains(change.container_path)) return absl::OkStatus();
    return CheckBase(change.record.base, there);
  }

  absl::StatusOr<ApplyResult> ApplyDirectory(const LayerChange& change, const std::optional<Entry>& there) {
    const bool is_directory = there && there->attributes.type == FileType::kDirectory;
    // Two have made it: what is in it is looked at by itself.
    const bool both_made = is_directory && change.kind == ChangeKind::kAdded;
    if (!both_made) RETURN_IF_ERROR(CheckCovered(change, there));
    const bool renamed = change.kind == ChangeKind::kRenamed;
    const bool replaced = !both_made && (!is_directory || change.record.opaque || renamed);
    if (there && replaced) RETURN_IF_ERROR(Remove(change.container_path));
    if (renamed) {
      RETURN_IF_ERROR(tree_.Rename(change.from, change.container_path));
    } else if (replaced) {
      RETURN_IF_ERROR(tree_.MakeDirectory(change.container_path));
    }
    return ApplyResult::kApplied;
  }

  // Permissions that would keep us out come when all that is in it is done.
  void FinishDirectories() {
    for (auto change = to_finish_.rbegin(); change != to_finish_.rend(); ++change) {
      Tell(**change, FinishDirectory(**change));
    }
  }

  absl::StatusOr<ApplyResult> FinishDirectory(const LayerChange& change) {
    ASSIGN_OR_RETURN(const UniqueFd file, layer_.OpenPath(std::string_view(change.path).substr(1)));
    RETURN_IF_ERROR(tree_.Dress(change.container_path, change, file.get(), layer_));
    ASSIGN_OR_RETURN(const std::optional<Entry> now, tree_.Find(change.container_path));
    if (!now) return ErrnoStatus(ENOENT);
    // From now on it is one that the container has, too.
    LayerRecord record = change.record;
    record.base = MakeLayerBase(now->attributes);
    record.opaque = false;
    if (!record.mapped) record.from.reset();
    RETURN_IF_ERROR(layer_.WriteRecord(file.get(), record));
    return ApplyResult::kApplied;
  }

  absl::Status DropFromLayer(const std::string& path) {
    const size_t slash = path.rfind('/');
    const absl::StatusOr<UniqueFd> parent =
        layer_.OpenPath(slash == 0 ? "" : std::string_view(path).substr(1, slash - 1));
    if (ToErrno(parent.status()) == ENOENT) return absl::OkStatus();
    RETURN_IF_ERROR(parent.status());
    const bool gone = ::unlinkat(parent->get(), path.substr(slash + 1).c_str(), 0) == 0 || errno == ENOENT;
    return ErrnoStatus(gone ? 0 : errno, "layer");
  }

  // Directories that are only there for what was in them.
  void Prune(int directory) {
    const auto names = ListNames(directory);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
      const UniqueFd below(OpenBelow(directory, name.c_str(), O_RDONLY | O_DIRECTORY));
      if (!below) continue;
      Prune(below.get());
      const absl::StatusOr<LayerRecord> record = layer_.ReadRecord(below.get());
      if (record.ok() && record->base && !record->from && !record->opaque && !IsChanged(below.get(), *record)) {
        ::unlinkat(directory, name.c_str(), AT_REMOVEDIR);
      }
    }
  }

  bool IsChanged(int directory, const LayerRecord& record) const {
    struct stat is = {};
    return ::fstat(directory, &is) != 0 || DiffersFromBase(layer_.OwnerOf(is, record), *record.base);
  }

  ContainerTree tree_;
  const Layer& layer_;
  const ApplyOptions& options_;
  const std::function<void(const AppliedChange&)>& told_;
  std::vector<LayerChange> changes_;
  std::set<std::string> renamed_from_;             // as the layer had it
  std::set<std::string> moved_;                    // directories that have stepped aside, by their old paths
  std::set<std::string> waiting_;                  // those that have not, though they should
  std::map<std::string, absl::Status> not_moved_;  // the same by path in the view, and why
  std::set<std::string> failed_;                   // paths in the view
  std::vector<const LayerChange*> to_finish_;      // directories that have been made or moved
};

}  // namespace

absl::Status ApplyLayer(FileSystem& container, const Layer& layer, const ApplyOptions& options,
                        const std::function<void(const AppliedChange&)>& told) {
  return Applier(container, layer, options, told).Run();
}

}  // namespace mirrorfs
