#include "launcher/plan/remote_path.h"

namespace mirrorfs {

std::optional<RemotePath> ParseRemotePath(std::string_view word) {
  if (word.starts_with('/') || word.starts_with('.')) return std::nullopt;
  // The first place where a target may end: dir:/srv and grpc://host:port have such signs themselves.
  size_t from = 0;
  for (const std::string_view scheme : {"dir:/", "unix:/", "grpc://"}) {
    if (word.starts_with(scheme)) from = scheme.size();
  }
  const size_t colon = word.find(":/", from);
  if (colon == word.npos) return std::nullopt;
  return RemotePath{.target = std::string(word.substr(0, colon)), .path = std::string(word.substr(colon + 1))};
}

}  // namespace mirrorfs
