// Migrations of one module: numbered from 1 without gaps, written in SQL that SQLite and PostgreSQL
// both take, compiled in by gyre_module(SCHEMA ...). A released migration is never edited; a
// checksum of its text is kept in the database.
#pragma once

#include <span>
#include <string_view>

namespace gyre::db {

struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;  // statements separated by ';'
};

struct ModuleSchema {
  std::string_view module;  // "ml/tracking"
  std::span<const Migration> migrations;
};

}  // namespace gyre::db
