//! May this call go, who is next, and why not: the one decision over everything that stands between a
//! contact and a dial. The scheduler, the claim, the arm transaction, the preflight, "why" and the
//! screens ask here; nothing else lists gates.

mod contact;
mod gates;

use chrono::{DateTime, Duration, Utc};

pub use contact::{BUSY, Closure, ContactFacts, History, NUMBER_BUSY, OtherPhone, Place, contact, legal_hours, other_phone};
pub use gates::{CampaignFacts, Closed, Closes, Gate, InstallationFacts, Scope, TrunkFacts, campaign, campaign_pace, installation, trunk};

use super::{campaign::Status, pacing, rules::Rules, schedule::Window};

/// The head of one zone's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneFacts {
    /// The zones as stored with the contacts.
    pub key: String,
    /// When its first row is due.
    pub due: DateTime<Utc>,
    /// When the first row is due that was promised to a contact.
    pub promised: Option<DateTime<Utc>>,
    /// When the widest law of its zones is open, from its first due moment on; `None`: never, or unknown.
    pub opens: Option<DateTime<Utc>>,
    /// The law is open now, or says nothing of it.
    pub awake: bool,
    /// When it closes, where it is open.
    pub closes: Option<DateTime<Utc>>,
    /// When a row of it was claimed last, as far as who asks knows.
    pub served: Option<DateTime<Utc>>,
    /// The law that decides its hours, in words.
    pub law: String,
    /// Why an operator has closed the place.
    pub place_closed: Option<String>,
    /// Draws lots between zones that have waited equally, else the first by name would always begin.
    pub lot: u64,
}

impl ZoneFacts {
    fn promise_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.promised.filter(|t| *t <= now)
    }

    /// The first moment at which one of its rows may be called.
    fn first(&self) -> DateTime<Utc> {
        let never = self.place_closed.is_some();
        self.opens.unwrap_or(if never { DateTime::<Utc>::MAX_UTC } else { self.due })
    }

    /// Open and due now. An unknown zone is too: the contact gates end its rows with the reason.
    fn is_ready(&self, now: DateTime<Utc>) -> bool {
        self.place_closed.is_none() && self.due <= now && self.opens.is_none_or(|t| t <= now)
    }

    /// How urgently it wants its next turn: how long it has waited, against how long it is open yet.
    /// It grows without bound, so no zone waits for another's end; the one that closes first is served
    /// more often, but not so often in its last minutes that the others stand still. Nobody has had a turn in a first
    /// round: there only who closes soon is before the others, and lots are drawn between those. Else many campaigns
    /// that share few lines would all begin with the same places.
    fn urgency(&self, now: DateTime<Utc>) -> f64 {
        const DAY: Duration = Duration::hours(24);
        const LEAST: Duration = Duration::hours(2);
        const SOON: Duration = Duration::hours(4);
        let waited = self.served.map_or(DAY, |t| now - t).max(Duration::milliseconds(1));
        let most = if self.served.is_some() { DAY } else { SOON };
        let left = self.closes.map_or(most, |t| t - now).clamp(LEAST, most);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of days")]
        let share = waited.num_milliseconds() as f64 / left.num_milliseconds() as f64;
        share
    }
}

/// Everything the decision looks at, of one campaign.
#[derive(Debug, Clone)]
pub struct Board {
    pub now: DateTime<Utc>,
    pub installation: InstallationFacts,
    pub campaign: CampaignFacts,
    pub trunk: Option<TrunkFacts>,
    /// Not read while an earlier gate is closed.
    pub zones: Vec<ZoneFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Claim so many, of these zones in this order; one that was promised may be due.
    Go { zones: Vec<String>, n: usize, promised: bool },
    /// Nothing now: this gate is closed.
    Wait(Closed),
    /// The campaign is done, or cannot go on.
    Ended(Closed),
}

