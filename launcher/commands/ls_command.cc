#include "launcher/commands/ls_command.h"

#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/commands/output_format.h"
#include "launcher/commands/table.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/cluster_lookup.h"
#include "launcher/kubernetes/inventory.h"
#include "launcher/kubernetes/workload_pods.h"
#include "launcher/plan/cluster_options.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/nearest.h"
#include "launcher/printable.h"
#include "launcher/system/runtime_list.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

// What is listed if nothing is asked for: what people deploy, and the pods.
constexpr std::array kUsualKinds = {"pod", "deployment", "statefulset", "daemonset", "job", "cronjob"};

struct LsArguments {
  std::string type;
  ClusterFlags cluster;
  bool all_namespaces = false;
  std::string output;
  bool help = false;
};

absl::Status Parse(absl::Span<const std::string> words, LsArguments& arguments) {
  po::options_description options;
  AddClusterOptions(options, arguments.cluster);
  auto add = options.add_options();
  add("type", po::value(&arguments.type));
  add("all-namespaces,A", po::bool_switch(&arguments.all_namespaces));
  add("output,o", po::value(&arguments.output));
  add("help,h", po::bool_switch(&arguments.help));
  po::positional_options_description positional;
  positional.add("type", 1);
  RETURN_IF_ERROR(ParseCommandLine("ls", words, options, positional));
  if (!arguments.cluster.container.empty()) {
    return Failure(ExitCode::kUsage, "ls: -c has no meaning here; every container is shown.");
  }
  if (arguments.all_namespaces && !arguments.cluster.name_space.empty()) {
    return Failure(ExitCode::kUsage, "ls: -A and -n are both given; say one.");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<const WorkloadKind*>> KindsOf(const std::string& type) {
  std::vector<const WorkloadKind*> kinds;
  if (type.empty()) {
    for (const char* name : kUsualKinds) kinds.push_back(FindWorkloadKind(name));
    return kinds;
  }
  if (const WorkloadKind* kind = FindWorkloadKind(type)) return std::vector<const WorkloadKind*>{kind};
  std::vector<std::string> known = {"docker", "podman"};
  for (const WorkloadKind& kind : WorkloadKinds()) known.emplace_back(kind.name);
  return Failure(ExitCode::kUsage, fmt::format("ls {}: there is no such type{} Types are {}.", type,
                                               DidYouMean(type, known), absl::StrJoin(known, ", ")));
}

std::string Age(const std::string& created) {
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, created, &time, nullptr)) return "-";
  const absl::Duration age = absl::Now() - time;
  if (age < absl::Minutes(2)) return fmt::format("{}s", absl::ToInt64Seconds(age));
  if (age < absl::Hours(2)) return fmt::format("{}m", absl::ToInt64Minutes(age));
  if (age < absl::Hours(48)) return fmt::format("{}h", absl::ToInt64Hours(age));
  return fmt::format("{}d", absl::ToInt64Hours(age) / 24);
}

std::string OrDash(std::string text) { return text.empty() ? "-" : text; }

// The default one first.
std::string ContainerNames(const InventoryItem& item) {
  std::vector<std::string> names;
  for (const PodContainer& container : item.containers) {
    names.insert(container.name == item.default_container ? names.begin() : names.end(), container.name);
  }
  return OrDash(absl::StrJoin(names, ","));
}

std::string Images(const InventoryItem& item) {
  std::vector<std::string> images;
  for (const PodContainer& container : item.containers) images.push_back(container.image);
  return OrDash(absl::StrJoin(images, ","));
}

std::string AsTable(const std::vector<InventoryItem>& items, bool all_namespaces, bool wide) {
  std::vector<std::vector<std::string>> rows = {{"KIND", "NAME", "CONTAINER", "READY", "NODE"}};
  if (wide) rows[0].insert(rows[0].end(), {"STATUS", "AGE", "IMAGE"});
  for (const InventoryItem& item : items) {
    rows.push_back({item.kind, item.name, ContainerNames(item), item.ready, OrDash(item.node)});
    if (wide) rows.back().insert(rows.back().end(), {OrDash(item.status), Age(item.created), Images(item)});
  }
  for (size_t i = 0; all_namespaces && i < rows.size(); ++i) {
    rows[i].insert(rows[i].begin(), i == 0 ? "NAMESPACE" : OrDash(items[i - 1].name_space));
  }
  return FormatTable(rows);
}

