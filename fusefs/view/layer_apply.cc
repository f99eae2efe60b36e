#include "fusefs/view/layer_apply.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "fmt/format.h"
#include "fusefs/view/container_tree.h"
#include "protos/layer/file_tree.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

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

class Applier {
 public:
  Applier(FileSystem& container, const Layer& layer, const ApplyOptions& options,
          const std::function<void(const AppliedChange&)>& told)
      : tree_(container), layer_(layer), options_(options), told_(told) {}

  absl::Status Run() {
    ASSIGN_OR_RETURN(changes_, ListLayerChanges(layer_));
    std::erase_if(changes_, [this](const LayerChange& change) { return !IsWanted(change.path); });
    // What comes first makes room for, and leads to, what comes after.
    for (size_t i = 0; i < changes_.size(); ++i) {
      const LayerChange change = changes_[i];  // later ones may be rewritten
      Tell(change, Apply(change));
    }
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

  void Tell(const LayerChange& change, const absl::StatusOr<ApplyResult>& result) {
    AppliedChange told{.kind = change.kind, .path = change.path, .result = result.value_or(ApplyResult::kFailed)};
    if (!result.ok()) {
      const bool refused = absl::IsAborted(result.status()) && !HasErrno(result.status());
      if (refused) told.result = ApplyResult::kRefused;
      told.message = refused ? std::string(result.status().message()) : strerror(ToErrno(result.status()));
    }
    told_(told);
  }

  absl::StatusOr<ApplyResult> Apply(const LayerChange& change) {
    ASSIGN_OR_RETURN(const std::optional<Entry> there, tree_.Find(change.container_path));
    if (change.kind == ChangeKind::kDeleted) return Delete(change, there);
    ASSIGN_OR_RETURN(const UniqueFd file, layer_.OpenPath(std::string_view(change.path).substr(1)));
    if (change.type == FileType::kDirectory) return ApplyDirectory(change, there, file.get());
    return ApplyFile(change, there, file.get());
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
    if (there) {
      RETURN_IF_ERROR(CheckBase(change.record.base, there));
      RETURN_IF_ERROR(tree_.Remove(change.container_path));
    }
    RETURN_IF_ERROR(DropFromLayer(change.path));
    return there ? ApplyResult::kApplied : ApplyResult::kAlready;
  }

  absl::StatusOr<ApplyResult> ApplyFile(const LayerChange& change, const std::optional<Entry>& there, int file) {
    if (change.type == FileType::kSocket) return ErrnoStatus(EOPNOTSUPP, "a socket without its process");
    bool same = false;
    if (there) {
      ASSIGN_OR_RETURN(same, tree_.IsSame(change.container_path, *there, change, file));
    }
    if (!same || change.record.base) {
      // Another name of the same file may be the one that the record is about.
      const bool new_name = change.links > 1 && !there;
      const absl::Status base = new_name ? absl::OkStatus() : CheckBase(change.record.base, there);
      if (!base.ok() && !same) return base;
    }
    // Content that is right may still have other times or attributes.
    const bool already = same && !(change.record.base && IsUnchanged(*change.record.base, there->attributes));
    if (!already) {
      if (there && there->attributes.type == FileType::kDirectory) RETURN_IF_ERROR(tree_.Remove(change.container_path));
      RETURN_IF_ERROR(tree_.Put(change.container_path, change, file, layer_));
    }
    RETURN_IF_ERROR(RemoveOldName(change));
    RETURN_IF_ERROR(DropFromLayer(change.path));
    return already ? ApplyResult::kAlready : ApplyResult::kApplied;
  }

  // Of a file that was renamed: the container still has it under the name that it had.
  absl::Status RemoveOldName(const LayerChange& change) {
    if (change.kind != ChangeKind::kRenamed || change.from_whiteout.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::optional<Entry> old, tree_.Find(change.from));
    if (old) {
      RETURN_IF_ERROR(CheckBase(change.from_base, old));
      RETURN_IF_ERROR(tree_.Remove(change.from));
    }
    return DropFromLayer(change.from_whiteout);
  }

  absl::StatusOr<ApplyResult> ApplyDirectory(const LayerChange& change, const std::optional<Entry>& there, int file) {
    const bool is_directory = there && there->attributes.type == FileType::kDirectory;
    if (change.kind == ChangeKind::kRenamed) {
      RETURN_IF_ERROR(MoveDirectory(change, there));
    } else {
      // Two have made it: what is in it is looked at by itself.
      const bool both_made = is_directory && !change.record.base;
      if (!both_made) RETURN_IF_ERROR(CheckBase(change.record.base, there));
      if (there && (!is_directory || change.record.opaque)) RETURN_IF_ERROR(tree_.Remove(change.container_path));
      if (!is_directory || change.record.opaque) RETURN_IF_ERROR(tree_.MakeDirectory(change.container_path));
    }
    RETURN_IF_ERROR(tree_.Dress(change.container_path, change, file, layer_));
    ASSIGN_OR_RETURN(const std::optional<Entry> now, tree_.Find(change.container_path));
    if (!now) return ErrnoStatus(ENOENT);
    // From now on it is one that the container has, too.
    LayerRecord record = change.record;
    record.base = MakeLayerBase(now->attributes);
    record.opaque = false;
    if (!record.mapped) record.from.reset();
    RETURN_IF_ERROR(layer_.WriteRecord(file, record));
    if (!change.from_whiteout.empty()) RETURN_IF_ERROR(DropFromLayer(change.from_whiteout));
    return ApplyResult::kApplied;
  }

  absl::Status MoveDirectory(const LayerChange& change, const std::optional<Entry>& target) {
    ASSIGN_OR_RETURN(const std::optional<Entry> source, tree_.Find(change.from));
    if (!source) {
      // Done before, and then interrupted.
      const bool moved = target && target->attributes.type == FileType::kDirectory;
      return moved ? absl::OkStatus() : Refused(fmt::format("{} is gone from the container", change.from));
    }
    if (change.from_base) RETURN_IF_ERROR(CheckBase(change.from_base, source));
    if (target) {
      RETURN_IF_ERROR(CheckBase(change.record.base, target));
      RETURN_IF_ERROR(MakeWay(change.container_path));
    }
    RETURN_IF_ERROR(tree_.Rename(change.from, change.container_path));
    Rewrite(change.from, change.container_path);
    return absl::OkStatus();
  }

  // Something that itself is to be moved steps aside; what is only replaced goes.
  absl::Status MakeWay(const std::string& path) {
    const bool needed = std::any_of(changes_.begin(), changes_.end(), [&](const LayerChange& other) {
      return other.kind == ChangeKind::kRenamed && (other.from == path || IsBelow(other.from, path));
    });
    if (!needed) return tree_.Remove(path);
    const std::string aside = fmt::format("{}.mirrorfs-apply-{}-{}", path, ::getpid(), ++last_aside_);
    RETURN_IF_ERROR(tree_.Rename(path, aside));
    Rewrite(path, aside);
    return absl::OkStatus();
  }

  // Names that the container's directories have from now on.
  void Rewrite(const std::string& from, const std::string& to) {
    for (LayerChange& change : changes_) {
      if (change.kind != ChangeKind::kRenamed) continue;
      if (change.from == from || IsBelow(change.from, from)) change.from = to + change.from.substr(from.size());
    }
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
    if (::fstat(directory, &is) != 0) return true;
    if (record.owner) {
      return record.owner->permissions != record.base->permissions || record.owner->uid != record.base->uid ||
             record.owner->gid != record.base->gid;
    }
    if (!layer_.info().native_ids) return (is.st_mode & kPermissionMask) != record.base->permissions;
    return (is.st_mode & kPermissionMask) != record.base->permissions || is.st_uid != record.base->uid ||
           is.st_gid != record.base->gid;
  }

  ContainerTree tree_;
  const Layer& layer_;
  const ApplyOptions& options_;
  const std::function<void(const AppliedChange&)>& told_;
  std::vector<LayerChange> changes_;
  int last_aside_ = 0;
};

}  // namespace

absl::Status ApplyLayer(FileSystem& container, const Layer& layer, const ApplyOptions& options,
                        const std::function<void(const AppliedChange&)>& told) {
  return Applier(container, layer, options, told).Run();
}

}  // namespace mirrorfs
