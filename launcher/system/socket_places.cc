#include "launcher/system/socket_places.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "launcher/state/state_directory.h"

namespace mirrorfs {
namespace {

namespace fs = std::filesystem;

void AddPlace(const fs::path& place, std::vector<std::string>& places) {
  std::error_code missing;
  const fs::path physical = fs::canonical(place, missing);
  if (!missing && physical != "/") places.push_back(physical.string());
}

void AddPlacesIn(const fs::path& directory, std::vector<std::string>& places) {
  std::error_code ignored;
  for (fs::directory_iterator it(directory, ignored), end; !ignored && it != end; it.increment(ignored)) {
    const fs::file_type type = it->symlink_status(ignored).type();
    if (type == fs::file_type::directory || type == fs::file_type::socket) AddPlace(it->path(), places);
  }
}

// It is there when a run begins, though often not yet.
void AddStateBase(const fs::path& base, std::vector<std::string>& places) {
  std::error_code missing;
  const fs::path parent = fs::canonical(base.parent_path(), missing);
  if (!missing) places.push_back(parent / base.filename());
}

}  // namespace

std::vector<std::string> FindSocketPlaces(const Environment& environment, const Invoker& invoker) {
  std::vector<std::string> places;
  AddPlacesIn("/run", places);
  AddPlace("/tmp/.X11-unix", places);
  AddStateBase(StateBasePath(invoker), places);
  for (const char* name : {"XDG_RUNTIME_DIR", "SSH_AUTH_SOCK"}) {
    const fs::path path = ValueOf(environment, name);
    if (!path.is_absolute()) continue;
    AddPlace(std::string_view(name) == "SSH_AUTH_SOCK" ? path.parent_path() : path, places);
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

}  // namespace mirrorfs
