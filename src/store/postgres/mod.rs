//! PostgreSQL: one server for many hosts. One connection of this process writes (see [`line`]), a pool of others reads,
//! and one hears of the commits of other processes (see [`bell`]).

mod answers;
mod bell;
mod line;
mod look;
mod past;
mod readers;
mod session;
#[cfg(debug_assertions)]
pub(super) mod shadow;

use std::{str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub(super) use line::Line;
pub use look::{Connections, ServerLook};
pub use past::Lineage;
pub(super) use readers::{Held, Readers};

use super::{
    StoreError,
    file::Place,
    pool::{Turns, Whose},
    postgres_schema::migrate_postgres,
};
use look::Distance;
use past::Past;

/// The writer's, and the one that hears of other processes' commits.
const OTHERS: u32 = 2;
/// A server that takes no connection in that time is not there.
const CONNECT: Duration = Duration::from_secs(5);
/// A screen says that nothing can be read after so long.
const ACQUIRE: Duration = Duration::from_secs(2);
/// A reader that was not used for so long is asked whether it still is one.
const UNUSED: Duration = Duration::from_secs(2);

/// The readers of a server, and what is known of it.
pub(super) struct Server {
    read: PgPool,
    /// What the writer of this process is called in the table of writers.
    me: Uuid,
    distance: Distance,
    past: Arc<Past>,
    passes_by_owners: bool,
    turns: Option<Turns>,
    /// Ends the bell.
    _open: DropGuard,
}

impl Server {
    pub(super) fn readers<'p>(&'p self, whose: Whose, held: Option<&'p Held>) -> Readers<'p> {
        Readers {
            pool: &self.read,
            whose,
            held,
            #[cfg(debug_assertions)]
            me: self.me,
        }
    }

    /// See [`shadow`].
    #[cfg(debug_assertions)]
    pub(super) fn watch(&self) -> std::sync::Arc<shadow::Shadow> {
        shadow::watch(self.me)
    }

    /// Only under simulated time.
    pub(super) fn turns(&self) -> Option<&Turns> {
        self.turns.as_ref()
    }

    pub(super) fn round_trip(&self) -> Duration {
        self.distance.is()
    }

    pub(super) async fn look(&self) -> Result<ServerLook, StoreError> {
        Ok(look::look(&self.read, &self.distance).await?)
    }

    pub(super) async fn connections(&self) -> Result<Connections, StoreError> {
        Ok(look::connections(&self.read).await?)
    }

    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    pub(super) fn passes_by_owners(&self) -> bool {
        self.passes_by_owners
    }

    /// Changes when another process has committed.
    pub(super) async fn version_of_data(&self) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(COALESCE(sum(batch), 0) AS BIGINT) FROM writers WHERE incarnation <> $1";
        Ok(sqlx::query_scalar(sql).bind(self.me).fetch_one(self.readers(None, None)).await?)
    }
}

/// Whether a URL is one of a PostgreSQL server.
pub(super) fn is_meant(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The server in a URL, in words that may be shown: no user, no password, no parameters.
pub(super) fn named(url: &str) -> String {
    PgConnectOptions::from_str(url).map_or_else(|_| "postgres://".to_owned(), |o| words_for(&o))
}

fn words_for(o: &PgConnectOptions) -> String {
    let host = o.get_socket().map_or_else(|| o.get_host().to_owned(), |s| s.display().to_string());
    format!("postgres://{host}:{}/{}", o.get_port(), o.get_database().unwrap_or(o.get_username()))
}

/// Opens the database of a URL, whose schema is brought up to date where this login may, with so many connections at
/// most. Where all go by turns nothing rings: it would come at any moment.
pub(super) async fn open(url: &str, connections: u32, turns: Option<Turns>, revision: &watch::Sender<u64>) -> Result<(Line, Server, Place), StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|e| StoreError::Open { path: "postgres://".to_owned(), why: format!("{e}. Write postgres://USER:PASSWORD@HOST:5432/NAME") })?;
    let place = Place::of_server(words_for(&options));
    // Whether it is there at all, in a bounded time: a change of a large table takes the time it takes.
    let (mut first, _) = session::begin(&options).await.map_err(|e| place.cannot_open(&words_of(&e)))?;
    session::check_login(&mut first).await.map_err(|e| place.cannot_open(&words_of(&e.into())))?;
    drop(first.close().await);
    let passes_by_owners = migrate_postgres(url).await?.passes_by_owners;
    if passes_by_owners {
        tracing::warn!(target: "store", "this login passes by the doors between owners, as a superuser does: give dialdeck one of its own");
    }
    let me = Uuid::now_v7();
    let past = Arc::<Past>::default();
    let mut line = Line::new(options.clone(), me, past.clone());
    line.connect().await.map_err(|e| place.cannot_open(&words_of(&e)))?;
    line.settle_in().await.map_err(|e| place.cannot_open(&e))?;
    let first = line.measured().await.map_err(|e| place.cannot_open(&e))?;
    let readers_at_most = connections.saturating_sub(OTHERS).max(1) + 1;
    let read = readers(session::reading(&options, line.is_pooled()), readers_at_most).await.map_err(|e| place.cannot_open(&e))?;
    let open = CancellationToken::new();
    if turns.is_none() {
        tokio::spawn(bell::heard(read.clone(), me, revision.clone(), open.clone()));
    }
    let server = Server { read, me, distance: Distance::new(first), past, passes_by_owners, turns, _open: open.drop_guard() };
    Ok((line, server, place))
}

/// An error's own words, without those that it gets where it is told.
fn words_of(e: &StoreError) -> String {
    match e {
        StoreError::Busy(why) | StoreError::Away(why) | StoreError::Unfit(why) => why.clone(),
        e => e.to_string(),
    }
}

/// A connection, or the reason in a bounded time.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    tokio::time::timeout(CONNECT, PgConnection::connect_with(options)).await.unwrap_or_else(|_| Err(answers::late("the server took no connection")))
}

async fn readers(options: PgConnectOptions, most: u32) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .after_connect(|conn, _| Box::pin(session::as_reader(conn)))
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                if meta.idle_for < UNUSED {
                    return Ok(true);
                }
                Ok(tokio::time::timeout(CONNECT, conn.ping()).await.is_ok_and(|answer| answer.is_ok()))
            })
        })
        // One that was a user's is nobody's until it is the engine's again; one whose question was given up for its
        // time is not waited for.
        .after_release(|conn, _| {
            Box::pin(
                async move { tokio::time::timeout(CONNECT, session::be_engine(conn)).await.unwrap_or_else(|_| Err(answers::late("no answer"))).map(|()| true) },
            )
        })
        .connect_with(options)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_without_what_opens_it() {
        assert_eq!(named("postgres://ann:s3cret@db.example:6432/calls?sslmode=require"), "postgres://db.example:6432/calls");
        assert_eq!(named("postgresql://ann:s3cret@%2Frun%2Fpg/calls"), "postgres:///run/pg:5432/calls");
        assert!(!named("postgres://ann:s3c:ret@[::bad/x").contains("s3c"));
        assert!(is_meant("postgres://x/y") && !is_meant("sqlite:postgres://x"));
    }
}
