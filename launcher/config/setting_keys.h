// Every key there is, once: what files may say, what `config show` prints and what the JSON schema describes.
#ifndef MIRRORFS_LAUNCHER_CONFIG_SETTING_KEYS_H_
#define MIRRORFS_LAUNCHER_CONFIG_SETTING_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/types/span.h"
#include "launcher/config/exec_settings.h"

namespace mirrorfs {

using SourcedTexts = Sourced<std::vector<std::pair<std::string, std::string>>>;

// Where the value of a key is kept; the type tells what a file may say.
using SettingSlot = std::variant<Sourced<std::string>*, Sourced<bool>*, Sourced<FsMode>*, SourcedList*,
                                 Sourced<std::vector<PathMapping>>*, SourcedTexts*>;

// Where a key may stand. kOwnFiles: not in a project's file, which may have come with somebody else's repository: with
// a target of its own choice it could have this machine's files sent there as a token.
enum class KeyPlace : uint8_t { kAllFiles, kOwnFiles, kFlagsOnly };

// kPath: a path of this machine; where a file says a relative one, it is meant from the file's directory.
enum class KeyMeaning : uint8_t { kValue, kPath };

struct SettingKey {
  std::string_view section;  // "" or "fs"
  std::string_view name;     // "mode"
  KeyPlace place;
  KeyMeaning meaning;
  std::string_view description;
  SettingSlot (*slot)(ExecSettings& settings);

  std::string FullName() const;  // "fs.mode"
};

absl::Span<const SettingKey> SettingKeys();

// What the key's value comes from.
std::string SourceOf(const SettingSlot& slot);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_CONFIG_SETTING_KEYS_H_
