#include "launcher/tunnel/no_shell.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

// runc, crun; podman in its own words.
constexpr std::array<std::string_view, 4> kSigns = {"executable file not found", "\"sh\": no such file",
                                                    "command that was not found", "executable file `sh` not found"};

}  // namespace

bool SaysNoShell(const std::string& errors) {
  const std::string text = absl::AsciiStrToLower(errors);
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&text](std::string_view sign) { return text.find(sign) != text.npos; });
}

absl::Status NoShell(const std::string& other_ways) {
  return Failure(
      ExitCode::kUnreachable,
      fmt::format("the agent cannot be put into the container: there is no shell (sh) in its image. {}", other_ways));
}

}  // namespace mirrorfs
