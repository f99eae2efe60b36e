#include "launcher/config/config_node.h"

#include <algorithm>
#include <optional>

#include "fmt/format.h"
#include "launcher/config/toml_reader.h"
#include "launcher/failure.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"
#include "yaml-cpp/yaml.h"

namespace mirrorfs {
namespace {

using Kind = ConfigNode::Kind;

constexpr int kMostNesting = 64;
constexpr int kMostNodes = 100'000;

absl::Status At(std::string_view file, int line, std::string_view what) {
  return Failure(ExitCode::kUsage, fmt::format("{}:{}: {}", file, line, what));
}

int LineOf(const YAML::Mark& mark) { return mark.line + 1; }

// yaml-cpp marks what is not in quotes with this tag.
bool IsPlain(const YAML::Node& yaml) { return yaml.Tag() != "!"; }

// Aliases make a small file stand for a huge tree: what is made of it is counted.
class YamlReader {
 public:
  explicit YamlReader(std::string_view file) : file_(file) {}

  absl::StatusOr<ConfigNode> Read(const YAML::Node& yaml, int depth);

 private:
  absl::Status AddItems(const YAML::Node& yaml, int depth, ConfigNode& node);
  absl::Status AddEntries(const YAML::Node& yaml, int depth, ConfigNode& node);

  const std::string_view file_;
  int nodes_ = 0;
};

absl::Status YamlReader::AddItems(const YAML::Node& yaml, int depth, ConfigNode& node) {
  for (const YAML::Node& item : yaml) {
    ASSIGN_OR_RETURN(ConfigNode child, Read(item, depth + 1));
    node.items.push_back(std::move(child));
  }
  return absl::OkStatus();
}

absl::Status YamlReader::AddEntries(const YAML::Node& yaml, int depth, ConfigNode& node) {
  for (const auto& pair : yaml) {
    const int line = LineOf(pair.first.Mark());
    if (!pair.first.IsScalar()) return At(file_, line, "a key has to be a plain word.");
    ConfigEntry entry{.key = pair.first.Scalar(), .line = line, .value = {}};
    if (node.Find(entry.key) != nullptr) return At(file_, line, fmt::format("the key {} is there twice.", entry.key));
    ASSIGN_OR_RETURN(entry.value, Read(pair.second, depth + 1));
    if (entry.value.line == 0) entry.value.line = line;
    node.entries.push_back(std::move(entry));
  }
  return absl::OkStatus();
}

absl::StatusOr<ConfigNode> YamlReader::Read(const YAML::Node& yaml, int depth) {
  ConfigNode node{.line = yaml.Mark().is_null() ? 0 : LineOf(yaml.Mark())};
  if (depth > kMostNesting || ++nodes_ > kMostNodes)
    return At(file_, node.line, "this is too large for a configuration.");
  switch (yaml.Type()) {
    case YAML::NodeType::Scalar:
      node.kind = IsPlain(yaml) ? Kind::kWord : Kind::kText;
      node.text = yaml.Scalar();
      break;
    case YAML::NodeType::Sequence:
      node.kind = Kind::kList;
      RETURN_IF_ERROR(AddItems(yaml, depth, node));
      break;
    case YAML::NodeType::Map:
      node.kind = Kind::kMap;
      RETURN_IF_ERROR(AddEntries(yaml, depth, node));
      break;
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      break;
  }
  return node;
}

absl::StatusOr<ConfigNode> ParseYaml(const std::string& text, std::string_view file) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.empty()) return ConfigNode{};
    if (documents.size() > 1)
      return At(file, LineOf(documents[1].Mark()), "only one YAML document may be in the file.");
    return YamlReader(file).Read(documents.front(), 0);
  } catch (const YAML::Exception& error) {
    return At(file, LineOf(error.mark), fmt::format("this is not YAML: {}.", error.msg));
  }
}

// Strict about the syntax, which yaml-cpp is not.
std::optional<absl::Status> JsonError(const std::string& text, std::string_view file) {
  struct Reporter : nlohmann::json_sax<nlohmann::json> {
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(size_t) override { return true; }
    bool key(string_t&) override { return true; }
    bool end_object() override { return true; }
    bool start_array(size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(size_t position, const std::string&, const nlohmann::json::exception& error) override {
      at = position;
      message = error.what();
      return false;
    }
    size_t at = 0;
    std::string message;
  } reporter;
  if (nlohmann::json::sax_parse(text, &reporter)) return std::nullopt;
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(reporter.at, text.size()));
  const int line = 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
  const size_t reason = reporter.message.find(" - ");
  const std::string why = reason == std::string::npos ? reporter.message : reporter.message.substr(reason + 3);
  return At(file, line, fmt::format("this is not JSON: {}.", why));
}

}  // namespace

const ConfigNode* ConfigNode::Find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const ConfigEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &found->value;
}

ConfigSyntax SyntaxOf(std::string_view file) {
  if (file.ends_with(".json")) return ConfigSyntax::kJson;
  if (file.ends_with(".toml")) return ConfigSyntax::kToml;
  return ConfigSyntax::kYaml;
}

absl::StatusOr<ConfigNode> ParseConfig(ConfigSyntax syntax, const std::string& text, std::string_view file) {
  if (syntax == ConfigSyntax::kToml) return ParseToml(text, file);
  if (syntax == ConfigSyntax::kJson) {
    if (const auto error = JsonError(text, file)) return *error;
  }
  return ParseYaml(text, file);  // JSON is YAML, and this one knows lines
}

}  // namespace mirrorfs
