// Texts in parts.
#ifndef MIRRORFS_LAUNCHER_SPLIT_TEXT_H_
#define MIRRORFS_LAUNCHER_SPLIT_TEXT_H_

#include <string_view>
#include <vector>

namespace mirrorfs {

// What lies between separators; empty parts do not count. Valid as long as `text` is.
std::vector<std::string_view> SplitText(std::string_view text, char separator);

// True, and `text` is what follows, if it begins so.
bool SkipPrefix(std::string_view& text, std::string_view prefix);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_SPLIT_TEXT_H_
