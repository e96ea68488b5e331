#include "config/token_key_files.h"

#include <utility>

#include "auth/key_set.h"
#include "config/dev_file.h"

namespace kilat::config {
namespace {

namespace fs = std::filesystem;

Place place_of(const Document& document, size_t app) {
  const auto found = document.places.find(Document::app_key(app, "jwt_keys"));
  return found == document.places.end() ? Place{} : found->second;
}

}  // namespace

void place_key_files(Document& document, const fs::path& working_directory) {
  for (size_t i = 0; i < document.settings.apps.size(); ++i) {
    const Place place = place_of(document, i);
    const fs::path base = place.line > 0 ? fs::path(place.file).parent_path() : working_directory;
    for (std::string& entry : document.settings.apps[i].jwt.keys) {
      std::error_code ignored;
      if (!auth::is_key_url(entry)) entry = fs::absolute(base / entry, ignored).lexically_normal().string();
    }
  }
}

void check_key_files(Document& document) {
  for (size_t i = 0; i < document.settings.apps.size(); ++i) {
    for (const std::string& entry : document.settings.apps[i].jwt.keys) {
      if (auth::is_key_url(entry)) continue;
      const auto text = read_key_file(entry);
      if (text) continue;
      add(document.diagnostics, {Severity::kError,
                                 place_of(document, i),
                                 "app.jwt_keys: " + text.error(),
                                 "a file with public keys in PEM, or a JWKS",
                                 {}});
    }
  }
}

std::expected<std::string, std::string> read_key_file(const std::string& path) {
  auto text = read_whole_file(path, auth::KeySet::kTextBytesMax);
  if (!text) return text;
  auth::KeySet set;
  if (auto added = set.add_file(*text); !added) return std::unexpected(path + " is no use: " + added.error());
  return text;
}

}  // namespace kilat::config
