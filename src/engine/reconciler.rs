//! What a crash or a lost reply left behind: at start before anything is claimed, then every ten
//! seconds. Claims of the dead are released, live calls that nobody follows adopted (also one whose own
//! task broke down), rooms of ours with a phone in them and no live row hung up. Never a re-dial on a guess.

use std::{
    collections::HashSet,
    sync::{Arc, OnceLock},
};

use chrono::Duration;

use super::{
    calls::Calls,
    context::{Context, Stop},
    follower::{Follow, Follower},
    health::Health,
    supervisor::Supervisor,
    timekeeper::Timekeeper,
};
use crate::{
    desk::DeskError,
    domain::{call::State, id::CallId},
    store::{CallRow, Setting},
    telephony::{Deleted, Participant},
};

const EVERY: Duration = Duration::seconds(10);

/// Orphans are looked for every so many rounds.
const SWEEP_EVERY: u32 = 6;

pub(super) struct Reconciler {
    ctx: Arc<Context>,
    health: Arc<Health>,
    calls: Arc<Calls>,
    supervisor: Arc<Supervisor>,
    timekeeper: Arc<Timekeeper>,
    /// Who led when this engine first looked.
    leader_before: OnceLock<Option<String>>,
}

impl Reconciler {
    pub fn new(ctx: Arc<Context>, health: Arc<Health>, calls: Arc<Calls>, supervisor: Arc<Supervisor>, timekeeper: Arc<Timekeeper>) -> Self {
        Self { ctx, health, calls, supervisor, timekeeper, leader_before: OnceLock::new() }
    }

