//! Campaigns run to their end against the simulator; what rang is counted from its own log.

use std::{collections::HashMap, time::Duration};

use dialdeck::{
    desk::{Desk, DeskError, Recorded, Recycle},
    domain::{
        call::State,
        campaign::Status,
        event::{CallEvent, End, Kind, Reply, Source, Target},
        outcome::{Outcome, Who},
        rules::{Profile, Rules},
    },
    store::CampaignEdit,
    telephony::simulator::{Behaviour, Faults, Script, Workers},
};

use crate::support::{Options, World, assert_counts_equal_rows, csv_of, fictional, office::Office, quick_rules};

const LONG: Duration = Duration::from_mins(2);

/// The gate and the words of a refusal.
fn refused(e: DeskError) -> (&'static str, String) {
    match e {
        DeskError::Refused(r) => (r.gate, r.message),
        e => panic!("{e}"),
    }
}

/// How often each number's phone was reached.
fn rings(world: &World) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for invite in world.simulator.invites().into_iter().filter(|i| i.reached_phone) {
        *counts.entry(invite.number).or_default() += 1;
    }
    counts
}

fn assert_once_each(world: &World, n: usize) {
    let rung = rings(world);
    let twice: Vec<_> = rung.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.is_empty(), "rung more than once: {twice:?}");
    assert_eq!(rung.len(), n);
}

