#include "tests/view/view_box.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

uint64_t OwnCapabilities() { return geteuid() == 0 ? (uint64_t{1} << 41) - 1 : 0; }

template <typename T>
T OrAbort(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  fprintf(stderr, "%s\n", result.status().ToString().c_str());
  abort();
}

std::string XattrText(const std::string& path) {
  std::string list(4096, '\0');
  const ssize_t size = llistxattr(path.c_str(), list.data(), list.size());
  return size > 0 ? list.substr(0, static_cast<size_t>(size)) : "";
}

}  // namespace

ViewBox::ViewBox() {
  const char* base = getenv("TEST_TMPDIR");
  directory_ = std::string(base != nullptr ? base : "/tmp") + "/mirrorfs-view-XXXXXX";
  if (mkdtemp(directory_.data()) == nullptr) abort();
  chmod(directory_.c_str(), 0755);
  MakeDirectories(Container());
  MakeDirectories(Local());
}

ViewBox::~ViewBox() {
  End();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::unique_ptr<RootedFilesystem> ViewBox::MakeFiles(const std::string& directory, bool read_write) {
  RootedFilesystemOptions rooted;
  rooted.root.reset(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  rooted.identity = {.kind = IdentityKind::kContainer,
                     .credentials = {.uid = geteuid(), .gid = getegid(), .capabilities = OwnCapabilities()}};
  rooted.read_write = read_write;
  return OrAbort(RootedFilesystem::Create(std::move(rooted)));
}

void ViewBox::End() {
  client_.reset();
  view_.reset();
  watched_layer_.reset();
  watched_local_.reset();
  watched_container_.reset();
  layer_files_.reset();
  layer_.reset();
  local_.reset();
  container_.reset();
}

void ViewBox::Make(const ViewBoxOptions& options) {
  End();
  ViewOptions view{.policy = OrAbort(PathPolicy::Compile(
                       {.mode = options.mode, .rules = options.rules, .mappings = options.mappings}))};
  container_ = MakeFiles(Container(), options.container_read_write);
  local_ = MakeFiles(Local(), true);
  view.container = container_.get();
  if (options.before_container) {
    watched_container_ = std::make_unique<WatchedFiles>(*container_, options.before_container);
    view.container = watched_container_.get();
  }
  view.local = local_.get();
  if (options.before_local) {
    watched_local_ = std::make_unique<WatchedFiles>(*local_, options.before_local);
    view.local = watched_local_.get();
  }
  if (options.with_layer) {
    const bool there = access(LayerDirectory("/layer.json").c_str(), F_OK) == 0;
    layer_ = OrAbort(
        there ? Layer::Open(LayerDirectory(), LayerUse::kChange)
              : Layer::Create(LayerDirectory(),
                              {.target = "dir:" + Container(), .shown_uid = geteuid(), .shown_gid = getegid()}));
    layer_files_ = MakeFiles(LayerDirectory(), true);
    view.layer = layer_.get();
    view.layer_files = layer_files_.get();
    if (options.before_layer) {
      watched_layer_ = std::make_unique<WatchedFiles>(*layer_files_, options.before_layer);
      view.layer_files = watched_layer_.get();
    }
  }
  view.acting_as = options.acting_as.value_or(Caller{geteuid(), getegid(), {}});
  view_ = OrAbort(ViewFileSystem::Create(std::move(view)));
  client_ = std::make_unique<TreeClient>(*view_);
}

void WriteNative(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

std::string ReadNative(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return "!absent";
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void MakeDirectories(const std::string& path) { std::filesystem::create_directories(path); }

std::string TreeText(const std::string& directory) {
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string& path = entry.path().native();
    struct stat is = {};
    lstat(path.c_str(), &is);
    lines.push_back(fmt::format("{} {:o} {}:{} {} {} {}.{} {} {}", path.substr(directory.size()), is.st_mode, is.st_uid,
                                is.st_gid, is.st_nlink, S_ISDIR(is.st_mode) ? 0 : is.st_size, is.st_mtim.tv_sec,
                                is.st_mtim.tv_nsec, XattrText(path),
                                S_ISREG(is.st_mode)   ? ReadNative(path)
                                : S_ISLNK(is.st_mode) ? std::filesystem::read_symlink(path).native()
                                                      : ""));
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace mirrorfs
