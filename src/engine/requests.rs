//! Reads what somebody asks for off the rows: calls made by hand, each taken to its dial at once or refused; and
//! what is asked of live calls: tells followers of hang-ups, has the rest carried out by an errand each, and
//! closes what is over. Nothing is begun twice: an errand takes its row before it acts, and
//! what an engine left behind is nobody's to do again.

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    calls::Calls,
    context::{Context, Stop},
    dialer::Dialler,
    errand::Errand,
    health::Health,
    supervisor::Supervisor,
};
use crate::{
    desk::DeskError,
    domain::{
        dispatch::{Closed, Gate},
        id::RequestId,
        request::Kind,
    },
    store::OpenRequest,
};

/// Looks at the rows at least this often, for a bell that was missed.
const EVERY: Duration = Duration::seconds(10);
/// Bells that ring together are one.
const REST: Duration = Duration::milliseconds(20);
/// A call that another engine holds is left to it so long.
const THEIRS: Duration = Duration::seconds(2);

pub(super) struct Requests {
    ctx: Arc<Context>,
    health: Arc<Health>,
    calls: Arc<Calls>,
    supervisor: Arc<Supervisor>,
    /// Errands that have been begun, as long as their rows are open.
    begun: HashSet<RequestId>,
    broken: Arc<Broken>,
}

/// Errands that broke down: nobody finishes their rows but whoever looks here.
#[derive(Default)]
struct Broken {
    requests: Mutex<Vec<RequestId>>,
    bell: Notify,
}

impl Broken {
    fn add(&self, request: RequestId) {
        self.requests.lock().push(request);
        self.bell.notify_one();
    }
}

impl Requests {
    pub fn new(ctx: Arc<Context>, health: Arc<Health>, calls: Arc<Calls>, supervisor: Arc<Supervisor>) -> Self {
        Self { ctx, health, calls, supervisor, begun: HashSet::new(), broken: Arc::default() }
    }

    pub async fn run(mut self, stop: Stop) {
        let (ctx, calls, broken) = (self.ctx.clone(), self.calls.clone(), self.broken.clone());
        let mut bell = ctx.desk.store().bell();
        loop {
            let next = match self.look().await {
                Ok(next) => next,
                Err(e) => {
                    tracing::warn!(target: "engine", error = %e, "requests cannot be read");
                    None
                }
            };
            let wake = next.unwrap_or(ctx.now() + EVERY);
            tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = calls.drained(&ctx, &stop) => return,
                () = broken.bell.notified() => {}
                _ = bell.changed() => ctx.sleep(REST).await,
                () = ctx.clock.sleep_until(wake) => {}
            }
        }
    }

    /// One look at all that is open; when to look again.
    async fn look(&mut self) -> Result<Option<DateTime<Utc>>, DeskError> {
        self.give_up_broken().await?;
        let open = self.ctx.desk.store().open_requests().await?;
        let asked = open.iter().filter(|r| r.request.kind == Kind::Hangup && !r.state.is_ended());
        self.calls.following.hangups_asked(asked.map(|r| r.request.call_id).collect());
        self.begun.retain(|id| open.iter().any(|r| r.request.id == *id));
        let (over, open): (Vec<_>, Vec<_>) = open.into_iter().partition(is_over);
        if !over.is_empty() {
            self.ctx.desk.close_requests(over.into_iter().map(|r| (r.request.id, r.request.kind)).collect()).await?;
        }
        let mut next = None;
        for r in open {
            next = next.into_iter().chain(self.see(r).await?).min();
        }
        self.take_calls().await?;
        Ok(next)
    }

    /// Whoever asked is told at once, not when another engine starts.
    async fn give_up_broken(&self) -> Result<(), DeskError> {
        let broken = self.broken.requests.lock().clone();
        for id in broken {
            self.ctx.desk.request_broke(id).await?;
            self.broken.requests.lock().retain(|b| *b != id);
        }
        Ok(())
    }

    /// Calls that somebody asked for: each is on its way now, or is refused now.
    async fn take_calls(&self) -> Result<(), DeskError> {
        let Self { ctx, health, calls, supervisor, .. } = self;
        if !*health.ready().borrow() {
            return Ok(());
        }
        for row in ctx.desk.store().asked_calls().await? {
            if let Some(words) = self.in_the_way() {
                ctx.desk.refuse_asked(row.id, Closed::new(Gate::Engine, words)).await?;
                continue;
            }
            let lease = ctx.config.claim_lease;
            if let Some(claimed) = ctx.desk.claim_asked(ctx.installation, row.id, ctx.incarnation, lease).await? {
                Dialler { ctx: ctx.clone(), health: health.clone(), calls: calls.clone(), supervisor: supervisor.clone(), claimed }.start();
            }
        }
        Ok(())
    }

    fn in_the_way(&self) -> Option<&'static str> {
        let health = &self.health;
        if health.may_not_dial() {
            return Some("the engine is ending");
        }
        if health.clock_is_doubted() || self.ctx.clock.stepped().is_some() {
            return Some("this host's clock was set: nothing is dialled until it is believed again");
        }
        health.outage_known().then_some("LiveKit connection failed: LiveKit or its SIP service is away")
    }

    async fn see(&mut self, r: OpenRequest) -> Result<Option<DateTime<Utc>>, DeskError> {
        let (ctx, request, mine) = (&self.ctx, r.request, self.ctx.incarnation);
        if request.kind == Kind::Hangup || !*self.health.ready().borrow() {
            return Ok(None);
        }
        match request.taken_by {
            Some(by) if by != mine => ctx.desk.give_up_request(request.id, mine).await?,
            None if r.incarnation != Some(mine) && ctx.now() - request.at < THEIRS => return Ok(Some(request.at + THEIRS)),
            None if self.begun.insert(request.id) => {
                let (broken, id) = (self.broken.clone(), request.id);
                self.supervisor.start_with("request", Errand { ctx: ctx.clone(), request }.run(), move || broken.add(id));
            }
            // Begun already.
            Some(_) | None => {}
        }
        Ok(None)
    }
}

/// The call has ended, and nobody is at it: what is taken is finished by its taker.
fn is_over(r: &OpenRequest) -> bool {
    r.state.is_ended() && (r.request.kind == Kind::Hangup || r.request.taken_by.is_none())
}
