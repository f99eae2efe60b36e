#include "protos/preface/preface.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr size_t kLongestName = 253;  // of an object in Kubernetes
constexpr size_t kLongestContainerId = 256;
constexpr uint64_t kMostFacts = 16 << 20;
constexpr int64_t kLongestTicketSeconds = 86'400;

constexpr std::array<std::pair<PrefaceCode, const char*>, 7> kCodes = {
    {{PrefaceCode::kOk, "ok"},
     {PrefaceCode::kBadRequest, "bad_request"},
     {PrefaceCode::kUnauthenticated, "unauthenticated"},
     {PrefaceCode::kForbidden, "forbidden"},
     {PrefaceCode::kNoTarget, "no_target"},
     {PrefaceCode::kQuota, "quota"},
     {PrefaceCode::kUnavailable, "unavailable"}}};

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("the preface cannot be used: {}", what));
}

// What the other end has sent: a JSON object of this version.
absl::StatusOr<json> ParseObject(std::string_view line, size_t most) {
  if (line.size() > most) return Wrong("it is too long");
  json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return Wrong("it is no JSON object");
  const auto version = object.find("mirrorfs");
  if (version == object.end() || !version->is_number_integer() || *version != kVersion) {
    return Wrong(fmt::format("this end speaks version {} of it", kVersion));
  }
  return object;
}

absl::Status ReadText(const json& object, const char* name, std::string& text) {
  const auto found = object.find(name);
  if (found == object.end()) return absl::OkStatus();
  if (!found->is_string()) return Wrong(fmt::format("'{}' is no text", name));
  text = found->get<std::string>();
  return absl::OkStatus();
}

absl::Status ReadFlag(const json& object, const char* name, bool& flag) {
  const auto found = object.find(name);
  if (found == object.end()) return absl::OkStatus();
  if (!found->is_boolean()) return Wrong(fmt::format("'{}' is neither true nor false", name));
  flag = found->get<bool>();
  return absl::OkStatus();
}

absl::Status ReadCount(const json& object, const char* name, uint64_t most, uint64_t& count) {
  const auto found = object.find(name);
  if (found == object.end()) return absl::OkStatus();
  if (!found->is_number_unsigned() || found->get<uint64_t>() > most)
    return Wrong(fmt::format("'{}' is no such number", name));
  count = found->get<uint64_t>();
  return absl::OkStatus();
}

// Names become parts of a URL and of a command line: nothing but what Kubernetes lets them be.
absl::Status CheckName(const char* what, const std::string& text, size_t longest, std::string_view also) {
  const bool fine = !text.empty() && text.size() <= longest && text[0] != '.' && text[0] != '-' &&
                    std::all_of(text.begin(), text.end(), [also](unsigned char c) {
                      return std::isalnum(c) || c == '-' || c == '.' || also.find(static_cast<char>(c)) != also.npos;
                    });
  return fine ? absl::OkStatus() : Wrong(fmt::format("'{}' is missing, or cannot be a name", what));
}

// Visible ASCII: it goes into a line of JSON, and a token into a header's value elsewhere.
absl::Status CheckSecret(const char* what, const std::string& text) {
  const bool fine = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
  return fine ? absl::OkStatus() : Wrong(fmt::format("'{}' has characters that it cannot have", what));
}

absl::Status CheckRequest(const PrefaceRequest& request) {
  RETURN_IF_ERROR(CheckSecret("ticket", request.ticket));
  RETURN_IF_ERROR(CheckSecret("token", request.token));
  if (!request.ticket.empty()) {
    return request.token.empty() ? absl::OkStatus() : Wrong("there are both a ticket and a token");
  }
  if (request.token.empty()) return Wrong("there is neither a ticket nor a token");
  RETURN_IF_ERROR(CheckName("namespace", request.name_space, kLongestName, ""));
  RETURN_IF_ERROR(CheckName("pod", request.pod, kLongestName, ""));
  RETURN_IF_ERROR(CheckName("uid", request.pod_uid, kLongestName, ""));
  RETURN_IF_ERROR(CheckName("container", request.container, kLongestName, ""));
  return CheckName("container_id", request.container_id, kLongestContainerId, ":/_");
}

}  // namespace

