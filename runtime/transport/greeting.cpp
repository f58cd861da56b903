#include "runtime/transport/greeting.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <utility>

namespace troupe::net {
namespace {

constexpr std::string_view magic = "TROUPE";
constexpr char version = 1;
constexpr std::size_t head_size = magic.size() + 2;
constexpr std::size_t proof_size = 32;
constexpr std::size_t hello_size = head_size + greeting::nonce_size;
constexpr std::size_t welcome_size = head_size + greeting::nonce_size + proof_size;
constexpr std::size_t answer_size = head_size + proof_size;

std::string head(refusal why) {
  std::string bytes{magic};
  bytes += version;
  bytes += static_cast<char>(why);
  return bytes;
}

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace

const char* to_string(refusal why) {
  switch (why) {
  case refusal::none:
    return "has nothing against it";
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

greeting::greeting(side here, std::string secret, std::string nonce)
    : here_(here), secret_(std::move(secret)), own_nonce_(std::move(nonce)) {
  if (own_nonce_.size() != nonce_size) throw std::logic_error("a nonce of the wrong size");
  wanted_ = here_ == side::accepted ? hello_size : welcome_size;
  if (here_ == side::dialed) out_ = head(refusal::none) + own_nonce_;
}

std::string greeting::take_output() { return std::exchange(out_, {}); }

void greeting::take(std::string_view bytes) {
  if (bytes.size() != wanted_) throw std::logic_error("a greeting is fed what it did not ask for");
  if (!bytes.starts_with(magic)) throw opening_error("the other end does not speak this protocol");
  bytes.remove_prefix(magic.size());
  const auto said = static_cast<refusal>(bytes[1]);
  if (said != refusal::none) throw opening_error(std::string{"the other end "} + to_string(said));
  if (bytes[0] != version) refuse(refusal::other_version);
  bytes.remove_prefix(2);
  if (here_ == side::dialed) return take_welcome(bytes.substr(0, nonce_size), bytes.substr(nonce_size));
  if (other_nonce_.empty()) return take_hello(bytes);
  wanted_ = 0;
  if (!equal(bytes, proof_of(side::dialed))) throw opening_error("the other end has another cluster secret, or none");
}

void greeting::take_hello(std::string_view nonce) {
  other_nonce_ = nonce;
  out_ = head(refusal::none) + own_nonce_ + proof_of(side::accepted);
  wanted_ = answer_size;
}

void greeting::take_welcome(std::string_view nonce, std::string_view proof) {
  other_nonce_ = nonce;
  if (!equal(proof, proof_of(side::accepted))) refuse(refusal::other_secret);
  out_ = head(refusal::none) + proof_of(side::dialed);
  wanted_ = 0;
}

void greeting::refuse(refusal why) {
  out_ = here_ == side::accepted ? refusing_welcome(why) : head(why) + std::string(proof_size, '\0');
  wanted_ = 0;
  throw opening_error(std::string{"the other end "} + to_string(why));
}

std::string greeting::proof_of(side whose) const {
  // Both nonces in a fixed order, and the end's name, so that no proof can be sent back to the one who made it.
  std::string message = whose == side::dialed ? "dialed" : "accepted";
  message += here_ == side::dialed ? own_nonce_ + other_nonce_ : other_nonce_ + own_nonce_;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const auto* text = reinterpret_cast<const unsigned char*>(message.data());
  if (!HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), text, message.size(), digest, &size) ||
      size != proof_size)
    throw std::runtime_error("OpenSSL cannot compute an HMAC");
  return {reinterpret_cast<const char*>(digest), size};
}

std::string refusing_welcome(refusal why) { return head(why) + std::string(welcome_size - head_size, '\0'); }

bool begins_hello(std::string_view bytes) { return bytes.substr(0, magic.size()) == magic.substr(0, bytes.size()); }

} // namespace troupe::net
