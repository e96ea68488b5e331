// Jobs of durable ingest in the file of a server that is stopped: for apps that are not configured any more, whose jobs
// the HTTP API does not show. Main thread of a command. Each function returns the exit code.
#pragma once

#include <string>

namespace kilat::cli {

/// Prints how many jobs wait and have failed, for each app; of one app where `app` is not empty.
int list_jobs_in_file(const std::string& file, const std::string& app, bool json);

/// Deletes all jobs of the app, those that wait as well. Readings that were stored stay.
int forget_jobs_in_file(const std::string& file, const std::string& app);

}  // namespace kilat::cli
