#include "net/tls_sites.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/check.h"

namespace kilat::net {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// DNS names and addresses of a certificate, as bytes.
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> out;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const auto* text = static_cast<const ASN1_STRING*>(value);
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<size_t>(ASN1_STRING_length(text)));
  }
  return out;
}

int kind_of_key(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  return key == nullptr ? 0 : EVP_PKEY_get_base_id(key);
}

bool share_a_name(X509* one, X509* other) {
  const std::vector<std::string> names = names_of(one);
  const std::vector<std::string> others = names_of(other);
  return names.empty() || others.empty() || std::ranges::any_of(names, [&](const std::string& name) {
           return std::ranges::find(others, name) != others.end();
         });
}

int choose_site(SSL* ssl, int*, void* sites) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* const chosen = static_cast<const TlsSites*>(sites)->find(name);
  if (chosen != SSL_get_SSL_CTX(ssl) && SSL_set_SSL_CTX(ssl, chosen) == nullptr) return SSL_TLSEXT_ERR_ALERT_FATAL;
  return SSL_TLSEXT_ERR_OK;
}

void free_sites(void*, void* sites, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<TlsSites*>(sites);
}

// Where a context keeps its sites: it may outlive the TlsContext, for as long as a handshake that began with it.
int place_in_context() {
  static const int place = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_sites);
  KILAT_CHECK(place >= 0);
  return place;
}

}  // namespace

TlsSites::~TlsSites() {
  for (size_t i = 0; i < sites_.size(); ++i) {
    if (i > 0) SSL_CTX_free(sites_[i].context);
    for (X509* certificate : sites_[i].certificates) X509_free(certificate);
  }
}

size_t TlsSites::place_of(X509* certificate) const {
  const auto fits = [&](const Site& site) {
    return std::ranges::none_of(site.certificates,
                                [&](X509* one) { return kind_of_key(one) == kind_of_key(certificate); }) &&
           std::ranges::any_of(site.certificates, [&](X509* one) { return share_a_name(one, certificate); });
  };
  return static_cast<size_t>(std::ranges::find_if(sites_, fits) - sites_.begin());
}

void TlsSites::add(size_t site, X509* certificate) {
  X509_up_ref(certificate);
  sites_[site].certificates.push_back(certificate);
}

SSL_CTX* TlsSites::find(const char* name) const {
  for (const Site& site : sites_) {
    for (X509* certificate : site.certificates) {
      if (X509_check_host(certificate, name, std::strlen(name), 0, nullptr) == 1) return site.context;
    }
  }
  return sites_.front().context;
}

void TlsSites::attach(std::unique_ptr<TlsSites> sites) {
  TlsSites* const owned = sites.release();
  SSL_CTX* const first = owned->context(0);
  KILAT_CHECK(SSL_CTX_set_ex_data(first, place_in_context(), owned) == 1);
  SSL_CTX_set_tlsext_servername_callback(first, choose_site);
  SSL_CTX_set_tlsext_servername_arg(first, owned);
}

}  // namespace kilat::net
