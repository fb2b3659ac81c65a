//! What the screen shows, read off the rows when the bell rings, away from the drawing thread.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::{DateTime, Duration as Span, Utc};
use futures_util::FutureExt;
use tokio::sync::watch;
use tracing::Level;

use super::{
    mailbox::Sender,
    message::{Detail, Msg},
    snapshot::{CampaignView, Judged, Snapshot, Wants},
};
use crate::{
    clock::SharedClock,
    desk::{Actor, Chronicle, Desk, DeskError, Head},
    domain::{
        call::State as CallState,
        id::{CallId, CampaignId},
        schedule, text,
        zone::Zone,
    },
    store::{PaneQuery, Setting},
    telemetry::Ring,
};

/// However often the bell rings, no more than ten looks a second, and fewer where they take long: a hundred consoles
/// share one server. What changed is seen within two seconds.
const REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(1);
/// Without a bell the logs are looked at this often.
const IDLE: Duration = Duration::from_secs(1);
/// Ended calls stay in the live pane this long.
const LINGER: Span = Span::seconds(60);
const ROWS: i64 = 500;
const LOG_ROWS: usize = 500;

/// The head of the deck is read no oftener than this: its figures are of minutes.
const HEAD: Duration = Duration::from_secs(3);
/// Where reading takes long, it rests so many times as long.
const SHARE: u32 = 20;
/// Calls of which the agent's reason is read at most.
const REASONS: usize = 500;

/// Reads for the screen until it ends. A look that breaks down is told like one that failed, and the next
/// is taken: reading harms nothing, and a screen that stands still in silence does.
pub async fn keep_loading(desk: Desk, actor: Actor, ring: Ring, clock: SharedClock, wants: watch::Receiver<Wants>, zone: Zone, send: Sender) {
    loop {
        let looks = load_loop(&desk, &actor, &ring, &clock, wants.clone(), zone, &send);
        let Err(panic) = AssertUnwindSafe(looks).catch_unwind().await else { return };
        let words = text::of_panic(&*panic);
        tracing::error!(target: "console", "a look at the rows broke down: {words}");
        send.tell(Msg::DataFailed(format!("a look at the rows broke down: {words}")));
        tokio::time::sleep(IDLE).await;
    }
}

async fn load_loop(desk: &Desk, actor: &Actor, ring: &Ring, clock: &SharedClock, mut wants: watch::Receiver<Wants>, zone: Zone, send: &Sender) {
    let mut bell = desk.store().bell();
    let mut shown = u64::MAX;
    let mut again = true;
    let mut looked = tokio::time::Instant::now();
    let (mut head, mut chronicle) = (Heading::default(), Chronicle::default());
    loop {
        head.stale |= again;
        if again || ring.count() != shown || head.is_due() || looked.elapsed() > Duration::from_secs(10) {
            bell.borrow_and_update();
            let want = wants.borrow_and_update().clone();
            let one = desk.at_once();
            let desk = &one;
            let actor = &Actor { name: want.me.clone().unwrap_or_else(|| actor.name.clone()), ..actor.clone() };
            shown = ring.count();
            looked = tokio::time::Instant::now();
            let msg = match (head.read(desk, actor, clock.now(), zone).await, look(desk, actor, ring, clock.now(), want.lists).await) {
                (Ok(()), Ok(mut snapshot)) => {
                    snapshot.today = desk.pace_between(actor.owner, midnight(zone, clock.now()), clock.now()).await.ok();
                    let logs = ring.newest(LOG_ROWS, if want.level > Some(Level::INFO) { Level::DEBUG } else { Level::WARN });
                    told(desk, actor, &mut chronicle, Snapshot { head: head.last.clone(), logs, ..snapshot }).await
                }
                (Err(e), _) | (_, Err(e)) => Err(e),
            };
            let msg = match msg {
                Ok(snapshot) => Msg::Data(Box::new(snapshot)),
                Err(e) => Msg::DataFailed(desk.store().trouble().unwrap_or_else(|| e.to_string())),
            };
            send.tell(msg);
            if let Some(call) = want.detail {
                match detail(desk, actor, call).await {
                    Ok(Some(detail)) => send.tell(Msg::Detail(Box::new(detail))),
                    Ok(None) => {}
                    Err(e) => send.tell(Msg::DataFailed(e.to_string())),
                }
            }
            if let Some(judged) = want.judging {
                match judge(desk, actor, judged).await {
                    Ok(msg) => send.tell(msg),
                    Err(e) => send.tell(Msg::DataFailed(e.to_string())),
                }
            }
            drop(one);
            tokio::time::sleep(rest(looked.elapsed())).await;
        }
        again = tokio::select! {
            changed = bell.changed() => changed.is_ok(),
            changed = wants.changed() => match changed {
                Ok(()) => true,
                Err(_) => return,
            },
            () = tokio::time::sleep(IDLE) => false,
        };
    }
}

