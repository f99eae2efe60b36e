#include "protos/layer/layer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <utility>

#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "protos/layer/file_tree.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr size_t kMostRecordBytes = 8192;
constexpr char kInfoName[] = "layer.json";

std::string ProcPath(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

absl::Status About(const absl::Status& status, const std::string& directory, std::string_view why) {
  return ErrnoStatus(ToErrno(status), fmt::format("layer {}: {}", directory, why));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Layer>> Layer::OpenRoot(const std::string& directory) {
  UniqueFd root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return LastErrno("layer " + directory);
  return std::unique_ptr<Layer>(new Layer(directory, std::move(root)));
}

absl::StatusOr<std::unique_ptr<Layer>> Layer::Open(const std::string& directory, LayerUse use) {
  ASSIGN_OR_RETURN(std::unique_ptr<Layer> layer, OpenRoot(directory));
  RETURN_IF_ERROR(layer->ReadInfo());
  if (use == LayerUse::kChange) RETURN_IF_ERROR(layer->Lock(false));
  RETURN_IF_ERROR(layer->OpenParts());
  if (use == LayerUse::kChange) RETURN_IF_ERROR(EmptyDirectory(layer->work()));
  return layer;
}

absl::StatusOr<std::unique_ptr<Layer>> Layer::Create(const std::string& directory, LayerInfo info) {
  if (::mkdir(directory.c_str(), 0711) != 0 && errno != EEXIST) return LastErrno("layer " + directory);
  ASSIGN_OR_RETURN(std::unique_ptr<Layer> layer, OpenRoot(directory));
  if (::faccessat(layer->root(), kInfoName, F_OK, 0) == 0) {
    return ErrnoStatus(EEXIST, fmt::format("layer {}: there is one", directory));
  }
  layer->info_ = std::move(info);
  layer->info_.created = ::time(nullptr);
  layer->info_.native_ids = ::geteuid() == 0;
  RETURN_IF_ERROR(layer->Lock(true));
  // An earlier attempt may have left these.
  if (::mkdirat(layer->root(), "tree", 0755) != 0 && errno != EEXIST) return LastErrno("layer " + directory);
  if (::mkdirat(layer->root(), "work", 0711) != 0 && errno != EEXIST) return LastErrno("layer " + directory);
  RETURN_IF_ERROR(layer->OpenParts());
  RETURN_IF_ERROR(EmptyDirectory(layer->work()));
  RETURN_IF_ERROR(layer->ChooseRecords());
  RETURN_IF_ERROR(layer->WriteInfo());
  return layer;
}

absl::Status Layer::Lock(bool make) {
  lock_.reset(::openat(root_.get(), "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600));
  if (!lock_) return LastErrno("layer " + directory_ + "/lock");
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  const int error = errno == EWOULDBLOCK ? EBUSY : errno;
  return ErrnoStatus(error, fmt::format("layer {}: it is in use by a mount or a run; end that first", directory_));
}

absl::Status Layer::OpenParts() {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  tree_.reset(::openat(root_.get(), "tree", kFlags));
  if (!tree_) return LastErrno("layer " + directory_ + "/tree");
  work_.reset(::openat(root_.get(), "work", kFlags));
  if (!work_) return LastErrno("layer " + directory_ + "/work");
  return absl::OkStatus();
}

// Where root may not set trusted attributes (a container's root), records are kept as an ordinary user's are.
absl::Status Layer::ChooseRecords() {
  const std::string path = ProcPath(work_.get());
  for (const bool trusted : {true, false}) {
    info_.trusted = trusted;
    if (::setxattr(path.c_str(), record_name(), "", 0, 0) != 0) continue;
    ::removexattr(path.c_str(), record_name());
    return absl::OkStatus();
  }
  return About(LastErrno(), directory_, "its file system keeps no extended attributes; choose another place for it");
}

absl::Status Layer::ReadInfo() {
  const UniqueFd file(::openat(root_.get(), kInfoName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return About(LastErrno(), directory_, "there is no layer");
  std::string text(kMostRecordBytes, '\0');
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size < 0) return LastErrno("layer " + directory_);
  const auto value = nlohmann::json::parse(text.substr(0, static_cast<size_t>(size)), nullptr, false);
  if (!value.is_object() || !value.contains("format") || !value["format"].is_number_integer()) {
    return ErrnoStatus(EINVAL, fmt::format("layer {}: {} is damaged", directory_, kInfoName));
  }
  try {
    info_.format = value["format"].get<int>();
    info_.target = value.value("target", "");
    info_.created = value.value("created", int64_t{0});
    info_.native_ids = value.value("native_ids", false);
    info_.trusted = value.value("trusted", false);
    info_.shown_uid = value.value("shown_uid", 0u);
    info_.shown_gid = value.value("shown_gid", 0u);
  } catch (const nlohmann::json::exception&) {
    return ErrnoStatus(EINVAL, fmt::format("layer {}: {} is damaged", directory_, kInfoName));
  }
  if (info_.format == kLayerFormat) return absl::OkStatus();
  return ErrnoStatus(EINVAL, fmt::format("layer {}: it has format {}, and this version knows {}", directory_,
                                         info_.format, kLayerFormat));
}

absl::Status Layer::WriteInfo() const {
  const nlohmann::json value = {{"format", info_.format},      {"target", info_.target},
                                {"created", info_.created},    {"native_ids", info_.native_ids},
                                {"trusted", info_.trusted},    {"shown_uid", info_.shown_uid},
                                {"shown_gid", info_.shown_gid}};
  const std::string text = value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const std::string name = NextWorkName();
  const UniqueFd file(::openat(work_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::renameat(work_.get(), name.c_str(), root_.get(), kInfoName) != 0) {
    return LastErrno("layer " + directory_);
  }
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> Layer::OpenPath(std::string_view path) const {
  const std::string name = path.empty() ? "." : std::string(path);
  UniqueFd fd(OpenBelow(tree_.get(), name.c_str(), O_PATH));
  if (!fd) return LastErrno("layer");
  return fd;
}

absl::StatusOr<UniqueFd> Layer::OpenName(int directory, const std::string& name) const {
  UniqueFd fd(OpenBelow(directory, name.c_str(), O_PATH));
  if (!fd) return LastErrno("layer");
  return fd;
}

absl::StatusOr<LayerRecord> Layer::ReadRecord(int fd) const {
  std::string bytes(kMostRecordBytes, '\0');
  const ssize_t size = ::getxattr(ProcPath(fd).c_str(), record_name(), bytes.data(), bytes.size());
  if (size < 0 && (errno == ENODATA || errno == EOPNOTSUPP)) return LayerRecord{};
  // What has no such attributes at all (a symbolic link, user.*) may answer EPERM.
  if (size < 0 && errno == EPERM && !info_.trusted) return LayerRecord{};
  if (size < 0) return LastErrno("record of a private layer");
  return DecodeLayerRecord(std::string_view(bytes).substr(0, static_cast<size_t>(size)));
}

absl::Status Layer::WriteRecord(int fd, const LayerRecord& record) const {
  const std::string path = ProcPath(fd);
  if (record.Empty()) {
    const bool gone = ::removexattr(path.c_str(), record_name()) == 0 || errno == ENODATA || errno == EPERM;
    return ErrnoStatus(gone ? 0 : errno, "record of a private layer");
  }
  const std::string bytes = EncodeLayerRecord(record);
  if (::setxattr(path.c_str(), record_name(), bytes.data(), bytes.size(), 0) == 0) return absl::OkStatus();
  if (!info_.trusted && (errno == EPERM || errno == EOPNOTSUPP)) return absl::OkStatus();
  return LastErrno("record of a private layer");
}

LayerOwner Layer::OwnerOf(const struct stat& is, const LayerRecord& record) const {
  if (record.owner) return *record.owner;
  const uint32_t permissions = is.st_mode & kPermissionMask;
  if (info_.native_ids) return {is.st_uid, is.st_gid, permissions};
  return {info_.shown_uid, info_.shown_gid, permissions};
}

std::string Layer::NextWorkName() const {
  return fmt::format("{}-{}", ::getpid(), next_work_.fetch_add(1, std::memory_order_relaxed));
}

absl::StatusOr<std::string> Layer::MakeWhiteout(const LayerRecord& record) const {
  LayerRecord hiding;
  hiding.whiteout = true;
  hiding.base = record.base;
  std::string work_name = NextWorkName();
  const UniqueFd file(::openat(work_.get(), work_name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return LastErrno("whiteout");
  const absl::Status written = WriteRecord(file.get(), hiding);
  if (!written.ok()) ::unlinkat(work_.get(), work_name.c_str(), 0);
  RETURN_IF_ERROR(written);
  return work_name;
}

absl::Status Layer::PlaceWhiteout(int directory, const std::string& name, const LayerRecord& record) const {
  ASSIGN_OR_RETURN(const std::string work_name, MakeWhiteout(record));
  const absl::Status placed = PlaceFromWork(work_name, directory, name);
  if (!placed.ok()) ::unlinkat(work_.get(), work_name.c_str(), 0);
  return placed;
}

absl::Status Layer::PlaceFromWork(const std::string& work_name, int directory, const std::string& name) const {
  return ErrnoStatus(::renameat(work_.get(), work_name.c_str(), directory, name.c_str()) == 0 ? 0 : errno, "layer");
}

absl::Status Layer::ExchangeWithWork(const std::string& work_name, int directory, const std::string& name) const {
  const int result = ::renameat2(work_.get(), work_name.c_str(), directory, name.c_str(), RENAME_EXCHANGE);
  return ErrnoStatus(result == 0 ? 0 : errno, "layer");
}

absl::Status Layer::MoveToWork(int directory, const std::string& name, const std::string& work_name) const {
  const int result = ::renameat(directory, name.c_str(), work_.get(), work_name.c_str());
  return ErrnoStatus(result == 0 ? 0 : errno, "layer");
}

absl::Status Layer::CheckOwners() const {
  if (info_.native_ids == (::geteuid() == 0)) return absl::OkStatus();
  return ErrnoStatus(EPERM, fmt::format("layer {}: it was made {} root, and can be used so only", directory_,
                                        info_.native_ids ? "by" : "without"));
}

bool Layer::IsEmpty() const { return IsEmptyDirectory(tree_.get()); }

absl::Status Layer::Clear() const {
  RETURN_IF_ERROR(EmptyDirectory(tree_.get()));
  RETURN_IF_ERROR(EmptyDirectory(work_.get()));
  return WriteRecord(tree_.get(), {});
}

absl::Status RemoveLayer(const std::string& directory) {
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<Layer> layer, Layer::Open(directory, LayerUse::kChange));
    RETURN_IF_ERROR(layer->Clear());
    for (const char* part : {"tree", "work"}) ::unlinkat(layer->root(), part, AT_REMOVEDIR);
    for (const char* part : {kInfoName, "lock"}) ::unlinkat(layer->root(), part, 0);
  }
  return ErrnoStatus(::rmdir(directory.c_str()) == 0 ? 0 : errno, "layer " + directory);
}

}  // namespace mirrorfs
