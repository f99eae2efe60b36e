#include "launcher/logs/mount_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/kubectl_errors.h"
#include "launcher/plan/cluster_target.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

// How the agent's pod is reached: as the mount's target is.
absl::StatusOr<Kubectl> KubectlOf(const MountRecord& record, const std::string& name_space) {
  ASSIGN_OR_RETURN(ClusterTarget target, ParseClusterTarget(record.target, "/"));
  ASSIGN_OR_RETURN(target.access.kubectl, FindKubectl());
  return Kubectl(std::move(target.access)).In(name_space);
}

}  // namespace

std::unique_ptr<MountLog> MountLog::Open(const StatePaths& paths) {
  auto record = ReadRecord(paths.record);
  UniqueFd file(::open(paths.log.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!record.ok() || !file) return nullptr;
  return std::unique_ptr<MountLog>(new MountLog(paths, *std::move(record), std::move(file)));
}

MountLog::MountLog(StatePaths paths, MountRecord record, UniqueFd file)
    : paths_(std::move(paths)),
      record_(std::move(record)),
      file_(std::move(file)),
      file_lines_(absl::FromUnixSeconds(record_.since)),
      pod_lines_(absl::FromUnixSeconds(record_.since)) {}

bool MountLog::Ended() const {
  struct stat open_file;
  return ::fstat(file_.get(), &open_file) != 0 || open_file.st_nlink == 0;
}

std::vector<LogLine> MountLog::Read(absl::Time since, bool follow, std::string& trouble) {
  if (auto record = ReadRecord(paths_.record); record.ok()) record_ = *std::move(record);
  std::vector<LogLine> lines;
  ReadPod(since, follow, lines, trouble);
  ReadFile(lines);
  lines.erase(std::remove_if(lines.begin(), lines.end(), [&](const LogLine& line) { return line.time < since; }),
              lines.end());
  std::stable_sort(lines.begin(), lines.end(), [](const LogLine& a, const LogLine& b) { return a.time < b.time; });
  return lines;
}

void MountLog::ReadFile(std::vector<LogLine>& lines) {
  struct stat attributes;
  // A log that has grown too long is emptied.
  if (::fstat(file_.get(), &attributes) == 0 && static_cast<uint64_t>(attributes.st_size) < position_) position_ = 0;
  std::array<char, 16384> buffer;
  ssize_t count = 0;
  while ((count = ::pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(position_))) > 0) {
    partial_.append(buffer.data(), static_cast<size_t>(count));
    position_ += static_cast<uint64_t>(count);
  }
  size_t begin = 0;
  for (size_t end = 0; (end = partial_.find('\n', begin)) != partial_.npos; begin = end + 1) {
    LogLine line = file_lines_.Parse(std::string_view(partial_).substr(begin, end - begin));
    if (pod_tells_ && line.origin == "agent") continue;
    lines.push_back(std::move(line));
  }
  partial_.erase(0, begin);
}

absl::Status MountLog::StartPod(absl::Time since, bool follow) {
  const std::vector<std::string> place = absl::StrSplit(pod_, '/');
  if (place.size() != 3) return Failure(ExitCode::kFailed, fmt::format("{} is no pod's container.", pod_));
  ASSIGN_OR_RETURN(const Kubectl kubectl, KubectlOf(record_, place[0]));
  std::vector<std::string> words = {"logs", "--timestamps", place[1], "-c", place[2]};
  if (follow) words.emplace_back("-f");
  if (since > absl::UnixEpoch()) {
    words.push_back("--since-time=" + absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", since, absl::UTCTimeZone()));
  }
  ASSIGN_OR_RETURN(Conversation log, Conversation::Start(kubectl.Command(words), {}));
  pod_log_.emplace(std::move(log));
  return absl::OkStatus();
}

void MountLog::ReadPod(absl::Time since, bool follow, std::vector<LogLine>& lines, std::string& trouble) {
  if (record_.agent_pod != pod_) {
    pod_ = record_.agent_pod;
    pod_log_.reset();
    if (pod_.empty()) return;
    pod_lines_ = PodLines(absl::FromUnixSeconds(record_.since));
    if (const absl::Status started = StartPod(since, follow); !started.ok()) trouble = MessageOf(started);
  }
  while (pod_log_) {
    const auto line = pod_log_->ReadLine(follow ? absl::ZeroDuration() : kPatience);
    if (absl::IsDeadlineExceeded(line.status())) return;
    if (!line.ok()) {
      const std::string errors = pod_log_->TakeErrors();
      if (!errors.empty()) trouble = fmt::format("the log of {} ends: {}", pod_, CauseIn(errors));
      return pod_log_.reset();
    }
    LogLine parsed;
    pod_tells_ = true;
    if (pod_lines_.Parse(*line, parsed)) lines.push_back(std::move(parsed));
  }
}

}  // namespace mirrorfs
