//! What is known of a server as such, where the database is one: who looks at a file is told that it is none.

use std::time::Duration;

use super::{
    Connections, Lineage, ServerLook, Store, StoreError, Tx,
    pool::{Conn, Pool},
};

impl Store {
    /// Farther than this, there and back, a database holds the world's writers up: they take turns.
    pub const FAR: Duration = Duration::from_millis(1);

    /// Connections of one process, where nobody says otherwise.
    pub const CONNECTIONS: u32 = 8;

    /// How long a question to the database is under way there and back, where it is a server.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        match self.pool().pool {
            Pool::Sqlite { .. } => None,
            Pool::Postgres(server) => Some(server.round_trip()),
        }
    }

    /// The server's time, its distance anew, and who writes; `None` where it is a file.
    pub async fn look_at_server(&self) -> Result<Option<ServerLook>, StoreError> {
        match self.pool().pool {
            Pool::Sqlite { .. } => Ok(None),
            Pool::Postgres(server) => Ok(Some(server.look().await?)),
        }
    }

    /// How many connections the server has; `None` where it is a file.
    pub async fn connections(&self) -> Result<Option<Connections>, StoreError> {
        match self.pool().pool {
            Pool::Sqlite { .. } => Ok(None),
            Pool::Postgres(server) => Ok(Some(server.connections().await?)),
        }
    }

    /// Which database of which history answered last; `None` where it is a file.
    #[must_use]
    pub fn lineage(&self) -> Option<Lineage> {
        match self.pool().pool {
            Pool::Sqlite { .. } => None,
            Pool::Postgres(server) => server.past().lineage(),
        }
    }

    /// The database went back in time under this process, and that is not [told](Store::break_is_told) yet: nothing is
    /// armed meanwhile.
    #[must_use]
    pub fn went_back(&self) -> Option<u64> {
        match self.pool().pool {
            Pool::Sqlite { .. } => None,
            Pool::Postgres(server) => server.past().broken(),
        }
    }

    /// Dialling is held in the database itself.
    pub fn break_is_told(&self, which: u64) {
        if let Pool::Postgres(server) = self.pool().pool {
            server.past().is_told(which);
        }
    }
}

impl Tx {
    /// The database of this transaction is behind what this process knows of it.
    #[must_use]
    pub fn went_back(&self) -> bool {
        match &self.conn {
            Conn::Sqlite(_) => false,
            Conn::Postgres(line) => line.went_back(),
        }
    }
}
