#include <curl/curl.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>

#include <CLI/CLI.hpp>
#include <boost/version.hpp>
#include <cstdio>

#include "cli/command.h"
#include "cli/version.h"

namespace kilat::cli {

std::string_view version() {
  return KILAT_VERSION;
}

Action install_version(CLI::App&) {
  return [] {
#if defined(__clang__)
    const char* compiler = "clang " __clang_version__;
#else
    const char* compiler = "g++ " __VERSION__;
#endif
    std::printf("kilat %s\n", KILAT_VERSION);
    std::printf("compiler  %s, %s\n", compiler, KILAT_BUILD_TYPE);
    std::printf("libraries Boost %d.%d, %s, curl %s, spdlog %d.%d, CLI11 %s\n", BOOST_VERSION / 100'000,
                BOOST_VERSION / 100 % 1000, OpenSSL_version(OPENSSL_VERSION),
                curl_version_info(CURLVERSION_NOW)->version, SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, CLI11_VERSION);
    return 0;
  };
}

}  // namespace kilat::cli