/// Everybody answers and hangs up: no trunk failure disturbs the count.
fn answering() -> Behaviour {
    Behaviour::Answer { ring: Duration::from_secs(2), talk: Duration::from_secs(8) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_contacts_with_duplicates_and_bad_rows_each_dialled_once() {
    let mut world = World::new(Options { speed: 60.0, behaviour: answering(), ..Options::default() }).await;
    let mut csv = csv_of(950);
    for i in 0..30 {
        csv.push_str(&format!("Again {i},{},Acme\n", fictional(i)));
    }
    for i in 0..20 {
        csv.push_str(&format!("Bad {i},not a number {i},Acme\n"));
    }
    let (source, report) = world.import(csv).await;
    assert_eq!((report.imported, report.duplicate, report.invalid), (950, 30, 20));
    let duplicate = report.rejects.iter().find(|r| r.reason.starts_with("duplicate")).unwrap();
    assert_eq!(duplicate.line, 952, "the first duplicate's line");
    let id = world.campaign(source, |s| s.daily_cap = 2000).await;
    world.start_engine();
    world.desk.start(world.actor.clone(), id).await.unwrap();
    world.until_completed(id, LONG).await;
    assert_once_each(&world, 950);
    assert_counts_equal_rows(&world, id).await;
    let row = world.row(id).await;
    assert_eq!((row.counts.dials, row.counts.pickups, row.counts.processing, row.counts.live), (950, 950, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mix_of_results_by_polling_alone() {
    let mut world = World::new(Options::default()).await;
    let id = world.running(csv_of(80), |_| {}).await;
    world.until_completed(id, LONG).await;
    assert_once_each(&world, rings(&world).len());
    assert_counts_equal_rows(&world, id).await;
    let calls = world.calls(id).await;
    let of = |s: State| calls.iter().filter(|c| c.state == s).count();
    assert!(of(State::Completed) > 20 && of(State::NoAnswer) > 5 && of(State::Busy) > 2, "{:?}", world.row(id).await.counts);
    let wrong: Vec<_> = calls.iter().filter(|c| c.state == State::WrongNumber).collect();
    assert!(wrong.iter().all(|c| c.outcome == Some(Outcome::WrongNumber) && c.outcome_who == Some(Who::Carrier)));
    assert!(calls.iter().any(|c| c.suggestion.is_some()), "agents report by attributes");
    assert!(calls.iter().filter(|c| c.state == State::Completed).all(|c| c.call_duration >= 3), "talks have a length");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_of_the_dispatches_bring_no_agent_and_no_call_is_dialled_without_one() {
    let faults = Faults { agent_missing: 0.5, seed: 3, ..Faults::default() };
    let mut world = World::new(Options { speed: 40.0, behaviour: answering(), faults, ..Options::default() }).await;
    let id = world.running(csv_of(30), |_| {}).await;
    world.until_completed(id, LONG).await;
    assert_once_each(&world, 30);
    // An agent was in the room before each INVITE.
    let log = world.simulator.log();
    for (i, entry) in log.iter().enumerate().filter(|(_, e)| e.what.starts_with("invite ")) {
        let room = entry.what.rsplit(' ').next().unwrap();
        let agent = log[..i].iter().any(|e| e.what == format!("webhook participant_joined {room}"));
        assert!(agent, "no agent in {room} before {}", entry.what);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_worker_nothing_rings_and_the_campaign_says_why() {
    let faults = Faults { workers: Workers::Absent, ..Faults::default() };
    let mut world = World::new(Options { faults, ..Options::default() }).await;
    let id = world.running(csv_of(5), |_| {}).await;
    let mut said = String::new();
    for _ in 0..300 {
        said = world.desk.explain(&world.row(id).await).await.unwrap().message;
        if said.contains("no agent worker") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(said.contains("no agent worker took the call"), "{said}");
    assert!(world.simulator.invites().is_empty());
    world.simulator.set_faults(Faults::default());
    world.until_completed(id, LONG).await;
    assert!(!world.simulator.invites().is_empty(), "it goes on by itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_adopts_live_calls_and_dials_nobody_again() {
    let talk = Behaviour::Answer { ring: Duration::from_secs(2), talk: Duration::from_mins(2) };
    let mut world = World::new(Options { speed: 30.0, behaviour: talk, ..Options::default() }).await;
    let id = world.running(csv_of(12), |s| s.max_concurrent = 6).await;
    world.until("six on the line", LONG, || async { world.row(id).await.counts.answered_now >= 5 }).await;
    world.crash_engine().await;
    let before = world.simulator.invites().len();
    let open: Vec<_> = world.calls(id).await.into_iter().filter(|c| c.state.is_open()).map(|c| c.id).collect();
    assert!(open.len() >= 5);
    world.start_engine();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(world.simulator.live_legs() >= 5, "nobody was hung up");
    world.until_completed(id, LONG).await;
    assert!(world.simulator.invites().len() > before);
    assert_once_each(&world, 12);
    let calls = world.calls(id).await;
    assert!(calls.iter().filter(|c| open.contains(&c.id)).all(|c| c.state == State::Completed), "{:?}", calls.iter().map(|c| c.state).collect::<Vec<_>>());
    assert_counts_equal_rows(&world, id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_replies_and_errors_after_ringing_never_dial_twice() {
    let faults = Faults { lost_reply: 0.3, error_after_ringing: 0.2, seed: 5, ..Faults::default() };
    let mut world = World::new(Options { speed: 25.0, behaviour: answering(), faults, ..Options::default() }).await;
    let id = world.running(csv_of(60), |_| {}).await;
    world.until_completed(id, LONG).await;
    assert_once_each(&world, 60);
    assert_counts_equal_rows(&world, id).await;
    assert_eq!(world.row(id).await.counts.pickups, 60, "polling finds every answer whose reply was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daily_cap_is_never_passed_and_the_campaign_says_when_it_goes_on() {
    let mut world = World::new(Options { behaviour: answering(), ..Options::default() }).await;
    let id = world.running(csv_of(40), |s| s.daily_cap = 7).await;
    world.until("the cap", LONG, || async { world.row(id).await.counts.completed == 7 }).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.simulator.invites().len(), 7);
    let row = world.row(id).await;
    let why = world.desk.explain(&row).await.unwrap();
    assert_eq!((row.execution_status, why.gate.as_str()), (Status::Running, "daily_cap"));
    assert!(why.until.is_some_and(|t| t > world.clock.now()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_its_hours_it_waits_and_says_until_when() {
    let mut world = World::new(Options::default()).await;
    let id = world.running(csv_of(3), |s| (s.start_hour, s.end_hour) = (13, 17)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let why = world.desk.explain(&world.row(id).await).await.unwrap();
    assert_eq!(why.gate, "hours");
    assert_eq!(why.until.map(|t| t.to_rfc3339()), Some("2026-11-18T18:00:00+00:00".to_owned()), "13:00 in New York");
    assert!(world.simulator.invites().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_whose_zone_sleeps_are_not_called() {
    let mut world = World::new(Options { behaviour: answering(), ..Options::default() }).await;
    // 17:00 UTC: noon in New York, seven in the morning in Honolulu by the contact's own column.
    let csv = format!("name,phone,timezone\nA,{},\nB,{},Pacific/Honolulu\n", fictional(1), fictional(2));
    let id = world.running(csv, |_| {}).await;
    world.until("the first call", LONG, || async { world.row(id).await.counts.completed == 1 }).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let numbers: Vec<_> = world.simulator.invites().into_iter().map(|i| i.number).collect();
    assert_eq!(numbers, [fictional(1)]);
    let why = world.desk.explain(&world.row(id).await).await.unwrap();
    assert_eq!(why.gate, "contact_hours");
    assert_eq!(why.until.map(|t| t.to_rfc3339()), Some("2026-11-18T18:00:00+00:00".to_owned()), "8 in Honolulu");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_after_pause_returned_no_further_call_is_armed() {
    let mut world = World::new(Options { behaviour: answering(), ..Options::default() }).await;
    let id = world.running(csv_of(200), |s| s.max_concurrent = 20).await;
    world.until("some calls", LONG, || async { world.row(id).await.counts.dials > 10 }).await;
    world.desk.pause(world.actor.clone(), id).await.unwrap();
    let armed = world.row(id).await.counts.dials;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.row(id).await.counts.dials, armed);
    world.until("live calls end", LONG, || async { world.row(id).await.counts.processing == 0 }).await;
    world.desk.resume(world.actor.clone(), id).await.unwrap();
    world.until_completed(id, LONG).await;
    assert_once_each(&world, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_cancels_what_waits_and_hangs_up_when_asked() {
    let talk = Behaviour::Answer { ring: Duration::from_secs(1), talk: Duration::from_mins(5) };
    let mut world = World::new(Options { behaviour: talk, ..Options::default() }).await;
    let id = world.running(csv_of(50), |s| s.max_concurrent = 5).await;
    world.until("five talk", LONG, || async { world.row(id).await.counts.answered_now == 5 }).await;
    let stopped = world.desk.stop(world.actor.clone(), id, true).await.unwrap();
    assert_eq!(stopped.live, 5);
    world.until("nobody talks", LONG, || async { world.simulator.live_legs() == 0 && world.row(id).await.counts.processing == 0 }).await;
    let row = world.row(id).await;
    assert_eq!((row.execution_status, row.counts.pending), (Status::Completed, 0));
    assert_counts_equal_rows(&world, id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_do_not_call_hangs_up_and_suppresses_the_number_everywhere() {
    let talk = Behaviour::Answer { ring: Duration::from_secs(1), talk: Duration::from_mins(5) };
    let mut world = World::new(Options { behaviour: talk, ..Options::default() }).await;
    let (first, _) = world.import(csv_of(1)).await;
    let (second, _) = world.import(csv_of(2)).await;
    let one = world.campaign(first, |_| {}).await;
    let two = world.campaign(second, |s| s.max_concurrent = 1).await;
    world.start_engine();
    world.desk.start(world.actor.clone(), one).await.unwrap();
    world.until("they talk", LONG, || async { world.row(one).await.counts.answered_now == 1 }).await;
    world.desk.start(world.actor.clone(), two).await.unwrap();
    let call = world.calls(one).await[0].clone();
    let set = dialdeck::desk::SetOutcome {
        call: call.id,
        outcome: Some(Outcome::DoNotCall),
        notes: None,
        who: Who::Operator,
        confidence: None,
        callback_at: None,
        expected: None,
    };
    world.desk.set_outcome(world.actor.clone(), set).await.unwrap();
    world.until("hung up", LONG, || async { world.calls(one).await[0].state == State::Completed }).await;
    world.until("the other contact talks", LONG, || async { world.row(two).await.counts.answered_now == 1 }).await;
    assert_eq!(rings(&world).get(&fictional(0)), Some(&1), "not called again by the other campaign");
    let canceled = world.calls(two).await.into_iter().find(|c| c.phone_number == fictional(0)).unwrap();
    assert_eq!(canceled.state, State::Canceled);
    assert_counts_equal_rows(&world, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_one_number_in_two_campaigns_has_one_live_call() {
    let talk = Behaviour::Answer { ring: Duration::from_secs(1), talk: Duration::from_secs(20) };
    let rules = Rules { rest_after_talk: chrono::TimeDelta::zero(), ..quick_rules() };
    let mut world = World::new(Options { behaviour: talk, rules, ..Options::default() }).await;
    let (first, _) = world.import(csv_of(5)).await;
    let (second, _) = world.import(csv_of(5)).await;
    let one = world.campaign(first, |_| {}).await;
    let two = world.campaign(second, |_| {}).await;
    world.start_engine();
    world.desk.start(world.actor.clone(), one).await.unwrap();
    world.desk.start(world.actor.clone(), two).await.unwrap();
    world.until_completed(one, LONG).await;
    world.until_completed(two, LONG).await;
    let mut live: HashMap<String, i32> = HashMap::new();
    for entry in world.simulator.log() {
        let words: Vec<&str> = entry.what.split(' ').collect();
        match words.as_slice() {
            ["invite", number, _] => {
                let n = live.entry((*number).to_owned()).or_default();
                *n += 1;
                assert!(*n <= 1, "{number} rang while it was live");
            }
            ["left", number, _] => *live.entry((*number).to_owned()).or_default() -= 1,
            _ => {}
        }
    }
    assert_eq!(world.simulator.invites().len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_what_it_needs_is_refused_in_words() {
    let world = World::new(Options::default()).await;
    let (empty, _) = world.import("name,phone\n".to_owned()).await;
    let id = world.campaign(empty, |_| {}).await;
    assert_eq!(refused(world.desk.start(world.actor.clone(), id).await.unwrap_err()).0, "contacts");
    let (source, _) = world.import(csv_of(1)).await;
    let lonely = world.desk.add_assistant(world.actor.clone(), None, "Lonely".into(), None, String::new(), None).await.unwrap().id;
    let draft = dialdeck::desk::CampaignDraft {
        name: "No trunk".into(),
        assistant: lonely,
        source: dialdeck::domain::campaign::ContactSource::CsvFile,
        source_id: source,
        prompt: "Hello".into(),
        agent_name: None,
        settings: crate::support::settings(),
    };
    let id = world.desk.create_campaign(world.actor.clone(), draft).await.unwrap();
    let (gate, words) = refused(world.desk.start(world.actor.clone(), id).await.unwrap_err());
    assert!(gate == "trunk" && words.contains("No outbound trunk found"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_script_field_is_found_before_the_call() {
    let mut world = World::new(Options { behaviour: answering(), ..Options::default() }).await;
    let csv = format!("name,phone\nJane,{}\n,{}\n", fictional(1), fictional(2));
    let id = world.running(csv, |_| {}).await;
    world.until_completed(id, LONG).await;
    assert_eq!(rings(&world).keys().cloned().collect::<Vec<_>>(), [fictional(1)]);
    let silent = world.calls(id).await.into_iter().find(|c| c.phone_number == fictional(2)).unwrap();
    assert_eq!((silent.state, silent.reason.as_str()), (State::Failed, "missing field name"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn livekit_away_is_said_and_dialling_goes_on_when_it_is_back() {
    let mut world = World::new(Options { behaviour: answering(), ..Options::default() }).await;
    let (source, _) = world.import(csv_of(5)).await;
    let id = world.campaign(source, |_| {}).await;
    world.simulator.restart_server(Duration::from_secs(40));
    world.start_engine();
    world.desk.start(world.actor.clone(), id).await.unwrap();
    world.until("words", LONG, || async { world.desk.explain(&world.row(id).await).await.unwrap().message.contains("LiveKit connection failed") }).await;
    world.until_completed(id, LONG).await;
    assert_once_each(&world, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_repeats_change_nothing_and_unknown_rooms_are_only_stored() {
    let world = World::new(Options::default()).await;
    let event = |key: &str| CallEvent {
        key: key.to_owned(),
        target: Target::Room("dd-00000000-11111111-1111-1111-1111-111111111111-1".into()),
        source: Source::Livekit,
        at: world.clock.now(),
        kind: Kind::RoomFinished,
        raw: serde_json::Value::Null,
    };
    assert_eq!(world.desk.record(event("a")).await.unwrap(), Recorded::Stored);
    assert_eq!(world.desk.record(event("a")).await.unwrap(), Recorded::Duplicate);
    assert_eq!(world.desk.record(event("b")).await.unwrap(), Recorded::Stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trunk_rate_and_concurrency_hold() {
    let rules = Rules { trunk_concurrent: 4, calls_per_second: 2.0, profile: Profile::Default, ..quick_rules() };
    let mut world = World::new(Options { behaviour: answering(), rules, speed: 20.0, ..Options::default() }).await;
    let id = world.running(csv_of(20), |_| {}).await;
    world.until_completed(id, LONG).await;
    assert_once_each(&world, 20);
    let mut armed: Vec<_> = world.calls(id).await.into_iter().map(|c| (c.armed_at.unwrap(), c.completed_at.unwrap())).collect();
    armed.sort();
    for window in armed.windows(4) {
        assert!((window[3].0 - window[0].0).num_milliseconds() >= 450, "four dials within half a second at 2 a second");
    }
    for (at, _) in &armed {
        let live = armed.iter().filter(|(from, to)| from <= at && at < to).count();
        assert!(live <= 4, "{live} on a trunk of 4");
    }
}

fn with_breaker() -> Rules {
    Rules { breaker: Rules::default().breaker, ..quick_rules() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_breaker_pauses_a_campaign_whose_trunk_fails_and_one_key_resumes_it() {
    let script = Script::parse("[[callee]]\nends = \"0\"\ncode = 503\ntext = \"Service Unavailable\"").unwrap();
    let mut world = World::new(Options { behaviour: Behaviour::Script(Box::new(script)), speed: 20.0, rules: with_breaker(), ..Options::default() }).await;
    // Every number ends in 0: the trunk fails each call.
    let csv = (0..200).fold("name,phone\n".to_owned(), |csv, i| csv + &format!("Contact {i},{}\n", fictional(i * 10)));
    let id = world.running(csv, |s| s.max_concurrent = 5).await;
    world.until("the breaker", LONG, || async { world.row(id).await.execution_status == Status::Paused }).await;
    let row = world.row(id).await;
    assert!(row.status_reason.contains("failed at the trunk") && row.status_reason.contains("503"), "{}", row.status_reason);
    let dials = world.simulator.invites().len();
    assert!((10..40).contains(&dials), "{dials} dials until it opened");
    assert!(world.desk.explain(&row).await.unwrap().message.contains("breaker"));
    world.desk.resume(world.actor.clone(), id).await.unwrap();
    world.until("more dials", LONG, || async { world.simulator.invites().len() > dials }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_on_the_line_without_an_agent_is_let_go_and_counted_and_too_many_pause_the_campaign() {
    let faults = Faults { agent_leaves: 0.2, seed: 3, ..Faults::default() };
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(2), talk: Duration::from_secs(40) };
    let mut world = World::new(Options { behaviour, faults, speed: 20.0, rules: with_breaker(), ..Options::default() }).await;
    let id = world.running(csv_of(120), |s| s.max_concurrent = 12).await;
    world.until("the breaker", LONG, || async { world.row(id).await.execution_status == Status::Paused }).await;
    let row = world.row(id).await;
    assert!(row.status_reason.contains("without an agent"), "{}", row.status_reason);
    world.until("the end of live calls", LONG, || async { world.row(id).await.counts.live == 0 }).await;
    let calls = world.calls(id).await;
    let answered: Vec<_> = calls.iter().filter(|c| c.answered_at.is_some()).collect();
    let short: Vec<_> = answered.iter().filter(|c| c.hangup_requested_at.is_some()).collect();
    assert!(answered.len() >= 3 && short.len() >= 3, "{} answered, {} let go", answered.len(), short.len());
    for call in short {
        assert!(call.call_duration <= 20, "a call without an agent went on for {} s", call.call_duration);
    }
    assert_counts_equal_rows(&world, id).await;
}

/// 25 contacts and no agent that stays: all 25 were called into silence, and the campaign was done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_campaign_is_paused_at_the_third_silent_answer() {
    let faults = Faults { agent_leaves: 1.0, ..Faults::default() };
    let behaviour = Behaviour::Answer { ring: Duration::from_secs(1), talk: Duration::from_secs(40) };
    let mut world = World::new(Options { behaviour, faults, speed: 10.0, rules: with_breaker(), ..Options::default() }).await;
    let id = world.running(csv_of(25), |s| s.max_concurrent = 1).await;
    world.until("the breaker", LONG, || async { world.row(id).await.execution_status != Status::Running }).await;
    let row = world.row(id).await;
    assert_eq!(row.execution_status, Status::Paused);
    assert!(row.status_reason.contains("3 of the last 3 answered calls were without an agent"), "{}", row.status_reason);
    world.until("the end of live calls", LONG, || async { world.row(id).await.counts.live == 0 }).await;
    assert_eq!((world.row(id).await.counts.pickups, world.simulator.invites().len()), (3, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_grows_from_one_prepare() {
    let mut world =
        World::new(Options { behaviour: answering(), faults: Faults { workers: Workers::Absent, ..Faults::default() }, ..Options::default() }).await;
    let id = world.running(csv_of(50), |_| {}).await;
    world.until("words", LONG, || async { world.desk.explain(&world.row(id).await).await.unwrap().message.contains("no agent worker") }).await;
    // Nobody's agent came: one contact was prepared, not fifty.
    let prepared = world.calls(id).await.iter().filter(|c| c.claim_number > 0).count();
    assert_eq!(prepared, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_busy_goes_round_again_inside_the_budget() {
    let script = Script::parse("[[callee]]\nends = \"0\"\ncode = 486\ntext = \"Busy here\"\n[[callee]]\nends = \"0\"\nring = 1\ntalk = 5").unwrap();
    let mut world = World::new(Options { behaviour: Behaviour::Script(Box::new(script)), ..Options::default() }).await;
    let csv = (0..4).fold("name,phone\n".to_owned(), |csv, i| csv + &format!("Contact {i},{}\n", fictional(i * 10)));
    let id = world.running(csv, |s| (s.retry.max_attempts, s.retry.busy_minutes) = (1, 1)).await;
    world.until_completed(id, LONG).await;
    let what = Recycle { busy: true, ..Recycle::default() };
    let (gate, words) = refused(world.desk.recycle(world.actor.clone(), id, what).await.unwrap_err());
    assert!(gate == "contacts" && words.contains("attempt left"), "{words}");
    let mut edit = world.row(id).await.settings();
    edit.retry.max_attempts = 2;
    let row = world.row(id).await;
    let edit = CampaignEdit { name: row.name, assistant: row.assistant_id, prompt: row.campaign_prompt, agent_name: None, settings: edit };
    world.desk.edit_campaign(world.actor.clone(), id, edit).await.unwrap();
    assert_eq!(world.desk.recycle(world.actor.clone(), id, what).await.unwrap(), 4);
    world.until_completed(id, LONG).await;
    let counts = world.row(id).await.counts;
    assert_eq!((counts.busy, counts.completed, counts.dials), (4, 4, 8));
    assert_counts_equal_rows(&world, id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_phones_wait_for_the_terms() {
    let world = World::new(Options { rules: Rules { real_phones: true, ..quick_rules() }, ..Options::default() }).await;
    let (source, _) = world.import(csv_of(3)).await;
    let id = world.campaign(source, |_| {}).await;
    let (gate, words) = refused(world.desk.start(world.actor.clone(), id).await.unwrap_err());
    assert!(gate == "terms" && words.contains("terms accept --name"), "{words}");
    world.desk.accept_terms(world.actor.clone(), "Ana Lima".into()).await.unwrap();
    world.desk.start(world.actor.clone(), id).await.unwrap();
}

/// A campaign that ran over a LiveKit of this machine does not go on over a real one by itself.
#[tokio::test]
async fn a_running_campaign_waits_for_the_terms_too() {
    let mut office = Office::open(|_| {}).await;
    let (source, _) = office.import(csv_of(1)).await;
    let id = office.started(source, |_| {}).await;
    let rules = Rules { real_phones: true, ..office.desk.rules().clone() };
    office.desk = Desk::new(office.store.clone(), std::sync::Arc::new(office.clock.clone()), rules);
    assert_eq!(office.dial(id).await, Err("terms"));
    assert_eq!(office.why(id).await.gate, "terms");
}

#[tokio::test]
async fn why_counts_who_is_exhausted_and_whose_row_was_refused() {
    let (office, id) = Office::calling(format!("{}Nobody,12,Acme\n", csv_of(3)), |s| s.retry.max_attempts = 1).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Ended { end: End::NoAnswer, sip_code: Some(480), reason: "x".into() }).await;
    let w = office.why(id).await.waiting;
    assert_eq!((w.dialable_now, w.exhausted, w.invalid), (2, 1, 1), "{w:?}");
}

/// The zone is awake and the state is not: Sunday in Alabama.
#[tokio::test]
async fn dialable_now_knows_the_states() {
    let office = Office::open(|r| r.profile = Profile::Default).await;
    office.wait(chrono::TimeDelta::days(4));
    let (source, _) = office.import("name,phone\nAna,+12055550144\nMei,+13125550143\n".into()).await;
    let id = office.started(source, |_| {}).await;
    let w = office.why(id).await.waiting;
    assert_eq!((w.dialable_now, w.later), (1, 1), "{w:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_counts_who_waits_for_what() {
    let world = World::new(Options::default()).await;
    // Noon in New York, on a Wednesday: Hawaii is asleep, Alabama is open, one number is flagged.
    let csv = "name,phone,dnc\nAna,+12025550142,\nMei,+18085550143,\nJoe,+12055550144,\nSam,+12125550145,yes\n";
    let (source, _) = world.import(csv.into()).await;
    let id = world.campaign(source, |s| (s.max_concurrent, s.call_delay_ms) = (1, 60_000)).await;
    world.desk.start(world.actor.clone(), id).await.unwrap();
    let why = world.desk.explain(&world.row(id).await).await.unwrap();
    let w = why.waiting;
    assert_eq!((w.dialable_now, w.later, w.do_not_call, w.calling_seconds), (2, 1, 1, 180), "{w:?}");
    let asleep = w.zones.iter().find(|z| z.zones.contains("Honolulu")).unwrap();
    assert_eq!(asleep.opens.map(|t| t.to_rfc3339()).as_deref(), Some("2026-11-18T18:00:00+00:00"));
}

/// An edit of a running campaign: what was prepared before it is judged anew, the next call goes by it.
#[tokio::test]
async fn a_running_campaign_is_edited_between_two_calls() {
    let (office, id) = Office::calling(csv_of(5), |_| {}).await;
    let before = office.claim(id).await.unwrap();
    let row = office.row(id).await;
    let other = office.desk.add_assistant(office.actor.clone(), None, "Olga".into(), Some("olga".into()), String::new(), None).await.unwrap().id;
    office.assign("+15550008888", other, "ST_2").await;
    let settings = dialdeck::domain::campaign::Settings { daily_cap: 1, ..row.settings() };
    let edit = CampaignEdit { name: row.name, assistant: other, prompt: "Good day {name}".into(), agent_name: None, settings };
    office.desk.edit_campaign(office.actor.clone(), id, edit.clone()).await.unwrap();
    assert!(matches!(office.arm(before).await, Err(dialdeck::desk::Refused::Gate(c)) if c.gate.word() == "state"), "prepared before the edit");
    office.wait(chrono::TimeDelta::seconds(1));
    let after = office.claim(id).await.unwrap();
    assert_eq!((after.script.as_str(), after.campaign.assistant_id), ("Good day Contact 0", other));
    assert!(office.arm(after).await.is_ok());
    assert_eq!(office.dial(id).await, Err("daily_cap"));
    let stranger = CampaignEdit { assistant: dialdeck::domain::id::AssistantId::fresh(), ..edit };
    assert!(matches!(office.desk.edit_campaign(office.actor.clone(), id, stranger).await, Err(DeskError::Invalid(_))));
}

/// Calls without an agent are counted over thirty days: a pause at night is no answer to them. After it
/// was resumed the campaign makes one call at a time, judged inside arm.
#[tokio::test]
async fn a_pause_does_not_disarm_the_three_percent() {
    let office = Office::open(|r| r.breaker = dialdeck::domain::breaker::Limits::default()).await;
    let (source, _) = office.import(csv_of(60)).await;
    let id = office.started(source, |_| {}).await;
    for i in 0..33 {
        let call = office.dial(id).await.unwrap();
        office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
        if i == 5 || i == 32 {
            office.desk.abandon(call).await.unwrap();
        }
        office.tell(call, "gone", Source::Poll, Kind::LegGone { proven: true }).await;
        if i == 16 {
            office.desk.pause(office.actor.clone(), id).await.unwrap();
            office.desk.resume(office.actor.clone(), id).await.unwrap();
        }
    }
    let row = office.row(id).await;
    assert!(row.execution_status == Status::Paused && row.status_reason.contains("2 of 33 answered calls were without an agent"), "{}", row.status_reason);
    office.desk.resume(office.actor.clone(), id).await.unwrap();
    assert!(office.dial(id).await.is_ok());
    assert_eq!(office.dial(id).await, Err("wait"), "one call at a time");
    assert_eq!(office.why(id).await.gate, "brake");
}

/// The last ten answers, whatever the campaign's size; talks that have just begun are not judged yet.
#[tokio::test]
async fn three_silent_answers_of_the_last_ten_pause_and_then_it_goes_one_by_one() {
    let office = Office::open(|r| r.breaker = dialdeck::domain::breaker::Limits::default()).await;
    let (source, _) = office.import(csv_of(60)).await;
    let id = office.started(source, |_| {}).await;
    let answer = || async {
        let call = office.dial(id).await.unwrap();
        office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
        call
    };
    let paused = || async { office.row(id).await.execution_status == Status::Paused };
    let end = |call| office.tell(call, "gone", Source::Poll, Kind::LegGone { proven: true });
    for silent in [true, false, false, false, false, false, false, false, false, true, false] {
        let call = answer().await;
        office.wait(chrono::TimeDelta::seconds(20));
        if silent {
            office.desk.abandon(call).await.unwrap();
        }
        end(call).await;
        assert!(!paused().await);
    }
    // Twelve at once: the nine that nobody knows of yet are no proof of agents.
    let mut calls = Vec::new();
    for _ in 0..12 {
        calls.push(answer().await);
    }
    office.wait(chrono::TimeDelta::seconds(2));
    office.desk.abandon(calls[0]).await.unwrap();
    assert!(!paused().await, "two of the last ten");
    assert_eq!(office.why(id).await.gate, "brake");
    office.desk.abandon(calls[1]).await.unwrap();
    let row = office.row(id).await;
    assert!(paused().await && row.status_reason.contains("3 of the last 10 answered calls were without an agent"), "{}", row.status_reason);
    // The latest two as well.
    for call in &calls[10..] {
        office.desk.abandon(*call).await.unwrap();
    }
    for call in calls {
        end(call).await;
    }
    office.wait(chrono::TimeDelta::minutes(1));
    office.desk.resume(office.actor.clone(), id).await.unwrap();
    assert!(office.dial(id).await.is_ok());
    assert_eq!(office.dial(id).await, Err("wait"), "one call at a time");
}

/// P6, P7 at the last moment: claimed, its agent waiting, and then somebody says no.
#[tokio::test]
async fn p6_p7_whoever_says_no_after_the_claim_is_heard_inside_arm() {
    let (office, id) = Office::calling(csv_of(4), |_| {}).await;
    let gate = |refused: Result<dialdeck::desk::Armed, dialdeck::desk::Refused>| match refused {
        Err(dialdeck::desk::Refused::Gate(closed)) => closed.gate.word(),
        other => panic!("{other:?}"),
    };
    let claimed = office.claim(id).await.unwrap();
    office.desk.kill_switch(office.actor.clone(), true).await.unwrap();
    assert_eq!(gate(office.arm(claimed).await), "kill_switch");
    office.desk.kill_switch(office.actor.clone(), false).await.unwrap();
    office.wait(chrono::TimeDelta::minutes(1));
    let claimed = office.claim(id).await.unwrap();
    let number = dialdeck::domain::phone::PhoneNumber::parse(&claimed.number, None).unwrap().number;
    office.desk.add_do_not_call(office.actor.clone(), number, "asked".into()).await.unwrap();
    assert!(office.arm(claimed).await.is_err(), "on the list");
    let claimed = office.claim(id).await.unwrap();
    office.desk.stop(office.actor.clone(), id, false).await.unwrap();
    assert!(office.arm(claimed).await.is_err(), "stopped");
    assert!(office.store.open_calls().await.unwrap().is_empty(), "nobody was called");
}

/// "Calls are being made" is not said while nobody is there to make them.
#[tokio::test]
async fn why_says_that_no_engine_runs() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let why = office.desk.explain(&office.row(id).await).await.unwrap();
    assert!(why.gate == "engine" && why.message.starts_with("no engine is running, so"), "{}", why.message);
    assert_eq!(office.why(id).await.gate, "open");
    office.wait(chrono::TimeDelta::seconds(91));
    let why = office.desk.explain(&office.row(id).await).await.unwrap();
    assert!(why.message.contains("the one on host was last seen at"), "{}", why.message);
}
