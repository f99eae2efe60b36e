#include "launcher/config/load_settings.h"

#include <optional>

#include "fmt/format.h"
#include "launcher/config/config_node.h"
#include "launcher/config/config_places.h"
#include "launcher/config/flag_settings.h"
#include "launcher/config/pod_settings.h"
#include "launcher/config/settings_file.h"
#include "launcher/failure.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/plan/target_spec.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// A file that was found, not named, counts only if it is the user's own or root's: others could put one in /tmp.
absl::Status ApplyFoundFile(const std::optional<std::string>& path, FileKind kind, LoadedSettings& loaded) {
  if (!path) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ConfigText config, ReadConfigFile(*path, ConfigOrigin::kFound));
  if (config.owner == FileOwner::kSomebodyElse) {
    loaded.warnings.push_back(
        fmt::format("{} is ignored: it belongs to another user. To use it, name it with -f.", *path));
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const ConfigNode root, ParseConfig(ConfigSyntax::kYaml, config.text, *path));
  loaded.files.insert(loaded.files.begin(), *path);
  return ApplyOwnForm(root, *path, kind, loaded.settings);
}

absl::Status ApplyNamedFile(const std::string& name, std::string_view working_directory, LoadedSettings& loaded) {
  if (name.empty()) return Failure(ExitCode::kUsage, "-f: the file's name is missing.");
  const std::string path = AbsolutePath(name, working_directory);
  ASSIGN_OR_RETURN(const ConfigText config, ReadConfigFile(path, ConfigOrigin::kNamed));
  ASSIGN_OR_RETURN(const ConfigNode root, ParseConfig(SyntaxOf(path), config.text, path));
  loaded.files.insert(loaded.files.begin(), path);
  if (IsMirrordForm(root, path)) return ApplyMirrordForm(root, path, loaded.settings, loaded.warnings);
  return ApplyOwnForm(root, path, FileKind::kOwn, loaded.settings);
}

// An error in a value, with the place that it comes from.
template <typename T>
absl::Status From(const Sourced<T>& setting, const absl::Status& status) {
  if (status.ok()) return status;
  return Failure(ExitCodeOf(status), fmt::format("{}: {}", setting.source, MessageOf(status)));
}

absl::Status CheckValues(const ExecSettings& settings) {
  const AgentSettings& agent = settings.agent;
  if (!agent.identity.value.empty()) {
    RETURN_IF_ERROR(From(agent.identity, CheckIdentityWord("as", agent.identity.value)));
  }
  RETURN_IF_ERROR(CheckPodSettings(agent));
  if (agent.deadline.value.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(From(agent.deadline, CheckDeadlineWord("deadline", agent.deadline.value)));
  if (!agent.hard.value) return absl::OkStatus();
  return From(agent.hard, Failure(ExitCode::kUsage, fmt::format("hard waits for ever: it cannot go with deadline ({}).",
                                                                agent.deadline.source)));
}

void WarnOfWhatHasNoEffect(const FsSettings& fs, std::vector<std::string>& warnings) {
  if (fs.mode.value != FsMode::kLocal) return;
  std::vector<std::string> sources;
  for (const SourcedList* list : {&fs.not_found, &fs.read_write, &fs.read_only, &fs.local}) {
    if (!list->value.empty()) sources.push_back(list->source);
  }
  if (!fs.mapping.value.empty()) sources.push_back(fs.mapping.source);
  if (sources.empty()) return;
  warnings.push_back(fmt::format("in mode local ({}) no list applies; these have no effect: {}.", fs.mode.source,
                                 fmt::join(sources, ", ")));
}

}  // namespace

absl::StatusOr<LoadedSettings> LoadClusterSettings(const Environment& environment, std::string_view working_directory) {
  LoadedSettings loaded;
  RETURN_IF_ERROR(ApplyFoundFile(FindUserFile(environment), FileKind::kOwn, loaded));
  RETURN_IF_ERROR(ApplyFoundFile(FindProjectFile(working_directory), FileKind::kProject, loaded));
  RETURN_IF_ERROR(ApplyPodVariables(environment, loaded.settings.agent));
  RETURN_IF_ERROR(CheckValues(loaded.settings));
  return loaded;
}

// What counts least comes first, and is replaced by what comes later. A file that is named counts as named only.
absl::StatusOr<LoadedSettings> LoadSettings(const ExecFlags& flags, const Environment& environment,
                                            std::string_view working_directory) {
  LoadedSettings loaded;
  RETURN_IF_ERROR(ApplyFoundFile(FindUserFile(environment), FileKind::kOwn, loaded));
  const auto project = FindProjectFile(working_directory);
  if (!flags.config_file) {
    RETURN_IF_ERROR(ApplyFoundFile(project, FileKind::kProject, loaded));
  } else {
    const std::string named = AbsolutePath(*flags.config_file, working_directory);
    if (project != named) RETURN_IF_ERROR(ApplyFoundFile(project, FileKind::kProject, loaded));
    RETURN_IF_ERROR(ApplyNamedFile(*flags.config_file, working_directory, loaded));
  }
  RETURN_IF_ERROR(ApplyEnvironment(environment, loaded.settings));
  RETURN_IF_ERROR(ApplyFlags(flags, loaded.settings));
  RETURN_IF_ERROR(CheckValues(loaded.settings));
  WarnOfWhatHasNoEffect(loaded.settings.fs, loaded.warnings);
  return loaded;
}

}  // namespace mirrorfs
