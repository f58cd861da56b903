#include "tests/unit/http/scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace troupe::http::testing {
namespace {

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

} // namespace

scripted_server::scripted_server(std::vector<std::vector<std::string>> answers, at_end then)
    : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* address = reinterpret_cast<sockaddr*>(&at);
  if (::bind(listening_, address, size) != 0 || ::listen(listening_, 16) != 0 ||
      ::getsockname(listening_, address, &size) != 0)
    throw std::system_error(errno, std::generic_category(), "listening");
  port_ = ntohs(at.sin_port);
  thread_ = std::thread([this, all = std::move(answers), then] {
    for (const auto& one : all) serve(one, then);
  });
}

scripted_server::~scripted_server() {
  ::shutdown(listening_, SHUT_RDWR); // ends a waiting accept
  {
    const std::lock_guard lock{mutex_};
    if (newest_ >= 0) ::shutdown(newest_, SHUT_RDWR);
  }
  thread_.join();
  ::close(listening_);
}

std::vector<std::string> scripted_server::targets() const {
  const std::lock_guard lock{mutex_};
  return targets_;
}

void scripted_server::send(std::string_view bytes) {
  const std::lock_guard lock{mutex_};
  send_all(newest_, bytes);
}

void scripted_server::serve(const std::vector<std::string>& answers, at_end then) {
  const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  {
    const std::lock_guard lock{mutex_};
    newest_ = fd;
  }
  ++connections_;
  received_.clear();
  bool open = true;
  for (const auto& answer : answers) {
    open = receive_request(fd) && !answer.empty();
    if (!open) break;
    send_all(fd, answer);
  }
  if (open && then == at_end::wait) receive_request(fd);
  const std::lock_guard lock{mutex_};
  newest_ = -1;
  ::close(fd);
}

bool scripted_server::receive_request(int fd) {
  constexpr std::string_view end = "\r\n\r\n", length = "Content-Length: ";
  for (;;) {
    if (const auto head = received_.find(end); head != received_.npos) {
      const auto at = received_.find(length);
      const auto body = at < head ? std::stoul(received_.substr(at + length.size())) : 0;
      if (const auto whole = head + end.size() + body; received_.size() >= whole) {
        const auto begin = received_.find(' ') + 1;
        const std::lock_guard lock{mutex_};
        targets_.push_back(received_.substr(begin, received_.find(' ', begin) - begin));
        received_.erase(0, whole);
        return true;
      }
    }
    std::array<char, 65536> block;
    const auto size = ::recv(fd, block.data(), block.size(), 0);
    if (size <= 0) return false;
    received_.append(block.data(), static_cast<std::size_t>(size));
  }
}

} // namespace troupe::http::testing
