#include "launcher/kubernetes/container_name.h"

#include <vector>

#include "absl/strings/str_split.h"
#include "fmt/format.h"

namespace mirrorfs {
namespace {

// Namespace, pod, container, then what changes when one of them is replaced.
constexpr size_t kWords = 5;

}  // namespace

std::string ContainerName(const PodTarget& target) {
  if (target.pod.empty()) return "node/" + target.node;
  return fmt::format("{} {} {} {} {}", target.name_space, target.pod, target.container, target.uid,
                     target.container_id);
}

std::optional<NamedContainer> ParseContainerName(std::string_view text) {
  const std::vector<std::string> words = absl::StrSplit(absl::string_view(text.data(), text.size()), ' ');
  if (words.size() < kWords) return std::nullopt;
  return NamedContainer{.name_space = words[0],
                        .workload = {.kind = "pod", .name = words[1], .selector = {}, .container = words[2]},
                        .said = fmt::format("pod/{}, container {}", words[1], words[2])};
}

}  // namespace mirrorfs
