//! One decision: who is next, fairly and with few lines, what keeps a campaign from dialling, and that
//! "why" says just what the engine then does.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use dialdeck::{
    desk::{DeskError, ListImport, National, SetOutcome},
    domain::{
        call::State,
        campaign::Status,
        event::{Kind, Leave, LegStatus, Reply, Source},
        id::CampaignId,
        outcome::{Outcome, Who},
        phone::PhoneNumber,
        rules::{Profile, Rules},
    },
    store::{CallRow, Lane, StoreError},
    telephony::simulator::{Behaviour, die},
};

use crate::support::{
    Options, World,
    base::{on_a_server, share},
    csv_of, fictional,
    office::Office,
    quick_rules,
};

const LONG: Duration = Duration::from_mins(2);

/// Fifteen contacts each in three zones, the first rows those of the zone whose name is last.
fn three_zones() -> String {
    let mut csv = "name,phone\n".to_owned();
    for (zone, area) in [("New York", "212"), ("Los Angeles", "213"), ("Chicago", "312")] {
        for i in 0..15 {
            csv.push_str(&format!("{zone} {i},+1{area}55501{i:02}\n"));
        }
    }
    csv
}

fn short_talks() -> Behaviour {
    Behaviour::Answer { ring: Duration::from_secs(1), talk: Duration::from_secs(2) }
}

fn area(number: &str) -> String {
    number[2..5].to_owned()
}

/// House bug 2: the zone whose name came first was called to its end, and a promise waited for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_zones_and_one_line_no_zone_waits_for_anothers_end() {
    let mut world = World::new(Options { speed: 40.0, behaviour: short_talks(), ..Options::default() }).await;
    let id = world.running(three_zones(), |s| (s.max_concurrent, s.call_delay_ms) = (1, 2000)).await;
    world.until("eighteen dials", LONG, || async { world.simulator.invites_so_far() >= 18 }).await;
    let mut zones: BTreeMap<String, usize> = BTreeMap::new();
    for invite in world.simulator.invites().iter().take(18) {
        *zones.entry(area(&invite.number)).or_default() += 1;
    }
    assert!(zones.len() == 3 && zones.values().all(|n| *n >= 4), "{zones:?}");
    assert_eq!(world.row(id).await.execution_status, Status::Running);
}

/// A zone full of people who may not be called is passed by, not called through first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_that_is_turned_away_holds_up_no_other() {
    let rules = Rules { countries: vec!["US".into()], ..quick_rules() };
    let mut world = World::new(Options { speed: 40.0, behaviour: short_talks(), rules, ..Options::default() }).await;
    let mut csv = "name,phone\n".to_owned();
    (0..300).for_each(|i| csv.push_str(&format!("London {i},+4420794600{i:02}\n", i = i % 100)));
    (0..200).for_each(|i| csv.push_str(&format!("London {i},+4420794601{i:02}\n", i = i % 100)));
    (0..5).for_each(|i| csv.push_str(&format!("New York {i},+121255501{i:02}\n")));
    let id = world.running(csv, |s| (s.max_concurrent, s.call_delay_ms) = (1, 2000)).await;
    world.until("a dial", LONG, || async { world.simulator.invites_so_far() > 0 }).await;
    let away = world.calls(id).await.iter().filter(|c| c.country == "GB" && c.state == State::Canceled).count();
    assert!(away < 20, "{away} of London were turned away before anybody was called");
}

