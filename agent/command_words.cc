#include "agent/command_words.h"

namespace mirrorfs {

absl::Status ParseCommandWords(int argc, char** argv, const boost::program_options::options_description& options) {
  namespace po = boost::program_options;
  namespace style = po::command_line_style;
  try {
    po::variables_map values;
    auto parser = po::command_line_parser(argc, argv).options(options);
    po::store(parser.style(style::unix_style & ~style::allow_guessing).run(), values);
    po::notify(values);
  } catch (const po::error& error) {
    return absl::InvalidArgumentError(error.what());
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
