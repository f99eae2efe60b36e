#include "launcher/agentmodes/caller_token.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

json ViewOf(json user) {
  return {
      {"users", {{{"name", "u"}, {"user", std::move(user)}}}},
      {"clusters",
       {{{"name", "c"}, {"cluster", {{"server", "https://example:6443"}, {"certificate-authority-data", "Q0E="}}}}}}};
}

absl::StatusOr<TokenSource> SourceIn(json user) { return TokenSourceIn(ViewOf(std::move(user)), {"/none"}); }

TEST(CallerTokenTest, ATokenIsTaken) { EXPECT_EQ(SourceIn({{"token", "abc"}})->token, "abc"); }

TEST(CallerTokenTest, AFileCountsMoreAndMayBeRelativeToTheKubeconfig) {
  const std::string directory = testing::TempDir();
  std::ofstream(directory + "/caller-token") << "x";
  const auto source = TokenSourceIn(ViewOf({{"token", "abc"}, {"tokenFile", "caller-token"}}), {"/none", directory});
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(source->file, directory + "/caller-token");
  EXPECT_EQ(source->token, "");
}

TEST(CallerTokenTest, APluginIsCalledByItsContract) {
  const auto source = SourceIn({{"exec",
                                 {{"apiVersion", "client.authentication.k8s.io/v1"},
                                  {"command", "login"},
                                  {"args", {"get", "token"}},
                                  {"env", {{{"name", "REGION"}, {"value", "here"}}}},
                                  {"provideClusterInfo", true}}}});
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(source->plugin.command, "login");
  EXPECT_THAT(source->plugin.arguments, ElementsAre("get", "token"));
  EXPECT_THAT(source->plugin.variables, ElementsAre("REGION=here"));
  const json info = json::parse(source->plugin.info);
  EXPECT_EQ(info["kind"], "ExecCredential");
  EXPECT_EQ(info["apiVersion"], "client.authentication.k8s.io/v1");
  EXPECT_EQ(info["spec"]["interactive"], false);
  EXPECT_EQ(info["spec"]["cluster"]["server"], "https://example:6443");
}

TEST(CallerTokenTest, WithoutATokenTheMessageSaysWhatThereIs) {
  const std::pair<json, const char*> cases[] = {
      {{{"client-certificate-data", "Q0E="}, {"client-key-data", "S0VZ"}}, "only a client certificate"},
      {{{"username", "joe"}, {"password", "p"}}, "only a password"},
      {{{"auth-provider", {{"name", "gcp"}}}}, "auth-provider"},
      {{{"token", "abc"}, {"as", "admin"}}, "acts as somebody else"},
      {json::object(), "has none"}};
  for (const auto& [user, text] : cases) {
    const auto source = SourceIn(user);
    EXPECT_EQ(ExitCodeOf(source.status()), ExitCode::kNotPermitted) << text;
    EXPECT_THAT(MessageOf(source.status()), HasSubstr(text));
  }
  EXPECT_THAT(MessageOf(TokenSourceIn(json::object(), {}).status()), HasSubstr("no user"));
}

TEST(CallerTokenTest, WhatAPluginPrints) {
  EXPECT_EQ(*TokenOfCredential(R"({"kind":"ExecCredential","status":{"token":"abc"}})"), "abc");
  EXPECT_THAT(
      MessageOf(TokenOfCredential(R"({"kind":"ExecCredential","status":{"clientCertificateData":"x"}})").status()),
      HasSubstr("only a client certificate"));
  for (const char* output :
       {"", "abc", "{}", R"({"kind":"ExecCredential"})", R"({"kind":"Secret","status":{"token":"abc"}})"}) {
    EXPECT_FALSE(TokenOfCredential(output).ok()) << output;
  }
}

}  // namespace
}  // namespace mirrorfs