/// A callback that was promised goes first when it is due, in whichever zone.
#[tokio::test]
async fn a_promise_in_the_last_zone_goes_first() {
    let (office, id) = Office::calling(three_zones(), |s| s.max_concurrent = 1).await;
    let lines = office.store.calls(id, &dialdeck::store::CallFilter::default(), 100, 0).await.unwrap().rows;
    // Somebody in the zone that is sorted last was reached, and asked to be called in an hour.
    let los_angeles = lines.iter().find(|r| area(&r.phone_number) == "213").unwrap().zones.clone();
    let claimed = office.claim_of(id, vec![los_angeles], 1).await.ready.remove(0);
    let (call, number) = (claimed.call, claimed.number.clone());
    office.arm(claimed).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    office.tell(call, "left", Source::Livekit, left).await;
    let callback_at = Some(office.now() + TimeDelta::hours(1));
    let set = SetOutcome { call, outcome: Some(Outcome::Callback), notes: None, who: Who::Operator, confidence: None, callback_at, expected: None };
    office.desk.set_outcome(office.actor.clone(), set).await.unwrap();
    office.wait(TimeDelta::minutes(61));
    let decided = decision(&office, id).await;
    let dialdeck::domain::dispatch::Decision::Go { zones, promised, .. } = decided else { panic!("{decided:?}") };
    assert!(promised);
    let next = office.claim_of(id, zones, 1).await.ready.remove(0);
    assert_eq!(next.number, number);
}

async fn decision(office: &Office, id: CampaignId) -> dialdeck::domain::dispatch::Decision {
    let standing = office.desk.standing().await.unwrap();
    office.desk.decide(&office.row(id).await, &standing, &dialdeck::desk::Hands::default(), None).await.unwrap().decision
}

/// House bug 3: 110 agents waited in rooms for 10 lines, and 477 claims made 23 dials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_campaigns_and_ten_lines_call_no_agent_in_vain() {
    let rules = Rules { trunk_concurrent: 10, ..quick_rules() };
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(2), talk: Duration::from_secs(30) };
    let mut world = World::new(Options { speed: 20.0, behaviour, rules, ..Options::default() }).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let mut csv = "name,phone\n".to_owned();
        (n * 60..n * 60 + 60).for_each(|i| csv.push_str(&format!("C,{}\n", fictional(i))));
        let (source, _) = world.import(csv).await;
        ids.push(world.campaign(source, |s| s.max_concurrent = 40).await);
    }
    world.start_engine();
    for id in &ids {
        world.desk.start(world.actor.clone(), *id).await.unwrap();
    }
    let (mut most, mut served) = (0, [0; 3]);
    // Longer where the machine is busy.
    let begun = std::time::Instant::now();
    let enough = |world: &World| world.simulator.invites().len() > 40 && begun.elapsed() > Duration::from_secs(4);
    while !enough(&world) && begun.elapsed() < Duration::from_mins(1) {
        most = most.max(world.carrier.rooms(Vec::new()).await.unwrap().len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut claims, mut dials) = (0, 0);
    for (i, id) in ids.iter().enumerate() {
        let calls = world.calls(*id).await;
        claims += calls.iter().map(|c| c.claim_number).sum::<i64>();
        served[i] = calls.iter().filter(|c| c.armed_at.is_some()).count();
        dials += served[i];
    }
    // A room is closed 20 s after its talk: those, and one for each line.
    assert!(most <= 10 + 10, "{most} rooms for ten lines");
    assert!(dials > 25, "{dials}");
    assert!(claims * 5 <= i64::try_from(dials).unwrap() * 6 + 10, "{claims} claims for {dials} dials");
    assert!(served.iter().all(|n| *n * 5 >= dials), "each has its share: {served:?}");
}

