//! Which engine dials where several hosts have one database: whoever holds the lease, by the server's clock. One file
//! is one host's, and there the lock beside it decides.

use super::{
    Store, StoreError, Tx,
    pool::{on, on_tx},
    sql::Kind,
};
use crate::domain::id::Incarnation;

/// Who dials, and for how long that stands.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Lease {
    pub incarnation: Incarnation,
    pub host: String,
    /// Seconds; none are left when it has run out.
    pub left: f64,
}

impl Store {
    /// The lease of this database; `None` where nobody ever had it, or one file is all there is.
    pub async fn lease(&self) -> Result<Option<Lease>, StoreError> {
        if self.kind() == Kind::Sqlite {
            return Ok(None);
        }
        let sql = "SELECT incarnation, host, EXTRACT(EPOCH FROM until - clock_timestamp())::double precision AS left FROM dialling";
        Ok(on!(self.every(), |db| sqlx::query_as(sql).fetch_optional(db).await?))
    }
}

impl Tx {
    /// Takes the lease, or renews it; `false` while another engine has it.
    pub async fn take_lease(&mut self, mine: Incarnation, host: &str, seconds: f64) -> Result<bool, StoreError> {
        if self.kind() == Kind::Sqlite {
            return Ok(true);
        }
        let sql = "INSERT INTO dialling (incarnation, host, until) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
                   ON CONFLICT (one) DO UPDATE SET incarnation = excluded.incarnation, host = excluded.host, until = excluded.until
                   WHERE dialling.incarnation = excluded.incarnation OR dialling.until <= clock_timestamp()";
        Ok(on_tx!(self, |db| sqlx::query(sql).bind(mine).bind(host).bind(seconds).execute(&mut *db).await?.rows_affected()) == 1)
    }

    /// Gives the lease back: whoever waits takes over at once.
    pub async fn give_lease_back(&mut self, mine: Incarnation) -> Result<(), StoreError> {
        if self.kind() == Kind::Postgres {
            let sql = "UPDATE dialling SET until = clock_timestamp() WHERE incarnation = $1";
            on_tx!(self, |db| sqlx::query(sql).bind(mine).execute(&mut *db).await?.rows_affected());
        }
        Ok(())
    }
}
