// Text in columns.
#ifndef MIRRORFS_LAUNCHER_COMMANDS_TABLE_H_
#define MIRRORFS_LAUNCHER_COMMANDS_TABLE_H_

#include <string>
#include <vector>

namespace mirrorfs {

// One line per row, columns as wide as their widest cell. Control characters in cells are shown as '?'.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_COMMANDS_TABLE_H_
