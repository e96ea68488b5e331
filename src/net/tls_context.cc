#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string_view>

#include "net/tls_sites.h"
#include "net/tls_tickets.h"

namespace kilat::net {
namespace {

constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr unsigned char kAlpn[] = "\x08http/1.1";

// What OpenSSL's queue of errors says in words; the deepest cause comes first.
std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : "error " + std::to_string(code);
}

std::unexpected<Error> cannot(std::string_view what, const std::string& file) {
  return fail(Reason::kTlsFilesInvalid, "cannot " + std::string(what) + " " + file + ": " + openssl_error());
}

// A key with a passphrase is refused instead of waiting for somebody to type it.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

// A client that offers protocols, none of which is ours, is refused as RFC 7301 section 3.2 asks.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size,
                    void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kAlpn, sizeof kAlpn - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

// The first certificate of a PEM file; null when there is none, and OpenSSL's queue says why.
std::unique_ptr<X509, FreeCertificate> read_leaf(const std::string& file) {
  struct FreeBio {
    void operator()(BIO* bio) const { BIO_free(bio); }
  };
  const std::unique_ptr<BIO, FreeBio> in(BIO_new_file(file.c_str(), "r"));
  X509* const leaf = in ? PEM_read_bio_X509_AUX(in.get(), nullptr, no_passphrase, nullptr) : nullptr;
  return std::unique_ptr<X509, FreeCertificate>(leaf);
}

}  // namespace

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsOptions& options) {
  ERR_clear_error();
  SSL_CTX* handle = SSL_CTX_new(TLS_server_method());
  if (handle == nullptr) return fail(Reason::kInternal, "cannot set TLS up: " + openssl_error());
  auto context = std::make_shared<TlsContext>(handle);
  if (options.pairs.empty()) return fail(Reason::kTlsFilesInvalid, "there is no certificate");
  auto sites = std::make_unique<TlsSites>();
  for (const TlsOptions::Pair& pair : options.pairs) {
    TRY([[maybe_unused]] const bool used, context->use(pair, *sites, options));
  }
  // A site's context stands in for the first one in everything, once a client has asked for its name.
  for (size_t i = 0; i < sites->size(); ++i) {
    TRY([[maybe_unused]] const bool asked, ask_for_client_certificates(sites->context(i), options));
  }
  if (sites->size() > 1) TlsSites::attach(std::move(sites));
  return context;
}

Result<bool> TlsContext::set_rules(SSL_CTX* ctx, const TlsOptions& options) {
  uint64_t rules = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF;
  if (options.ktls) rules |= SSL_OP_ENABLE_KTLS;
  SSL_CTX_set_options(ctx, rules);
  // Buffers are given back while a connection is idle. A write may take a part and be tried again from elsewhere.
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  if (SSL_CTX_set_cipher_list(ctx, kCiphers) != 1 || SSL_CTX_set1_groups_list(ctx, kGroups) != 1) {
    return fail(Reason::kInternal, "cannot set TLS up: " + openssl_error());
  }
  SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, nullptr);
  // Data sent before the handshake is over could be replayed by anybody (RFC 8446 section 8).
  SSL_CTX_set_max_early_data(ctx, 0);
  // Sessions are kept by the clients, in tickets; a client of ours opens one connection, so one ticket is enough.
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ctx, 1);
  SSL_CTX_set_timeout(ctx, static_cast<long>(2 * TicketKeys::kPeriodMs / 1'000));
  SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, TicketKeys::callback);
  SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
  return true;
}

Result<bool> TlsContext::use(const TlsOptions::Pair& pair, TlsSites& sites, const TlsOptions& options) {
  const std::unique_ptr<X509, FreeCertificate> leaf = read_leaf(pair.certificate);
  if (!leaf) return cannot("use the certificate", pair.certificate);
  const size_t site = sites.place_of(leaf.get());
  if (site == sites.size()) {
    SSL_CTX* const another = site == 0 ? context_ : SSL_CTX_new(TLS_server_method());
    if (another == nullptr) return fail(Reason::kInternal, "cannot set TLS up: " + openssl_error());
    sites.begin(another);
    TRY([[maybe_unused]] const bool ruled, set_rules(another, options));
  }
  SSL_CTX* const ctx = sites.context(site);
  if (SSL_CTX_use_certificate_chain_file(ctx, pair.certificate.c_str()) != 1) {
    return cannot("use the certificate", pair.certificate);
  }
  X509* const certificate = SSL_CTX_get0_certificate(ctx);
  if (SSL_CTX_use_PrivateKey_file(ctx, pair.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return cannot("use the key", pair.key);
  }
  // Setting a key that does not fit makes OpenSSL forget the certificate instead of complaining.
  if (SSL_CTX_check_private_key(ctx) != 1 || SSL_CTX_get0_certificate(ctx) != certificate) {
    ERR_clear_error();
    return fail(Reason::kTlsFilesInvalid,
                "the key " + pair.key + " does not belong to the certificate " + pair.certificate);
  }
  tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return cannot("read the end of", pair.certificate);
  const int64_t expires = timegm(&end);
  if (expires < expires_unix_s_) {
    expires_unix_s_ = expires;
    expires_first_ = pair.certificate;
  }
  sites.add(site, certificate);
  return true;
}

Result<bool> TlsContext::ask_for_client_certificates(SSL_CTX* ctx, const TlsOptions& options) {
  std::string identity = "kilat";
  if (options.client_certificates != ClientCertificates::kOff) {
    const char* file = options.client_ca.c_str();
    STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file);
    if (names == nullptr || SSL_CTX_load_verify_file(ctx, file) != 1) {
      sk_X509_NAME_pop_free(names, X509_NAME_free);
      return cannot("use the client CA", options.client_ca);
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    const bool required = options.client_certificates == ClientCertificates::kRequired;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    std::ifstream in(options.client_ca, std::ios::binary);
    identity += required ? " required " : " optional ";
    identity.append(std::istreambuf_iterator<char>(in), {});
  }
  // A ticket carries the verdict on its client's certificate, so it must not outlive the rules of that verdict.
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(identity.data()), identity.size(), digest);
  SSL_CTX_set_session_id_context(ctx, digest, sizeof digest);
  return true;
}

}  // namespace kilat::net
