#include "fusefs/core/rebase.h"

#include <cstddef>
#include <vector>

namespace mirrorfs {
namespace {

std::vector<std::string_view> Components(std::string_view path) {
  std::vector<std::string_view> components;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (!component.empty() && component != ".") components.push_back(component);
  }
  return components;
}

// Walks down from `depth`, taking each name for a directory: how many components lead up to the last ".." that would
// have left the root. After those the walk stands at the root.
size_t ComponentsToRoot(const std::vector<std::string_view>& components, size_t depth) {
  size_t to_root = 0;
  for (size_t i = 0; i < components.size(); ++i) {
    if (components[i] != "..") {
      ++depth;
    } else if (depth > 0) {
      --depth;
    } else {
      to_root = i + 1;
    }
  }
  return to_root;
}

}  // namespace

std::string RebaseLink(std::string_view target, size_t depth) {
  if (target.empty()) return {};
  const bool absolute = target.front() == '/';
  const std::vector<std::string_view> components = Components(target);
  const size_t to_root = ComponentsToRoot(components, absolute ? 0 : depth);
  if (!absolute && to_root == 0) return std::string(target);

  std::string result;
  const auto append = [&result](std::string_view component) {
    if (!result.empty()) result += '/';
    result += component;
  };
  for (size_t i = 0; i < depth; ++i) append("..");
  for (size_t i = to_root; i < components.size(); ++i) append(components[i]);
  if (result.empty()) return ".";
  if (to_root < components.size() && target.back() == '/') result += '/';  // "must be a directory" is kept
  return result;
}

}  // namespace mirrorfs
