#include "launcher/keeper/progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "fmt/format.h"
#include "launcher/json_lines.h"
#include "launcher/own_name.h"
#include "launcher/printable.h"

namespace mirrorfs {
namespace {

constexpr char kStep[] = "step";
constexpr char kDetail[] = "detail";

}  // namespace

void PrintProgress(ProgressForm form, std::string_view step, std::string_view detail) {
  if (form == ProgressForm::kJson) {
    fmt::print(stderr, "{}\n", ToLine(ProgressMessage(step, detail)));
  } else if (step == kTargetStep) {
    fmt::print(stderr, "{}: {}\n", OwnName(), Printable(std::string(detail)));
  } else if (step == kModeStep) {
    fmt::print(stderr, "{}: agent mode {}\n", OwnName(), Printable(std::string(detail)));
  } else if (::isatty(STDERR_FILENO) == 1) {
    fmt::print(stderr, "{}: agent {}: {}\n", OwnName(), step, Printable(std::string(detail)));
  }
}

nlohmann::json ProgressMessage(std::string_view step, std::string_view detail) {
  return {{kStep, step}, {kDetail, detail}};
}

bool PrintIfProgress(ProgressForm form, const nlohmann::json& message) {
  const std::string step = TextField(message, kStep);
  if (step.empty()) return false;
  PrintProgress(form, step, TextField(message, kDetail));
  return true;
}

}  // namespace mirrorfs
