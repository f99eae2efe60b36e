#include "agent/service/answer_queue.h"

#include <grpc/support/time.h>

namespace mirrorfs {

void AnswerQueue::NoteSent() {
  on_their_way_.fetch_add(1);
  LetGo();
}

void AnswerQueue::LetGo() {
  void* tag = nullptr;
  bool ok = false;
  // Looking for one that is not there yet costs a system call; each one that is on its way is looked for once.
  while (on_their_way_.load() > 0) {
    if (queue_.AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC)) != grpc::CompletionQueue::GOT_EVENT) return;
    on_their_way_.fetch_sub(1);
    delete static_cast<Sent*>(tag);
  }
}

void AnswerQueue::BeginEnd() {
  last_ = std::thread([this] {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) delete static_cast<Sent*>(tag);
  });
}

void AnswerQueue::End() {
  queue_.Shutdown();
  last_.join();
}

}  // namespace mirrorfs
