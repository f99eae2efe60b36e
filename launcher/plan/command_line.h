// Boost.Program_options with the errors turned into Failures that name the nearest option. Nothing throws past here.
#ifndef MIRRORFS_LAUNCHER_PLAN_COMMAND_LINE_H_
#define MIRRORFS_LAUNCHER_PLAN_COMMAND_LINE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "boost/program_options.hpp"

namespace mirrorfs {

// Parses `words` (without the program's and the command's name) and stores what `options` bind. Long options may not
// be abbreviated. `command` is for messages.
absl::Status ParseCommandLine(std::string_view command, absl::Span<const std::string> words,
                              const boost::program_options::options_description& options,
                              const boost::program_options::positional_options_description& positional);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_COMMAND_LINE_H_