/// Every gate that closes the campaign, whoever of its contacts is next.
///
/// # Errors
/// The first that is closed.
pub fn before_queue(rules: &Rules, b: &Board) -> Result<(), Closed> {
    let c = &b.campaign;
    // Done is done, whatever keeps the installation from dialling.
    if c.status == Status::Running && !c.filling && c.pending + c.processing == 0 {
        return Err(Closed::new(Gate::Done, "everybody was called"));
    }
    installation(&b.installation)?;
    gates::state(c)?;
    if b.trunk.is_none() {
        return trunk(None, b.now);
    }
    campaign(rules, c, b.now)?;
    campaign_pace(&CampaignFacts { next_call_at: None, ..c.clone() }, b.now)?;
    match trunk(b.trunk.as_ref(), b.now) {
        // A moment's pace is no reason to wait: preparing takes longer.
        Err(c) if c.gate == Gate::TrunkRate => Ok(()),
        other => other,
    }
}

/// The one decision: go, and with whom; or which gate is closed, and until when.
#[must_use]
pub fn decide(rules: &Rules, b: &Board) -> Decision {
    if let Err(closed) = before_queue(rules, b) {
        let ended = closed.gate.closes() == Closes::ForGood;
        return if ended { Decision::Ended(closed) } else { Decision::Wait(closed) };
    }
    let mut ready: Vec<&ZoneFacts> = b.zones.iter().filter(|z| z.is_ready(b.now)).collect();
    if ready.is_empty() {
        return Decision::Wait(waiting_zones(b));
    }
    match room(b) {
        Err(closed) => Decision::Wait(closed),
        Ok(n) => {
            let promise = |z: &ZoneFacts| z.promise_due(b.now).map_or((1, DateTime::<Utc>::MAX_UTC), |t| (0, t));
            ready.sort_by(|x, y| promise(x).cmp(&promise(y)).then(y.urgency(b.now).total_cmp(&x.urgency(b.now))).then(x.lot.cmp(&y.lot)));
            let promised = ready.first().is_some_and(|z| z.promise_due(b.now).is_some());
            Decision::Go { promised, zones: ready.into_iter().map(|z| z.key.clone()).collect(), n }
        }
    }
}

/// All that keeps a campaign from dialling, in the order in which it is to be mended: each as it stands once those before
/// it are out of the way. Nothing where calls go.
#[must_use]
pub fn obstacles(rules: &Rules, b: &Board) -> Vec<Closed> {
    /// More than a campaign has gates: none is met twice.
    const MOST: usize = 16;
    let (mut b, mut all) = (b.clone(), Vec::new());
    for _ in 0..MOST {
        let (Decision::Wait(closed) | Decision::Ended(closed)) = decide(rules, &b) else { return all };
        let (gate, first) = (closed.gate, all.is_empty());
        // A moment's pace is in nobody's way but the first's.
        if first || gate.closes() != Closes::Pace {
            all.push(closed);
        }
        if !out_of_the_way(&mut b, gate) {
            return all;
        }
    }
    all
}

/// The board as it would be without what closes a gate; `false` where only time opens it.
fn out_of_the_way(b: &mut Board, gate: Gate) -> bool {
    let (now, c) = (b.now, &mut b.campaign);
    match gate {
        Gate::KillSwitch => b.installation.kill_switch = None,
        Gate::Terms => b.installation.terms_missing = false,
        Gate::Engine => b.installation.unwell = None,
        Gate::State => {
            c.status = Status::Running;
            // One that has not begun has no rows yet.
            c.filling |= c.pending + c.processing == 0;
        }
        Gate::Trunk => {
            b.trunk = Some(TrunkFacts { live: 0, max_live: 1, preparing: 0, tokens: 1.0, refilled_at: now, calls_per_second: 1.0, countries: Vec::new() });
        }
        Gate::Script => c.has_script = true,
        Gate::NationalList => c.national_list_at = Some(now),
        Gate::Hours => c.window = Window::daily(0, 0),
        Gate::DailyCap => (c.used_today, c.daily_cap) = (0, i64::MAX),
        Gate::Agent => c.no_agent = None,
        _ => return false,
    }
    true
}

