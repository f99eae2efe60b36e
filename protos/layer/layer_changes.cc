#include "protos/layer/layer_changes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "protos/layer/file_tree.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

class Lister {
 public:
  Lister(const Layer& layer, OldNames old) : layer_(layer), old_(old) {}

  absl::StatusOr<std::vector<LayerChange>> List() && {
    RETURN_IF_ERROR(AddBelow(layer_.tree(), "", "", ""));
    if (old_ == OldNames::kLeaveOut) {
      std::erase_if(changes_, [this](const LayerChange& change) {
        return change.kind == ChangeKind::kDeleted && moved_.contains(change.origin);
      });
    }
    return std::move(changes_);
  }

 private:
  // `origin`: where the container has the directory before anything is applied.
  absl::Status AddBelow(int directory, const std::string& path, const std::string& container_path,
                        const std::string& origin) {
    ASSIGN_OR_RETURN(std::vector<std::string> names, ListNames(directory));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      const absl::StatusOr<UniqueFd> fd = layer_.OpenName(directory, name);
      if (ToErrno(fd.status()) == ENOENT) continue;  // a view is at work in it
      RETURN_IF_ERROR(fd.status());
      RETURN_IF_ERROR(Add(fd->get(), path + "/" + name, container_path + "/" + name, origin + "/" + name));
    }
    return absl::OkStatus();
  }

  absl::Status Add(int fd, const std::string& path, std::string container_path, std::string origin) {
    struct stat is = {};
    if (::fstat(fd, &is) != 0) return LastErrno(path);
    LayerChange change;
    change.path = path;
    ASSIGN_OR_RETURN(change.record, layer_.ReadRecord(fd));
    if (change.record.mapped && change.record.from) container_path = *change.record.from;
    change.container_path = container_path;
    if (change.record.from) origin = *change.record.from;
    change.origin = origin;
    Describe(is, change);
    const bool told = Judge(change);
    const bool directory = S_ISDIR(is.st_mode) && !change.record.whiteout;
    if (change.kind == ChangeKind::kRenamed) moved_.insert(change.from);
    if (told) changes_.push_back(std::move(change));
    if (!directory) return absl::OkStatus();
    return AddBelow(fd, path, container_path, origin);
  }

  void Describe(const struct stat& is, LayerChange& change) const {
    const LayerRecord& record = change.record;
    if (record.whiteout) {
      if (!record.base) return;
      change.type = record.base->type;
      change.permissions = record.base->permissions;
      change.size = record.base->size;
      return;
    }
    const LayerOwner owner = layer_.OwnerOf(is, record);
    change.type = TypeOfMode(is.st_mode);
    change.permissions = owner.permissions;
    change.uid = owner.uid;
    change.gid = owner.gid;
    change.links = S_ISDIR(is.st_mode) ? 1 : is.st_nlink;
    change.size = S_ISDIR(is.st_mode) ? 0 : static_cast<uint64_t>(is.st_size);
  }

  // Sets the kind; false if it is no change in itself.
  static bool Judge(LayerChange& change) {
    const LayerRecord& record = change.record;
    if (record.whiteout) {
      change.kind = ChangeKind::kDeleted;
      return true;
    }
    if (record.from && !record.mapped) {
      change.kind = ChangeKind::kRenamed;
      change.from = *record.from;
      return true;
    }
    if (!record.base) {
      change.kind = ChangeKind::kAdded;
      return true;
    }
    change.kind = ChangeKind::kModified;
    const bool merged = change.type == FileType::kDirectory && record.base->type == FileType::kDirectory;
    if (!merged || record.opaque) return true;
    return DiffersFromBase({change.uid, change.gid, change.permissions}, *record.base);
  }

  const Layer& layer_;
  const OldNames old_;
  std::vector<LayerChange> changes_;
  std::set<std::string> moved_;
};

}  // namespace

absl::StatusOr<std::vector<LayerChange>> ListLayerChanges(const Layer& layer, OldNames old) {
  return Lister(layer, old).List();
}

}  // namespace mirrorfs
