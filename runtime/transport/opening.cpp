#include "runtime/transport/opening.hpp"

#include <openssl/rand.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace troupe::net {
namespace {

/// First byte of a TLS handshake record.
constexpr char tls_record = 0x16;

std::string draw_nonce() {
  std::string nonce(secret_handshake::nonce_size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(nonce.data()), static_cast<int>(nonce.size())) != 1)
    throw opening_error("OpenSSL has no random bytes");
  return nonce;
}

} // namespace

opening::opening(side here, int socket, const credentials& mine)
    : here_(here), socket_(socket), tls_context_(mine.tls), secret_handshake_(here, mine.secret, draw_nonce()) {
  // The dialing end speaks first.
  if (here_ == side::dialed) begin();
}

void opening::begin() {
  begun_ = true;
  if (tls_context_)
    tls_ = tls_context_->begin(here_, socket_);
  else
    channel_ = make_plain_channel(socket_);
}

/// Returns true once the other end has sent something in the expected protocol. If it uses TLS while TLS is off here,
/// or the other way round, it gets the reason without encryption.
bool opening::first_bytes() {
  char seen[8];
  const auto size = ::recv(socket_, seen, sizeof seen, MSG_PEEK);
  if (size == 0) throw opening_error("closed before it sent anything");
  if (size < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return false;
    throw opening_error("the connection broke");
  }
  const auto refuse = [this](refusal why, const char* problem) {
    const auto words = refusing_welcome(why);
    // The socket's buffer is empty, so it takes these few bytes, unless the other end is gone.
    static_cast<void>(::send(socket_, words.data(), words.size(), MSG_NOSIGNAL));
    throw opening_error(problem);
  };
  const std::string_view bytes{seen, static_cast<std::size_t>(size)};
  if (!tls_context_ && bytes[0] == tls_record)
    refuse(refusal::has_no_tls, "the other end speaks TLS, and TLS is off here");
  if (tls_context_ && begins_hello(bytes))
    refuse(refusal::wants_tls, "the other end does not speak TLS, and TLS is required here");
  return true;
}

opening::wants opening::step() {
  if (!begun_) {
    if (!first_bytes()) return wants::read;
    begin();
  }
  if (tls_) {
    switch (tls_->step()) {
    case tls_handshake::state::wants_read:
      return wants::read;
    case tls_handshake::state::wants_write:
      return wants::write;
    case tls_handshake::state::failed:
      throw opening_error(tls_->problem());
    case tls_handshake::state::done:
      channel_ = tls_->take_channel();
      tls_.reset();
    }
  }
  while (true) {
    if (!send_pending()) return wants::write;
    const auto wanted = secret_handshake_.wanted();
    if (wanted == 0) return wants::nothing;
    const auto have = in_.size();
    in_.resize(wanted);
    const auto got = channel_->read(in_.data() + have, wanted - have);
    in_.resize(have + (got.state == flow::moved ? got.bytes : 0));
    if (got.state == flow::closed) fail("the other end closed the connection during the secret handshake");
    if (got.state == flow::again) return wants::read;
    if (in_.size() < wanted) continue;
    try {
      secret_handshake_.take(std::exchange(in_, {}));
    } catch (const opening_error&) {
      send_pending(); // so that the other end can log why
      throw;
    }
  }
}

void opening::finish(steady_time until) {
  for (auto next = step(); next != wants::nothing; next = step())
    if (!(next == wants::read ? wait_readable(socket_, until) : wait_writable(socket_, until)))
      throw opening_error("connected, but the other end does not answer in time");
}

/// Returns true when everything is sent.
bool opening::send_pending() {
  out_ += secret_handshake_.take_output();
  while (!out_.empty()) {
    const auto sent = channel_->write(out_.data(), out_.size());
    if (sent.state == flow::closed) fail("the other end closed the connection during the secret handshake");
    if (sent.state == flow::again) return false;
    out_.erase(0, sent.bytes);
  }
  return true;
}

/// In TLS 1.3 the dialing end learns only here that its certificate was refused.
void opening::fail(const std::string& why) {
  const auto cause = channel_->problem();
  throw opening_error(cause.empty() ? why : why + ": " + cause);
}

} // namespace troupe::net