    pub async fn run(self, stop: Stop) {
        let host = hostname();
        let mut round = 0u32;
        loop {
            let done = if round == 0 { self.first_round().await } else { self.later_round().await };
            match done {
                Ok(false) => {}
                Ok(true) => {
                    self.health.reconciled();
                    if round.is_multiple_of(SWEEP_EVERY) && self.ctx.config.orphan_sweep {
                        self.sweep().await;
                    }
                    round = round.wrapping_add(1).max(1);
                }
                Err(e) if round == 0 => tracing::error!(target: "engine", error = %e, "the calls cannot be reconciled: nothing is dialled meanwhile"),
                Err(e) => tracing::error!(target: "engine", error = %e, "the calls cannot be reconciled: it is tried again"),
            }
            match self.ctx.desk.heartbeat(self.ctx.incarnation, host.clone(), std::process::id()).await {
                // Who has not taken over yet is not replaced either.
                Ok(false) if round > 0 => {
                    self.health.replaced();
                    return;
                }
                Ok(_) => self.health.tell_how_long().await,
                Err(e) => tracing::warn!(target: "engine", error = %e, "no heartbeat could be written"),
            }
            tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = self.calls.drained(&self.ctx, &stop) => return,
                () = self.ctx.sleep(EVERY) => {}
            }
        }
    }

    /// Nothing is taken over by a clock that is wrong: it would end calls that are live.
    async fn first_round(&self) -> Result<bool, DeskError> {
        let leader = self.ctx.desk.store().setting(Setting::Leader).await?;
        if *self.leader_before.get_or_init(|| leader.clone()) != leader {
            // While this one was held back another took over.
            self.health.replaced();
            return Ok(false);
        }
        if !self.timekeeper.is_right_at_start().await? {
            self.hang_up_asked().await?;
            return Ok(false);
        }
        self.take_over().await?;
        Ok(true)
    }

    /// Whoever wrote words of trouble takes them back, also where no campaign runs that would look.
    async fn later_round(&self) -> Result<bool, DeskError> {
        self.pick_up().await?;
        if self.health.clock_is_doubted() {
            self.timekeeper.is_right().await;
        }
        self.health.look_at_network().await;
        Ok(true)
    }

    /// While nothing may be taken over, a hang-up that somebody asked for is done all the same.
    async fn hang_up_asked(&self) -> Result<(), DeskError> {
        let rows = self.ctx.desk.store().open_calls().await?;
        for room in rows.into_iter().filter(|r| r.hangup_requested_at.is_some()).filter_map(|r| r.room_name) {
            if let Err(e) = self.ctx.carrier.delete_room(room).await {
                tracing::warn!(target: "engine", error = %e, "a hang-up was not taken");
            }
        }
        Ok(())
    }

    /// The first round: rows of earlier runs on this host, lease or not.
    async fn take_over(&self) -> Result<(), DeskError> {
        let Context { desk, installation, incarnation, .. } = &*self.ctx;
        desk.apply_trunk_limits().await?;
        self.health.check_network().await;
        if self.health.network_closed().is_none() {
            // A word left by an earlier run would outlive its cause.
            desk.report_health(String::new()).await?;
        }
        let (rooms, open) = desk.take_over(*installation, *incarnation, hostname(), self.ctx.config.lease).await?;
        desk.check_lines().await?;
        for room in rooms {
            self.ctx.close_room(room).await;
        }
        if open > 0 {
            tracing::info!(target: "engine", calls = open, "calls of an earlier run are adopted");
        }
        self.pick_up().await
    }

    /// Open calls that no task follows get one; claims that ran out go back.
    async fn pick_up(&self) -> Result<(), DeskError> {
        let forsaken = self.calls.following.forsaken();
        let rows = self.ctx.desk.store().open_calls().await?;
        for room in self.ctx.desk.release_expired(self.ctx.installation, &rows).await? {
            self.ctx.close_room(room).await;
        }
        let mut open: HashSet<CallId> = HashSet::new();
        for row in rows.iter().filter(|r| r.state != State::Claimed) {
            open.insert(row.id);
            self.adopt(row).await;
        }
        for call in forsaken.into_iter().filter(|call| !open.contains(call)) {
            self.calls.following.let_rest(call);
        }
        Ok(())
    }

    async fn adopt(&self, row: &CallRow) {
        if self.calls.in_hands(row.id) {
            return;
        }
        let agent = self.agent_of_row(row).await;
        if let Some(follow) = Follow::adopted(row, agent) {
            Follower::start(&self.supervisor, self.ctx.clone(), self.health.clone(), self.calls.clone(), follow);
        }
    }

    /// The agent worker's name, as the campaign or its assistant gives it.
    async fn agent_of_row(&self, row: &CallRow) -> String {
        match self.ctx.desk.store().campaign(row.user_id, row.campaign_id).await {
            Ok(Some(campaign)) => self.ctx.config.agent_of(&campaign),
            _ => self.ctx.config.agent_name.clone(),
        }
    }

    /// Rooms of our own installation that hold a phone and have no live row are hung up. An agent
    /// alone may be finishing its report; rooms of others are never touched.
    async fn sweep(&self) {
        let prefix = self.ctx.installation.room_prefix();
        let Ok(rooms) = self.ctx.carrier.rooms(Vec::new()).await else { return };
        let ours: Vec<String> = rooms.into_iter().filter(|r| r.starts_with(&prefix)).collect();
        if ours.is_empty() {
            return;
        }
        let Ok(rows) = self.ctx.desk.store().open_calls().await else { return };
        let live: HashSet<String> = rows.iter().map(|r| r.id.to_string()).collect();
        let known = self.calls.following.buried();
        let of_nobody = |room: &String| !known.contains(room) && !live.contains(room.strip_prefix(&prefix).and_then(|r| r.get(..36)).unwrap_or_default());
        // Together: a dead session takes three seconds to say nothing.
        futures_util::future::join_all(ours.into_iter().filter(of_nobody).map(|room| self.hang_up_orphan(room))).await;
    }

    async fn hang_up_orphan(&self, room: String) {
        let carrier = &self.ctx.carrier;
        if !carrier.look(room.clone()).await.is_ok_and(|p| p.iter().any(Participant::is_phone)) {
            return;
        }
        match carrier.delete_room(room.clone()).await {
            Ok(Deleted::Astray) if carrier.lives(room.clone()).await == Ok(false) => {
                tracing::warn!(target: "engine", room, "LiveKit lists a phone in a room whose session is gone");
                self.calls.following.bury(room);
            }
            Ok(_) => tracing::error!(target: "engine", room, "a phone is in a room without a live call: hung up"),
            Err(e) => tracing::error!(target: "engine", room, error = %e, "a phone is in a room without a live call and cannot be hung up"),
        }
    }
}

/// This host's name, for other consoles.
/// The name of this host.
#[must_use]
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