/// The rest after a look that took so long.
#[must_use]
pub fn rest(took: Duration) -> Duration {
    (took * SHARE).clamp(REST, LONGEST_REST)
}

/// A look with what happened until then.
async fn told(desk: &Desk, actor: &Actor, chronicle: &mut Chronicle, snapshot: Snapshot) -> Result<Snapshot, DeskError> {
    let happened = chronicle.look(desk, actor.owner, &snapshot.live, &snapshot.asides).await?;
    Ok(Snapshot { happened, ..snapshot })
}

/// The head of the deck as it was read last, and whether rows have changed since.
#[derive(Default)]
struct Heading {
    last: Option<Arc<Head>>,
    at: Option<tokio::time::Instant>,
    took: Duration,
    stale: bool,
}

impl Heading {
    /// Rows changed, and it was not read a moment ago.
    fn is_due(&self) -> bool {
        self.stale && self.at.is_none_or(|t| t.elapsed() >= HEAD.max(self.took * SHARE))
    }

    /// Reads it anew where it is due, or a minute went by.
    async fn read(&mut self, desk: &Desk, actor: &Actor, now: DateTime<Utc>, zone: Zone) -> Result<(), DeskError> {
        if self.is_due() || self.at.is_none_or(|t| t.elapsed() >= Duration::from_secs(10)) {
            let (today, begun) = (midnight(zone, now), tokio::time::Instant::now());
            // What changes while it is read is read again.
            self.stale = false;
            self.last = Some(Arc::new(desk.head(actor.owner, today).await?));
            (self.at, self.took) = (Some(tokio::time::Instant::now()), begun.elapsed());
        }
        Ok(())
    }
}

/// The midnight before now, on the operator's clock.
fn midnight(zone: Zone, now: DateTime<Utc>) -> DateTime<Utc> {
    schedule::next_day(zone, now - Span::days(1))
}

