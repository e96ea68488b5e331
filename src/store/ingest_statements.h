// The prepared statements of IngestFile, which alone includes this. Owner: IngestFile.
#pragma once

#include <memory>

#include "store/database.h"
#include "store/durable_file.h"

namespace kilat::store {

struct IngestStatements {
  static Outcome<std::unique_ptr<IngestStatements>> prepare(DurableFile& file);

  Statement find_key;
  Statement insert_key;
  Statement forget_keys;
  Statement insert_job;
  Statement insert_payload;
  Statement next_job;
  Statement payload;
  Statement stored_job;
  Statement job_bytes;
  Statement delete_payload;
  Statement delete_job;
  Statement fail_job;
  Statement failed_sum;
  Statement retry_jobs;
  Statement forget_payloads;
  Statement forget_jobs;
  Statement app_figures;
  Statement all_figures;
  Statement failed_jobs;
  Statement find_sensor;
  Statement insert_sensor;
  Statement list_sensors;
  Statement next_sensor;
  Statement drop_sensor;
  Statement insert_reading;
  Statement oldest_readings;
  Statement newest_readings;
  Statement expire;
};

}  // namespace kilat::store
