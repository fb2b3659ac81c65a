//! SQLite's log of what was written goes into the database's file beside the writer: a round is many pages and
//! two syncs, and no callback waits for it. It needs no turn: a round changes nothing that anybody reads.

use sqlx::SqlitePool;
use tokio::sync::watch;

/// Commits between two looks at how long the log is.
const LOOK: u64 = 16;
/// Pages that are worth a round.
const ROUND: i64 = 1000;
/// Pages from which the writer itself brings in what is left after a commit: while it writes no round beside it
/// catches up, and only a log that is all in the file begins anew.
pub(super) const LONGEST: &str = "8000";

/// Keeps the log short until nobody writes any more.
pub(super) async fn kept_short(db: SqlitePool, mut commits: watch::Receiver<u64>) {
    let mut looked = 0;
    while commits.changed().await.is_ok() {
        let now = *commits.borrow_and_update();
        if now - looked < LOOK {
            continue;
        }
        looked = now;
        if let Err(e) = round(&db).await {
            // The writer does it then.
            tracing::debug!(target: "store", error = %e, "the log of the database was not brought in");
        }
    }
}

async fn round(db: &SqlitePool) -> Result<(), sqlx::Error> {
    let (_busy, pages, done): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(NOOP)").fetch_one(db).await?;
    if pages - done >= ROUND {
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(db).await?;
    }
    Ok(())
}
