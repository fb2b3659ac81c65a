//! The inbox: facts are stored first, under a key that makes a repeat harmless, then applied by the state machine.
//! What has queued is applied in one transaction; a batch is what waits, there is no timer.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use tokio::sync::{broadcast, mpsc};

use super::{
    DeskError, Envelope,
    batch::{Batch, Recorded, call_of_room},
};
use crate::{
    clock::SharedClock,
    domain::{
        breaker::Limits,
        event::{CallEvent, Kind, Source, Target},
        id::CallId,
    },
    failpoint::reach,
    store::{Lane, Store, StoreError},
};

/// News that came by itself, for whoever would otherwise ask only later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub call: Option<CallId>,
    /// Somebody left, or the room closed: worth a look at once.
    pub left: bool,
}

/// Events of one transaction at most: few enough that the listener reads the next ones meanwhile, and that no
/// teller waits long; many enough to share its sync.
const BATCH: usize = 32;

/// The inbox task: takes what waits, applies it together, answers each sender after the commit.
pub(super) async fn inbox(store: Store, clock: SharedClock, breaker: Limits, mut waiting: mpsc::Receiver<Envelope>, told: broadcast::Sender<Told>) {
    let apply = |events: Arc<[CallEvent]>| apply(&store, &clock, breaker, events, &told);
    loop {
        let mut batch = Vec::new();
        if waiting.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        reach("inbox.turn");
        let (events, answers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let events: Arc<[CallEvent]> = events.into();
        match apply(events.clone()).await {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    drop(answer.send(Ok(result)));
                }
            }
            Err(_) if events.len() > 1 => {
                // One bad event must fail alone.
                for (event, answer) in events.iter().zip(answers) {
                    let done = apply([event.clone()].into()).await;
                    let done = done.inspect_err(|e| tracing::error!(target: "desk", error = %e, "an event could not be stored"));
                    drop(answer.send(done.map(|r| r.first().copied().unwrap_or(Recorded::Stored))));
                }
            }
            Err(e) => {
                tracing::error!(target: "desk", error = %e, "an event could not be stored");
                let told = |e: &DeskError| match e {
                    DeskError::Store(e) => e.echo(),
                    e => StoreError::Busy(e.to_string()),
                };
                for answer in answers {
                    drop(answer.send(Err(told(&e).into())));
                }
            }
        }
    }
}

/// Applies events together, and tells who listens. A panic is an error like any other: what it leaves is in
/// the database, and that is undone, or kept whole.
async fn apply(
    store: &Store,
    clock: &SharedClock,
    breaker: Limits,
    events: Arc<[CallEvent]>,
    told: &broadcast::Sender<Told>,
) -> Result<Vec<Recorded>, DeskError> {
    let (clock, written) = (clock.clone(), events.clone());
    let applied = async {
        reach("record.begin");
        // The moment of the transaction, not of the queue before it.
        let done = store.write(Lane::Urgent, move |tx| Box::pin(async move { Batch::new(clock.now(), breaker).run(tx, &written).await })).await;
        reach("record.committed");
        done
    };
    let done = AssertUnwindSafe(applied).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(target: "desk", "an event broke down (its panic is logged above) and fails alone");
        Err(StoreError::Broken.into())
    });
    if done.is_ok() {
        for news in events.iter().filter_map(news) {
            // Without an engine nobody listens.
            drop(told.send(news));
        }
    }
    done
}

fn news(event: &CallEvent) -> Option<Told> {
    if event.source != Source::Livekit {
        return None;
    }
    let call = match &event.target {
        Target::Call(id) => Some(*id),
        Target::Room(room) => call_of_room(room),
        Target::CallSid(_) | Target::None => None,
    };
    Some(Told { call, left: matches!(event.kind, Kind::LegLeft { .. } | Kind::AgentLeft(_) | Kind::RoomFinished) })
}
