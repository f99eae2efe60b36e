// A front with its callers, against an API server that says what a test wants it to. The containers' agents are this
// program itself, which plays one that serves, or one that cannot (the real ones: tests/e2e/kubernetes).
#include "agent/shared/front.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "agent/listener.h"
#include "agent/tls_stream.h"
#include "boost/asio/post.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/shared/mutex.h"
#include "tests/shared/api_server_fake.h"

namespace mirrorfs {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// A stream to the front, after its answer. It stays as long as this does.
struct Caller {
  TlsStream stream;
  json answer;
};

class FrontTest : public testing::Test {
 protected:
  FrontTest() {
    options_.node = "node-1";
    options_.work_directory = directory_;
    options_.sessions_per_user = 2;
    options_.sessions = 8;
    options_.connections_per_user = 8;
    options_.connections = 16;
    options_.ticket_life = absl::Minutes(5);
    options_.ttl = absl::Seconds(1);
    EXPECT_EQ(::mkdir((directory_ + "/agents").c_str(), 0700), 0);
    api_.answers[kTokenReview] = R"(201 {"status":{"authenticated":true,"user":{"username":"alice"}}})";
    api_.answers[kAccessReview] = R"(201 {"status":{"allowed":true}})";
    for (const char* id : {"serves-1", "serves-2", "serves-3", "ends"}) {
      api_.answers[std::string("GET /api/v1/namespaces/shop/pods/") + id] =
          "200 " + json{{"metadata", {{"uid", "uid-1"}}},
                        {"spec", {{"nodeName", "node-1"}}},
                        {"status",
                         {{"containerStatuses",
                           {{{"name", "app"},
                             {"containerID", std::string("containerd://") + id},
                             {"state", {{"running", json::object()}}}}}}}}}
                       .dump();
    }
  }

  void Start() {
    auto listener = ListenAt("127.0.0.1:0", /*protected_by_tls=*/true);
    ASSERT_TRUE(listener.ok()) << listener.status();
    endpoint_ = listener->endpoint;
    auto [certificate, key] = CertificateFor("IP:127.0.0.1");
    auto front = Front::Start(context_, options_,
                              {.authorizer = Authorizer(api_.Client(), "node-1", WriteRule::kExec),
                               .listener = std::move(listener->socket),
                               .certificate = certificate,
                               .key = key,
                               .audit = [this](const std::string& line) {
                                 const MutexLock lock(mutex_);
                                 lines_.push_back(json::parse(line));
                               }});
    ASSERT_TRUE(front.ok()) << front.status();
    front_ = *std::move(front);
    thread_ = std::thread([this] { context_.run(); });
  }

  // What has been counted, when all is over.
  const Metrics& Stop() {
    context_.stop();
    thread_.join();
    return front_->metrics();
  }

  void TearDown() override {
    if (thread_.joinable()) Stop();
  }

  UniqueFd Connect() const {
    const auto address = ParseAddress(endpoint_);
    UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0);
    return socket;
  }

  Caller Say(const std::string& line) {
    auto stream = TlsStream::Open(tls_.get(), TlsStream::Side::kClient, Connect(), absl::Seconds(20));
    EXPECT_TRUE(stream->Write(line + "\n").ok());
    std::string answer;
    for (auto byte = stream->Read(1); byte.ok() && *byte != "\n"; byte = stream->Read(1)) answer += *byte;
    return Caller{.stream = *std::move(stream), .answer = json::parse(answer, nullptr, /*allow_exceptions=*/false)};
  }

  Caller Attach(const std::string& pod, const std::string& mode = "ro") {
    return Say(json{
        {"mirrorfs", 1},
        {"stream", "watch"},
        {"token", "callers-token"},
        {"namespace", "shop"},
        {"pod", pod},
        {"uid", "uid-1"},
        {"container", "app"},
        {"container_id", "containerd://" + pod},
        {"mode",
         mode}}.dump());
  }

  Caller Show(const std::string& ticket, const std::string& stream = "files") {
    return Say(json{{"mirrorfs", 1}, {"stream", stream}, {"ticket", ticket}}.dump());
  }

  // "decision why user container_id" of each line so far.
  std::vector<std::string> Noted() {
    const MutexLock lock(mutex_);
    std::vector<std::string> told;
    for (const json& line : lines_) {
      told.push_back(line["decision"].get<std::string>() + " " + line["why"].get<std::string>() + " " +
                     line["user"].get<std::string>() + " " + line["container_id"].get<std::string>());
    }
    return told;
  }

  std::string LastMessage() {
    const MutexLock lock(mutex_);
    return lines_.empty() ? "" : lines_.back()["message"].get<std::string>();
  }

