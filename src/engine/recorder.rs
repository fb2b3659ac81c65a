//! Recordings of what is said, where the installation asks for them: by LiveKit's egress from the answer on, or
//! read from Twilio's list once a call is over. Rows first: whose recording is asked for stands in a row before
//! anybody is asked, and a restart goes on from there.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use tokio::sync::watch;

use super::{
    calls::Calls,
    context::{Context, Stop},
};
use crate::{
    desk::DeskError,
    domain::{
        id::CallId,
        recording::{Maker, News, Stage},
    },
    store::CallRow,
    telephony::{Egress, RecordingPlace, twilio_calls::CallList},
};

/// Who records.
#[derive(Clone, Default)]
pub enum Recording {
    #[default]
    None,
    /// LiveKit's egress, into this place.
    Egress(RecordingPlace),
    /// Twilio's trunks do, as they are set up there; it is asked what it has.
    Twilio(Arc<CallList>),
}

/// Between two looks for calls that were answered, of which somebody else may have heard, and for those that nobody saw.
const EVERY: Duration = Duration::seconds(1);
const SWEEP: Duration = Duration::minutes(1);
/// Between two questions about one call: while it is on, once it is over, and after a failure at its beginning.
const WHILE_ON: Duration = Duration::seconds(30);
const ASK_AGAIN: Duration = Duration::seconds(10);
const START_AGAIN: Duration = Duration::seconds(5);
/// Whoever begins one has so long to hear of it; until then nobody else asks for it.
const BEGUN_WITHIN: Duration = Duration::seconds(20);
/// A recording that could not be begun within this of the answer is given up.
const START_WITHIN: Duration = Duration::seconds(30);
/// After its call's end a recording is waited for so long.
const WAIT: Duration = Duration::minutes(15);
/// Answered calls that nobody saw are looked for so far back.
const MISSED: Duration = Duration::hours(1);

pub(super) struct Recorder {
    pub ctx: Arc<Context>,
    pub calls: Arc<Calls>,
    /// True once the engine has taken over.
    pub ready: watch::Receiver<bool>,
}

impl Recorder {
    pub async fn run(mut self, stop: Stop) {
        if matches!(self.ctx.config.recording, Recording::None) {
            return;
        }
        tokio::select! {
            biased;
            () = stop.now.cancelled() => return,
            () = stop.drain.cancelled() => return,
            _ = self.ready.wait_for(|r| *r) => {}
        }
        let mut sweep_at = self.ctx.now();
        loop {
            if let Err(e) = self.round(&mut sweep_at).await {
                tracing::warn!(target: "engine", error = %e, "recordings wait");
            }
            tokio::select! {
                biased;
                () = stop.now.cancelled() => return,
                () = self.calls.drained(&self.ctx, &stop) => return,
                () = self.calls.answered.notified() => {}
                () = self.ctx.sleep(EVERY) => {}
            }
        }
    }

    async fn round(&self, sweep_at: &mut DateTime<Utc>) -> Result<(), DeskError> {
        let (store, now) = (self.ctx.desk.store(), self.ctx.now());
        let mut answered = store.unrecorded_calls().await?;
        if matches!(self.ctx.config.recording, Recording::Twilio(_)) && now >= *sweep_at {
            answered.extend(store.unasked_calls(now - MISSED).await?);
            *sweep_at = now + SWEEP;
        }
        for call in answered {
            self.ctx.desk.ask_recording(call, now).await?;
        }
        for call in store.recordings_due(self.ctx.now()).await? {
            let Some(row) = store.any_call(call).await? else {
                self.settle(call, "").await?;
                continue;
            };
            match &self.ctx.config.recording {
                Recording::None => self.settle(call, "").await?,
                Recording::Egress(place) => self.by_egress(&row, place).await?,
                Recording::Twilio(list) => self.by_twilio(&row, list).await?,
            }
        }
        Ok(())
    }

    /// Those there are, else a new one while somebody talks.
    async fn by_egress(&self, row: &CallRow, place: &RecordingPlace) -> Result<(), DeskError> {
        let room = row.room_name.clone().unwrap_or_default();
        let there = match self.ctx.carrier.recordings(room.clone()).await {
            Ok(there) => there,
            Err(e) => return self.later(row, &e.to_string()).await,
        };
        for egress in &there {
            self.ctx.desk.recorded(news(row, egress, self.ctx.now())).await?;
        }
        if there.iter().any(|e| e.stage == Stage::InProgress) {
            return self.later(row, "LiveKit's egress did not end").await;
        }
        if !there.is_empty() || row.state.is_ended() {
            return self.settle(row.id, if there.is_empty() { "the call was over before its recording began" } else { "" }).await;
        }
        // The row first, by whoever finds it due: another engine, or the next one, waits until this request is over.
        if !self.ctx.desk.begin_recording(row.id, self.ctx.now(), BEGUN_WITHIN).await? {
            return Ok(());
        }
        match self.ctx.carrier.record(room, row.id.to_string(), place.clone()).await {
            Ok(egress) => {
                self.ctx.desk.recorded(news(row, &egress, self.ctx.now())).await?;
                self.again(row.id, WHILE_ON).await
            }
            Err(e) if self.ctx.now() - row.answered_at.unwrap_or(row.updated_at) < START_WITHIN => {
                tracing::warn!(target: "engine", call = %row.id, error = %e, "a recording could not be begun yet");
                self.again(row.id, START_AGAIN).await
            }
            Err(e) => {
                tracing::error!(target: "engine", call = %row.id, error = %e, "a call is not recorded");
                self.settle(row.id, &e.to_string()).await
            }
        }
    }

    async fn by_twilio(&self, row: &CallRow, list: &CallList) -> Result<(), DeskError> {
        if !row.state.is_ended() {
            return self.again(row.id, WHILE_ON).await;
        }
        let Some(sid) = row.call_sid.as_deref() else {
            return self.settle(row.id, "the trunk tells no Twilio id of the call").await;
        };
        let there = match list.recordings(sid, self.ctx.now()).await {
            Ok(there) => there,
            Err(e) => return self.later(row, &e).await,
        };
        let open = there.is_empty() || there.iter().any(|r| r.stage == Stage::InProgress);
        for news in there {
            self.ctx.desk.recorded(News { call: Some(row.id), ..news }).await?;
        }
        if open { self.later(row, "Twilio lists no recording: switch recording on at the trunk").await } else { self.settle(row.id, "").await }
    }

    /// Asked again, until so long after the call's end that nothing comes any more.
    async fn later(&self, row: &CallRow, why: &str) -> Result<(), DeskError> {
        let over = row.completed_at.is_some_and(|t| self.ctx.now() - t > WAIT);
        let wait = if row.state.is_ended() { ASK_AGAIN } else { WHILE_ON };
        if over { self.settle(row.id, why).await } else { self.again(row.id, wait).await }
    }

    async fn again(&self, call: CallId, wait: Duration) -> Result<(), DeskError> {
        self.ctx.desk.plan_recording(call, Some(self.ctx.now() + wait), String::new()).await
    }

    async fn settle(&self, call: CallId, why: &str) -> Result<(), DeskError> {
        self.ctx.desk.plan_recording(call, None, why.to_owned()).await
    }
}

fn news(row: &CallRow, egress: &Egress, at: DateTime<Utc>) -> News {
    News {
        sid: egress.id.clone(),
        call: Some(row.id),
        call_sid: None,
        maker: Maker::Egress,
        stage: egress.stage,
        url: egress.url.clone(),
        duration: egress.seconds,
        reason: egress.error.clone(),
        at,
    }
}
