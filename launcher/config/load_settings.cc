#include "launcher/config/load_settings.h"

#include "launcher/config/flag_settings.h"
#include "protos/shared/errno_status.h"

extern char** environ;

namespace mirrorfs {

Environment CurrentEnvironment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

absl::StatusOr<LoadedSettings> LoadSettings(const ExecFlags& flags, const Environment& environment,
                                            std::string_view working_directory) {
  LoadedSettings loaded;
  RETURN_IF_ERROR(ApplyEnvironment(environment, loaded.settings));
  RETURN_IF_ERROR(ApplyFlags(flags, loaded.settings));
  return loaded;
}

}  // namespace mirrorfs
