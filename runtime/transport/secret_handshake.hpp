// The first messages on every connection, before CAF's. They show that both ends speak this protocol and know the
// cluster's secret.
//
//   dialed end                                      accepted end
//   hello:   magic, version, reason 0, nonce   -->
//                                              <--  welcome: magic, version, reason, nonce
//   proof:   magic, version, reason 0, proof   -->
//                                              <--  proof: magic, version, reason, proof  (then CAF, this end first)
//
// The dialing end proves first, so that an attacker who connects gets nothing against which to test guesses. A proof is
// HMAC-SHA-256 over the name of its end and both nonces. The key is a hash of the secret, or of the fact that there is
// none. So a recording of an earlier connection is useless. A reason other than 0 is a refusal and ends the handshake.
#pragma once

#include "runtime/transport/frame_guard.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace troupe::net {

/// Why an end of a connection refuses the other. The values cross the network.
enum class refusal : std::uint8_t {
  none = 0,
  other_secret = 1,
  other_version = 2,
  wants_tls = 3,
  has_no_tls = 4,
  too_many_connections = 5
};
/// Human-readable, about the end that sent it: "requires TLS".
const char* to_string(refusal why);

/// The opening failed. `what()` is for the log and contains no unchecked data from the network.
class opening_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One end's part of the secret handshake, without I/O. Not thread-safe.
class secret_handshake {
 public:
  static constexpr std::size_t nonce_size = 32;

  /// `nonce` is `nonce_size` unpredictable bytes.
  secret_handshake(side here, std::string_view secret, std::string nonce);

  /// How many bytes of the other end come next. 0 when the handshake is complete.
  std::size_t wanted() const noexcept { return wanted_; }
  /// Takes exactly `wanted()` bytes of the other end. Throws opening_error if they refuse, or must be refused; in the
  /// latter case the output tells the other end why.
  void take(std::string_view bytes);
  /// Returns the bytes to send now, and forgets them.
  std::string take_output();

 private:
  void take_proof(std::string_view proof);
  [[noreturn]] void refuse(refusal why);
  std::string proof_of(side whose) const;

  side here_;
  std::string key_;
  std::string own_nonce_;
  std::string other_nonce_;
  std::size_t wanted_;
  std::string out_;
};

/// A welcome that only refuses, for an end that cannot begin the handshake.
std::string refusing_welcome(refusal why);
/// True if `bytes` are the beginning of a hello, or a prefix of that.
bool begins_hello(std::string_view bytes);

} // namespace troupe::net
