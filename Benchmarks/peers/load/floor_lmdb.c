/* The least that durable ingest costs: `floor_lmdb --folder PATH --batch N`: appends of records to an LMDB, N a
   transaction. A commit flushes twice, the pages and then the page that points to them. */

#define _GNU_SOURCE
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

static void check(int result, const char *what) {
    if (result != MDB_SUCCESS) die("%s: %s", what, mdb_strerror(result));
}

int main(int argc, char **argv) {
    struct options options = options_of(argc - 1, argv + 1);
    const char *folder = option_text(&options, "folder", ".");
    uint64_t batch = option_number(&options, "batch", 1), bytes = option_number(&options, "bytes", 150);
    uint64_t milliseconds = option_number(&options, "milliseconds", 1000);
    options_end(&options);
    if (bytes > 4096 || batch < 1) die("--bytes is at most 4096, --batch at least 1");

    MDB_env *environment;
    MDB_dbi table;
    MDB_txn *transaction;
    check(mdb_env_create(&environment), "mdb_env_create");
    check(mdb_env_set_mapsize(environment, UINT64_C(1) << 36), "mdb_env_set_mapsize");
    check(mdb_env_open(environment, folder, MDB_NORDAHEAD, 0600), "mdb_env_open");
    check(mdb_txn_begin(environment, NULL, 0, &transaction), "mdb_txn_begin");
    check(mdb_dbi_open(transaction, NULL, MDB_INTEGERKEY, &table), "mdb_dbi_open");
    check(mdb_txn_commit(transaction), "mdb_txn_commit");

    static struct histogram latency;
    uint8_t content[4096];
    memset(content, '.', sizeof content);
    uint64_t offset = 0;
    struct window window = window_open(getpid());
    while (now_ns() < window.start_ns + milliseconds * 1000000u) {
        uint64_t start_ns = now_ns();
        check(mdb_txn_begin(environment, NULL, 0, &transaction), "mdb_txn_begin");
        for (uint64_t index = 0; index < batch; index++) {
            offset++;
            MDB_val key = {sizeof offset, &offset}, value = {bytes, content};
            check(mdb_put(transaction, table, &key, &value, MDB_APPEND), "mdb_put");
        }
        check(mdb_txn_commit(transaction), "mdb_txn_commit");
        histogram_add(&latency, now_ns() - start_ns);
    }
    window_report(&window, offset, 0, &latency);
    return 0;
}
