#include "protos/preface/preface.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {
namespace {

using nlohmann::json;

PrefaceRequest Full() {
  return {.stream = PrefaceStream::kWatch,
          .ticket = {},
          .token = "eyJhbGciOi.J9_-",
          .name_space = "shop",
          .pod = "web-0",
          .pod_uid = "0b1c-22",
          .container = "app",
          .container_id = "containerd://4f2a",
          .read_write = true,
          .wants_facts = true};
}

json FullJson() { return json::parse(EncodePreface(Full())); }

bool IsTaken(const json& object) { return ParsePrefaceRequest(object.dump()).ok(); }

TEST(PrefaceTest, ARequestArrivesAsItWasMade) {
  const auto read = ParsePrefaceRequest(EncodePreface(Full()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(EncodePreface(*read), EncodePreface(Full()));
  EXPECT_EQ(read->stream, PrefaceStream::kWatch);
  EXPECT_EQ(read->container_id, "containerd://4f2a");
  EXPECT_TRUE(read->read_write);
  EXPECT_TRUE(read->wants_facts);
}

TEST(PrefaceTest, ATicketGoesAlone) {
  PrefaceRequest request = Full();
  request.ticket = "abc123";
  const json object = json::parse(EncodePreface(request));
  EXPECT_FALSE(object.contains("token"));
  EXPECT_TRUE(IsTaken(object));
  json both = FullJson();
  both["ticket"] = "abc123";
  EXPECT_FALSE(IsTaken(both));
}

TEST(PrefaceTest, EveryFieldOfARequestWithATokenIsNeeded) {
  for (const char* field : {"mirrorfs", "token", "namespace", "pod", "uid", "container", "container_id"}) {
    json object = FullJson();
    object.erase(field);
    EXPECT_FALSE(IsTaken(object)) << field;
  }
}

TEST(PrefaceTest, NamesAreNothingButNames) {
  for (const char* field : {"namespace", "pod", "uid", "container"}) {
    for (const std::string& text :
         {std::string("../x"), std::string("a/b"), std::string(".."), std::string("-v"), std::string("a b"),
          std::string("a?b"), std::string("a\nb"), std::string(300, 'a')}) {
      json object = FullJson();
      object[field] = text;
      EXPECT_FALSE(IsTaken(object)) << field << " " << text;
    }
  }
  json object = FullJson();
  object["token"] = "a\r\nX-Evil: 1";
  EXPECT_FALSE(IsTaken(object));
}

TEST(PrefaceTest, OtherTypesAndWordsAreRefused) {
  const std::pair<const char*, json> wrong[] = {{"token", 7},          {"mode", "rwx"}, {"stream", "all"},
                                                {"facts", "yes"},      {"mirrorfs", 2}, {"pod", nullptr},
                                                {"uid", json::array()}};
  for (const auto& [field, value] : wrong) {
    json object = FullJson();
    object[field] = value;
    EXPECT_FALSE(IsTaken(object)) << field;
  }
  for (const char* line : {"", "null", "[]", "{", "\"x\"", "\xff\xfe"})
    EXPECT_FALSE(ParsePrefaceRequest(line).ok()) << line;
  EXPECT_FALSE(ParsePrefaceRequest(std::string(kMostPrefaceRequest + 1, ' ')).ok());
}

TEST(PrefaceTest, NoMessageHasTheTokenInIt) {
  json object = FullJson();
  object["token"] = "secret token";
  EXPECT_THAT(std::string(ParsePrefaceRequest(object.dump()).status().message()),
              testing::Not(testing::HasSubstr("secret")));
}

TEST(PrefaceTest, AnswersArriveAsTheyWereMade) {
  const PrefaceAnswer made{.message = "", .ticket = "t", .ticket_life = absl::Minutes(5), .facts_bytes = 17};
  const auto read = ParsePrefaceAnswer(EncodePreface(made));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->code, PrefaceCode::kOk);
  EXPECT_EQ(read->ticket_life, absl::Minutes(5));
  EXPECT_EQ(read->facts_bytes, 17u);
  const auto refused =
      ParsePrefaceAnswer(EncodePreface(PrefaceAnswer{.code = PrefaceCode::kQuota, .message = "enough"}));
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->code, PrefaceCode::kQuota);
  EXPECT_EQ(refused->message, "enough");
}

TEST(PrefaceTest, AnAnswerIsNotBelievedEverything) {
  EXPECT_FALSE(ParsePrefaceAnswer(R"({"mirrorfs":1})").ok());
  EXPECT_FALSE(ParsePrefaceAnswer(R"({"mirrorfs":1,"code":"fine"})").ok());
  EXPECT_FALSE(ParsePrefaceAnswer(R"({"mirrorfs":1,"code":"ok","facts":99999999999})").ok());
  EXPECT_FALSE(ParsePrefaceAnswer(R"({"mirrorfs":1,"code":"ok","facts":-1})").ok());
  EXPECT_FALSE(ParsePrefaceAnswer(R"({"mirrorfs":1,"code":"ok","ticket":"a b"})").ok());
}

}  // namespace
}  // namespace mirrorfs
