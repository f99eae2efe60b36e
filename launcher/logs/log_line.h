// What keeper, daemon, tunnel and agent have written, line by line: by whom, and when.
#ifndef MIRRORFS_LAUNCHER_LOGS_LOG_LINE_H_
#define MIRRORFS_LAUNCHER_LOGS_LOG_LINE_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace mirrorfs {

struct LogLine {
  absl::Time time;
  std::string origin;  // "keeper", "daemon", "tunnel", "agent"
  std::string text;

  bool operator==(const LogLine&) const = default;
};

// Takes apart the lines of a mount's log file, in their order. Keeper and daemon write the time; a line of others has
// that of the line before it, and one that does not say whose it is belongs to who spoke last.
class FileLines {
 public:
  // `begin`: when the log began.
  explicit FileLines(absl::Time begin) : last_{.time = begin, .origin = "keeper", .text = {}} {}

  LogLine Parse(std::string_view line);

 private:
  LogLine last_;
};

// Takes apart the lines of an agent's log in its pod, which `kubectl logs --timestamps` prints.
class PodLines {
 public:
  explicit PodLines(absl::Time begin) : last_(begin) {}

  // False for those that are for machines: the agent's certificate.
  bool Parse(std::string_view line, LogLine& parsed);

 private:
  absl::Time last_;
  bool in_certificate_ = false;
};

// "2026-11-27T11:00:00.123Z /mnt/web daemon: text"
std::string ToText(const LogLine& line, std::string_view mount);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_LOGS_LOG_LINE_H_
