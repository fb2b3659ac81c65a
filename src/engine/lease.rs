//! Where hosts share a database one engine dials: its lease is renewed while it lives, and once another has it this one
//! dials no more. Arming looks for itself who leads, in the transaction that arms: this is what tells the others.

use std::sync::Arc;

use super::{
    calls::Calls,
    context::{Context, Stop},
    health::Health,
    reconciler::hostname,
};

/// Of the lease: it is renewed when so much of it has gone.
const THIRD: i32 = 3;

/// Until it must leave, or has seen its calls to their end: then whoever waits takes over.
pub(super) async fn keep(ctx: Arc<Context>, health: Arc<Health>, calls: Arc<Calls>, stop: Stop) {
    let mut ready = health.ready();
    tokio::select! {
        // It was taken with the calls of the engine before.
        taken = ready.wait_for(|ready| *ready) => if taken.is_err() { return },
        () = stop.now.cancelled() => return,
        () = calls.drained(&ctx, &stop) => return,
    }
    let lease = ctx.config.lease;
    loop {
        match ctx.desk.renew_lease(ctx.incarnation, hostname(), lease).await {
            Ok(true) => {}
            Ok(false) => return health.replaced(),
            Err(e) => tracing::warn!(target: "engine", error = %e, "the lease could not be renewed"),
        }
        tokio::select! {
            () = stop.now.cancelled() => return,
            () = calls.drained(&ctx, &stop) => return,
            () = ctx.sleep(lease / THIRD) => {}
        }
    }
}
