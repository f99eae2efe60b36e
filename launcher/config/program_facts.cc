#include "launcher/config/program_facts.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace mirrorfs {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the kernel follows

std::string Clean(const fs::path& path) {
  std::string clean = path.lexically_normal().string();
  if (clean.size() > 1 && clean.ends_with('/')) clean.pop_back();
  return clean;
}

std::string HomeOf(const Environment& environment) {
  std::string home = ValueOf(environment, "HOME");
  if (home.starts_with('/')) return home;
  const passwd* entry = ::getpwuid(::getuid());
  return entry == nullptr || entry->pw_dir == nullptr ? "" : entry->pw_dir;
}

bool IsProgram(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

void AddName(std::string name, std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
}

std::vector<std::string> NamesIfAbsolute(const std::string& path) {
  return path.starts_with('/') ? NamesOf(path) : std::vector<std::string>();
}

}  // namespace

std::vector<std::string> NamesOf(std::string_view absolute_path) {
  fs::path path = Clean(fs::path(absolute_path));
  std::vector<std::string> names = {path.string()};
  for (int links = 0; links < kMostLinks; ++links) {
    std::error_code error;
    const fs::path parent = fs::canonical(path.parent_path(), error);
    if (error) break;
    path = path.has_filename() ? parent / path.filename() : parent;
    AddName(path.string(), names);
    const fs::path target = fs::read_symlink(path, error);
    if (error) break;
    path = Clean(parent / target);
  }
  return names;
}

std::string PathOfProgram(std::string_view program, const Environment& environment,
                          std::string_view working_directory) {
  if (program.empty()) return "";
  if (program.find('/') != std::string_view::npos) return Clean(fs::path(working_directory) / program);
  const std::string path = ValueOf(environment, "PATH");
  for (size_t begin = 0, end = 0; begin <= path.size(); begin = end + 1) {
    end = std::min(path.find(':', begin), path.size());
    const fs::path candidate = fs::path(working_directory) / path.substr(begin, end - begin) / program;
    if (IsProgram(candidate)) return Clean(candidate);
  }
  return "";
}

ProgramFacts FindProgramFacts(std::string_view program, const Environment& environment,
                              std::string_view working_directory) {
  std::string executable = PathOfProgram(program, environment, working_directory);
  // A program that is not there is the container's.
  std::error_code ignored;
  if (!fs::exists(executable, ignored)) executable.clear();
  return {.working_directory = NamesIfAbsolute(std::string(working_directory)),
          .home = NamesIfAbsolute(HomeOf(environment)),
          .temporary_directory = NamesIfAbsolute(ValueOf(environment, "TMPDIR")),
          .executable = NamesIfAbsolute(executable)};
}

}  // namespace mirrorfs