  const std::string directory_ = [] {
    std::string name = testing::TempDir() + "/front-XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
  ApiServerFake api_;
  SharedOptions options_;
  boost::asio::io_context context_{1};
  Mutex mutex_;
  std::vector<json> lines_ ABSL_GUARDED_BY(mutex_);
  std::string endpoint_;
  std::unique_ptr<Front> front_;
  const TlsContext tls_ = *MakeCuriousContext();
  std::thread thread_;
};

constexpr char kLetIn[] = "allow may create pods/exec alice containerd://serves-1";

TEST_F(FrontTest, AnAttachIsNotedOnceAndItsOtherStreamsAreNot) {
  Start();
  const Caller watch = Attach("serves-1");
  ASSERT_EQ(watch.answer["code"], "ok") << watch.answer;
  EXPECT_EQ(Show(watch.answer["ticket"]).answer["code"], "ok");
  EXPECT_EQ(Show(watch.answer["ticket"], "watch").answer["code"], "ok");
  EXPECT_THAT(Noted(), ElementsAre(kLetIn));
  EXPECT_THAT(Stop().attaches, ElementsAre(Pair(PrefaceCode::kOk, 1u)));
}

TEST_F(FrontTest, APrefaceThatCannotBeUsedIsNoted) {
  Start();
  EXPECT_EQ(Say("{}").answer["code"], "bad_request");
  EXPECT_THAT(LastMessage(), HasSubstr("this end speaks version 1"));
  EXPECT_EQ(Say(std::string(70'000, 'x')).answer["code"], "bad_request");
  EXPECT_EQ(Say("{}\n{}").answer["code"], "bad_request");
  EXPECT_THAT(Noted(), ElementsAre("deny bad_request  ", "deny bad_request  ", "deny bad_request  "));
  EXPECT_THAT(Stop().attaches, ElementsAre(Pair(PrefaceCode::kBadRequest, 3u)));
}

TEST_F(FrontTest, ATicketThatDoesNotCountIsNoted) {
  Start();
  EXPECT_EQ(Show(std::string(64, '0')).answer["code"], "unauthenticated");
  EXPECT_THAT(Noted(), ElementsAre("deny unauthenticated  "));
  EXPECT_EQ(LastMessage(), "the ticket is over");
  EXPECT_THAT(Stop().attaches, ElementsAre(Pair(PrefaceCode::kUnauthenticated, 1u)));
}

TEST_F(FrontTest, WhoMayNotIsNotedWithHisName) {
  api_.answers[kAccessReview] = R"(201 {"status":{"allowed":false}})";
  Start();
  EXPECT_EQ(Attach("serves-1").answer["code"], "forbidden");
  EXPECT_THAT(Noted(), ElementsAre("deny forbidden alice containerd://serves-1"));
}

TEST_F(FrontTest, ARefusalForTheQuotaIsNoAttach) {
  Start();
  const Caller one = Attach("serves-1");
  const Caller two = Attach("serves-2");
  EXPECT_EQ(Attach("serves-3").answer["code"], "quota");
  EXPECT_THAT(Noted(), ElementsAre(kLetIn, "allow may create pods/exec alice containerd://serves-2",
                                   "deny quota alice containerd://serves-3"));
  EXPECT_THAT(LastMessage(), HasSubstr("quota.sessionsPerUser"));
  EXPECT_THAT(Stop().attaches, ElementsAre(Pair(PrefaceCode::kOk, 2u), Pair(PrefaceCode::kQuota, 1u)));
}

TEST_F(FrontTest, AStreamTooManyIsNotedWithWhoseItIs) {
  options_.connections_per_user = 1;
  Start();
  const Caller watch = Attach("serves-1", "rw");
  ASSERT_EQ(watch.answer["code"], "ok") << watch.answer;
  EXPECT_EQ(Show(watch.answer["ticket"]).answer["code"], "quota");
  EXPECT_THAT(Noted(), ElementsAre(kLetIn, "deny quota alice containerd://serves-1"));
  const MutexLock lock(mutex_);
  EXPECT_EQ(lines_.back()["mode"], "rw");
}

TEST_F(FrontTest, AnAgentThatCannotStartIsNoAttach) {
  Start();
  const Caller refused = Attach("ends");
  EXPECT_EQ(refused.answer["code"], "unavailable");
  EXPECT_EQ(refused.answer["message"], "there is no such container");
  EXPECT_THAT(Noted(), ElementsAre("deny unavailable alice containerd://ends"));
  EXPECT_EQ(LastMessage(), "there is no such container");
}

TEST_F(FrontTest, NobodyIsLetInToAFrontThatEnds) {
  Start();
  boost::asio::post(context_, [this] { front_->End(); });
  int error = 0;
  while (error == 0 || error == ECONNRESET) {  // reset: it was closed while somebody waited to be let in
    const auto address = ParseAddress(endpoint_);
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    error = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0 ? 0 : errno;
  }
  EXPECT_EQ(error, ECONNREFUSED);
}

// An agent of a container, as far as a front sees it: `--target cri/ends` is none.
int PlayAgent(const std::vector<std::string_view>& words) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto after = [&words](std::string_view flag) { return *(std::find(words.begin(), words.end(), flag) + 1); };
  if (after("--target") == "cri/ends") {
    std::fputs("mirrorfs-agent: there is no such container\n", stderr);
    return 1;
  }
  const auto listener = ListenAt(std::string(after("--listen")), /*protected_by_tls=*/false);
  constexpr std::string_view kReady = "ready here\n";
  if (!listener.ok() || ::write(3, kReady.data(), kReady.size()) < 0) return 1;
  return ::pause();
}

}  // namespace
}  // namespace mirrorfs

int main(int argc, char** argv) {
  if (std::string_view(argv[0]) == "mirrorfs-agent") return mirrorfs::PlayAgent({argv, argv + argc});
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
