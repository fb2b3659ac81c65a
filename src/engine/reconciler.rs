//! What a crash or a lost reply left behind: at start before anything is claimed, then every ten
//! seconds. Claims of the dead are released, live legs adopted, rooms of ours with a phone in them
//! and no live row hung up. Never a re-dial on a guess.

use std::{collections::HashSet, sync::Arc};

use chrono::Duration;

use super::{Engine, Stop, follow::Follow};
use crate::{
    desk::DeskError,
    domain::{
        call::State,
        event::{Kind, Lost, Source},
    },
    store::{CallRow, Setting},
    telephony::Deleted,
};

const EVERY: Duration = Duration::seconds(10);

/// Orphans are looked for every so many rounds.
const SWEEP_EVERY: u32 = 6;

impl Engine {
    pub(super) async fn reconcile(self: Arc<Self>, stop: Stop) {
        let host = hostname();
        let mut round = 0u32;
        loop {
            let done = if round == 0 { self.first_round().await } else { self.later_round().await };
            match done {
                Ok(false) => {}
                Ok(true) => {
                    self.reconciled();
                    if round.is_multiple_of(SWEEP_EVERY) && self.config.orphan_sweep {
                        self.sweep().await;
                    }
                    round = round.wrapping_add(1).max(1);
                }
                Err(e) => tracing::error!(target: "engine", error = %e, "the calls cannot be reconciled: nothing is dialled meanwhile"),
            }
            match self.desk.heartbeat(self.incarnation, host.clone(), std::process::id()).await {
                // Who has not taken over yet is not replaced either.
                Ok(false) if round > 0 => {
                    self.replaced();
                    return;
                }
                Ok(_) => {}
                Err(e) => tracing::warn!(target: "engine", error = %e, "no heartbeat could be written"),
            }
            tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = self.drained(&stop) => return,
                () = self.sleep(EVERY) => {}
            }
        }
    }

    /// Nothing is taken over by a clock that is wrong: it would end calls that are live.
    async fn first_round(self: &Arc<Self>) -> Result<bool, DeskError> {
        let leader = self.desk.store().setting(Setting::Leader).await?;
        if *self.leader_before.get_or_init(|| leader.clone()) != leader {
            // While this one was held back another took over.
            self.replaced();
            return Ok(false);
        }
        if !self.clock_is_right_at_start().await? {
            self.hang_up_asked().await?;
            return Ok(false);
        }
        self.take_over().await?;
        Ok(true)
    }

    /// Whoever wrote words of trouble takes them back, also where no campaign runs that would look.
    async fn later_round(self: &Arc<Self>) -> Result<bool, DeskError> {
        self.pick_up().await?;
        if self.clock_is_doubted() {
            self.clock_is_right().await;
        }
        self.look_at_network().await;
        Ok(true)
    }

    /// The first round: rows of earlier runs on this host, lease or not.
    async fn take_over(self: &Arc<Self>) -> Result<(), DeskError> {
        self.desk.apply_trunk_limits().await?;
        match self.carrier.check().await {
            Ok(()) => self.network_well().await,
            Err(e) => self.network_failed(&e).await,
        }
        if self.network_closed().is_none() {
            // A word left by an earlier run would outlive its cause.
            self.desk.report_health(String::new()).await?;
        }
        let (rooms, open) = self.desk.take_over(self.installation, self.incarnation, hostname()).await?;
        self.desk.check_lines().await?;
        for room in rooms {
            self.delete_quietly(room).await;
        }
        if open > 0 {
            tracing::info!(target: "engine", calls = open, "calls of an earlier run are adopted");
        }
        self.pick_up().await
    }

    /// Open calls that no task follows get one; claims that ran out go back.
    async fn pick_up(self: &Arc<Self>) -> Result<(), DeskError> {
        let rows = self.desk.store().open_calls().await?;
        let rooms = self.desk.release_expired(self.installation, &rows).await?;
        for room in rooms {
            self.delete_quietly(room).await;
        }
        for row in rows.iter().filter(|r| r.state != State::Claimed) {
            self.adopt(row).await;
        }
        Ok(())
    }

    async fn adopt(self: &Arc<Self>, row: &CallRow) {
        let lease_over = row.lease_until.is_none_or(|t| t < self.clock.now());
        // A row of this very run whose task is just beginning is not an orphan.
        if (row.reply_pending && !lease_over) || !self.begin_to_follow(row.id) {
            return;
        }
        let Some(follow) = Follow::adopted(row, self.agent_of_row(row).await) else {
            self.followed.lock().remove(&row.id);
            return;
        };
        let (engine, call, pending) = (self.clone(), row.id, row.reply_pending);
        self.supervise("follower", async move {
            if pending {
                engine.tell(&follow, Source::Engine, Kind::ReplyLost { cause: Lost::Forsaken }).await;
            }
            engine.clone().follow(follow, None).await;
            engine.followed.lock().remove(&call);
        });
    }

    /// The agent worker's name, as the campaign or its assistant gives it.
    async fn agent_of_row(&self, row: &CallRow) -> String {
        match self.desk.store().campaign(row.user_id, row.campaign_id).await {
            Ok(Some(campaign)) => self.agent_of(&campaign),
            _ => self.config.agent_name.clone(),
        }
    }

    /// Rooms of our own installation that hold a phone and have no live row are hung up. An agent
    /// alone may be finishing its report; rooms of others are never touched.
    async fn sweep(&self) {
        let prefix = self.installation.room_prefix();
        let Ok(rooms) = self.carrier.rooms(Vec::new()).await else { return };
        let ours: Vec<String> = rooms.into_iter().filter(|r| r.starts_with(&prefix)).collect();
        if ours.is_empty() {
            return;
        }
        let Ok(rows) = self.desk.store().open_calls().await else { return };
        let live: HashSet<String> = rows.iter().map(|r| r.id.to_string()).collect();
        let known = self.buried.lock().clone();
        let of_nobody = |room: &String| !known.contains(room) && !live.contains(room.strip_prefix(&prefix).and_then(|r| r.get(..36)).unwrap_or_default());
        // Together: a dead session takes three seconds to say nothing.
        futures_util::future::join_all(ours.into_iter().filter(of_nobody).map(|room| self.hang_up_orphan(room))).await;
    }

    async fn hang_up_orphan(&self, room: String) {
        if !self.carrier.look(room.clone()).await.is_ok_and(|p| p.iter().any(crate::telephony::Participant::is_callee)) {
            return;
        }
        match self.carrier.delete_room(room.clone()).await {
            Ok(Deleted::Astray) if self.carrier.lives(room.clone()).await == Ok(false) => {
                tracing::warn!(target: "engine", room, "LiveKit lists a phone in a room whose session is gone");
                self.buried.lock().insert(room);
            }
            Ok(_) => tracing::error!(target: "engine", room, "a phone is in a room without a live call: hung up"),
            Err(e) => tracing::error!(target: "engine", room, error = %e, "a phone is in a room without a live call and cannot be hung up"),
        }
    }

    async fn delete_quietly(&self, room: String) {
        if let Err(e) = self.carrier.delete_room(room).await {
            tracing::debug!(target: "engine", error = %e, "a room could not be deleted; it closes by itself");
        }
    }
}

/// This host's name, for other consoles.
fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
