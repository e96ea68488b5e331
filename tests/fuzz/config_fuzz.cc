// Arbitrary bytes as a configuration file: every one ends in settings or in messages fit for a terminal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/document.h"
#include "config/toml_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  kilat::config::Document document = kilat::config::read_toml(text, "kilat.toml");
  kilat::config::validate(document);
  if (document.diagnostics.size() > kilat::config::kDiagnosticsMax) std::abort();
  for (const char c : kilat::config::render(document.diagnostics)) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') std::abort();
  }
  return 0;
}
