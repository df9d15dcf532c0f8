/* SPDX-License-Identifier: MIT */
/*
 * What SQLite can do at best with our rows: inserts into TABLE of a database that is there, from a file of 64-bit integers
 * row by row, the columns in the order of the table. One transaction for each BATCH rows, PER_STATEMENT rows a
 * statement, and the settings that the recorder has. Prints the rows, and the nanoseconds without opening and closing.
 */
#include "bench.h"
#include "sqlite3.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NIL (-9007199254740991LL) /* recorder/rows.ts */

static sqlite3 *db;

static _Noreturn void broken(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
	exit(2);
}

static void run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		broken(sql);
}

static sqlite3_stmt *prepare(const char *table, int columns, int rows)
{
	size_t room = 64 + strlen(table) + (size_t)rows * (columns * 2 + 3);
	char *sql = malloc(room);
	sqlite3_stmt *statement;
	int at = snprintf(sql, room, "INSERT INTO \"%s\" VALUES ", table);

	for (int row = 0; row < rows; row++) {
		at += snprintf(sql + at, room - at, row ? ",(" : "(");
		for (int column = 0; column < columns; column++)
			at += snprintf(sql + at, room - at, column ? ",?" : "?");
		at += snprintf(sql + at, room - at, ")");
	}
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
		broken(sql);
	free(sql);
	return statement;
}

static void insert(sqlite3_stmt *statement, const long long *values, int count)
{
	for (int i = 0; i < count; i++) {
		if (values[i] == NIL)
			sqlite3_bind_null(statement, i + 1);
		else
			sqlite3_bind_int64(statement, i + 1, values[i]);
	}
	if (sqlite3_step(statement) != SQLITE_DONE)
		broken("insert");
	sqlite3_reset(statement);
}

int main(int argc, char **argv)
{
	struct stat stat;

	if (argc != 7)
		usage("insert DATABASE TABLE COLUMNS ROWS_FILE BATCH PER_STATEMENT");
	int columns = atoi(argv[3]), many = atoi(argv[6]);
	long batch = atol(argv[5]);
	int fd = open(argv[4], O_RDONLY);

	if (fd < 0 || fstat(fd, &stat) != 0)
		die(argv[4]);
	const long long *values = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);

	if (values == MAP_FAILED)
		die("mmap");
	long rows = stat.st_size / (columns * sizeof(*values));

	if (sqlite3_open(argv[1], &db) != SQLITE_OK)
		broken(argv[1]);
	run("PRAGMA journal_mode = WAL");
	run("PRAGMA synchronous = FULL");
	run("PRAGMA foreign_keys = OFF");
	run("PRAGMA cache_size = -16000");
	sqlite3_stmt *by_many = prepare(argv[2], columns, many);
	sqlite3_stmt *by_one = prepare(argv[2], columns, 1);
	long long from = now_ns();

	for (long at = 0; at < rows;) {
		long end = at + batch < rows ? at + batch : rows;

		run("BEGIN IMMEDIATE");
		for (; at + many <= end; at += many)
			insert(by_many, values + at * columns, many * columns);
		for (; at < end; at++)
			insert(by_one, values + at * columns, columns);
		run("COMMIT");
	}
	done(rows, from);
	sqlite3_finalize(by_many);
	sqlite3_finalize(by_one);
	sqlite3_close(db);
}
