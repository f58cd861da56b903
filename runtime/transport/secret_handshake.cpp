#include "runtime/transport/secret_handshake.hpp"

#include "raft/base/codec.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <utility>

namespace troupe::net {
namespace {

constexpr std::string_view magic = "TROUPE";
constexpr std::uint8_t version = 2;
constexpr std::size_t head_size = magic.size() + 2;
/// A nonce or a proof follows the head.
constexpr std::size_t body_size = secret_handshake::nonce_size;
constexpr std::size_t message_size = head_size + body_size;

std::string head(refusal why) {
  std::string bytes{magic};
  bytes += static_cast<char>(version);
  bytes += static_cast<char>(why);
  return bytes;
}

[[noreturn]] void no_digest() { throw std::runtime_error("OpenSSL cannot compute SHA-256"); }

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// HMAC pads short keys with zeros, so that different secrets could be equal keys. A hash of the secret avoids that.
std::string key_of(std::string_view secret) {
  const auto text = secret.empty() ? std::string{"no secret"} : "secret:" + std::string{secret};
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr) != 1) no_digest();
  return {reinterpret_cast<const char*>(digest), size};
}

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace

const char* to_string(refusal why) {
  switch (why) {
  case refusal::none:
    return "accepts";
  case refusal::other_secret:
    return "has another cluster secret, or none";
  case refusal::other_version:
    return "speaks another version of the transport";
  case refusal::wants_tls:
    return "requires TLS";
  case refusal::has_no_tls:
    return "does not speak TLS";
  case refusal::too_many_connections:
    return "has too many connections";
  }
  return "refuses for a reason that this version does not know";
}

secret_handshake::secret_handshake(side here, std::string_view secret, std::string nonce)
    : here_(here), key_(key_of(secret)), own_nonce_(std::move(nonce)), wanted_(message_size) {
  if (own_nonce_.size() != nonce_size) throw std::logic_error("a nonce of the wrong size");
  if (here_ == side::dialed) out_ = head(refusal::none) + own_nonce_;
}

std::string secret_handshake::take_output() { return std::exchange(out_, {}); }

void secret_handshake::take(std::string_view bytes) {
  if (bytes.size() != wanted_) throw std::logic_error("secret_handshake::take got an unexpected number of bytes");
  raft::reader in{bytes};
  if (in.get_raw(magic.size()) != magic) throw opening_error("the other end does not speak this protocol");
  const auto spoken = in.get<std::uint8_t>();
  const auto said = static_cast<refusal>(in.get<std::uint8_t>());
  if (said != refusal::none) throw opening_error(std::string{"the other end "} + to_string(said));
  if (spoken != version) refuse(refusal::other_version);
  const auto body = in.get_raw(body_size);
  if (!other_nonce_.empty()) return take_proof(body);
  other_nonce_ = body;
  out_ = head(refusal::none) + (here_ == side::dialed ? proof_of(side::dialed) : own_nonce_);
}

void secret_handshake::take_proof(std::string_view proof) {
  const auto other = here_ == side::dialed ? side::accepted : side::dialed;
  if (!equal(proof, proof_of(other))) refuse(refusal::other_secret);
  wanted_ = 0;
  if (here_ == side::accepted) out_ = head(refusal::none) + proof_of(side::accepted);
}

void secret_handshake::refuse(refusal why) {
  out_ = refusing_welcome(why);
  wanted_ = 0;
  throw opening_error(std::string{"the other end "} + to_string(why));
}

std::string secret_handshake::proof_of(side whose) const {
  // Both nonces in a fixed order and the name of the end, so that a proof cannot be sent back to the end that made it.
  std::string message = whose == side::dialed ? "dialed" : "accepted";
  message += here_ == side::dialed ? own_nonce_ + other_nonce_ : other_nonce_ + own_nonce_;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), raw(message), message.size(), digest, &size) ||
      size != body_size)
    no_digest();
  return {reinterpret_cast<const char*>(digest), size};
}

std::string refusing_welcome(refusal why) { return head(why) + std::string(body_size, '\0'); }

bool begins_hello(std::string_view bytes) { return bytes.substr(0, magic.size()) == magic.substr(0, bytes.size()); }

} // namespace troupe::net
