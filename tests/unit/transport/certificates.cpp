#include "tests/unit/transport/certificates.hpp"

#include "runtime/transport/openssl_handles.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace troupe::net::testing {
namespace {

using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

/// OpenSSL's functions return 1 or a pointer on success.
template <class T> T good(T result) {
  if (!result) throw std::runtime_error("OpenSSL cannot make a test certificate");
  return result;
}

template <class Write> std::string pem(Write&& write) {
  const bio_ptr out{good(BIO_new(BIO_s_mem()))};
  good(write(out.get()) == 1);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return pem([&](BIO* out) { return PEM_write_bio_X509(out, certificate); });
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const extension_ptr one{good(X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str()))};
  good(X509_add_ext(certificate, one.get(), -1));
}

/// Everything except the extensions and the signature.
x509_ptr blank(const std::string& name, EVP_PKEY* key, std::chrono::seconds begins, std::chrono::seconds ends) {
  static long serial = 0;
  x509_ptr made{good(X509_new())};
  good(X509_set_version(made.get(), 2));
  good(ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial));
  good(X509_gmtime_adj(X509_getm_notBefore(made.get()), begins.count()));
  good(X509_gmtime_adj(X509_getm_notAfter(made.get()), ends.count()));
  good(X509_set_pubkey(made.get(), key));
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  good(X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, text, -1, -1, 0));
  return made;
}

} // namespace

void write_private(const std::filesystem::path& to, std::string_view content) {
  // Create a new file, so that a changed mode of the old one has no effect, and the inode shows the change.
  std::filesystem::remove(to);
  const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0) throw std::runtime_error("cannot write " + to.string());
  const auto written = ::write(fd, content.data(), content.size());
  ::close(fd);
  if (written != static_cast<ssize_t>(content.size())) throw std::runtime_error("cannot write " + to.string());
}

std::string read_all(const std::filesystem::path& from) {
  std::ifstream file(from, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct authority::keys {
  key_ptr key;
  x509_ptr certificate;
};

authority::authority(const temporary_folder& folder, std::string name) : authority(folder, std::move(name), nullptr) {}

authority::authority(const temporary_folder& folder, std::string name, const authority* parent)
    : folder_(folder), name_(std::move(name)), certificate_(folder / (name_ + ".ca.pem")),
      keys_(std::make_unique<keys>()) {
  using namespace std::chrono_literals;
  keys_->key.reset(good(EVP_EC_gen("P-256")));
  keys_->certificate = blank(name_, keys_->key.get(), -24h, 24h);
  auto* own = keys_->certificate.get();
  const auto& issuer = parent ? *parent->keys_ : *keys_;
  good(X509_set_issuer_name(own, X509_get_subject_name(issuer.certificate.get())));
  extend(own, issuer.certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(own, issuer.certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(own, issuer.certificate.get(), NID_subject_key_identifier, "hash");
  good(X509_sign(own, issuer.key.get(), EVP_sha256()));
  write_private(certificate_, pem_of(own));
  if (parent) chain_ = pem_of(own) + parent->chain_;
}

authority::~authority() = default;

authority authority::intermediate(const std::string& name) const { return {folder_, name, this}; }

tls_files authority::issue(const std::string& name, const certificate_wish& wish) const {
  const key_ptr key{good(EVP_EC_gen("P-256"))};
  const auto made = blank(name, key.get(), wish.begins, wish.ends);
  auto* issuer = keys_->certificate.get();
  good(X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)));
  extend(made.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  std::string names;
  for (const auto& one : wish.names) names += (names.empty() ? "DNS:" : ",DNS:") + one;
  if (!names.empty()) extend(made.get(), issuer, NID_subject_alt_name, names);
  if (wish.allowed == usage::both) extend(made.get(), issuer, NID_ext_key_usage, "serverAuth,clientAuth");
  if (wish.allowed == usage::server) extend(made.get(), issuer, NID_ext_key_usage, "serverAuth");
  if (wish.allowed == usage::client) extend(made.get(), issuer, NID_ext_key_usage, "clientAuth");
  if (wish.key_usage) extend(made.get(), issuer, NID_key_usage, wish.key_usage);
  good(X509_sign(made.get(), keys_->key.get(), EVP_sha256()));

  tls_files files{folder_ / (name + ".cert.pem"), folder_ / (name + ".key.pem"), certificate_};
  write_private(files.cert, pem_of(made.get()) + chain_);
  write_private(files.key, pem([&](BIO* out) {
                  return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
                }));
  return files;
}

std::string locked_key(const std::string& passphrase) {
  const key_ptr key{good(EVP_EC_gen("P-256"))};
  const auto* word = reinterpret_cast<const unsigned char*>(passphrase.data());
  return pem([&](BIO* out) {
    return PEM_write_bio_PrivateKey(out, key.get(), EVP_aes_128_cbc(), word, static_cast<int>(passphrase.size()),
                                    nullptr, nullptr);
  });
}

tls_options options_for(const tls_files& files) { return {files, cluster_name, {}}; }

} // namespace troupe::net::testing