// Targets, one a line; where one of several containers has to be named, one for each.
std::string AsNames(const std::vector<InventoryItem>& items, bool all_namespaces) {
  std::string text;
  for (const InventoryItem& item : items) {
    const std::string self = item.kind + "/" + item.name;
    const std::string place = all_namespaces && !item.name_space.empty() ? " -n " + item.name_space : "";
    if (!item.default_container.empty() || item.containers.empty()) {
      text += Printable(self + place) + "\n";
      continue;
    }
    for (const PodContainer& container : item.containers) {
      text += Printable(self + "/container/" + container.name + place) + "\n";
    }
  }
  return text;
}

const char* ToWord(PodContainer::State state) {
  switch (state) {
    case PodContainer::State::kWaiting:
      return "waiting";
    case PodContainer::State::kRunning:
      return "running";
    case PodContainer::State::kFinished:
      return "finished";
    case PodContainer::State::kUnknown:
      break;
  }
  return "";
}

nlohmann::ordered_json AsJson(const std::vector<InventoryItem>& items) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const InventoryItem& item : items) {
    nlohmann::ordered_json containers = nlohmann::ordered_json::array();
    for (const PodContainer& container : item.containers) {
      containers.push_back({{"name", container.name},
                            {"image", container.image},
                            {"ready", container.ready},
                            {"state", ToWord(container.state)}});
    }
    list.push_back({{"kind", item.kind},
                    {"name", item.name},
                    {"namespace", item.name_space},
                    {"containers", std::move(containers)},
                    {"default_container", item.default_container},
                    {"ready", item.ready},
                    {"status", item.status},
                    {"node", item.node},
                    {"created", item.created}});
  }
  return list;
}

void Print(const std::vector<InventoryItem>& items, const LsArguments& arguments, OutputFormat format) {
  if (format == OutputFormat::kJson) {
    fmt::print("{}\n", AsJson(items).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else if (format == OutputFormat::kName) {
    fmt::print("{}", AsNames(items, arguments.all_namespaces));
  } else if (items.empty()) {
    fmt::print("There is nothing.\n");
  } else {
    fmt::print("{}", AsTable(items, arguments.all_namespaces, format == OutputFormat::kWide));
  }
}

absl::StatusOr<std::vector<InventoryItem>> InCluster(const LsArguments& arguments, const Invoker& invoker) {
  ASSIGN_OR_RETURN(std::vector<const WorkloadKind*> kinds, KindsOf(arguments.type));
  ASSIGN_OR_RETURN(ClusterAccess access, AccessOf(arguments.cluster, invoker.working_directory));
  auto settled = SettleAccess(access);
  if (!settled.ok()) {
    return Failure(ExitCodeOf(settled),
                   MessageOf(settled) + " Containers of this machine: mirrorfs ls docker, mirrorfs ls podman");
  }
  ASSIGN_OR_RETURN(Inventory inventory, TakeInventory(Kubectl(access), {.kinds = std::move(kinds),
                                                                        .selector = arguments.cluster.selector,
                                                                        .all_namespaces = arguments.all_namespaces}));
  for (const std::string& why : inventory.not_allowed) fmt::print(stderr, "mirrorfs: {}\n", why);
  if (inventory.items.empty() && !arguments.all_namespaces) RETURN_IF_ERROR(CheckNamespace(Kubectl(access)));
  return std::move(inventory.items);
}

// As the others are shown: a container is its own container.
absl::StatusOr<std::vector<InventoryItem>> OfRuntime(const std::string& runtime) {
  ASSIGN_OR_RETURN(const std::vector<RuntimeContainer> containers, ListContainers(runtime));
  std::vector<InventoryItem> items;
  for (const RuntimeContainer& container : containers) {
    items.push_back({.kind = runtime,
                     .name = container.name,
                     .containers = {{.name = container.name, .image = container.image}},
                     .default_container = container.name,
                     .ready = "-",
                     .status = container.status,
                     .created = {}});
  }
  return items;
}

}  // namespace

absl::Status RunLs(absl::Span<const std::string> words, const Invoker& invoker) {
  LsArguments arguments;
  RETURN_IF_ERROR(Parse(words, arguments));
  if (arguments.help) return PrintHelp("ls");
  ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(arguments.output, OutputFormats::kAllAndName));
  const bool runtime = arguments.type == "docker" || arguments.type == "podman";
  if (const std::string option = FirstGiven(arguments.cluster); runtime && !option.empty()) {
    return Failure(ExitCode::kUsage, fmt::format("ls {}: {} goes with clusters only.", arguments.type, option));
  }
  ASSIGN_OR_RETURN(const std::vector<InventoryItem> items,
                   runtime ? OfRuntime(arguments.type) : InCluster(arguments, invoker));
  Print(items, arguments, format);
  return absl::OkStatus();
}

}  // namespace mirrorfs