/// House bug 4: without a trunk the queue went round eleven times a second and called itself well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_taken_away_puts_its_campaign_to_error() {
    let mut world = World::new(Options { speed: 40.0, behaviour: short_talks(), ..Options::default() }).await;
    let id = world.running(csv_of(200), |s| s.max_concurrent = 1).await;
    world.until("a dial", LONG, || async { world.simulator.invites_so_far() > 0 }).await;
    let other = world.desk.add_assistant(world.actor.clone(), None, "Olga".into(), None, "Hi".into(), None).await.unwrap().id;
    let sarah = std::mem::replace(&mut world.assistant, other);
    world.assign("trunk.example").await;
    world.until("error", LONG, || async { world.row(id).await.execution_status == Status::Error }).await;
    let row = world.row(id).await;
    assert!(row.status_reason.contains("no number with an outbound trunk"), "{}", row.status_reason);
    let why = world.desk.explain(&row).await.unwrap();
    assert!(why.gate == "state" && why.message.contains("no number with an outbound trunk"), "{why:?}");
    let claims = |calls: Vec<CallRow>| calls.iter().map(|c| c.claim_number).sum::<i64>();
    let before = claims(world.calls(id).await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(claims(world.calls(id).await) <= before + 1, "the queue stands still");
    // The number is back: start goes on where it was.
    world.assistant = sarah;
    world.assign("trunk.example").await;
    let dialled = world.simulator.invites_so_far();
    world.desk.start(world.actor.clone(), id).await.unwrap();
    world.until("it goes on", LONG, || async { world.simulator.invites_so_far() > dialled }).await;
}

