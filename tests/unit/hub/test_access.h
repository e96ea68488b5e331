// hub::Access without a network: what is asked is written down, and a test answers.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "hub/access.h"

namespace kilat::hub::testing {

class TestAccess final : private auth::KeySource, private auth::BackendTransport {
 public:
  explicit TestAccess(const AppTable& apps) : access(apps, authenticator, backend) {}

  std::vector<uint32_t> keys_wanted;  ///< apps
  std::vector<auth::BackendTransport::Request> asked;
  auth::Authenticator authenticator{*this};
  auth::BackendDesk backend{*this};
  Access access;

 private:
  void want_keys(uint32_t app, const auth::KeySet* /*keys*/) override { keys_wanted.push_back(app); }
  void on_circuit(uint32_t, bool, long, std::string_view) override {}
  bool send(auth::BackendTransport::Request request) override {
    asked.push_back(std::move(request));
    return true;
  }
};

}  // namespace kilat::hub::testing