std::string EncodePreface(const PrefaceRequest& request) {
  json object = {{"mirrorfs", kVersion}, {"stream", request.stream == PrefaceStream::kWatch ? "watch" : "files"}};
  if (!request.ticket.empty()) {
    object["ticket"] = request.ticket;
  } else {
    object.update({{"token", request.token},
                   {"namespace", request.name_space},
                   {"pod", request.pod},
                   {"uid", request.pod_uid},
                   {"container", request.container},
                   {"container_id", request.container_id},
                   {"mode", request.read_write ? "rw" : "ro"}});
  }
  if (request.wants_facts) object["facts"] = true;
  return object.dump(-1, ' ', true, json::error_handler_t::replace);
}

std::string EncodePreface(const PrefaceAnswer& answer) {
  json object = {{"mirrorfs", kVersion}};
  for (const auto& [code, word] : kCodes) {
    if (code == answer.code) object["code"] = word;
  }
  if (!answer.message.empty()) object["message"] = answer.message.substr(0, kMostPrefaceAnswer / 8);
  if (!answer.ticket.empty()) {
    object["ticket"] = answer.ticket;
    object["ticket_seconds"] = static_cast<uint64_t>(absl::ToInt64Seconds(answer.ticket_life));
  }
  if (answer.facts_bytes > 0) object["facts"] = answer.facts_bytes;
  return object.dump(-1, ' ', true, json::error_handler_t::replace);
}

absl::StatusOr<PrefaceRequest> ParsePrefaceRequest(std::string_view line) {
  ASSIGN_OR_RETURN(const json object, ParseObject(line, kMostPrefaceRequest));
  PrefaceRequest request;
  std::string stream = "files";
  std::string mode = "ro";
  const std::array<std::pair<const char*, std::string*>, 9> texts = {{{"stream", &stream},
                                                                      {"mode", &mode},
                                                                      {"ticket", &request.ticket},
                                                                      {"token", &request.token},
                                                                      {"namespace", &request.name_space},
                                                                      {"pod", &request.pod},
                                                                      {"uid", &request.pod_uid},
                                                                      {"container", &request.container},
                                                                      {"container_id", &request.container_id}}};
  for (const auto& [name, text] : texts) RETURN_IF_ERROR(ReadText(object, name, *text));
  RETURN_IF_ERROR(ReadFlag(object, "facts", request.wants_facts));
  if (stream != "files" && stream != "watch") return Wrong("'stream' is neither files nor watch");
  if (mode != "ro" && mode != "rw") return Wrong("'mode' is neither ro nor rw");
  request.stream = stream == "watch" ? PrefaceStream::kWatch : PrefaceStream::kFiles;
  request.read_write = mode == "rw";
  RETURN_IF_ERROR(CheckRequest(request));
  return request;
}

absl::StatusOr<PrefaceAnswer> ParsePrefaceAnswer(std::string_view line) {
  ASSIGN_OR_RETURN(const json object, ParseObject(line, kMostPrefaceAnswer));
  PrefaceAnswer answer;
  std::string word;
  uint64_t seconds = 0;
  RETURN_IF_ERROR(ReadText(object, "code", word));
  RETURN_IF_ERROR(ReadText(object, "message", answer.message));
  RETURN_IF_ERROR(ReadText(object, "ticket", answer.ticket));
  RETURN_IF_ERROR(ReadCount(object, "ticket_seconds", kLongestTicketSeconds, seconds));
  RETURN_IF_ERROR(ReadCount(object, "facts", kMostFacts, answer.facts_bytes));
  RETURN_IF_ERROR(CheckSecret("ticket", answer.ticket));
  answer.ticket_life = absl::Seconds(seconds);
  for (const auto& [code, text] : kCodes) {
    if (word != text) continue;
    answer.code = code;
    return answer;
  }
  return Wrong("'code' is none that this end knows");
}

}  // namespace mirrorfs
