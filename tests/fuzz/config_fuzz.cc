// Arbitrary bytes as a configuration file, TOML or Soketi's JSON, and as a .env file: every one ends in settings or in
// messages fit for a terminal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/document.h"
#include "config/dotenv.h"
#include "config/foreign.h"
#include "config/soketi_json.h"
#include "config/toml_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  using namespace kilat::config;
  Document document = is_soketi_json(text) ? read_soketi_json(text, "config.json") : read_toml(text, "kilat.toml");
  const ForeignSettings foreign = foreign_environment(parse_dotenv(text, {}));
  for (const Diagnostic& warning : foreign.warnings) add(document.diagnostics, warning);
  apply_foreign(document, foreign);
  validate(document);
  if (document.diagnostics.size() > kDiagnosticsMax) std::abort();
  for (const char c : render(document.diagnostics)) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') std::abort();
  }
  return 0;
}
