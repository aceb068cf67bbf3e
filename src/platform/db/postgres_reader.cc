#include "platform/db/postgres_reader.h"

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "platform/exec/library.h"

namespace gyre::db {
namespace {

constexpr const char* kLibrary = "libpq.so.5";
// One moment for all questions, and nothing can be written.
constexpr const char* kBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

// The functions of libpq that are called.
struct Libpq {
  decltype(&PQconnectdb) connect = nullptr;
  decltype(&PQfinish) finish = nullptr;
  decltype(&PQstatus) status = nullptr;
  decltype(&PQerrorMessage) error = nullptr;
  decltype(&PQexec) exec = nullptr;
  decltype(&PQsendQueryParams) send = nullptr;
  decltype(&PQsetSingleRowMode) row_by_row = nullptr;
  decltype(&PQgetResult) result = nullptr;
  decltype(&PQresultStatus) result_status = nullptr;
  decltype(&PQclear) clear = nullptr;
  decltype(&PQntuples) rows = nullptr;
  decltype(&PQgetisnull) is_null = nullptr;
  decltype(&PQgetvalue) value = nullptr;
  decltype(&PQgetlength) length = nullptr;
};

template <typename Function>
Result<> Load(const exec::Library& library, const char* name, Function* function) {
  GYRE_TRY(void* const symbol, library.Symbol(name));
  *function = reinterpret_cast<Function>(symbol);  // NOLINT: what dlsym is for
  return {};
}

Result<Libpq> LoadLibpq() {
  const auto library = exec::Library::Open(kLibrary);
  if (!library)
    return FailedPrecondition("GY1420", "PostgreSQL's client library {} is not installed", kLibrary)
        .Why(library.error().why())
        .Fix("apt install libpq5    (dnf install libpq, apk add libpq)");
  Libpq pq;
  GYRE_DO(Load(*library, "PQconnectdb", &pq.connect));
  GYRE_DO(Load(*library, "PQfinish", &pq.finish));
  GYRE_DO(Load(*library, "PQstatus", &pq.status));
  GYRE_DO(Load(*library, "PQerrorMessage", &pq.error));
  GYRE_DO(Load(*library, "PQexec", &pq.exec));
  GYRE_DO(Load(*library, "PQsendQueryParams", &pq.send));
  GYRE_DO(Load(*library, "PQsetSingleRowMode", &pq.row_by_row));
  GYRE_DO(Load(*library, "PQgetResult", &pq.result));
  GYRE_DO(Load(*library, "PQresultStatus", &pq.result_status));
  GYRE_DO(Load(*library, "PQclear", &pq.clear));
  GYRE_DO(Load(*library, "PQntuples", &pq.rows));
  GYRE_DO(Load(*library, "PQgetisnull", &pq.is_null));
  GYRE_DO(Load(*library, "PQgetvalue", &pq.value));
  GYRE_DO(Load(*library, "PQgetlength", &pq.length));
  return pq;
}

// Values come as text.
class PostgresRow : public Row {
 public:
  PostgresRow(const Libpq& pq, const PGresult* result) : pq_(pq), result_(result) {}
  bool IsNull(int column) const override { return pq_.is_null(result_, 0, column) != 0; }
  std::int64_t Int(int column) const override {
    const std::string_view text = Text(column);
    if (text == "t") return 1;
    return ParseInt(text).value_or(0);
  }
  double Real(int column) const override { return ParseDouble(Text(column)).value_or(0); }
  std::string_view Text(int column) const override {
    return {pq_.value(result_, 0, column),
            static_cast<std::size_t>(pq_.length(result_, 0, column))};
  }

 private:
  const Libpq& pq_;
  const PGresult* result_;
};

std::optional<std::string> TextOf(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.variant()))
    return fmt::format("{}", *number);
  if (const auto* real = std::get_if<double>(&value.variant())) return fmt::format("{}", *real);
  if (const auto* text = std::get_if<std::string_view>(&value.variant())) return std::string(*text);
  return std::nullopt;
}

class PostgresConnection : public PostgresReader, private Reader {
 public:
  PostgresConnection(Libpq pq, PGconn* connection) : pq_(pq), connection_(connection) {}
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;
  ~PostgresConnection() override { pq_.finish(connection_); }

  Result<> Begin() {
    if (pq_.status(connection_) != CONNECTION_OK) return Failure("cannot be reached");
    const Answer begun = Take(pq_.exec(connection_, kBegin));
    if (pq_.result_status(begun.get()) != PGRES_COMMAND_OK) return Failure("does not let us read");
    return {};
  }

  Result<> Read(const std::function<Result<>(Reader&)>& body) override { return body(*this); }

 private:
  using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;
  Answer Take(PGresult* result) const { return {result, pq_.clear}; }

  Result<> Query(std::string_view sql, Params params, const RowCallback& row) override {
    return QueryList(sql, std::span(params.begin(), params.size()), row);
  }

  Result<> QueryList(std::string_view sql, std::span<const Value> params,
                     const RowCallback& row) override {
    std::string text(sql);
    for (char& c : text)
      if (c == '?') c = '$';  // texts of SQL are ours: no other question marks
    std::vector<std::optional<std::string>> values;
    std::vector<const char*> pointers;
    values.reserve(params.size());
    for (const Value& value : params) {
      values.push_back(TextOf(value));
      pointers.push_back(values.back() ? values.back()->c_str() : nullptr);
    }
    const int count = static_cast<int>(pointers.size());
    if (pq_.send(connection_, text.c_str(), count, nullptr, pointers.data(), nullptr, nullptr, 0) ==
        0)
      return Failure("does not answer");
    pq_.row_by_row(connection_);
    return TakeRows(row);
  }

  // To the last answer, also after an error: the connection is free for the next question then.
  Result<> TakeRows(const RowCallback& row) {
    Result<> outcome;
    while (const Answer answer = Take(pq_.result(connection_))) {
      const ExecStatusType status = pq_.result_status(answer.get());
      if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
        if (outcome) outcome = Failure("does not answer");
      } else if (status == PGRES_SINGLE_TUPLE && outcome && pq_.rows(answer.get()) == 1) {
        outcome = row(PostgresRow(pq_, answer.get()));
      }
    }
    return outcome;
  }

  Error Failure(std::string_view what) const {
    return MakeError(Code::kUnavailable, "GY1421", "the PostgreSQL database {}", what)
        .Why(std::string(Trim(pq_.error(connection_))));
  }

  const Libpq pq_;
  PGconn* const connection_;
};

}  // namespace

Result<std::unique_ptr<PostgresReader>> OpenPostgres(const std::string& url) {
  GYRE_TRY(const Libpq pq, LoadLibpq());
  auto connection = std::make_unique<PostgresConnection>(pq, pq.connect(url.c_str()));
  GYRE_DO(connection->Begin());
  return std::unique_ptr<PostgresReader>(std::move(connection));
}

}  // namespace gyre::db
