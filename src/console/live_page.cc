#include "console/live_page.h"

#include "base/json_text.h"

namespace kilat::console {

std::string live_config_json(std::string_view app_key, std::string_view path_prefix, std::string_view app_id) {
  std::string out = R"({"key":)";
  append_json_string(out, app_key);
  if (!app_id.empty()) {
    out += R"(,"app":)";
    append_json_string(out, app_id);
  }
  out += R"(,"channel":"scada-data","event":"scada.data.received","path_prefix":)";
  append_json_string(out, path_prefix);
  out += '}';
  return out;
}

}  // namespace kilat::console
