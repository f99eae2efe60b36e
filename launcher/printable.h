// Texts from elsewhere on a terminal.
#ifndef MIRRORFS_LAUNCHER_PRINTABLE_H_
#define MIRRORFS_LAUNCHER_PRINTABLE_H_

#include <string>

namespace mirrorfs {

// Bytes that would move the cursor, or worse, become question marks.
std::string Printable(std::string text);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PRINTABLE_H_
