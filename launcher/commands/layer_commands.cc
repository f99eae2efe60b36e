#include "launcher/commands/layer_commands.h"

#include <cerrno>
#include <cstdio>
#include <vector>

#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/commands/output_format.h"
#include "launcher/commands/table.h"
#include "launcher/failure.h"
#include "launcher/layers/layer_patch.h"
#include "launcher/layers/layer_store.h"
#include "launcher/plan/command_line.h"
#include "nlohmann/json.hpp"
#include "protos/layer/layer_changes.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

std::string Dump(const nlohmann::json& value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string TimeText(int64_t seconds) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(seconds), absl::UTCTimeZone());
}

const char* ToWord(FileType type) {
  switch (type) {
    case FileType::kRegular:
      return "file";
    case FileType::kDirectory:
      return "directory";
    case FileType::kSymlink:
      return "symlink";
    case FileType::kCharacterDevice:
    case FileType::kBlockDevice:
      return "device";
    case FileType::kFifo:
      return "fifo";
    case FileType::kSocket:
      return "socket";
    case FileType::kUnknown:
      break;
  }
  return "unknown";
}

nlohmann::json AsJson(const std::vector<LayerChange>& changes) {
  nlohmann::json list = nlohmann::json::array();
  for (const LayerChange& change : changes) {
    nlohmann::json entry = {{"change", std::string(1, static_cast<char>(change.kind))},
                            {"path", change.path},
                            {"type", ToWord(change.type)},
                            {"mode", fmt::format("{:04o}", change.permissions)},
                            {"size", change.size}};
    if (change.kind == ChangeKind::kRenamed) entry["from"] = change.from;
    if (change.container_path != change.path) entry["container_path"] = change.container_path;
    list.push_back(std::move(entry));
  }
  return list;
}

std::string AsTable(const std::vector<LayerChange>& changes) {
  std::vector<std::vector<std::string>> rows;
  for (const LayerChange& change : changes) {
    const bool renamed = change.kind == ChangeKind::kRenamed;
    rows.push_back({std::string(1, static_cast<char>(change.kind)), ToWord(change.type),
                    fmt::format("{:04o}", change.permissions), std::to_string(change.size),
                    renamed ? fmt::format("{} -> {}", change.from, change.path) : change.path});
  }
  return rows.empty() ? "" : FormatTable(rows);
}

struct LayerArguments {
  std::string layer;
  std::string output;
  bool patch = false;
  bool help = false;
};

absl::Status Parse(std::string_view command, absl::Span<const std::string> words, LayerArguments& arguments) {
  po::options_description options;
  options.add_options()("layer", po::value(&arguments.layer))("help,h", po::bool_switch(&arguments.help));
  if (command != "discard") options.add_options()("output,o", po::value(&arguments.output));
  if (command == "diff") options.add_options()("patch,p", po::bool_switch(&arguments.patch));
  po::positional_options_description positional;
  if (command != "layers") positional.add("layer", 1);
  return ParseCommandLine(command, words, options, positional);
}

}  // namespace

absl::Status RunLayers(absl::Span<const std::string> words, const Invoker& invoker) {
  LayerArguments arguments;
  RETURN_IF_ERROR(Parse("layers", words, arguments));
  if (arguments.help) return PrintHelp("layers");
  ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(arguments.output, OutputFormats::kAll));
  ASSIGN_OR_RETURN(const std::vector<KnownLayer> layers, ListLayers(invoker));
  if (format == OutputFormat::kJson) {
    nlohmann::json list = nlohmann::json::array();
    for (const KnownLayer& layer : layers) {
      list.push_back({{"name", layer.name},
                      {"target", layer.info.target},
                      {"changes", layer.changes},
                      {"in_use", layer.in_use},
                      {"created", TimeText(layer.info.created)},
                      {"directory", layer.directory}});
    }
    fmt::print("{}\n", Dump(list));
    return absl::OkStatus();
  }
  if (layers.empty()) {
    fmt::print("There are no private layers.\n");
    return absl::OkStatus();
  }
  std::vector<std::vector<std::string>> rows = {{"LAYER", "TARGET", "CHANGES", "STATE", "CREATED"}};
  if (format == OutputFormat::kWide) rows[0].emplace_back("DIRECTORY");
  for (const KnownLayer& layer : layers) {
    rows.push_back({layer.name, layer.info.target, std::to_string(layer.changes), layer.in_use ? "in use" : "kept",
                    TimeText(layer.info.created)});
    if (format == OutputFormat::kWide) rows.back().push_back(layer.directory);
  }
  fmt::print("{}", FormatTable(rows));
  return absl::OkStatus();
}

absl::Status RunDiff(absl::Span<const std::string> words, const Invoker& invoker) {
  LayerArguments arguments;
  RETURN_IF_ERROR(Parse("diff", words, arguments));
  if (arguments.help) return PrintHelp("diff");
  ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(arguments.output, OutputFormats::kPlainAndJson));
  if (arguments.patch && format != OutputFormat::kPlain) {
    return Failure(ExitCode::kUsage, "diff: -p prints a patch, and -o json a list for programs; say one of them.");
  }
  ASSIGN_OR_RETURN(const KnownLayer known, FindLayer(invoker, arguments.layer));
  ASSIGN_OR_RETURN(const std::unique_ptr<Layer> layer, Layer::Open(known.directory, LayerUse::kRead));
  ASSIGN_OR_RETURN(const std::vector<LayerChange> changes, ListLayerChanges(*layer));
  if (arguments.patch) return PrintPatch(*layer, changes, invoker);
  fmt::print("{}", format == OutputFormat::kJson ? Dump(AsJson(changes)) + "\n" : AsTable(changes));
  return absl::OkStatus();
}

absl::Status RunDiscard(absl::Span<const std::string> words, const Invoker& invoker) {
  LayerArguments arguments;
  RETURN_IF_ERROR(Parse("discard", words, arguments));
  if (arguments.help) return PrintHelp("discard");
  ASSIGN_OR_RETURN(const KnownLayer known, FindLayer(invoker, arguments.layer));
  const absl::Status removed = RemoveLayer(known.directory);
  if (ToErrno(removed) == EBUSY) {
    return Failure(ExitCode::kBusy,
                   fmt::format("layer {}: it is in use by a mount or a run; end that first.", known.name));
  }
  if (!removed.ok()) return Failure(ExitCode::kFailed, MessageOf(removed) + ".");
  fmt::print("Discarded {}: {} {} of {}.\n", known.name, known.changes, known.changes == 1 ? "change" : "changes",
             known.info.target);
  return absl::OkStatus();
}

}  // namespace mirrorfs
