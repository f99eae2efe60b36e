#include "launcher/agentmodes/agent_words.h"

#include "gtest/gtest.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

AgentWords Heard(std::initializer_list<const char*> lines) {
  AgentWords words;
  for (const char* line : lines) words.Hear(line);
  return words;
}

TEST(AgentWordsTest, AnAgentThatListens) {
  const AgentWords words = Heard({"mirrorfs-agent 0.1.0 protocol 2", "-----BEGIN CERTIFICATE-----", "AAAA",
                                  "-----END CERTIFICATE-----", "facts 127.0.0.1:40001", "ready 127.0.0.1:7443"});
  EXPECT_TRUE(words.ready());
  EXPECT_EQ(words.port(), 7443);
  EXPECT_EQ(words.facts_port(), 40001);
  EXPECT_EQ(words.certificate(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_TRUE(words.CheckVersion("0.1.0").ok());
  EXPECT_FALSE(words.target_gone());
}

TEST(AgentWordsTest, AnotherVersionIsRefusedByName) {
  const absl::Status status = Heard({"mirrorfs-agent 0.0.9 protocol 1", "ready 127.0.0.1:1"}).CheckVersion("0.1.0");
  EXPECT_NE(MessageOf(status).find("0.0.9"), std::string::npos);
  EXPECT_NE(MessageOf(status).find("--agent-image"), std::string::npos);
}

TEST(AgentWordsTest, WhyItDidNotStart) {
  const AgentWords words = Heard({"mirrorfs-agent: cri/4f2a: no such container"});
  EXPECT_FALSE(words.ready());
  EXPECT_EQ(words.complaint(), "cri/4f2a: no such container");
}

TEST(AgentWordsTest, OnlyThePodsLoopbackCounts) {
  EXPECT_FALSE(Heard({"ready 10.0.0.1:80"}).ready());
  EXPECT_FALSE(Heard({"ready 127.0.0.1:0"}).ready());
  EXPECT_FALSE(Heard({"ready 127.0.0.1:70000"}).ready());
  EXPECT_FALSE(Heard({"ready 127.0.0.1:8x"}).ready());
}

TEST(AgentWordsTest, ALogThatIsACertificateWithoutEndIsNotKept) {
  AgentWords words;
  words.Hear("-----BEGIN CERTIFICATE-----");
  for (int i = 0; i < 10'000; ++i) words.Hear(std::string(64, 'A'));
  EXPECT_LT(words.certificate().size(), 20'000u);
  EXPECT_FALSE(words.ready());
}

TEST(AgentWordsTest, TheTargetsEnd) { EXPECT_TRUE(Heard({"ready 127.0.0.1:5", "target gone"}).target_gone()); }

}  // namespace
}  // namespace mirrorfs
