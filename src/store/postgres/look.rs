//! What a server tells of itself: its time, how far it is, who else writes, how many connections it has.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use sqlx::{PgConnection, PgPool};

use super::answers::late;

/// Questions of which the quickest says how far the server is.
const QUESTIONS: usize = 5;
/// Of so many looks the quickest is believed: this host may have been busy at the others.
const LOOKS: usize = 6;
/// A look that takes longer has no answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was seen at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerLook {
    /// The server's clock, at some moment of the last `took`.
    pub time: DateTime<Utc>,
    pub took: Duration,
    /// Processes that write into this database, this one among them.
    pub writers: i64,
}

/// Connections of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// All that there are now.
    pub used: i64,
    /// As many as it takes of logins like this one.
    pub most: i64,
    /// Those of dialdeck's processes on this database.
    pub ours: i64,
}

/// How far it is, there and back.
#[derive(Debug)]
pub(super) struct Distance(Mutex<VecDeque<Duration>>);

impl Distance {
    pub(super) fn new(first: Duration) -> Self {
        Self(Mutex::new([first].into()))
    }

    pub(super) fn is(&self) -> Duration {
        self.0.lock().iter().min().copied().unwrap_or_default()
    }

    fn add(&self, measured: Duration) {
        let mut seen = self.0.lock();
        seen.push_back(measured);
        if seen.len() > LOOKS {
            seen.pop_front();
        }
    }
}

/// There and back, at its quickest.
pub(super) async fn measured(conn: &mut PgConnection) -> Result<Duration, sqlx::Error> {
    let mut best = Duration::MAX;
    for _ in 0..QUESTIONS {
        let asked = Instant::now();
        sqlx::raw_sql("SELECT 1").execute(&mut *conn).await?;
        best = best.min(asked.elapsed());
    }
    Ok(best)
}

const WRITERS: &str =
    "SELECT clock_timestamp(), (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'dialdeck writer')";

pub(super) async fn look(read: &PgPool, distance: &Distance) -> Result<ServerLook, sqlx::Error> {
    let look = async {
        let mut conn = read.acquire().await?;
        distance.add(measured(&mut conn).await?);
        let asked = Instant::now();
        let (time, writers) = sqlx::query_as(WRITERS).fetch_one(&mut *conn).await?;
        Ok(ServerLook { time, took: asked.elapsed(), writers })
    };
    tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| Err(late("the database has not answered in time")))
}

/// By the sums: what the sessions of others are, this role may not see.
const CONNECTIONS: &str = "SELECT (SELECT COALESCE(sum(numbackends), 0)::bigint FROM pg_stat_database),
            current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint,
            (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'dialdeck %')";

pub(super) async fn connections(read: &PgPool) -> Result<Connections, sqlx::Error> {
    let (used, most, ours) = sqlx::query_as(CONNECTIONS).fetch_one(read).await?;
    Ok(Connections { used, most, ours })
}
