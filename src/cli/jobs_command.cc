// `kilat jobs`: failed jobs of durable ingest, through the HTTP API of a running server; and with --file, all jobs of
// an app in the file of one that is stopped.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "auth/request_signature.h"
#include "base/clock.h"
#include "base/quantity.h"
#include "cli/api_client.h"
#include "cli/command.h"
#include "cli/jobs_file.h"
#include "cli/target.h"

namespace kilat::cli {
namespace {

namespace json = boost::json;

struct JobsOptions {
  TargetOptions target;
  std::string job;
  std::string file;
  bool all = false;
  bool json = false;
};

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return {};
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

Outcome<json::object> ask(ApiClient& client, const std::string& what, const ApiRequest& request) {
  auto answer = client.send(request);
  if (!answer) {
    answer.error().what = what;
    return std::unexpected(std::move(answer.error()));
  }
  boost::system::error_code code;
  json::value parsed = answer->status == 200 ? json::parse(answer->body, code) : json::value();
  if (!code && parsed.is_object()) return std::move(parsed.get_object());
  return std::unexpected(client.refusal(what, *answer));
}

void print_job(const json::object& job) {
  const json::value* failed = job.if_contains("failed");
  const uint64_t then = failed != nullptr && failed->is_int64() ? static_cast<uint64_t>(failed->get_int64()) : 0;
  const uint64_t now = unix_ms();
  std::printf("%-24s %8s readings  %s tries  %8s ago  %s\n", fit_for_terminal(text_of(job, "job")).c_str(),
              text_of(job, "readings").c_str(), text_of(job, "tries").c_str(),
              format_duration_ms((now - std::min(now, then)) / 1'000 * 1'000).c_str(),
              fit_for_terminal(text_of(job, "error")).c_str());
}

Outcome<int> list_jobs(ApiClient& client, const JobsOptions& options) {
  const std::string what = "cannot list the failed jobs";
  json::array all;
  Parameters page{{"limit", "1000"}};
  for (;;) {
    auto answer = ask(client, what, {.path = "/ingest/failed", .parameters = page});
    if (!answer) return std::unexpected(answer.error());
    json::value* jobs = answer->if_contains("jobs");
    if (jobs != nullptr && jobs->is_array()) {
      for (json::value& job : jobs->get_array()) all.push_back(std::move(job));
    }
    const json::value* next = answer->if_contains("next");
    if (next == nullptr || !next->is_string()) break;
    page["after"] = std::string(next->get_string());
  }
  if (options.json) {
    std::puts(json::serialize(all).c_str());
    return 0;
  }
  if (all.empty()) std::puts("no failed jobs");
  for (const json::value& job : all) {
    if (job.is_object()) print_job(job.get_object());
  }
  return 0;
}

// One job, or with --all every one.
Outcome<int> change(ApiClient& client, const JobsOptions& options, const char* verb, const char* done) {
  if (options.job.empty() != options.all) {
    return std::unexpected(Failure{std::string("nothing to ") + verb,
                                   {},
                                   "name one job, or say --all",
                                   {"kilat jobs list " + client.target().app_id}});
  }
  const bool retry = std::string_view(verb) == "retry";
  std::string path = "/ingest/failed";
  if (!options.job.empty()) path += "/" + auth::percent_encoded(options.job);
  if (retry) path += "/retry";
  auto answer = ask(client, std::string("cannot ") + verb + " the job",
                    {.method = retry ? "POST" : "DELETE", .path = path, .body = retry ? "{}" : ""});
  if (!answer) return std::unexpected(answer.error());
  std::printf("%s: %s\n", done, text_of(*answer, done).c_str());
  return 0;
}

Outcome<int> retry_jobs(ApiClient& client, const JobsOptions& options) {
  return change(client, options, "retry", "retried");
}

Outcome<int> forget_jobs(ApiClient& client, const JobsOptions& options) {
  return change(client, options, "forget", "forgotten");
}

struct Verb {
  const char* name;
  const char* help;
  bool of_job;
  Outcome<int> (*run)(ApiClient& client, const JobsOptions& options);
};

constexpr std::array kVerbs = std::to_array<Verb>({
    {"list", "List the failed jobs of an app.", false, list_jobs},
    {"retry", "Put failed jobs back into the queue.", true, retry_jobs},
    {"forget", "Delete failed jobs; their readings are not published.", true, forget_jobs},
});

int run_in_file(const Verb& verb, const JobsOptions& options) {
  if (!verb.of_job) return list_jobs_in_file(options.file, options.target.app, options.json);
  if (options.all && options.job.empty()) return forget_jobs_in_file(options.file, options.target.app);
  return report({"nothing to forget", options.file, "in a file all jobs of an app are forgotten: say --all", {}});
}

int run_verb(const Verb& verb, const JobsOptions& options) {
  if (!options.file.empty()) return run_in_file(verb, options);
  if (options.target.app.empty()) {
    report({"no app is named", {}, "APP is needed, or --file", {"kilat jobs --help"}});
    return 2;
  }
  auto target = find_target(options.target);
  if (!target) return report(target.error());
  ApiClient client(std::move(*target));
  const Outcome<int> code = verb.run(client, options);
  return code ? *code : report(code.error());
}

}  // namespace

Action install_jobs(CLI::App& command) {
  auto options = std::make_shared<JobsOptions>();
  command.require_subcommand(1);
  for (const Verb& verb : kVerbs) {
    CLI::App* sub = command.add_subcommand(verb.name, verb.help);
    CLI::Option* app = sub->add_option("APP", options->target.app, "Id of the app");
    if (verb.of_job) app->required();
    if (verb.of_job) {
      sub->add_option("JOB", options->job, "Name of the job");
      sub->add_flag("--all", options->all, "All failed jobs of the app");
    } else {
      sub->add_flag("--json", options->json, "As JSON, for programs");
    }
    if (verb.run != retry_jobs) {
      sub->add_option("--file", options->file,
                      verb.of_job
                          ? "With --all: in this file (ingest.file), with the server stopped; jobs that wait as well"
                          : "The number of jobs of each app in this file (ingest.file), with the server stopped")
          ->type_name("FILE");
    }
    add_target_options(*sub, options->target);
  }
  return [options, &command] {
    for (const Verb& verb : kVerbs) {
      if (command.get_subcommand(verb.name)->parsed()) return run_verb(verb, *options);
    }
    return 0;
  };
}

}  // namespace kilat::cli