/// One look at the rows: what the next frame shows, but for the head.
pub async fn look(desk: &Desk, actor: &Actor, ring: &Ring, now: DateTime<Utc>, lists: bool) -> Result<Snapshot, DeskError> {
    let store = desk.store();
    // What is of the whole installation first: at a server the connection becomes the operator's after that.
    let values = store.settings(&[Setting::EngineHealth, Setting::KillSwitch, Setting::KillSwitchReason]).await?;
    let other_owners = (store.owners().await? - 1).max(0);
    let rows = store.newest_campaigns(actor.owner, 200).await?;
    let mut campaigns = Vec::with_capacity(rows.len());
    let days = store.days_since((now - Span::days(2)).date_naive()).await?;
    for row in rows {
        let day = schedule::local_day(row.zone(), now).to_string();
        let used_today = days.iter().find(|(id, d, _)| *id == row.id && *d == day).map_or(0, |(_, _, used)| *used);
        let open = row.window().is_open(row.zone(), now);
        campaigns.push(CampaignView { row, used_today, open });
    }
    let query = PaneQuery { owner: actor.owner, campaign: None, ended_since: now - LINGER, limit: ROWS };
    let live = store.live_pane(&query).await?;
    let asides = store.asides(actor.owner, now - LINGER, ROWS).await?;
    let to_tag = store.to_tag(actor.owner, None, ROWS).await?;
    let untagged = Some(store.untagged(actor.owner).await?.0);
    let results = store.recent_results(actor.owner, now - Span::hours(1), 200).await?;
    let (assistants, sources) = if lists { (store.assistants(actor.owner).await?, store.sources(actor.owner).await?) } else { Default::default() };
    let suggested = live.iter().chain(&to_tag).filter(|r| r.suggestion.is_some() && r.outcome.is_none()).map(|r| r.id);
    let reasons = store.agent_reasons(&suggested.take(REASONS).collect::<Vec<_>>()).await?;
    Ok(Snapshot {
        at: now,
        last_failure: last_failure(&results),
        campaigns,
        live,
        to_tag,
        untagged,
        today: None,
        happened: Arc::default(),
        asides: Arc::new(asides),
        logs: ring.newest(LOG_ROWS, Level::DEBUG),
        log_count: ring.count(),
        errors: ring.errors(),
        // A database that takes nothing cannot keep the engine's words either.
        health: match store.trouble() {
            Some(why) => format!("nothing can be written, so nothing is dialled: {why}"),
            None => values.get(Setting::EngineHealth).unwrap_or_default().to_owned(),
        },
        kill_switch: values.get(Setting::KillSwitch).is_some(),
        kill_switch_why: values.get(Setting::KillSwitchReason).unwrap_or_default().to_owned(),
        other_owners,
        assistants,
        sources,
        head: None,
        reasons: Arc::new(reasons),
        lists,
    })
}

/// Results that a supervisor must look into; a busy or unanswered phone is none.
fn is_failure(state: CallState) -> bool {
    matches!(state, CallState::Failed | CallState::Unresolved | CallState::Unsent | CallState::Refused | CallState::NotPlaced)
}

/// The campaign whose last 20 dials failed most, if at least three did, with the commonest code.
fn last_failure(results: &[(CampaignId, CallState, Option<i64>, bool)]) -> Option<(CampaignId, i64, i64, String)> {
    let mut ids: Vec<CampaignId> = results.iter().map(|r| r.0).collect();
    ids.sort();
    ids.dedup();
    ids.into_iter()
        .filter_map(|id| {
            let last: Vec<_> = results.iter().filter(|r| r.0 == id).take(20).collect();
            let bad: Vec<_> = last.iter().filter(|r| is_failure(r.1)).collect();
            let word = bad.first().map(|r| r.2.map_or_else(|| r.1.words().to_owned(), |c| format!("SIP {c}")))?;
            (bad.len() >= 3).then(|| (id, i64::try_from(bad.len()).unwrap_or(0), i64::try_from(last.len()).unwrap_or(0), word))
        })
        .max_by_key(|f| f.1)
}

/// The head of the tagging desk; its queue is the snapshot's.
async fn judge(desk: &Desk, actor: &Actor, judged: Judged) -> Result<Msg, DeskError> {
    let head = desk.tagging_desk(actor.owner, &actor.name, judged.today, 0).await?;
    let card = match judged.call {
        Some(call) => desk.tag_card(actor.owner, call).await?,
        None => None,
    };
    Ok(Msg::Judging(Box::new(head), card.map(Box::new)))
}

async fn detail(desk: &Desk, actor: &Actor, call: CallId) -> Result<Option<Detail>, DeskError> {
    let Some(row) = desk.store().pane_row(actor.owner, call).await? else { return Ok(None) };
    let (timeline, outcomes) = (desk.store().timeline(call).await?, desk.store().outcomes(call).await?);
    let audit = desk.store().audit_of(actor.owner, call.0).await?;
    Ok(Some(Detail { row, timeline, outcomes, audit }))
}
