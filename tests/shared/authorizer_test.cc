// What a caller may, against an API server that says what a test wants it to (the real one: tests/e2e/kubernetes).
#include "agent/shared/authorizer.h"

#include <array>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/shared/api_server_fake.h"

namespace mirrorfs {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kPod[] = "GET /api/v1/namespaces/shop/pods/web-0";

class AuthorizerTest : public testing::Test {
 protected:
  AuthorizerTest() {
    request_.token = "callers-token";
    request_.name_space = "shop";
    request_.pod = "web-0";
    request_.pod_uid = "uid-1";
    request_.container = "app";
    request_.container_id = "containerd://1";
    server_.answers[kTokenReview] =
        R"(201 {"status":{"authenticated":true,"user":{"username":"alice","groups":["team-a"],"extra":{"k":["v"]}}}})";
    server_.answers[kAccessReview] = R"(201 {"status":{"allowed":true}})";
    SetPod("uid-1", "node-1", "containerd://1", "running");
  }

  void SetPod(const char* uid, const char* node, const char* id, const char* state) {
    server_.answers[kPod] =
        "200 " +
        json{{"metadata", {{"uid", uid}}},
             {"spec", {{"nodeName", node}}},
             {"status",
              {{"containerStatuses", {{{"name", "app"}, {"containerID", id}, {"state", {{state, json::object()}}}}}}}}}
            .dump();
  }

  Verdict Decide(WriteRule rule = WriteRule::kExec) {
    return Authorizer(server_.Client(), "node-1", rule).Decide(request_);
  }

  ApiServerFake server_;
  PrefaceRequest request_;
};

TEST_F(AuthorizerTest, LetsInWhoMayExec) {
  const Verdict verdict = Decide();
  EXPECT_EQ(verdict.code, PrefaceCode::kOk) << verdict.message;
  EXPECT_EQ(verdict.caller.name, "alice");
  EXPECT_EQ(server_.asked[kTokenReview]["spec"]["token"], "callers-token");
  const json& spec = server_.asked[kAccessReview]["spec"];
  EXPECT_EQ(spec["user"], "alice");
  EXPECT_EQ(spec["groups"], json({"team-a"}));
  EXPECT_EQ(spec["extra"]["k"], json({"v"}));
  EXPECT_EQ(spec["resourceAttributes"], json({{"namespace", "shop"},
                                              {"verb", "create"},
                                              {"resource", "pods"},
                                              {"subresource", "exec"},
                                              {"name", "web-0"}}));
  EXPECT_THAT(server_.headers, HasSubstr("Authorization: Bearer agents-own-token\r\n"));
}

TEST_F(AuthorizerTest, RefusesWhomTheClusterDoesNotKnow) {
  for (const char* answer : {R"(201 {"status":{"authenticated":false}})", R"(201 {"status":{}})", R"(201 {})",
                             R"(201 {"status":{"authenticated":true,"user":{"username":""}}})",
                             R"(201 {"status":{"authenticated":"true","user":{"username":"alice"}}})"}) {
    server_.answers[kTokenReview] = answer;
    EXPECT_EQ(Decide().code, PrefaceCode::kUnauthenticated) << answer;
  }
}

TEST_F(AuthorizerTest, RefusesWhoMayNotAndNamesTheRight) {
  for (const char* answer :
       {R"(201 {"status":{"allowed":false}})", R"(201 {})", R"(201 {"status":{"allowed":true,"denied":true}})"}) {
    server_.answers[kAccessReview] = answer;
    const Verdict verdict = Decide();
    EXPECT_EQ(verdict.code, PrefaceCode::kForbidden) << answer;
    EXPECT_THAT(verdict.message, HasSubstr("create pods/exec in namespace shop"));
    EXPECT_EQ(verdict.caller.name, "alice");
  }
  EXPECT_EQ(server_.asked.count(kPod), 0u) << "who may nothing learns nothing";
}

TEST_F(AuthorizerTest, AContainerMustBeWhatItIsSaidToBe) {
  const std::array<std::array<const char*, 4>, 4> others = {{{"uid-2", "node-1", "containerd://1", "running"},
                                                             {"uid-1", "node-2", "containerd://1", "running"},
                                                             {"uid-1", "node-1", "containerd://2", "running"},
                                                             {"uid-1", "node-1", "containerd://1", "terminated"}}};
  for (const auto& [uid, node, id, state] : others) {
    SetPod(uid, node, id, state);
    EXPECT_EQ(Decide().code, PrefaceCode::kNoTarget) << uid << node << id << state;
  }
  server_.answers.erase(kPod);
  EXPECT_EQ(Decide().code, PrefaceCode::kNoTarget);
}

TEST_F(AuthorizerTest, WritingAsksForWhatTheRuleSays) {
  request_.read_write = true;
  EXPECT_EQ(Decide(WriteRule::kExec).code, PrefaceCode::kOk);
  EXPECT_EQ(Decide(WriteRule::kNever).code, PrefaceCode::kForbidden);
  EXPECT_EQ(Decide(WriteRule::kRight).code, PrefaceCode::kOk);
  EXPECT_EQ(server_.asked[kAccessReview]["spec"]["resourceAttributes"]["resource"], "podfiles");
  request_.read_write = false;
  EXPECT_EQ(Decide(WriteRule::kNever).code, PrefaceCode::kOk);
}

TEST_F(AuthorizerTest, AnAgentThatMayNotAskLetsNobodyIn) {
  for (const char* what : {kTokenReview, kAccessReview, kPod}) {
    const std::string before = server_.answers[what];
    for (const char* answer : {R"(403 {"message":"cannot create"})", R"(500 {})", R"(200 [])", R"(200 nonsense)"}) {
      server_.answers[what] = answer;
      EXPECT_EQ(Decide().code, PrefaceCode::kUnavailable) << what << answer;
    }
    server_.answers[what] = R"(403 {"message":"cannot create resource"})";
    EXPECT_THAT(Decide().message, AllOf(HasSubstr("cannot create resource. Its ClusterRole lacks that right"),
                                        HasSubstr("mirrorfs agent install")));
    server_.answers[what] = before;
  }
}

TEST(ApiClientTest, AsksNobodyWhoHasNoCertificateForTheAddress) {
  ApiServerFake server("IP:127.0.0.2");
  server.answers["GET /x"] = "200 {}";
  EXPECT_EQ(server.Client().Get("/x").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server.headers, "");
}

}  // namespace
}  // namespace mirrorfs
