// Settings of the server itself. `gyre config show` prints them with their meaning.
#pragma once

#include "platform/config/settings.h"

namespace gyre {

inline constexpr config::Setting kServerSettings[] = {
    {"server.listen", config::Type::kText, "127.0.0.1:7171", 0, 0,
     "Address and port; port 0 takes any free one.", false, "GYRE_LISTEN"},
    {"server.base_path", config::Type::kText, "", 0, 0,
     "Path below which everything is served, such as /gyre."},
    {"server.ui_dir", config::Type::kText, "", 0, 0,
     "Folder whose files are served as the web UI instead of the built-in ones, to work on them."},
    {"server.mlflow_ui", config::Type::kText, "", 0, 0,
     "Folder with the build of MLflow's own web UI (mlflow/server/js/build of its package), served "
     "at /mlflow; empty = none."},
    {"server.behind_proxy", config::Type::kBool, "false", 0, 0,
     "A proxy in front ends TLS; its forwarding headers are trusted."},
    {"server.tls_cert", config::Type::kText, "", 0, 0,
     "Certificate chain as a PEM file; read again on SIGHUP."},
    {"server.tls_key", config::Type::kText, "", 0, 0,
     "Private key of the certificate as a PEM file; read again on SIGHUP."},
    {"server.io_threads", config::Type::kInt, "2", 1, 256,
     "Threads that read and write connections."},
    {"server.blocking_threads", config::Type::kInt, "16", 1, 1024,
     "Threads for requests that wait for the disk or a worker."},
    {"server.connections_max", config::Type::kInt, "10000", 1, 1'000'000,
     "Open connections; further ones are refused."},
    {"server.header_bytes_max", config::Type::kBytes, "32KiB", 4096, 1 << 20,
     "Largest header of a request."},
    {"server.body_bytes_max", config::Type::kBytes, "1TiB", 65'536, 1e15,
     "Largest body of a request, uploads too; a route may allow less."},
    {"server.header_timeout", config::Type::kSeconds, "10s", 0.1, 3600,
     "A request's header must arrive within this time."},
    {"server.idle_timeout", config::Type::kSeconds, "75s", 0.1, 86'400,
     "Idle connections are closed after this time."},
    {"server.drain_timeout", config::Type::kSeconds, "5s", 0, 3600,
     "After SIGTERM, running requests may take this long to finish."},
    {"access.auth", config::Type::kText, "auto", 0, 0,
     "auto: the owner of the process needs no login on this machine; required: everyone needs "
     "one."},
    {"log.file", config::Type::kText, "", 0, 0, "Log file, rotated; empty = standard error."},
    {"log.format", config::Type::kText, "text", 0, 0, "text or json."},
    {"log.level", config::Type::kText, "info", 0, 0,
     "debug, info, warn or error; read again on SIGHUP.", true},
    {"log.file_bytes_max", config::Type::kBytes, "64MiB", 65'536, 1e12,
     "The log file is rotated beyond this size."},
    {"log.files_max", config::Type::kInt, "5", 1, 1000, "Rotated log files that are kept."},
    {"log.requests", config::Type::kBool, "true", 0, 0,
     "One line per request: method, path, status, time, who; never a body. Predictions and what "
     "programs log to their runs say one only when they fail, or at log.level debug."},
    {"jobs.cpu_slots", config::Type::kNumber, "2", 0.1, 1024,
     "CPUs that jobs may use at once; further jobs wait. One slot beside a training stays for "
     "short "
     "jobs."},
    {"jobs.memory", config::Type::kBytes, "0", 0, 1e15,
     "Memory that jobs may use at once; 0 = three quarters of the machine."},
    {"jobs.queue_length_max", config::Type::kInt, "1000", 1, 1'000'000,
     "Waiting jobs; further ones are refused."},
    {"training.budget", config::Type::kSeconds, "40s", 1, 604'800,
     "Time of a training that names none, from reading the data to the verdict."},
    {"training.memory", config::Type::kBytes, "4GiB", 134'217'728, 1e15,
     "Memory that one training may use."},
    {"capture.buffer", config::Type::kBytes, "8MiB", 65'536, 1e10,
     "Memory for answered rows that are not written yet, of each thread that answers; beyond it "
     "rows are dropped and counted."},
    {"capture.segment_rows", config::Type::kInt, "32768", 1, 1'000'000,
     "Captured rows that are written as one segment."},
    {"capture.seal", config::Type::kSeconds, "3s", 0.1, 3600,
     "Captured rows are written at the latest after this time; a crash loses at most what is "
     "younger."},
    {"serving.rows_max", config::Type::kInt, "10000", 1, 10'000'000,
     "Rows in one request to an endpoint."},
    {"monitoring.every", config::Type::kSeconds, "5s", 0, 86'400,
     "How often monitors look whether a window of traffic is complete; 0 = never."},
    {"kpis.every", config::Type::kSeconds, "60s", 0, 86'400,
     "How often the KPIs of all projects are measured; 0 = only when somebody asks."},
    {"egress.allow", config::Type::kText, "", 0, 0,
     "Where gyre connects to by itself (notices, addresses of rows) beside public addresses: "
     "loopback, private, or networks such as 10.1.0.0/16, with commas between."},
    {"otlp.endpoint", config::Type::kText, "", 0, 0,
     "OpenTelemetry receiver over HTTP, such as http://127.0.0.1:4318, or "
     "http://127.0.0.1:9090/api/v1/otlp for Prometheus; empty = none."},
    {"otlp.send", config::Type::kText, "metrics,logs,traces", 0, 0,
     "What is sent there, with commas between."},
    {"otlp.headers", config::Type::kText, "", 0, 0,
     "Sent with it: authorization=secret:OTLP_TOKEN, x-scope=ml; secrets of the project default."},
    {"otlp.interval", config::Type::kSeconds, "15s", 0.1, 3600, "How often it is sent."},
    {"otlp.sample", config::Type::kNumber, "0.1", 0, 1,
     "Share of the requests that are traced; those that bring a trace decide for themselves."},
    {"notices.threads", config::Type::kInt, "4", 1, 64,
     "Notices that are sent at once; receivers that fail may hold half of them."},
    {"notices.timeout", config::Type::kSeconds, "10s", 0.1, 300,
     "An attempt to deliver a notice is ended after this time."},
    {"notices.attempts_max", config::Type::kInt, "12", 1, 1000,
     "A notice that was not taken so often is dead; the default is about a day."},
    {"notices.retry_first", config::Type::kSeconds, "1s", 0.01, 3600,
     "Pause after the first attempt; each one is four times as long, up to 6 hours."},
    {"pipelines.parallel_max", config::Type::kInt, "4", 1, 4096,
     "Programs of pipelines that run at once, of all runs together."},
    {"pipelines.gpus", config::Type::kInt, "-1", -1, 1024,
     "GPUs that steps of pipelines may ask for; -1 = as many as there are (/dev/nvidia0, ..., or "
     "what CUDA_VISIBLE_DEVICES of the server names)."},
    {"pipelines.log", config::Type::kBytes, "64MiB", 65'536, 1e15,
     "What is kept of what a program of a pipeline prints; beyond it, the middle is left out."},
    {"retention.every", config::Type::kSeconds, "1d", 0, 1e9,
     "How often a server collects by itself what `gyre gc` collects; 0 = never."},
    {"retention.events", config::Type::kSeconds, "90d", 3600, 1e10,
     "Older events are forgotten by `gyre gc`."},
    {"retention.notices", config::Type::kSeconds, "90d", 3600, 1e10,
     "Older notices are forgotten by `gyre gc`."},
    {"retention.jobs", config::Type::kSeconds, "90d", 0, 1e10,
     "Jobs that ended longer ago are forgotten by `gyre gc`, with their logs; what they made "
     "stays. "
     "0 = kept for ever."},
    {"retention.windows", config::Type::kSeconds, "400d", 0, 1e10,
     "What monitors judged longer ago is forgotten by `gyre gc`; the newest 5,000 windows of a "
     "monitor are kept at most, its newest one always. 0 = kept that long."},
    {"retention.trash", config::Type::kSeconds, "30d", 1, 1e10,
     "What was removed longer ago is ended by `gyre gc`, for good."},
    {"retention.deleted", config::Type::kSeconds, "30d", 0, 1e10,
     "Runs, experiments and logged models that MLflow's clients deleted longer ago are ended by "
     "`gyre gc`, for good; until then clients can restore them. 0 = kept for ever."},
    {"retention.queries", config::Type::kSeconds, "7d", 3600, 1e10,
     "Queries that ended longer ago are forgotten by `gyre gc`."},
    {"retention.firings", config::Type::kSeconds, "90d", 2'678'400, 1e10,
     "What triggers heard and did longer ago is forgotten by `gyre gc`; their guards look back 30 "
     "days."},
    {"retention.pipelines", config::Type::kSeconds, "90d", 0, 1e10,
     "Runs of pipelines that ended longer ago are forgotten by `gyre gc`, with their logs and "
     "files; "
     "results that a cache still serves stay. 0 = kept for ever."},
    {"retention.kpis", config::Type::kSeconds, "400d", 3600, 1e10,
     "What KPIs were longer ago is forgotten."},
    {"query.timeout", config::Type::kSeconds, "10m", 1, 86'400,
     "An SQL query, or a plan or export that a client waits for, is ended after this time."},
    {"database.readers_max", config::Type::kInt, "8", 1, 64, "Connections that read at once."},
};

}  // namespace gyre
