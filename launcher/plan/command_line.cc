#include "launcher/plan/command_line.h"

#include <vector>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/plan/nearest.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

absl::Status UnknownOption(std::string_view command, const std::string& word, const po::options_description& options) {
  std::vector<std::string> known;
  for (const auto& option : options.options()) known.push_back("--" + option->long_name());
  return Failure(ExitCode::kUsage, fmt::format("{}: there is no option {}{} 'mirrorfs help {}' lists them.", command,
                                               word, DidYouMean(word, known), command));
}

}  // namespace

absl::Status ParseCommandLine(std::string_view command, absl::Span<const std::string> words,
                              const po::options_description& options,
                              const po::positional_options_description& positional) {
  namespace style = po::command_line_style;
  try {
    const auto parsed = po::command_line_parser(std::vector<std::string>(words.begin(), words.end()))
                            .options(options)
                            .positional(positional)
                            .style(style::unix_style & ~style::allow_guessing)
                            .run();
    po::variables_map values;
    po::store(parsed, values);
    po::notify(values);
    return absl::OkStatus();
  } catch (const po::unknown_option& error) {
    return UnknownOption(command, error.get_option_name(), options);
  } catch (const po::too_many_positional_options_error&) {
    return Failure(ExitCode::kUsage,
                   fmt::format("{}: there are words too many; see 'mirrorfs help {}'.", command, command));
  } catch (const po::error& error) {
    return Failure(ExitCode::kUsage, fmt::format("{}: {}; see 'mirrorfs help {}'.", command, error.what(), command));
  }
}

}  // namespace mirrorfs
