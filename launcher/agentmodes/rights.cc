#include "launcher/agentmodes/rights.h"

#include <string_view>
#include <vector>

#include "fmt/format.h"

namespace mirrorfs {

std::string ToText(const Right& right) { return fmt::format("{} {}", right.verb, right.resource); }

bool Can(const Kubectl& kubectl, const Right& right) {
  const std::string_view resource = right.resource;
  const size_t slash = resource.find('/');
  std::vector<std::string> words = {"auth", "can-i", right.verb, std::string(resource.substr(0, slash)), "--quiet"};
  // "pods/exec" would be a pod of the name exec here.
  if (slash != resource.npos) words.push_back(fmt::format("--subresource={}", resource.substr(slash + 1)));
  return kubectl.Run(words).ok();
}

}  // namespace mirrorfs
