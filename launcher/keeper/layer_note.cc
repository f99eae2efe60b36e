#include "launcher/keeper/layer_note.h"

#include "launcher/layers/layer_store.h"

namespace mirrorfs {

void SettleAndTell(const std::string& layer_directory, TerminalLine& terminal) {
  if (layer_directory.empty()) return;
  const std::string note = SettleLayer(layer_directory);
  if (!note.empty()) terminal.Print(note);
}

}  // namespace mirrorfs
