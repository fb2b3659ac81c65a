//! Hears that another process has committed, where the server tells it (a direct connection or a pooler's session
//! mode). Where it does not, or not now, the timer beside it does.

use std::time::Duration;

use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const CHANNEL: &str = "dialdeck";
/// Before the next try.
const PAUSE: Duration = Duration::from_secs(2);

pub(super) async fn heard(pool: PgPool, me: Uuid, revision: watch::Sender<u64>, ended: CancellationToken) {
    let me = me.to_string();
    let listen = async {
        loop {
            if let Err(e) = listen(&pool, &me, &revision).await {
                tracing::debug!(target: "store", error = %e, "the bell of the database is not heard");
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = listen => {}
        () = ended.cancelled() => {}
    }
}

async fn listen(pool: &PgPool, me: &str, revision: &watch::Sender<u64>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(CHANNEL).await?;
    // What came before it listened was not heard.
    revision.send_modify(|r| *r += 1);
    while let Some(rung) = listener.try_recv().await? {
        if rung.payload() != me {
            revision.send_modify(|r| *r += 1);
        }
    }
    Ok(())
}
