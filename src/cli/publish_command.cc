#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "base/json_text.h"
#include "base/utf8_repair.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/ndjson_upload.h"
#include "cli/target.h"

namespace kilat::cli {
namespace {

constexpr size_t kStdinBytesMax = 16 * 1024 * 1024;  // the largest event any server may be set to take

struct PublishOptions {
  TargetOptions target;
  std::string channel;
  std::string event;
  std::string data;
  std::string socket_id;
  std::string ndjson;
  bool skip_invalid = false;
};

Outcome<std::string> read_data(const std::string& given) {
  if (given != "-") return given;
  std::string out;
  char part[16 * 1024];
  while (const size_t got = std::fread(part, 1, sizeof part, stdin)) {
    out.append(part, got);
    if (out.size() > kStdinBytesMax)
      return std::unexpected(Failure{"cannot publish standard input", {}, "it is larger than 16 MiB", {}});
  }
  return out;
}

// The count that fits the channel; user channels have none.
std::string info_of(const std::string& channel) {
  if (channel.starts_with("#")) return {};
  return channel.starts_with("presence-") ? "user_count" : "subscription_count";
}

std::string request_body(const PublishOptions& options, const std::string& data) {
  std::string out = "{\"name\":" + json_string(options.event) + ",\"channels\":[" + json_string(options.channel) +
                    "],\"data\":" + json_string(data);
  if (!options.socket_id.empty()) out += ",\"socket_id\":" + json_string(options.socket_id);
  if (const std::string info = info_of(options.channel); !info.empty()) out += ",\"info\":" + json_string(info);
  return out + "}";
}

std::optional<int64_t> count_in(const std::string& body, const std::string& channel) {
  boost::system::error_code code;
  const auto parsed = boost::json::parse(body, code);
  if (code || !parsed.is_object()) return std::nullopt;
  const auto* channels = parsed.get_object().if_contains("channels");
  if (channels == nullptr || !channels->is_object()) return std::nullopt;
  const auto* entry = channels->get_object().if_contains(channel);
  if (entry == nullptr || !entry->is_object()) return std::nullopt;
  const auto* count = entry->get_object().if_contains(info_of(channel));
  return count != nullptr && count->is_int64() ? std::optional(count->get_int64()) : std::nullopt;
}

int publish(const PublishOptions& options) {
  // JSON has no form for other bytes, and a server may refuse them.
  for (const std::string* text : {&options.channel, &options.event, &options.socket_id}) {
    if (repair_utf8(*text) != *text) return report({"cannot publish", {}, "an argument is not valid UTF-8", {}});
  }
  const auto data = read_data(options.data);
  if (!data) return report(data.error());
  if (repair_utf8(*data) != *data)
    return report(
        {"cannot publish", {}, "the data is not valid UTF-8", {"encode binary data, for example with base64"}});
  auto target = find_target(options.target);
  if (!target) return report(target.error());

  ApiClient client(std::move(*target));
  const auto answer = client.post("/events", request_body(options, *data));
  const std::string what = "cannot publish to " + fit_for_terminal(options.channel);
  if (!answer) {
    Failure failure = answer.error();
    failure.what = what;
    return report(failure);
  }
  if (answer->status != 200) return report(client.refusal(what, *answer));

  std::string line = "published to " + fit_for_terminal(options.channel);
  if (const auto count = count_in(answer->body, options.channel)) {
    const char* noun = info_of(options.channel) == "user_count" ? " member" : " subscriber";
    line += ": " + std::to_string(*count) + noun + (*count == 1 ? "" : "s");
  }
  std::printf("%s, %.1f ms\n", line.c_str(), answer->elapsed_ms);
  return 0;
}

}  // namespace

Action install_publish(CLI::App& command) {
  auto options = std::make_shared<PublishOptions>();
  command.add_option("APP", options->target.app, "Id of the app")->required();
  CLI::Option* channel = command.add_option("CHANNEL", options->channel, "Channel");
  CLI::Option* event = command.add_option("EVENT", options->event, "Name of the event");
  CLI::Option* data = command.add_option("DATA", options->data, "Its data, usually JSON; - reads standard input");
  CLI::Option* ndjson = command
                            .add_option("--ndjson", options->ndjson,
                                        "Hand in the readings of this file, one a line, instead of an event; - reads "
                                        "standard input")
                            ->type_name("FILE");
  for (CLI::Option* option : {channel, event, data}) ndjson->excludes(option);
  command
      .add_flag("--skip-invalid", options->skip_invalid,
                "With --ndjson: leave out lines that the server refuses, and say how many")
      ->needs(ndjson);
  command.add_option("--socket-id", options->socket_id, "Leave this connection out")->type_name("ID");
  add_target_options(command, options->target);
  return [options] {
    if (!options->ndjson.empty()) return upload_ndjson(options->target, options->ndjson, options->skip_invalid);
    if (options->data.empty() && (options->channel.empty() || options->event.empty())) {
      report({"cannot publish", {}, "CHANNEL, EVENT and DATA are needed, or --ndjson", {"kilat publish --help"}});
      return 2;
    }
    return publish(*options);
  };
}

}  // namespace kilat::cli
