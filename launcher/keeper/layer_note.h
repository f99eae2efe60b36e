// The end of a run's private layer.
#ifndef MIRRORFS_LAUNCHER_KEEPER_LAYER_NOTE_H_
#define MIRRORFS_LAUNCHER_KEEPER_LAYER_NOTE_H_

#include <string>

#include "launcher/keeper/terminal_line.h"

namespace mirrorfs {

// To be called when the daemon has let go of it: removes a layer without changes, and tells of the changes of another.
// `layer_directory`: empty if the run has none.
void SettleAndTell(const std::string& layer_directory, TerminalLine& terminal);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KEEPER_LAYER_NOTE_H_
