// mirrorfs-model: random operations on a mount and on a native directory, which must stay alike.
//
// Usage: mirrorfs-model [--seed N] [--operations N] [--dir MOUNT --reference DIRECTORY | --native | --base DIRECTORY]
// Without --dir it makes two directories below the base (default: /tmp), and mounts one of them unless --native is
// given.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "fmt/format.h"
#include "tests/model/checker.h"
#include "tests/model/served_mount.h"

namespace mirrorfs {
namespace {

struct Options {
  CheckerOptions checker;
  std::string base = "/tmp";
  bool native = false;
};

Options ParseOptions(int argc, char** argv) {
  Options options;
  options.checker.seed = std::random_device()();
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--native") {
      options.native = true;
      continue;
    }
    ++i;
    if (name == "--seed") options.checker.seed = strtoull(value.c_str(), nullptr, 10);
    if (name == "--operations") options.checker.operations = strtoull(value.c_str(), nullptr, 10);
    if (name == "--compare-every") options.checker.compare_every = strtoull(value.c_str(), nullptr, 10);
    if (name == "--dir") options.checker.directory = value;
    if (name == "--reference") options.checker.reference = value;
    if (name == "--base") options.base = value;
  }
  return options;
}

int RunInOwnDirectories(Options options) {
  std::string base = options.base + "/mirrorfs-model-XXXXXX";
  if (mkdtemp(base.data()) == nullptr) return 2;
  for (const char* name : {"served", "mount", "reference"}) std::filesystem::create_directory(base + "/" + name);
  options.checker.directory = base + (options.native ? "/served" : "/mount");
  options.checker.reference = base + "/reference";
  bool alike = false;
  {
    std::unique_ptr<ServedMount> mount;
    if (!options.native) {
      auto started = ServedMount::Start(base + "/served", base + "/mount");
      if (!started.ok()) {
        fmt::print(stderr, "{}\n", started.status().ToString());
        return 2;
      }
      mount = *std::move(started);
    }
    alike = Checker(options.checker).Run();
    if (mount && !mount->Stop()) {
      fmt::print("model: the server of the mount has failed\n");
      alike = false;
    }
  }
  std::filesystem::remove_all(base);
  return alike ? 0 : 1;
}

int Main(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  if (options.checker.directory.empty()) return RunInOwnDirectories(options);
  return Checker(options.checker).Run() ? 0 : 1;
}

}  // namespace
}  // namespace mirrorfs

int main(int argc, char** argv) { return mirrorfs::Main(argc, argv); }
