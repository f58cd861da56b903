#include "tests/unit/http/wire.hpp"

#include "tests/unit/loopback_source.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace troupe::http::testing {

wire::wire(std::uint16_t port, const std::string& from, int receive_buffer)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (fd_ < 0 ||
      test::connect_from(fd_, test::loopback_address(from, 0), test::loopback_address("127.0.0.1", port)) != 0)
    throw std::system_error(errno, std::generic_category(), "test connection");
}

wire::wire(wire&& other) noexcept : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)) {}

wire::~wire() { close(); }

void wire::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void wire::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void wire::half_close() { ::shutdown(fd_, SHUT_WR); }

bool wire::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

bool wire::read_more() {
  pollfd one{fd_, POLLIN, 0};
  if (::poll(&one, 1, 10'000) != 1) throw std::runtime_error("the server is silent; so far: " + received_);
  std::array<char, 65536> block;
  const auto size = ::recv(fd_, block.data(), block.size(), 0);
  was_reset_ = size < 0;
  if (size <= 0) return false;
  received_.append(block.data(), static_cast<std::size_t>(size));
  return true;
}

std::string wire::read_until(std::string_view text) {
  auto at = received_.find(text);
  while (at == std::string::npos && read_more()) at = received_.find(text);
  return read_exactly(at == std::string::npos ? received_.size() : at + text.size());
}

std::string wire::read_exactly(std::size_t size) {
  while (received_.size() < size && read_more()) {
  }
  auto out = received_.substr(0, size);
  received_.erase(0, size);
  return out;
}

std::string wire::read_all() {
  while (read_more()) {
  }
  return std::exchange(received_, {});
}

std::string read_answer(wire& from) {
  auto head = from.read_until("\r\n\r\n");
  constexpr std::string_view field = "Content-Length: ";
  const auto at = head.find(field);
  if (at == std::string::npos) return head;
  return head + from.read_exactly(std::stoul(head.substr(at + field.size())));
}

} // namespace troupe::http::testing
