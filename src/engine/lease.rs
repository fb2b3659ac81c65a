//! Where hosts share a database one engine dials: its lease is renewed while it lives, and once another has it this one
//! dials no more. Arming looks for itself who leads, in the transaction that arms: this is what tells the others.

use std::sync::Arc;

use chrono::Duration;

use super::{
    context::{Context, Stop},
    health::Health,
    reconciler::hostname,
};

/// A third of the lease.
const EVERY: Duration = Duration::seconds(2);

pub(super) async fn keep(ctx: Arc<Context>, health: Arc<Health>, stop: Stop) {
    let mut ready = health.ready();
    tokio::select! {
        // It was taken with the calls of the engine before.
        taken = ready.wait_for(|ready| *ready) => if taken.is_err() { return },
        () = stop.now.cancelled() => return,
    }
    loop {
        match ctx.desk.renew_lease(ctx.incarnation, hostname()).await {
            Ok(true) => {}
            Ok(false) => return health.replaced(),
            Err(e) => tracing::warn!(target: "engine", error = %e, "the lease could not be renewed"),
        }
        tokio::select! {
            () = stop.now.cancelled() => return,
            () = ctx.sleep(EVERY) => {}
        }
    }
}
