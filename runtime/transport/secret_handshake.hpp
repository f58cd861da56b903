// The first words on every connection, before CAF's: both ends speak this protocol, and both know the cluster's secret.
//
//   dialed end                                      accepted end
//   hello:   magic, version, reason 0, nonce   -->
//                                              <--  welcome: magic, version, reason, nonce
//   proof:   magic, version, reason 0, proof   -->
//                                              <--  proof: magic, version, reason, proof  (then CAF, this end first)
//
// Who dials proves first: a stranger who connects gets nothing against which to try guesses. A proof is HMAC-SHA-256
// over its end's name and both nonces, keyed with a hash of the secret, or of there being none: whoever recorded an
// earlier connection has nothing to say in this one. A reason that is not 0 refuses, and ends it.
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
/// For a person, about the end that sent it: "requires TLS".
const char* to_string(refusal why);

/// No connection comes of it; `what()` is for a log. Nothing of it came from the network unchecked.
class opening_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One end's part in a greeting, without any I/O. Used by one thread at a time.
class secret_handshake {
 public:
  static constexpr std::size_t nonce_size = 32;

  /// `nonce` is `nonce_size` bytes that nobody can foresee.
  secret_handshake(side here, std::string_view secret, std::string nonce);

  /// How many bytes of the other end come next; 0 when the greeting is over.
  std::size_t wanted() const noexcept { return wanted_; }
  /// Exactly `wanted()` bytes of the other end. Throws opening_error when they refuse, or are to be refused; what is to
  /// be sent then says so to the other end.
  void take(std::string_view bytes);
  /// What is to be sent now; empties it.
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

/// A welcome that only refuses, for an end that could not even begin.
std::string refusing_welcome(refusal why);
/// True if this is how the hello of a greeting begins, as far as it goes.
bool begins_hello(std::string_view bytes);

} // namespace troupe::net
