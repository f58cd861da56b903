#include "tests/unit/transport/tls_peer.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <stdexcept>
#include <string_view>

namespace troupe::net::testing {

struct tls_peer::session {
  ~session() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
};

tls_peer::tls_peer(side here, int socket, const peer_wish& wish) : session_(std::make_unique<session>()) {
  session_->context = SSL_CTX_new(TLS_method());
  auto* context = session_->context;
  bool fine = context && (!wish.old || SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1);
  if (fine && wish.shows)
    fine = SSL_CTX_use_certificate_chain_file(context, wish.shows->cert.c_str()) == 1 &&
           SSL_CTX_use_PrivateKey_file(context, wish.shows->key.c_str(), SSL_FILETYPE_PEM) == 1;
  session_->ssl = fine ? SSL_new(context) : nullptr;
  if (!session_->ssl || SSL_set_fd(session_->ssl, socket) != 1)
    throw std::runtime_error("OpenSSL has no peer for a test");
  if (here == side::dialed)
    SSL_set_connect_state(session_->ssl);
  else
    SSL_set_accept_state(session_->ssl);
}

tls_peer::~tls_peer() { ERR_clear_error(); }

void tls_peer::step() {
  auto* ssl = session_->ssl;
  if (SSL_do_handshake(ssl) == 1) {
    constexpr std::string_view words = "let me in";
    if (!said_) said_ = SSL_write(ssl, words.data(), static_cast<int>(words.size())) > 0;
    char block[256];
    for (int got; (got = SSL_read(ssl, block, sizeof block)) > 0;) heard_.append(block, static_cast<std::size_t>(got));
  }
  ERR_clear_error();
}

bool tls_peer::greeted() const { return SSL_is_init_finished(session_->ssl) == 1; }

} // namespace troupe::net::testing
