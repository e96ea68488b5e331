#include "cli/jobs_file.h"

#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "base/quantity.h"
#include "base/result.h"
#include "cli/failure.h"
#include "store/database.h"
#include "store/ingest_file.h"

namespace kilat::cli {
namespace {

using store::AppQueue;
using store::IngestFile;

constexpr uint32_t kBusyMs = 1'000;

store::Outcome<std::unique_ptr<IngestFile>> open(const std::string& file) {
  std::error_code code;
  if (!std::filesystem::exists(file, code)) return std::unexpected(store::Fault{"there is no such file", {}});
  return IngestFile::open(file, kBusyMs);
}

int failed(std::string what, const std::string& file, const store::Fault& fault) {
  return report({std::move(what), file, fault.why, {"stop the server: it keeps the file to itself"}});
}

store::Outcome<std::vector<AppQueue>> queues_of(const std::string& file, const std::string& app) {
  TRY(const std::unique_ptr<IngestFile> opened, open(file));
  TRY(std::vector<AppQueue> queues, opened->queues());
  std::erase_if(queues, [&](const AppQueue& queue) { return !app.empty() && queue.app != app; });
  return queues;
}

store::Outcome<uint64_t> forget(const std::string& file, const std::string& app) {
  TRY(const std::unique_ptr<IngestFile> opened, open(file));
  TRY(store::Transaction transaction, opened->durable().begin());
  TRY(const IngestFile::Changed changed, opened->forget_app(app));
  TRY_VOID(transaction.commit());
  return changed.jobs;
}

}  // namespace

int list_jobs_in_file(const std::string& file, const std::string& app, bool json) {
  const auto queues = queues_of(file, app);
  if (!queues) return failed("cannot list the jobs", file, queues.error());
  boost::json::array all;
  for (const AppQueue& queue : *queues) {
    if (json) {
      all.push_back(boost::json::object{
          {"app", queue.app}, {"jobs", queue.jobs}, {"failed_jobs", queue.failed_jobs}, {"bytes", queue.bytes}});
    } else {
      std::printf("%-24s %8llu waiting  %8llu failed  %s\n", fit_for_terminal(queue.app).c_str(),
                  static_cast<unsigned long long>(queue.jobs), static_cast<unsigned long long>(queue.failed_jobs),
                  format_size(queue.bytes).c_str());
    }
  }
  if (json) {
    std::puts(boost::json::serialize(all).c_str());
  } else if (queues->empty()) {
    std::puts("no jobs");
  }
  return 0;
}

int forget_jobs_in_file(const std::string& file, const std::string& app) {
  const auto forgotten = forget(file, app);
  if (!forgotten) return failed("cannot forget the jobs", file, forgotten.error());
  std::printf("forgotten: %llu\n", static_cast<unsigned long long>(*forgotten));
  return 0;
}

}  // namespace kilat::cli