/// How many calls may be begun: as many as the campaign's lines, its cap, its delay, and the trunk's
/// lines and rate have room for beside those that are being prepared.
fn room(b: &Board) -> Result<usize, Closed> {
    let c = &b.campaign;
    let own = c.lines() - c.live - c.preparing;
    if own <= 0 {
        return Err(Closed::new(Gate::Concurrency, "every line of the campaign has a call or one that is being prepared"));
    }
    let cap = c.daily_cap - c.used_today - c.preparing;
    if cap <= 0 {
        return Err(Closed::new(Gate::DailyCap, "the calls being prepared are the last of the daily cap"));
    }
    let trunk = b.trunk.as_ref().map_or(Ok(i64::MAX), |t| trunk_room(t, b.now))?;
    pacing::turns(b.now, own.min(cap).min(trunk), c.preparing, c.call_delay_ms, c.next_call_at)
        .map_err(|at| Closed::new(Gate::CallDelay, "waiting the delay between calls").until(at))
}

/// How many calls may be prepared for a trunk: never more than it has lines, nor so many that they
/// would wait long for its rate with an agent in the room.
fn trunk_room(t: &TrunkFacts, now: DateTime<Utc>) -> Result<i64, Closed> {
    let lines = t.max_live - t.live - t.preparing;
    if lines <= 0 {
        return Err(Closed::new(Gate::TrunkLines, "every line of the trunk has a call or one that is being prepared"));
    }
    pacing::tokens_ahead(t.tokens_at(now), t.calls_per_second, t.preparing, now)
        .map(|tokens| tokens.min(lines))
        .map_err(|at| Closed::new(Gate::TrunkRate, "the trunk's calls per second are spoken for").until(at))
}

