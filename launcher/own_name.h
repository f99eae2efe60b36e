// How this program was called: by its own name, or by kubectl as its plugin.
#ifndef MIRRORFS_LAUNCHER_OWN_NAME_H_
#define MIRRORFS_LAUNCHER_OWN_NAME_H_

#include <string>
#include <string_view>

namespace mirrorfs {

// The name that makes it a plugin: kubectl looks for it in $PATH.
inline constexpr std::string_view kPluginName = "kubectl-mirrorfs";
// The name by which kubectl asks a plugin to complete its words.
inline constexpr std::string_view kPluginCompletionName = "kubectl_complete-mirrorfs";

// "mirrorfs", or "kubectl mirrorfs".
std::string OwnName();

// Commands in the text ("mirrorfs ls") are spelt as the user has to type them.
std::string InOwnName(std::string text);

// The same for somebody who calls it `own`.
std::string SpeltFor(std::string_view own, std::string text);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_OWN_NAME_H_
