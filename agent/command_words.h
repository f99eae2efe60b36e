// Reading a command line of the agent.
#ifndef MIRRORFS_AGENT_COMMAND_WORDS_H_
#define MIRRORFS_AGENT_COMMAND_WORDS_H_

#include "absl/status/status.h"
#include "boost/program_options.hpp"

namespace mirrorfs {

// Sets what `options` describe; argv[0] is passed over. INVALID_ARGUMENT with Boost's words for it. Boost throws;
// nothing else here does.
absl::Status ParseCommandWords(int argc, char** argv, const boost::program_options::options_description& options);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_COMMAND_WORDS_H_
