//! Whether the database that answers is the one that answered before, and knows all that it was told: one that was put
//! back from a backup, or a copy that was behind and took over, does not know whom it called since.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use sqlx::PgConnection;

/// Which database it is: the cluster, its history (a new one begins where a copy takes over, or a backup is put back), and
/// the database in it. A part that a server does not tell is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lineage {
    pub cluster: u64,
    pub timeline: u32,
    pub database: u32,
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}.{:08x}.{:08x}", self.cluster, self.timeline, self.database)
    }
}

impl FromStr for Lineage {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut part = || parts.next().and_then(|p| u64::from_str_radix(p, 16).ok()).ok_or(());
        let (cluster, timeline, database) = (part()?, part()?, part()?);
        let small = |n: u64| u32::try_from(n).map_err(|_| ());
        Ok(Self { cluster, timeline: small(timeline)?, database: small(database)? })
    }
}

impl Lineage {
    /// Whether this one goes on from another; what either does not know tells nothing.
    #[must_use]
    pub fn goes_on_from(&self, before: &Self) -> bool {
        fn same<T: PartialEq + Default + Copy>(a: T, b: T) -> bool {
            a == b || a == T::default() || b == T::default()
        }
        same(self.cluster, before.cluster) && same(self.timeline, before.timeline) && same(self.database, before.database)
    }

    /// As a fresh connection to a server tells. A provider may keep cluster and history to itself.
    pub(super) async fn of(conn: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let sql = "SELECT (SELECT oid::bigint FROM pg_database WHERE datname = current_database())";
        let database: i64 = sqlx::query_scalar(sql).fetch_one(&mut *conn).await?;
        let sql = "SELECT system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint FROM pg_control_system()";
        let (cluster, timeline): (i64, i64) = match sqlx::query_as(sql).fetch_one(conn).await {
            Err(sqlx::Error::Database(_)) => (0, 0),
            told => told?,
        };
        Ok(Self {
            cluster: u64::from_ne_bytes(cluster.to_ne_bytes()),
            timeline: u32::try_from(timeline).unwrap_or(0),
            database: u32::try_from(database).unwrap_or(0),
        })
    }
}

/// A mark in the table of writers stays for seven days after its last write; a longer silence proves nothing.
const KEPT: Duration = Duration::from_hours(6 * 24);

/// What this process knows of the database's past.
#[derive(Debug, Default)]
pub(in crate::store) struct Past(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    lineage: Option<Lineage>,
    /// The last batch of this writer that was kept, and when.
    kept: Option<(i64, Instant)>,
    /// It went back; which time that was, so that a later one is not taken for told.
    broken: Option<u64>,
    times: u64,
}

impl State {
    fn breaks(&mut self) {
        self.times += 1;
        self.broken = Some(self.times);
    }
}

impl Past {
    pub(super) fn kept(&self, batch: i64) {
        self.0.lock().kept = Some((batch, Instant::now()));
    }

    /// A new connection has told which database it is.
    pub(super) fn answers(&self, lineage: Lineage) {
        let mut state = self.0.lock();
        if state.lineage.replace(lineage).is_some_and(|before| !lineage.goes_on_from(&before)) {
            tracing::error!(target: "store", "another database answers than before, or one with another history");
            state.breaks();
        }
    }

    /// Which batch of this writer it has as the last, seen with the writers' turn.
    pub(super) fn knows(&self, batch: Option<i64>) {
        let mut state = self.0.lock();
        if state.kept.is_some_and(|(kept, at)| batch.is_none_or(|b| b < kept) && at.elapsed() < KEPT) {
            tracing::error!(target: "store", "the database has lost what it had said that it kept");
            // What it has now is what later connections are compared with.
            state.kept = batch.map(|b| (b, Instant::now()));
            state.breaks();
        }
    }

    pub(in crate::store) fn lineage(&self) -> Option<Lineage> {
        self.0.lock().lineage
    }

    pub(in crate::store) fn broken(&self) -> Option<u64> {
        self.0.lock().broken
    }

    /// It was told, and dialling is held where everybody sees it.
    pub(in crate::store) fn is_told(&self, time: u64) {
        let mut state = self.0.lock();
        state.broken.take_if(|broken| *broken == time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_that_is_unknown_is_none_that_broke() {
        let one = Lineage { cluster: 7, timeline: 1, database: 9 };
        assert_eq!(one.to_string().parse(), Ok(one));
        assert!(one.goes_on_from(&one) && Lineage { cluster: 0, timeline: 0, ..one }.goes_on_from(&one));
        assert!(!Lineage { timeline: 2, ..one }.goes_on_from(&one) && !Lineage { database: 8, ..one }.goes_on_from(&one));

        let past = Past::default();
        past.answers(one);
        past.kept(4);
        past.answers(one);
        past.knows(Some(4));
        assert_eq!(past.broken(), None, "a connection that was made anew");
        past.knows(Some(3));
        assert_eq!(past.broken(), Some(1), "a batch that was kept is not there");
        past.answers(Lineage { timeline: 2, ..one });
        past.is_told(1);
        assert_eq!(past.broken(), Some(2), "another break meanwhile is not told yet");
        past.is_told(2);
        assert_eq!(past.broken(), None);
    }
}
