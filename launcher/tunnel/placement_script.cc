#include "launcher/tunnel/placement_script.h"

#include <string_view>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/printable.h"
#include "launcher/tunnel/no_shell.h"

namespace mirrorfs {
namespace {

// Any POSIX shell: dash, busybox, bash. $1: name of the directory to make, then the agent's arguments. A shell reads
// byte by byte from what cannot seek: the binary after the line with its size is left to head. The environment that the
// agent gets is the container's: PATH is put back.
constexpr char kScript[] = R"sh(umask 077
name=$1; shift
path=$PATH; PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/busybox
for tool in mkdir chmod rm head wc uname; do
  command -v $tool >/dev/null || { echo "lacks $tool"; exit 1; }
done
place=; why=
for base in /tmp /var/tmp /run /dev/shm "$HOME"; do
  [ -d "$base" ] || continue
  place=${base%/}/$name
  if mkdir -m 700 "$place" 2>/dev/null; then
    echo : >"$place/probe" && chmod 700 "$place/probe" && ("$place/probe") 2>/dev/null && break
    rm -rf "$place"
    why="$why $base (noexec or full),"
  else
    why="$why $base (cannot be written),"
  fi
  place=
done
[ -n "$place" ] || { echo "nowhere$why"; exit 1; }
trap 'rm -rf "$place"' EXIT
trap 'exit 1' HUP INT TERM PIPE
started() { set -- ${1##*) }; instance=${20}; }
instance=; upper=
read -r line 2>/dev/null </proc/1/stat && started "$line"
while read -r line; do
  case $line in *" / / "*upperdir=*) upper=${line##*upperdir=}; upper=${upper%%[, ]*};; esac
done 2>/dev/null </proc/self/mountinfo
echo "place $(uname -m) -$instance-$upper $place"
read -r size || exit 1
head -c "$size" >"$place/mirrorfs-agent" && chmod 700 "$place/mirrorfs-agent"
sum=-
if command -v cksum >/dev/null; then sum=$(cksum <"$place/mirrorfs-agent"); sum=${sum%% *}; fi
echo "got $sum" $(wc -c <"$place/mirrorfs-agent")
read -r answer && [ "$answer" = go ] || exit 1
for word do
  shift
  case $word in
    @) word=$place ;;
    unix:@/*) word=unix:$place/${word#unix:@/} ;;
  esac
  set -- "$@" "$word"
done
PATH=$path
exec "$place/mirrorfs-agent" "$@"
)sh";

constexpr std::string_view kPlace = "place ";
constexpr std::string_view kLacks = "lacks ";
constexpr std::string_view kNowhere = "nowhere";

}  // namespace

std::vector<std::string> PlacementCommand(const std::string& directory_name,
                                          const std::vector<std::string>& agent_arguments) {
  std::vector<std::string> command = {"sh", "-c", kScript, "sh", directory_name};
  command.insert(command.end(), agent_arguments.begin(), agent_arguments.end());
  return command;
}

absl::StatusOr<Place> ParsePlace(const std::string& line, const std::string& other_ways) {
  if (SaysNoShell(line)) return NoShell(other_ways);  // some runtimes say it where the shell would have spoken
  if (line.starts_with(kPlace)) {
    const std::string rest = line.substr(kPlace.size());
    const size_t machine_end = rest.find(' ');
    const size_t instance_end = machine_end == rest.npos ? rest.npos : rest.find(' ', machine_end + 1);
    if (instance_end != rest.npos && rest.find('/', instance_end) == instance_end + 1) {
      return Place{.machine = rest.substr(0, machine_end),
                   .instance = rest.substr(machine_end + 1, instance_end - machine_end - 1),
                   .directory = rest.substr(instance_end + 1)};
    }
  }
  if (line.starts_with(kLacks)) {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("the agent cannot be put into the container: there is no '{}' in its image. {}",
                               Printable(line.substr(kLacks.size())), other_ways));
  }
  if (line.starts_with(kNowhere)) {
    std::string places = line.substr(kNowhere.size());
    if (places.ends_with(',')) places.pop_back();
    return Failure(
        ExitCode::kUnreachable,
        fmt::format("the agent cannot be put into the container: no directory was found in which a file can be written "
                    "and run:{}. Give it a writable volume at /tmp (not noexec). {}",
                    Printable(places), other_ways));
  }
  return Failure(ExitCode::kUnreachable,
                 fmt::format("the container's shell answers strangely: {}", Printable(line.substr(0, 200))));
}

}  // namespace mirrorfs