/// The national list of today.
pub fn national(as_of: DateTime<Utc>) -> ListImport {
    ListImport { national: Some(National { country: None, as_of, smaller: false }), ..ListImport::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_national_list_nobody_is_claimed_and_with_one_it_goes_on() {
    let rules = Rules { profile: Profile::Us, ..quick_rules() };
    let mut world = World::new(Options { speed: 40.0, behaviour: short_talks(), rules, ..Options::default() }).await;
    let csv = format!("name,phone,consent_at\nA,{},2026-11-01\nB,{},2026-11-01\n", fictional(1), fictional(2));
    let id = world.running(csv, |_| {}).await;
    world.until("an engine that looks", LONG, || async { world.store.engine().await.unwrap().is_some() }).await;
    let why = world.desk.explain(&world.row(id).await).await.unwrap();
    assert_eq!((why.gate.as_str(), why.message.contains("dnc import --national")), ("national_list", true));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(world.calls(id).await.iter().all(|c| c.claim_number == 0), "no row was touched");
    let list = std::io::Cursor::new("+12125550199\n");
    world.desk.import_do_not_call(world.actor.clone(), list, national(world.clock.now())).await.unwrap();
    world.until("two dials", LONG, || async { world.simulator.invites_so_far() == 2 }).await;
}

/// "0 dialable now" of a campaign that had not begun; and a number on the list was counted as dialable.
#[tokio::test]
async fn an_idle_campaign_says_how_many_it_could_call() {
    let office = Office::open(|r| r.profile = Profile::Default).await;
    let csv = "name,phone,do_not_call\nA,+12025550101,\nB,+12025550102,\nC,+12025550103,yes\nD,+18085550104,\n";
    let (source, _) = office.import(csv.into()).await;
    let listed = PhoneNumber::parse("+12025550102", None).unwrap().number;
    office.desk.add_do_not_call(office.actor.clone(), listed, "asked".into()).await.unwrap();
    let id = office.campaign(dialdeck::domain::campaign::ContactSource::CsvFile, source, |_| {}).await;
    let check = async |what: &str| {
        let w = office.why(id).await.waiting;
        assert_eq!((w.dialable_now, w.later), (1, 1), "{what}: {w:?}");
    };
    check("idle").await;
    let p = office.desk.preflight(&office.row(id).await).await.unwrap();
    assert_eq!((p.contacts, p.do_not_call, p.dialable_now), (4, 2, 1));
    office.start(id).await;
    check("running").await;
}

/// House bug 6: arm waited for the writer while the hours ended, and judged the moment it was asked at.
#[tokio::test]
async fn arm_judges_the_moment_of_its_transaction() {
    let (office, id) = Office::calling(csv_of(2), |s| (s.start_hour, s.end_hour) = (9, 13)).await;
    office.wait(TimeDelta::minutes(59));
    let claimed = office.claim(id).await.unwrap();
    let (release, held) = tokio::sync::oneshot::channel::<()>();
    let store = office.store.clone();
    let writer = tokio::spawn(async move {
        let job = store.write(Lane::Urgent, move |_| {
            Box::pin(async move {
                let _ = held.await;
                Ok::<_, StoreError>(())
            })
        });
        job.await.unwrap();
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (desk, mine) = (office.desk.clone(), office.incarnation);
    let asked = tokio::spawn(async move { desk.arm(claimed, mine).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(50)).await;
    office.wait(TimeDelta::minutes(2));
    release.send(()).unwrap();
    writer.await.unwrap();
    match asked.await.unwrap() {
        Err(dialdeck::desk::Refused::Gate(closed)) => assert_eq!(closed.gate.word(), "hours"),
        other => panic!("{other:?}"),
    }
}

/// House bug 9: a claim that ran out as its call was armed had its room deleted, with the phone ringing.
#[tokio::test]
async fn a_claim_that_was_armed_meanwhile_keeps_its_room() {
    let (office, id) = Office::calling(csv_of(2), |_| {}).await;
    let claimed = office.claim(id).await.unwrap();
    let seen = office.store.open_calls().await.unwrap();
    office.wait(TimeDelta::days(10));
    let call = claimed.call;
    office.arm(claimed).await.unwrap();
    assert_eq!(office.desk.release_expired(office.installation, &seen).await.unwrap(), Vec::<String>::new());
    assert_eq!(office.call(call).await.state, State::Armed);
}

/// What a claim turns away costs no agent, keeps its evidence, and leaves the queue's order alone.
#[tokio::test]
async fn contact_gates_are_judged_before_an_agent_is_called() {
    let (office, id) = Office::calling(csv_of(3), |_| {}).await;
    let first = office.claim(id).await.unwrap();
    let other = office.started(office.row(id).await.csv_file_id.unwrap(), |_| {}).await;
    office.arm(first).await.unwrap();
    assert_eq!(office.dial(other).await, Err("number_busy"));
    let row = office.store.calls(other, &dialdeck::store::CallFilter::default(), 9, 0).await.unwrap().rows.into_iter().find(|r| r.claim_number == 1).unwrap();
    assert_eq!((row.state, row.dialable_at > office.now()), (State::Pending, true), "again in a minute");
    let audit = office.store.audit_of(office.actor.owner, row.id.0).await.unwrap();
    assert!(audit.iter().any(|a| a.action == "call_not_armed" && a.details.0["gate"] == "number_busy"), "{audit:?}");
    // The whole campaign closed: the row keeps its place.
    let second = office.claim(other).await.unwrap();
    let due = office.call(second.call).await.dialable_at;
    office.desk.kill_switch(office.actor.clone(), true).await.unwrap();
    let call = second.call;
    assert!(office.arm(second).await.is_err());
    let row = office.call(call).await;
    assert_eq!((row.state, row.dialable_at), (State::Pending, due));
}

struct Dice(u64);

impl Dice {
    fn one_in(&mut self, n: u64) -> bool {
        self.0 = die(self.0);
        self.0.is_multiple_of(n)
    }
}

/// One random board: an engine over it does just what "why" said before.
async fn why_and_engine(seed: u64) -> (String, bool) {
    let mut dice = Dice(die(seed));
    let profile = if dice.one_in(4) { Profile::Us } else { Profile::Default };
    let rules = Rules { profile, trunk_concurrent: if dice.one_in(6) { 0 } else { 3 }, ..quick_rules() };
    let mut world = World::new(Options { speed: 40.0, behaviour: short_talks(), rules, ..Options::default() }).await;
    let mut csv = "name,phone,consent_at\n".to_owned();
    // Honolulu sleeps at noon in New York; the number of the second is on the list.
    let areas: &[&str] = if dice.one_in(4) { &["808"] } else { &["202", "808"] };
    for (i, area) in areas.iter().cycle().take(4).enumerate() {
        csv.push_str(&format!("C{i},+1{area}55501{i:02},2026-11-01\n"));
    }
    if dice.one_in(2) {
        world.desk.import_do_not_call(world.actor.clone(), std::io::Cursor::new("+12125550199\n"), national(world.clock.now())).await.unwrap();
    }
    let (source, _) = world.import(csv).await;
    let closed = dice.one_in(5);
    let id = world
        .campaign(source, |s| {
            (s.start_hour, s.end_hour) = if closed { (1, 5) } else { (0, 0) };
            s.max_concurrent = 2;
        })
        .await;
    world.desk.start(world.actor.clone(), id).await.unwrap();
    while world.row(id).await.fill_position.is_some() {
        world.desk.fill(world.actor.owner, id).await.unwrap();
    }
    if dice.one_in(6) {
        world.desk.kill_switch(world.actor.clone(), true).await.unwrap();
    }
    if dice.one_in(7) {
        world.desk.pause(world.actor.clone(), id).await.unwrap();
    }
    if dice.one_in(7) {
        world.assistant = world.desk.add_assistant(world.actor.clone(), None, "Olga".into(), None, "Hi".into(), None).await.unwrap().id;
        world.assign("trunk.example").await;
    }
    // As an engine that lives would have it.
    world.desk.heartbeat(dialdeck::domain::id::Incarnation::fresh(), "host".into(), 1).await.unwrap();
    let why = world.desk.explain(&world.row(id).await).await.unwrap();
    world.start_engine();
    let patience = if why.gate == "open" { Duration::from_secs(10) } else { Duration::from_millis(600) };
    let end = std::time::Instant::now() + patience;
    while world.simulator.invites_so_far() == 0 && std::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (why.gate, world.simulator.invites_so_far() > 0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_says_what_the_engine_then_does() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..share(40, 6) {
        let (gate, dialled) = why_and_engine(seed).await;
        assert_eq!(gate == "open", dialled, "seed {seed}: why says {gate}, and somebody was called: {dialled}");
        *seen.entry(gate).or_default() += 1;
    }
    if on_a_server() {
        return;
    }
    for gate in ["open", "kill_switch", "state", "hours", "contact_hours", "national_list", "trunk", "trunk_concurrency"] {
        assert!(seen.contains_key(gate), "{gate} was never met: {seen:?}");
    }
}

/// A refusal on the wire is the gate's word, whoever says it.
#[tokio::test]
async fn a_start_without_terms_names_the_gate() {
    let office = Office::open(|r| r.real_phones = true).await;
    let (source, _) = office.import(csv_of(1)).await;
    let id = office.campaign(dialdeck::domain::campaign::ContactSource::CsvFile, source, |_| {}).await;
    let Err(DeskError::Refused(refusal)) = office.desk.start(office.actor.clone(), id).await else { panic!() };
    assert_eq!(refusal.gate, "terms");
}

/// The call of a contact who answered, talked, and whose end was only believed.
async fn believed_over(office: &Office, id: CampaignId) -> dialdeck::domain::id::CallId {
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    office.wait(TimeDelta::seconds(30));
    office.tell(call, "gone", Source::Engine, Kind::LegGone { proven: false }).await;
    assert_eq!(office.call(call).await.state, State::Completed);
    call
}

async fn promise(office: &Office, call: dialdeck::domain::id::CallId) {
    let callback_at = Some(office.now() + TimeDelta::hours(1));
    let set = SetOutcome { call, outcome: Some(Outcome::Callback), notes: None, who: Who::Operator, confidence: None, callback_at, expected: None };
    office.desk.set_outcome(office.actor.clone(), set).await.unwrap();
}

async fn promised(office: &Office, id: CampaignId) -> Vec<CallRow> {
    let rows = office.store.calls(id, &dialdeck::store::CallFilter::default(), 100, 0).await.unwrap().rows;
    rows.into_iter().filter(|c| c.state == State::Pending && c.priority == 1).collect()
}

/// Late news of how a talk ended takes back the retry, never what was promised to the contact.
#[tokio::test]
async fn a_promise_outlives_late_news_of_the_call_before() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let call = believed_over(&office, id).await;
    promise(&office, call).await;
    let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    office.tell(call, "left", Source::Livekit, left).await;
    assert_eq!(promised(&office, id).await.len(), 1);
}

/// A promised call that rang nobody is still promised.
#[tokio::test]
async fn a_promise_that_never_rang_goes_first_again() {
    let (office, id) = Office::calling(csv_of(1), |s| s.retry.max_attempts = 5).await;
    let call = believed_over(&office, id).await;
    promise(&office, call).await;
    office.wait(TimeDelta::minutes(61));
    let call = office.dial(id).await.unwrap();
    let fault = dialdeck::domain::event::Fault::Late;
    office.reply(call, Reply::Unsent { fault, reason: "too slow".into() }).await;
    assert_eq!(promised(&office, id).await.len(), 1);
}

/// A stop says how many promises it breaks; a start, or recycling them, brings them back at their moment.
#[tokio::test]
async fn a_promise_is_not_lost_by_stop_then_start() {
    let (office, id) = Office::calling(csv_of(3), |_| {}).await;
    let call = believed_over(&office, id).await;
    promise(&office, call).await;
    let moment = promised(&office, id).await[0].dialable_at;
    let stop = || async { office.desk.stop(office.actor.clone(), id, false).await.unwrap() };
    let stopped = stop().await;
    assert_eq!((stopped.canceled, stopped.promises), (3, 1));
    assert!(stopped.broken().contains("not kept: 1 promised callback: Contact 0 "), "{}", stopped.broken());
    assert!(promised(&office, id).await.is_empty());
    office.start(id).await;
    let kept = promised(&office, id).await;
    assert_eq!(kept.iter().map(|c| (c.dialable_at, c.attempt)).collect::<Vec<_>>(), [(moment, 2)]);
    // One that an agent is being called for is a promise too; what has passed is due now.
    office.wait(TimeDelta::minutes(61));
    let claimed = office.claim(id).await.unwrap();
    assert_eq!(claimed.number, kept[0].phone_number);
    assert_eq!(stop().await.promises, 1);
    office.wait(TimeDelta::hours(1));
    let recycle = |callback, busy| office.desk.recycle(office.actor.clone(), id, dialdeck::desk::Recycle { callback, busy, ..Default::default() });
    assert!(recycle(false, true).await.is_err());
    assert_eq!(recycle(true, false).await.unwrap(), 1);
    assert_eq!(promised(&office, id).await[0].dialable_at, office.now());
    let Err(DeskError::Refused(refusal)) = recycle(true, false).await else { panic!() };
    assert!(refusal.message.contains("no promised callback"), "{}", refusal.message);
    // It counts as any other row.
    let row = office.row(id).await;
    assert_eq!(row.counts, crate::support::counted(&office.store.calls(id, &dialdeck::store::CallFilter::default(), 100, 0).await.unwrap().rows));
}

/// What was taken back, or answered by a no, while the campaign was stopped stays so.
#[tokio::test]
async fn a_start_brings_back_no_promise_that_does_not_stand() {
    for outcome in [Outcome::Interested, Outcome::WrongNumber, Outcome::DoNotCall] {
        let (office, id) = Office::calling(csv_of(2), |_| {}).await;
        let call = believed_over(&office, id).await;
        promise(&office, call).await;
        assert_eq!(office.desk.stop(office.actor.clone(), id, false).await.unwrap().promises, 1);
        office.tag(call, outcome).await;
        office.start(id).await;
        assert!(promised(&office, id).await.is_empty(), "{outcome:?}");
    }
    // Nor one whose call was made.
    let (office, id) = Office::calling(csv_of(2), |_| {}).await;
    let call = believed_over(&office, id).await;
    promise(&office, call).await;
    office.wait(TimeDelta::minutes(61));
    let kept = office.dial(id).await.unwrap();
    assert_eq!(office.desk.stop(office.actor.clone(), id, false).await.unwrap().promises, 0);
    office.reply(kept, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    office.tell(kept, "gone", Source::Engine, Kind::LegGone { proven: false }).await;
    office.start(id).await;
    assert!(promised(&office, id).await.is_empty());
}

/// P7 over a new start: what was being prepared when a stop came is over, whoever starts again.
#[tokio::test]
async fn a_call_that_was_prepared_at_a_stop_does_not_come_back_with_a_start() {
    let (office, id) = Office::calling(csv_of(2), |_| {}).await;
    let claimed = office.claim(id).await.unwrap();
    let call = claimed.call;
    let stopped = office.desk.stop(office.actor.clone(), id, false).await.unwrap();
    assert_eq!((stopped.canceled, office.call(call).await.state), (2, State::Canceled));
    office.start(id).await;
    assert!(matches!(office.arm(claimed).await, Err(dialdeck::desk::Refused::Lost)));
    assert_eq!(office.call(call).await.state, State::Canceled);
    let rows = office.store.calls(id, &dialdeck::store::CallFilter::default(), 100, 0).await.unwrap().rows;
    assert_eq!(office.row(id).await.counts, crate::support::counted(&rows));
}

/// A look that began before a pause claims nothing after it.
#[tokio::test]
async fn nothing_is_claimed_of_a_campaign_that_was_paused_meanwhile() {
    let (office, id) = Office::calling(csv_of(2), |_| {}).await;
    office.desk.pause(office.actor.clone(), id).await.unwrap();
    let claims = office.claims(id).await;
    assert!(claims.ready.is_empty() && claims.turned_away.is_empty());
}

/// What is done is done, whatever keeps the installation from dialling.
#[tokio::test]
async fn a_campaign_that_is_done_completes_under_the_kill_switch() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    believed_over(&office, id).await;
    office.desk.kill_switch(office.actor.clone(), true).await.unwrap();
    let decided = decision(&office, id).await;
    assert!(matches!(&decided, dialdeck::domain::dispatch::Decision::Ended(c) if c.gate.word() == "done"), "{decided:?}");
}

/// An engine's note of a missing agent ends with that engine.
#[tokio::test]
async fn a_note_of_an_engine_that_is_gone_is_gone() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    office.desk.campaign_note(id, "no agent worker took the call".into()).await.unwrap();
    let why = async || office.why(id).await.gate;
    assert_eq!(why().await, "agent");
    office.desk.take_over(office.installation, dialdeck::domain::id::Incarnation::fresh(), "host".into(), TimeDelta::zero()).await.unwrap();
    assert_eq!(why().await, "open");
}

/// P14 at the last moment: calls that wait for their turn are not sent into an outage that is known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prepared_calls_are_not_dialled_into_a_known_outage() {
    let rules = Rules { calls_per_second: 1.0, ..quick_rules() };
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(2), talk: Duration::from_mins(5) };
    let mut world = World::new(Options { speed: 10.0, behaviour, rules, ..Options::default() }).await;
    let id = world.running(csv_of(40), |_| {}).await;
    world
        .until("calls that wait for the trunk's rate", LONG, || async {
            let calls = world.calls(id).await;
            calls.iter().filter(|c| c.state == State::Claimed).count() >= 3 && calls.iter().filter(|c| c.armed_at.is_some()).count() >= 4
        })
        .await;
    world.simulator.restart_sip(Duration::from_mins(10));
    world.until("the first dial that does not reach SIP", LONG, || async { world.calls(id).await.iter().any(|c| c.state == State::Unsent) }).await;
    // Four seconds: the next trial is due after five.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let unsent = world.calls(id).await.iter().filter(|c| c.state == State::Unsent).count();
    assert!(unsent <= 2, "{unsent} calls were sent although the first had found no SIP service");
}
