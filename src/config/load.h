// Finding the configuration and making Settings of it: file (or development mode), environment, flags, in this order,
// then every check. All or nothing: with a single error there are no settings. Main thread, at start.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostic.h"
#include "config/foreign_table.h"
#include "config/overrides.h"
#include "config/settings.h"

namespace kilat::config {

/// The environment of this process, "NAME=value".
std::vector<std::string> process_environment();

struct LoadRequest {
  std::optional<std::string> file;       ///< --config; else the search of load()
  std::optional<std::string> text;       ///< TOML, instead of a file
  std::vector<std::string> environment;  ///< "NAME=value": the settings and foreign names in it count
  std::vector<std::string> variables = process_environment();  ///< what ${NAME} in the file or text stands for
  std::vector<Override> flags;
  std::filesystem::path working_directory = ".";
  std::filesystem::path system_file = "/etc/kilat/kilat.toml";
  bool make_dev_app = false;  ///< development mode may create ./.kilat/dev.toml; the server's right, not its clients'
  bool stored_apps = true;    ///< read apps.database; false: for those who change it
  bool key_files = false;     ///< refuse files of app.jwt_keys that can't be used: for those who use them
};

enum class Source : uint8_t {
  kFile,
  kEnvironment,  ///< no file, but the app is given by KILAT_APP_ID, _KEY and _SECRET, or by foreign names
  kDevelopment,  ///< no file: loopback only, app from ./.kilat/dev.toml
};

struct Loaded {
  Settings settings;
  Source source = Source::kFile;
  std::string path;  ///< of the file that was read; ".env" for kEnvironment when its names stand there, else empty
  Dialect dialect = Dialect::kNone;     ///< of kEnvironment: whose names gave the app
  std::map<std::string, Place> places;  ///< where each setting that was given stands, by the keys of Document
  Diagnostics warnings;
};

/// Searches --config, ./kilat.toml, /etc/kilat/kilat.toml (TOML, or Soketi's JSON); finding none, takes the app from
/// the environment, from foreign names there or in ./.env, or from development mode. Flags override KILAT_ variables,
/// which override foreign ones, which override the file. Errors come all together; render() makes text of them.
std::expected<Loaded, Diagnostics> load(const LoadRequest& request);

}  // namespace kilat::config
