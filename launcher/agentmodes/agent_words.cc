#include "launcher/agentmodes/agent_words.h"

#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/split_text.h"

namespace mirrorfs {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
// A certificate and a sentence are much shorter.
constexpr size_t kLongest = 16 << 10;

// Of "127.0.0.1:7443"; 0 if it is something else.
int PortOf(std::string_view endpoint) {
  int port = 0;
  const bool fine = SkipPrefix(endpoint, "127.0.0.1:") && absl::SimpleAtoi(std::string(endpoint), &port);
  return fine && port > 0 && port < 65536 ? port : 0;
}

}  // namespace

void AgentWords::Hear(std::string_view line) {
  if (line == kBegin) in_certificate_ = true;
  if (in_certificate_) {
    if (certificate_.size() < kLongest) certificate_.append(line).append("\n");
    in_certificate_ = line != kEnd;
  } else if (SkipPrefix(line, "ready ")) {
    port_ = PortOf(line);
  } else if (SkipPrefix(line, "facts ")) {
    facts_port_ = PortOf(line);
  } else if (line == "target gone") {
    target_gone_ = true;
  } else if (SkipPrefix(line, "mirrorfs-agent ")) {
    version_ = line.substr(0, line.find(' '));
  } else {
    SkipPrefix(line, "mirrorfs-agent: ");
    if (!line.empty()) complaint_ = line.substr(0, kLongest);
  }
}

absl::Status AgentWords::CheckVersion(std::string_view own_version) const {
  if (version_ == own_version) return absl::OkStatus();
  return Failure(
      ExitCode::kUnreachable,
      fmt::format("the agent's image has version {} of mirrorfs-agent, and this is mirrorfs {}. Name an image "
                  "of the same version with --agent-image.",
                  version_.empty() ? "(unknown)" : version_, own_version));
}

}  // namespace mirrorfs
