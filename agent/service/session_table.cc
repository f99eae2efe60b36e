#include "agent/service/session_table.h"

#include <utility>

#include "agent/service/random_number.h"

namespace mirrorfs {

SessionId SessionTable::NewId() { return SessionId{RandomNumber()}; }

bool SessionTable::Add(std::shared_ptr<Session> session) {
  MutexLock lock(mutex_);
  if (sessions_.size() >= max_sessions_) return false;
  const SessionId id = session->Id();
  sessions_[id] = std::move(session);
  empty_since_ = absl::InfiniteFuture();
  return true;
}

std::shared_ptr<Session> SessionTable::Find(SessionId id) const {
  MutexLock lock(mutex_);
  auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : found->second;
}

std::shared_ptr<Session> SessionTable::Remove(SessionId id) {
  MutexLock lock(mutex_);
  auto found = sessions_.find(id);
  if (found == sessions_.end()) return nullptr;
  std::shared_ptr<Session> session = std::move(found->second);
  session->End();
  sessions_.erase(found);
  if (sessions_.empty()) empty_since_ = absl::Now();
  return session;
}

std::vector<std::shared_ptr<Session>> SessionTable::RemoveSilent(absl::Time then) {
  std::vector<std::shared_ptr<Session>> silent;
  MutexLock lock(mutex_);
  for (const auto& [id, session] : sessions_) {
    if (session->LastHeard() < then) silent.push_back(session);
  }
  for (const auto& session : silent) {
    session->End();
    sessions_.erase(session->Id());
  }
  if (!silent.empty() && sessions_.empty()) empty_since_ = absl::Now();
  return silent;
}

size_t SessionTable::Size() const {
  MutexLock lock(mutex_);
  return sessions_.size();
}

absl::Time SessionTable::EmptySince() const {
  MutexLock lock(mutex_);
  return empty_since_;
}

}  // namespace mirrorfs
