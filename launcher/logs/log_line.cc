#include "launcher/logs/log_line.h"

#include "fmt/format.h"
#include "launcher/printable.h"
#include "launcher/split_text.h"

namespace mirrorfs {
namespace {

constexpr std::string_view kCertificateBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kCertificateEnd = "-----END CERTIFICATE-----";

// What lies between the brackets that `text` begins with, which is taken away; empty if it does not.
std::string_view TakeBracketed(std::string_view& text) {
  std::string_view rest = text;
  const size_t end = rest.find("] ");
  if (!SkipPrefix(rest, "[") || end == rest.npos) return {};
  const std::string_view inside = text.substr(1, end - 1);
  text.remove_prefix(end + 2);
  return inside;
}

// "[2026-11-27 11:00:00.123] [keeper] [info] text", as spdlog writes it.
bool TakeHead(std::string_view& text, LogLine& line) {
  std::string_view rest = text;
  const std::string_view time = TakeBracketed(rest);
  const std::string_view name = TakeBracketed(rest);
  if (name.empty() ||
      !absl::ParseTime("%Y-%m-%d %H:%M:%E*S", std::string(time), absl::LocalTimeZone(), &line.time, nullptr)) {
    return false;
  }
  line.origin = name == "mirrorfsd" ? "daemon" : std::string(name);
  text = rest;
  return true;
}

}  // namespace

LogLine FileLines::Parse(std::string_view line) {
  if (!TakeHead(line, last_)) {
    if (SkipPrefix(line, "mirrorfs-agent: ")) last_.origin = "agent";
    if (SkipPrefix(line, "mirrorfs-tunnel: ")) last_.origin = "tunnel";
    if (SkipPrefix(line, "mirrorfsd: ")) last_.origin = "daemon";
  }
  last_.text = std::string(line);
  return last_;
}

bool PodLines::Parse(std::string_view line, LogLine& parsed) {
  const size_t space = line.find(' ');
  absl::Time time;
  if (space != line.npos && absl::ParseTime(absl::RFC3339_full, std::string(line.substr(0, space)), &time, nullptr)) {
    last_ = time;
    line.remove_prefix(space + 1);
  }
  if (line == kCertificateBegin) in_certificate_ = true;
  const bool shown = !in_certificate_;
  if (line == kCertificateEnd) in_certificate_ = false;
  SkipPrefix(line, "mirrorfs-agent: ");
  parsed = {.time = last_, .origin = "agent", .text = std::string(line)};
  return shown;
}

std::string ToText(const LogLine& line, std::string_view mount) {
  return fmt::format("{} {} {}: {}", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", line.time, absl::UTCTimeZone()), mount,
                     line.origin, Printable(line.text));
}

}  // namespace mirrorfs