/// Why no zone is ready: who is due when, and where the law is open when.
fn waiting_zones(b: &Board) -> Closed {
    let c = &b.campaign;
    let Some(zone) = b.zones.iter().min_by_key(|z| z.first()) else {
        return match (c.processing, c.filling) {
            (_, true) => Closed::new(Gate::Queue, "the queue is being filled").until(b.now),
            (0, false) => Closed::new(Gate::Queue, "the queue is being read").until(b.now),
            (1, false) => Closed::new(Gate::Queue, "the last call is being made"),
            (n, false) => Closed::new(Gate::Queue, format!("the last {n} calls are being made")),
        };
    };
    if let Some(words) = &zone.place_closed {
        return Closed::new(Gate::PlaceClosed, words.clone()).until(zone.opens);
    }
    if zone.due > b.now && zone.awake {
        return Closed::new(Gate::Retry, "all contacts left are to be tried again later").until(zone.first());
    }
    let words = format!("outside {} on the clock of the contacts left ({})", zone.law, crate::domain::zone::label(&zone.key));
    Closed::new(Gate::ContactHours, words).until(zone.first())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::zone::Zone;
    use crate::domain::{rules::Profile, schedule::Days};
    use proptest::prelude::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// A Friday noon in New York.
    fn noon() -> DateTime<Utc> {
        utc("2026-11-20T17:00:00Z")
    }

    fn zone(key: &str, due: i64) -> ZoneFacts {
        let due = noon() + Duration::minutes(due);
        ZoneFacts {
            key: key.to_owned(),
            due,
            promised: None,
            opens: Some(due.max(noon())),
            awake: true,
            closes: Some(noon() + Duration::hours(9)),
            served: None,
            law: "08-21".to_owned(),
            place_closed: None,
            lot: 0,
        }
    }

    fn board(zones: Vec<ZoneFacts>) -> Board {
        let campaign = CampaignFacts {
            status: Status::Running,
            status_reason: String::new(),
            has_script: true,
            national_list_at: None,
            window: Window::daily(9, 17),
            zone: "America/New_York".parse::<Zone>().unwrap(),
            used_today: 0,
            daily_cap: 100,
            live: 0,
            preparing: 0,
            max_concurrent: 5,
            brake: None,
            call_delay_ms: 0,
            next_call_at: None,
            no_agent: None,
            pending: 30,
            processing: 0,
            filling: false,
            by_hand: false,
        };
        let trunk = TrunkFacts { live: 0, max_live: 10, preparing: 0, tokens: 1.0, refilled_at: noon(), calls_per_second: 1.0, countries: vec!["US".into()] };
        Board { now: noon(), installation: InstallationFacts::default(), campaign, trunk: Some(trunk), zones }
    }

    /// The gate that is closed, or how many may go.
    fn decided(b: &Board) -> (&'static str, usize) {
        match decide(&Rules::default(), b) {
            Decision::Go { n, .. } => ("go", n),
            Decision::Wait(c) | Decision::Ended(c) => (c.gate.word(), 0),
        }
    }

    #[test]
    fn every_gate_that_closes_the_campaign_in_order() {
        let one = || board(vec![zone("America/New_York", 0)]);
        let with = |change: &dyn Fn(&mut Board)| {
            let mut b = one();
            change(&mut b);
            decided(&b)
        };
        assert_eq!(decided(&one()), ("go", 5));
        assert_eq!(with(&|b| b.installation.kill_switch = Some(String::new())).0, "kill_switch");
        assert_eq!(with(&|b| b.installation.terms_missing = true).0, "terms");
        assert_eq!(with(&|b| b.installation.unwell = Some(("LiveKit is away".into(), None))).0, "engine");
        assert_eq!(with(&|b| b.campaign.status = Status::Paused).0, "state");
        assert_eq!(with(&|b| b.trunk = None).0, "trunk");
        assert_eq!(with(&|b| b.campaign.has_script = false).0, "script");
        assert_eq!(with(&|b| b.campaign.window = Window::daily(13, 17)).0, "hours");
        assert_eq!(with(&|b| b.campaign.used_today = 100).0, "daily_cap");
        assert_eq!(with(&|b| b.campaign.no_agent = Some(("none".into(), None))).0, "agent");
        assert_eq!(with(&|b| b.campaign.live = 5).0, "concurrency");
        assert_eq!(with(&|b| (b.campaign.live, b.campaign.brake) = (1, Some("brake".into()))).0, "brake");
        assert_eq!(with(&|b| b.trunk.as_mut().unwrap().live = 10).0, "trunk_concurrency");
        assert_eq!(with(&|b| b.zones[0].due = noon() + Duration::hours(1)).0, "retry");
        let pending_none = with(&|b| (b.campaign.pending, b.zones) = (0, Vec::new()));
        assert_eq!(pending_none.0, "done");
        assert_eq!(with(&|b| (b.campaign.pending, b.campaign.processing, b.zones) = (0, 3, Vec::new())).0, "open");
    }

    #[test]
    fn all_obstacles_are_told_in_the_order_of_mending() {
        let named = |b: &Board| obstacles(&Rules::default(), b).iter().map(|c| c.gate.word()).collect::<Vec<_>>();
        let mut b = board(vec![zone("America/New_York", 0)]);
        assert_eq!(named(&b), [""; 0], "calls go");
        (b.campaign.window, b.campaign.used_today) = (Window::daily(13, 17), 100);
        assert_eq!(named(&b), ["hours", "daily_cap"]);
        (b.installation.kill_switch, b.campaign.status) = (Some(String::new()), Status::Paused);
        b.zones[0].due = noon() + Duration::hours(1);
        assert_eq!(named(&b), ["kill_switch", "state", "hours", "daily_cap", "retry"]);
        (b.trunk, b.campaign.has_script) = (None, false);
        assert_eq!(named(&b), ["kill_switch", "state", "trunk", "script", "hours", "daily_cap", "retry"]);
        // One that was not started has no rows: what is said of its queue is none of its obstacles.
        let mut b = board(Vec::new());
        (b.campaign.status, b.campaign.pending) = (Status::Idle, 0);
        assert_eq!(named(&b), ["state"]);
        let mut b = board(vec![zone("America/New_York", 0)]);
        b.campaign.live = 5;
        assert_eq!(named(&b), ["concurrency"]);
    }

    #[test]
    fn what_cannot_go_on_ends_and_all_else_waits() {
        let rules = Rules::default();
        let mut b = board(vec![zone("America/New_York", 0)]);
        b.trunk = None;
        assert!(matches!(decide(&rules, &b), Decision::Ended(c) if c.gate == Gate::Trunk));
        let careful = Rules { profile: Profile::Us, ..Rules::default() };
        let mut b = board(vec![zone("America/New_York", 0)]);
        assert!(matches!(decide(&careful, &b), Decision::Wait(c) if c.gate == Gate::NationalList));
        b.campaign.national_list_at = Some(noon() - Duration::days(32));
        assert!(matches!(decide(&careful, &b), Decision::Wait(c) if c.gate == Gate::NationalList && c.message.contains("2026-10-19")));
        b.campaign.national_list_at = Some(noon() - Duration::days(30));
        assert!(matches!(decide(&careful, &b), Decision::Go { .. }));
    }

    #[test]
    fn no_agent_is_called_for_a_line_that_does_not_exist() {
        let room = |live: i64, preparing: i64| {
            let mut b = board(vec![zone("America/New_York", 0)]);
            b.campaign.max_concurrent = 50;
            let t = b.trunk.as_mut().unwrap();
            (t.live, t.preparing, t.calls_per_second, t.tokens) = (live, preparing, 100.0, 100.0);
            decided(&b)
        };
        assert_eq!(room(0, 0), ("go", 10));
        assert_eq!(room(4, 5), ("go", 1));
        assert_eq!(room(4, 6), ("trunk_concurrency", 0));
        let mut slow = board(vec![zone("America/New_York", 0)]);
        slow.campaign.max_concurrent = 50;
        assert_eq!(decided(&slow), ("go", 5), "one call a second: as many as the next seconds take");
        slow.trunk.as_mut().unwrap().preparing = 5;
        assert_eq!(decided(&slow).0, "trunk_rate");
    }

    #[test]
    fn a_promise_that_is_due_goes_first_in_whichever_zone() {
        let mut b = board(vec![zone("America/Chicago", 0), zone("America/New_York", 0), zone("America/Phoenix", 0)]);
        b.zones[2].promised = Some(noon() - Duration::minutes(1));
        b.zones[1].promised = Some(noon() + Duration::minutes(1));
        let Decision::Go { zones, promised, .. } = decide(&Rules::default(), &b) else { panic!() };
        assert_eq!((zones[0].as_str(), promised), ("America/Phoenix", true));
    }

    #[test]
    fn a_promise_in_a_closed_zone_waits_for_its_law() {
        let mut b = board(vec![zone("America/New_York", 0), zone("Pacific/Honolulu", 0)]);
        (b.zones[1].promised, b.zones[1].opens, b.zones[1].awake) = (Some(noon() - Duration::minutes(1)), Some(noon() + Duration::hours(1)), false);
        assert!(matches!(decide(&Rules::default(), &b), Decision::Go { zones, promised: false, .. } if zones == ["America/New_York"]));
    }

    /// Twenty campaigns share few lines: each has ten turns, and together they call in every place that is open,
    /// whenever it closes. Only where it closes soon all of them begin.
    #[test]
    fn campaigns_of_few_turns_call_everywhere() {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let closes = |i: i64| noon() + if i == 7 { Duration::hours(1) } else { Duration::minutes(300 + i * 12) };
        let mut called = std::collections::BTreeMap::new();
        for campaign in 0..20 {
            let lot = |i: i64| {
                let mut hasher = DefaultHasher::new();
                (campaign, i).hash(&mut hasher);
                hasher.finish()
            };
            let mut b = board((0..36).map(|i| ZoneFacts { closes: Some(closes(i)), lot: lot(i), ..zone(&format!("Z{i:02}"), 0) }).collect());
            for turn in 0..10 {
                b.now += Duration::seconds(50);
                let Decision::Go { zones, .. } = decide(&Rules::default(), &b) else { panic!() };
                assert!(turn > 0 || zones[0] == "Z07", "it closes within the hour");
                let served = b.zones.iter_mut().find(|z| z.key == zones[0]).unwrap();
                assert!(served.served.is_none(), "nobody twice before everybody once");
                served.served = Some(b.now);
                *called.entry(zones[0].clone()).or_insert(0) += 1;
            }
        }
        assert_eq!(called.len(), 36, "{called:?}");
        assert!(called.values().all(|n| *n <= 20), "{called:?}");
    }

    proptest! {
        /// Whatever closes when, whoever was served when: over any hundred turns of one line, no ready zone
        /// is passed over for long, and the one that closes sooner has at least its even share.
        #[test]
        fn no_zone_waits_for_anothers_end(closes in prop::collection::vec(1i64..600, 2..6)) {
            let mut b = board(closes.iter().enumerate().map(|(i, c)| ZoneFacts { closes: Some(noon() + Duration::hours(10) + Duration::minutes(*c)), ..zone(&format!("Z{i}"), 0) }).collect());
            let mut served = vec![0usize; closes.len()];
            let mut since = vec![0usize; closes.len()];
            for _ in 0..100 {
                b.now += Duration::seconds(20);
                b.campaign.window = Window::new(Days::ALL, 0, 0).unwrap();
                let Decision::Go { zones, .. } = decide(&Rules::default(), &b) else { panic!() };
                let at = b.zones.iter().position(|z| z.key == zones[0]).unwrap();
                b.zones[at].served = Some(b.now);
                served[at] += 1;
                for n in &mut since {
                    *n += 1;
                }
                since[at] = 0;
                prop_assert!(since.iter().all(|n| *n <= closes.len() * 4), "{closes:?} {since:?}");
            }
            let first = (0..closes.len()).min_by_key(|i| closes[*i]).unwrap();
            prop_assert!(served[first] >= 100 / closes.len() - 1, "{closes:?} {served:?}");
        }

        /// Nothing is begun beyond any limit, whatever the board says.
        #[test]
        fn never_beyond_a_limit(live in 0i64..60, preparing in 0i64..60, max in 1i64..60, used in 0i64..120, cap in 1i64..120,
                                lines in 1i64..40, busy in 0i64..40, on_trunk in 0i64..60, rate in 0.01f64..50.0, tokens in -3.0f64..50.0, delay in 0i64..5000) {
            let mut b = board(vec![zone("America/New_York", 0)]);
            let c = &mut b.campaign;
            (c.live, c.preparing, c.max_concurrent, c.used_today, c.daily_cap, c.call_delay_ms) = (live, preparing, max, used, cap, delay);
            let t = b.trunk.as_mut().unwrap();
            (t.live, t.preparing, t.max_live, t.calls_per_second, t.tokens) = (busy, on_trunk, lines, rate, tokens);
            if let Decision::Go { n, .. } = decide(&Rules::default(), &b) {
                let n = i64::try_from(n).unwrap();
                prop_assert!(n >= 1 && live + preparing + n <= max && used + preparing + n <= cap && busy + on_trunk + n <= lines);
            }
        }
    }

    #[test]
    fn a_cap_reached_waits_for_the_next_day_that_calls() {
        let mut c = board(Vec::new()).campaign;
        c.window = Window::new(Days::WORKDAYS, 540, 1020).unwrap();
        (c.used_today, c.daily_cap) = (5, 5);
        assert_eq!(campaign(&Rules::default(), &c, utc("2026-11-20T16:00:00Z")).unwrap_err().until, Some(utc("2026-11-23T14:00:00Z")));
    }
}
