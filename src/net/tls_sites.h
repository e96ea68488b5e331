// TlsSites: which certificates answer for which server name, by what clients ask for (SNI, RFC 6066 section 3).
// A site is a set of certificates for the same names, one for each kind of key; each site has a context of its own.
// Names are those in the certificates, so there is nothing to configure and nothing to contradict. Owner: the first
// site's context, which all connections begin with and hold on to; immutable once attached. Bounds: the certificates of
// a TlsContext.
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace kilat::net {

class TlsSites {
 public:
  TlsSites() = default;
  ~TlsSites();
  TlsSites(const TlsSites&) = delete;
  TlsSites& operator=(const TlsSites&) = delete;

  size_t size() const { return sites_.size(); }
  SSL_CTX* context(size_t site) const { return sites_[site].context; }

  /// The site that `certificate` completes: with a name in common (a certificate without names fits everywhere) and
  /// without a key of this kind. size() when it begins a new one.
  size_t place_of(X509* certificate) const;
  /// `context` is taken over, but for that of the first site, which owns this object in the end.
  void begin(SSL_CTX* context) { sites_.push_back({context, {}}); }
  /// Shares `certificate`.
  void add(size_t site, X509* certificate);

  /// The context for a client that asks for `name`: of the first site that has it, else of the first of all.
  SSL_CTX* find(const char* name) const;

  /// Has the first context choose among `sites` for each client, and own them.
  static void attach(std::unique_ptr<TlsSites> sites);

 private:
  struct Site {
    SSL_CTX* context;
    std::vector<X509*> certificates;
  };
  std::vector<Site> sites_;
};

}  // namespace kilat::net
