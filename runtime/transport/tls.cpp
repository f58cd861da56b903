#include "runtime/transport/tls.hpp"

#include "runtime/transport/openssl_handles.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <utility>

namespace troupe::net {
namespace {

using ctx_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_by<SSL_free>>;
using names_ptr = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;

/// Returns the oldest error in this thread's queue as text, and empties the queue.
std::string last_error() {
  const auto code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "error " + std::to_string(code);
}

/// Calls OpenSSL with an empty error queue, so that errors found there afterwards belong to this call.
template <class F> auto openssl(F&& call) {
  ERR_clear_error();
  return call();
}

[[noreturn]] void unusable(const char* what, const std::filesystem::path& file, const std::string& why) {
  throw tls_error(std::string{what} + " " + file.string() + ": " + why);
}

std::string read_file(const char* what, const std::filesystem::path& file, bool secret) {
  // O_NONBLOCK: if the file is a pipe, do not wait for its other end.
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) unusable(what, file, std::strerror(errno));
  const std::unique_ptr<const int, void (*)(const int*)> closes{&fd, [](const int* f) { ::close(*f); }};
  struct stat about {};
  if (::fstat(fd, &about) != 0) unusable(what, file, std::strerror(errno));
  if (!S_ISREG(about.st_mode)) unusable(what, file, "is not a regular file");
  if (secret && (about.st_mode & (S_IRWXO | S_IWGRP)) != 0)
    unusable(what, file, "others can access it (chmod 600 would do)");
  constexpr std::size_t most = 64 * 1024;
  std::string content(most + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const auto got = ::read(fd, content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) unusable(what, file, std::strerror(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > most) unusable(what, file, "is larger than 64 KiB");
  content.resize(size);
  return content;
}

bio_ptr reader_of(const std::string& pem) { return bio_ptr{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))}; }

/// Makes a file with a passphrase fail, instead of asking for the passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

std::vector<x509_ptr> read_certificates(const char* what, const std::filesystem::path& file) {
  const auto pem = read_file(what, file, false);
  const auto from = reader_of(pem);
  std::vector<x509_ptr> found;
  while (x509_ptr one{openssl([&] { return PEM_read_bio_X509(from.get(), nullptr, no_passphrase, nullptr); })})
    found.push_back(std::move(one));
  const auto why = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (found.empty()) unusable(what, file, "holds no certificate in PEM format");
  if (!at_end) unusable(what, file, "holds a damaged certificate");
  return found;
}

std::vector<std::string> dns_names(const X509* certificate) {
  std::vector<std::string> found;
  const names_ptr all{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    found.emplace_back(text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return found;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string text_of(const ASN1_TIME* given) {
  const bio_ptr out{BIO_new(BIO_s_mem())};
  ASN1_TIME_print(out.get(), given);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string end_of_validity(const X509* certificate) { return text_of(X509_get0_notAfter(certificate)); }

/// Why this process's certificate cannot be used in one direction. Empty if it can. Peers check the same in their
/// handshakes.
std::string usage_problem(X509* certificate, side role) {
  const bool dials = role == side::dialed;
  if (X509_check_purpose(certificate, dials ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER, 0) == 1) return {};
  const auto extended = X509_get_extended_key_usage(certificate); // all bits are set if there is no extension
  const std::string as = dials ? "as TLS client (dialing)" : "as TLS server (accepting)";
  if ((extended & (dials ? XKU_SSL_CLIENT : XKU_SSL_SERVER)) == 0)
    return "cannot be used " + as + ": its extended key usage lacks " + (dials ? "clientAuth" : "serverAuth");
  return "cannot be used " + as + ": its key usage lacks digitalSignature, or it is for other purposes";
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* given) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(given, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

int write_quietly(BIO* to, const char* from, int size) {
  BIO_clear_retry_flags(to);
  const auto socket = static_cast<int>(BIO_get_fd(to, nullptr));
  const auto sent = ::send(socket, from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent <= 0 && BIO_sock_should_retry(static_cast<int>(sent))) BIO_set_retry_write(to);
  return static_cast<int>(sent);
}

/// OpenSSL's socket with another write function: if the other end is gone, OpenSSL's own would end this process with
/// SIGPIPE.
const BIO_METHOD* quiet_socket() {
  static const BIO_METHOD* const method = [] {
    const auto* plain = BIO_s_socket();
    auto* quiet = BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE");
    if (!quiet || BIO_meth_set_write(quiet, write_quietly) != 1 ||
        BIO_meth_set_read(quiet, BIO_meth_get_read(plain)) != 1 ||
        BIO_meth_set_ctrl(quiet, BIO_meth_get_ctrl(plain)) != 1 ||
        BIO_meth_set_create(quiet, BIO_meth_get_create(plain)) != 1 ||
        BIO_meth_set_destroy(quiet, BIO_meth_get_destroy(plain)) != 1)
      throw std::runtime_error("OpenSSL has no sockets: " + last_error());
    return quiet;
  }();
  return method;
}

class tls_channel : public channel {
 public:
  explicit tls_channel(ssl_ptr session) : session_(std::move(session)) {}

  transfer read(char* to, std::size_t size) override {
    return result(openssl([&] { return SSL_read(session_.get(), to, at_most(size)); }));
  }
  transfer write(const char* from, std::size_t size) override {
    return result(openssl([&] { return SSL_write(session_.get(), from, at_most(size)); }));
  }
  bool holds_bytes() const override { return SSL_pending(session_.get()) > 0; }
  std::string problem() const override { return problem_; }

 private:
  static int at_most(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }
  transfer result(int moved) {
    if (moved > 0) return {flow::moved, static_cast<std::size_t>(moved)};
    const auto why = SSL_get_error(session_.get(), moved);
    if (why == SSL_ERROR_SSL) problem_ = "TLS: " + last_error();
    ERR_clear_error();
    // TLS 1.3 updates keys without stopping the stream, so it is enough to wait until the socket is ready in the
    // requested direction.
    const bool later = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
    return {later ? flow::again : flow::closed, 0};
  }

  ssl_ptr session_;
  std::string problem_;
};

/// The names of which the other end's certificate must have at least one.
struct demanded_names {
  std::vector<std::string> any_of;

  bool met_by(const X509* certificate) const {
    const auto names = dns_names(certificate);
    return std::any_of(any_of.begin(), any_of.end(), [&](const std::string& wanted) {
      return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return same_name(n, wanted); });
    });
  }
};

class handshake : public tls_handshake {
 public:
  handshake(std::shared_ptr<const tls_context> context, ssl_ptr session, side here)
      : context_(std::move(context)), session_(std::move(session)), here_(here) {}

  state step() override {
    const int done =
        openssl([&] { return here_ == side::dialed ? SSL_connect(session_.get()) : SSL_accept(session_.get()); });
    if (done == 1) return state::done;
    switch (SSL_get_error(session_.get(), done)) {
    case SSL_ERROR_WANT_READ:
      return state::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return state::wants_write;
    default:
      problem_ = explain();
      return state::failed;
    }
  }
  const std::string& problem() const override { return problem_; }
  std::unique_ptr<channel> take_channel() override { return std::make_unique<tls_channel>(std::move(session_)); }

 private:
  std::string explain() const {
    const auto verified = SSL_get_verify_result(session_.get());
    if (verified == X509_V_ERR_HOSTNAME_MISMATCH) {
      ERR_clear_error();
      return "the other end's certificate does not carry a name that is allowed here";
    }
    if (verified != X509_V_OK) {
      ERR_clear_error();
      return std::string{"the other end's certificate: "} + X509_verify_cert_error_string(verified);
    }
    const auto why = ERR_peek_error();
    if (ERR_GET_LIB(why) == ERR_LIB_SSL && ERR_GET_REASON(why) == SSL_R_WRONG_VERSION_NUMBER) {
      ERR_clear_error();
      return "the other end does not speak TLS";
    }
    const bool ended = ERR_GET_LIB(why) == ERR_LIB_SSL && ERR_GET_REASON(why) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    if (why != 0 && !ended) return "TLS: " + last_error();
    ERR_clear_error();
    return "the other end closed the connection during the TLS handshake";
  }

  /// Owns the names that the session's certificate check uses.
  std::shared_ptr<const tls_context> context_;
  ssl_ptr session_;
  side here_;
  std::string problem_;
};

class context : public tls_context, public std::enable_shared_from_this<context> {
 public:
  explicit context(const tls_options& options) : ctx_(SSL_CTX_new(TLS_method())) {
    if (!ctx_) throw tls_error("OpenSSL cannot start: " + last_error());
    names_.any_of = options.allowed_names;
    if (!options.cluster_name.empty()) names_.any_of.push_back(options.cluster_name);
    if (names_.any_of.empty()) throw tls_error("TLS needs a cluster name or allowed names to identify peers");
    auto* ctx = ctx_.get();
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    // Sessions are long, so resuming them has no benefit, and a resumed session would skip the certificate check.
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_mode(ctx,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    // One call reads at most one record, so that a stream of key updates does not hold up the other connections.
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_app_data(ctx, &names_);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, check_name);
    use_identity(options);
    trust(options.files.ca);
  }

  std::unique_ptr<tls_handshake> begin(side here, int socket) const override {
    ssl_ptr session{openssl([&] { return SSL_new(ctx_.get()); })};
    bio_ptr to_socket{session ? openssl([] { return BIO_new(quiet_socket()); }) : nullptr};
    if (!to_socket) throw std::runtime_error("OpenSSL cannot begin a session: " + last_error());
    BIO_set_fd(to_socket.get(), socket, BIO_NOCLOSE);
    SSL_set_bio(session.get(), to_socket.get(), to_socket.get()); // one reference for both directions
    static_cast<void>(to_socket.release());
    return std::make_unique<handshake>(shared_from_this(), std::move(session), here);
  }

  std::string description() const override { return description_; }
  validity valid() const override { return valid_; }

 private:
  /// OpenSSL calls this for each certificate of the chain. If it returns 0, OpenSSL sends an alert and ends the
  /// handshake.
  static int check_name(int fine, X509_STORE_CTX* store) {
    if (!fine || X509_STORE_CTX_get_error_depth(store) != 0) return fine;
    auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    const auto* names = static_cast<const demanded_names*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(session)));
    if (names->met_by(X509_STORE_CTX_get_current_cert(store))) return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
  }

  static void check_own(X509* own, const tls_options& options) {
    const auto refuse = [&](const std::string& why) { unusable("the TLS certificate", options.files.cert, why); };
    // X509_cmp_current_time returns a negative number for a time in the past, and 0 for one that it cannot read.
    if (X509_cmp_current_time(X509_get0_notAfter(own)) <= 0) refuse("expired at " + end_of_validity(own));
    if (X509_cmp_current_time(X509_get0_notBefore(own)) >= 0)
      refuse("is not valid before " + text_of(X509_get0_notBefore(own)) + " (is the clock of this machine right?)");
    for (const auto role : {side::dialed, side::accepted})
      if (role == side::dialed ? options.dials : options.accepts)
        if (const auto why = usage_problem(own, role); !why.empty()) refuse(why);
  }

  void use_identity(const tls_options& options) {
    const auto& files = options.files;
    auto chain = read_certificates("the TLS certificate", files.cert);
    auto* own = chain.front().get();
    check_own(own, options);
    if (openssl([&] { return SSL_CTX_use_certificate(ctx_.get(), own); }) != 1)
      unusable("the TLS certificate", files.cert, last_error());
    for (std::size_t i = 1; i < chain.size(); ++i)
      if (openssl([&] { return SSL_CTX_add1_chain_cert(ctx_.get(), chain[i].get()); }) != 1)
        unusable("the TLS certificate", files.cert, last_error());

    auto pem = read_file("the TLS key", files.key, true);
    const auto from = reader_of(pem);
    const key_ptr key{openssl([&] { return PEM_read_bio_PrivateKey(from.get(), nullptr, no_passphrase, nullptr); })};
    OPENSSL_cleanse(pem.data(), pem.size());
    if (!key) unusable("the TLS key", files.key, "holds no private key in PEM format without a passphrase");
    ERR_clear_error();
    if (openssl([&] { return X509_check_private_key(own, key.get()); }) != 1)
      unusable("the TLS key", files.key, "does not belong to the certificate " + files.cert.string());
    if (openssl([&] { return SSL_CTX_use_PrivateKey(ctx_.get(), key.get()); }) != 1)
      unusable("the TLS key", files.key, last_error());

    valid_ = {time_of(X509_get0_notBefore(own)), time_of(X509_get0_notAfter(own))};
    description_ = "certificate for";
    for (const auto& name : dns_names(own)) description_ += " " + name;
    description_ += ", valid until " + end_of_validity(own);
  }

  void trust(const std::filesystem::path& ca) {
    auto* store = SSL_CTX_get_cert_store(ctx_.get());
    for (const auto& one : read_certificates("the TLS CA", ca))
      if (openssl([&] { return X509_STORE_add_cert(store, one.get()); }) != 1) unusable("the TLS CA", ca, last_error());
  }

  ctx_ptr ctx_;
  demanded_names names_;
  std::string description_;
  validity valid_;
};

} // namespace

std::shared_ptr<const tls_context> tls_context::load(const tls_options& options) {
  return std::make_shared<context>(options);
}

std::string fingerprint(const tls_files& files) {
  std::string all;
  for (const auto* file : {&files.cert, &files.key, &files.ca}) {
    struct stat about {};
    if (::stat(file->c_str(), &about) != 0) {
      all += "missing;";
      continue;
    }
    for (const auto part :
         {static_cast<std::int64_t>(about.st_ino), static_cast<std::int64_t>(about.st_size),
          std::int64_t{about.st_mode}, std::int64_t{about.st_mtim.tv_sec}, std::int64_t{about.st_mtim.tv_nsec}})
      all += std::to_string(part) + ",";
    all += ";";
  }
  return all;
}

std::string read_private_file(const char* what, const std::filesystem::path& path) {
  return read_file(what, path, true);
}

} // namespace troupe::net
