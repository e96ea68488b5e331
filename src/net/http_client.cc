#include "net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>

#include <exception>
#include <new>
#include <string_view>
#include <unordered_map>

#include "net/curl_start.h"

namespace kilat::net {
namespace {

constexpr int kWaitMs = 60'000;  // submit() wakes the thread, and curl knows its own deadlines
constexpr long kIdleConnectionsMax = 64;

// CURL and CURLM are both void.
struct EasyFree {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiFree {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

bool splits_header(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

}  // namespace

struct HttpClient::Transfer {
  Request request;
  Done done;
  Response response;
  std::unique_ptr<curl_slist, ListFree> headers;
  std::unique_ptr<CURL, EasyFree> easy;
  bool too_long = false;

  static size_t collect(char* bytes, size_t one, size_t count, void* into) {
    auto& self = *static_cast<Transfer*>(into);
    const size_t size = one * count;
    if (self.response.body.size() + size > self.request.answer_bytes_max) {
      self.too_long = true;
      return 0;
    }
    try {
      self.response.body.append(bytes, size);
    } catch (const std::exception&) {
      return 0;
    }
    return size;
  }

  // False, with the error in the response, when there is nothing that could be sent.
  bool prepare();
  void add_headers();
  void finish(CURLcode code);
};

void HttpClient::Transfer::add_headers() {
  const auto add = [this](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    // The list is the same one, unless it was empty.
    if (headers.get() != longer) headers.reset(longer);
  };
  // A header with nothing behind the colon would be taken out by curl, so an empty one is written with a semicolon.
  for (const auto& [name, value] : request.headers) {
    std::string line = name;
    line.append(value.empty() ? ";" : ": ").append(value);
    add(line);
  }
  add("Expect:");  // no pause before a long body
}

bool HttpClient::Transfer::prepare() {
  for (const auto& [name, value] : request.headers) {
    if (!splits_header(name) && !splits_header(value) && !name.empty()) continue;
    response.error = "a header that can't be sent";
    return false;
  }
  easy.reset(curl_easy_init());
  if (!easy) throw std::bad_alloc();
  add_headers();
  CURL* const curl = easy.get();
  curl_easy_setopt(curl, CURLOPT_PRIVATE, this);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);  // the end of the server does not wait for a slow resolver
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "kilat");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request.answer_bytes_max));
  if (request.method == "GET") return true;
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  return true;
}

void HttpClient::Transfer::finish(CURLcode code) {
  if (code != CURLE_OK) {
    const bool longer = too_long || code == CURLE_FILESIZE_EXCEEDED;
    response = {};
    response.error = longer ? "the answer is too long" : curl_easy_strerror(code);
    return;
  }
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &response.status);
  curl_header* header = nullptr;
  if (curl_easy_header(easy.get(), "Cache-Control", 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
    response.cache_control = header->value;
  }
}

struct HttpClient::Loop {
  std::unique_ptr<CURLM, MultiFree> multi;
  std::unordered_map<Transfer*, std::unique_ptr<Transfer>> running;

  // Takes a request on, or tells at once that it can't be sent.
  void add(std::unique_ptr<Transfer> transfer) {
    Transfer& it = *transfer;
    try {
      running.emplace(&it, std::move(transfer));
      if (it.prepare() && curl_multi_add_handle(multi.get(), it.easy.get()) == CURLM_OK) return;
      if (it.response.error.empty()) it.response.error = curl_easy_strerror(CURLE_OUT_OF_MEMORY);
    } catch (const std::bad_alloc&) {
      it.response.error = curl_easy_strerror(CURLE_OUT_OF_MEMORY);
      if (transfer) return it.done(std::move(it.response));  // not even in the table
    }
    tell(it);
  }

  void tell(Transfer& it) {
    const auto node = running.extract(&it);
    it.done(std::move(it.response));
  }

  // Tells of all that have ended; how many.
  size_t reap() {
    size_t ended = 0;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      char* raw = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &raw);
      Transfer& it = *reinterpret_cast<Transfer*>(raw);
      const CURLcode code = message->data.result;
      curl_multi_remove_handle(multi.get(), it.easy.get());
      it.finish(code);
      tell(it);
      ++ended;
    }
    return ended;
  }

  ~Loop() {
    for (const auto& [at, transfer] : running) curl_multi_remove_handle(multi.get(), transfer->easy.get());
  }
};

HttpClient::HttpClient() : loop_(std::make_unique<Loop>()) {
  if (!start_curl()) throw std::bad_alloc();
  loop_->multi.reset(curl_multi_init());
  if (!loop_->multi) throw std::bad_alloc();
  curl_multi_setopt(loop_->multi.get(), CURLMOPT_MAX_HOST_CONNECTIONS, kHostConnectionsMax);
  curl_multi_setopt(loop_->multi.get(), CURLMOPT_MAXCONNECTS, kIdleConnectionsMax);
}

HttpClient::~HttpClient() {
  ending_.store(true, std::memory_order_release);
  curl_multi_wakeup(loop_->multi.get());
  if (thread_.joinable()) thread_.join();
}

bool HttpClient::submit(Request request, Done done) {
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  {
    const std::lock_guard lock(mutex_);
    if (in_flight_.load(std::memory_order_relaxed) >= kInFlightMax) return false;
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    submitted_.push_back(std::move(transfer));
    in_flight_.fetch_add(1, std::memory_order_relaxed);
  }
  curl_multi_wakeup(loop_->multi.get());
  return true;
}

void HttpClient::run() {
  // OpenSSL in curl writes with write(2), and signals of the process are another thread's business.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  CURLM* const multi = loop_->multi.get();
  while (!ending_.load(std::memory_order_acquire)) {
    std::vector<std::unique_ptr<Transfer>> fresh;
    {
      const std::lock_guard lock(mutex_);
      fresh.swap(submitted_);
    }
    size_t ended = 0;
    for (auto& transfer : fresh) {
      const size_t before = loop_->running.size();
      loop_->add(std::move(transfer));
      if (loop_->running.size() == before) ++ended;
    }
    int running = 0;
    curl_multi_perform(multi, &running);
    ended += loop_->reap();
    in_flight_.fetch_sub(ended, std::memory_order_relaxed);
    curl_multi_poll(multi, nullptr, 0, kWaitMs, nullptr);
  }
}

}  // namespace kilat::net
