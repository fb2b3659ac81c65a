//! What the law of places does to a campaign: rows in, claims out, on a clock that stands still.

use chrono::{DateTime, TimeDelta, Utc};
use dialdeck::{
    desk::{DeskError, Hands, SetOutcome},
    domain::{
        call::State,
        dispatch::Decision,
        event::{Kind, Leave, LegStatus, Reply, Source},
        id::CampaignId,
        outcome::{Outcome, Who},
        rules::{Profile, Rules},
    },
};

use crate::support::{csv_of, office::Office};

/// Everything a law says holds, and no rate.
fn lawful(rules: &mut Rules) {
    rules.profile = Profile::Default;
    rules.countries = vec!["US".into(), "CA".into()];
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn office_at(moment: &str, csv: &str) -> (Office, CampaignId) {
    let office = Office::open(lawful).await;
    office.clock.advance(utc(moment));
    let (source, _) = office.import(csv.to_owned()).await;
    let id = office.started(source, |s| (s.start_hour, s.end_hour) = (0, 0)).await;
    (office, id)
}

async fn decide(office: &Office, id: CampaignId) -> Decision {
    let row = office.row(id).await;
    office.desk.decide(&row, &office.desk.standing().await.unwrap(), &Hands::default(), None).await.unwrap().decision
}

async fn gate_of(office: &Office, id: CampaignId) -> String {
    match decide(office, id).await {
        Decision::Go { zones, .. } => format!("go {}", zones.len()),
        Decision::Wait(c) | Decision::Ended(c) => c.gate.word().to_owned(),
    }
}

/// The contact that the engine would call next; nobody is turned away on the way.
async fn next(office: &Office, id: CampaignId) -> String {
    let Decision::Go { zones, .. } = decide(office, id).await else { panic!("{}", gate_of(office, id).await) };
    let mut claims = office.claim_of(id, zones, 1).await;
    assert!(claims.turned_away.is_empty(), "{:?}", claims.turned_away);
    let call = office.arm(claims.ready.pop().unwrap()).await.unwrap().call();
    office.call(call).await.contact_name
}

/// 20:30 in New York and in Miami, one zone: the state's law is known before a row is touched.
#[tokio::test]
async fn rows_that_a_states_law_closes_are_not_claimed() {
    let csv = "name,phone\nA,+13055550101\nB,+12125550102\nC,+13055550103\n";
    let (office, id) = office_at("2026-11-20T01:30:00Z", csv).await;
    assert_eq!(gate_of(&office, id).await, "go 1", "New York alone");
    let why = office.why(id).await;
    assert_eq!((why.gate.as_str(), why.waiting.dialable_now, why.waiting.later), ("open", 1, 2));
    assert_eq!(next(&office, id).await, "B");
    assert_eq!(gate_of(&office, id).await, "contact_hours");
    let why = office.why(id).await;
    assert_eq!((why.gate.as_str(), why.until), ("contact_hours", Some(utc("2026-11-20T13:00:00Z"))), "{}", why.message);
    assert!(why.message.contains("US-FL 08-20"), "{}", why.message);
    office.clock.advance(utc("2026-11-20T13:00:00Z"));
    assert_eq!(next(&office, id).await, "A");
}

/// The half hour of Canada that no window of ours allowed.
#[tokio::test]
async fn canada_is_called_until_half_past_nine() {
    let csv = "name,phone\nA,+14165550101\n";
    let (office, id) = office_at("2026-11-20T02:15:00Z", csv).await;
    assert_eq!(next(&office, id).await, "A");
    let (office, id) = office_at("2026-11-20T02:30:00Z", csv).await;
    assert_eq!(gate_of(&office, id).await, "contact_hours");
}

#[tokio::test]
async fn a_place_that_was_closed_waits_until_it_is_opened() {
    let (office, id) = office_at("2026-11-20T17:00:00Z", "name,phone\nA,+15045550101\nB,+12125550102\n").await;
    let claimed = office.claim(id).await.unwrap();
    office.desk.close_place(office.actor.clone(), "us-la".into(), None, "hurricane\u{1b}[31m".into()).await.unwrap();
    office.desk.close_place(office.actor.clone(), "US-NY".into(), Some(office.now() + TimeDelta::hours(2)), "doubt".into()).await.unwrap();
    // The claimed one is turned away inside arm, and nobody else is claimed.
    assert!(office.arm(claimed).await.is_err());
    assert_eq!(gate_of(&office, id).await, "place_closed");
    let why = office.why(id).await;
    assert_eq!((why.gate.as_str(), why.until, why.waiting.dialable_now), ("place_closed", Some(office.now() + TimeDelta::hours(2)), 0));
    office.wait(TimeDelta::hours(2));
    assert_eq!(gate_of(&office, id).await, "go 1");
    assert_eq!(next(&office, id).await, "B");
    let why = office.why(id).await;
    assert!(why.message.contains("`dialdeck law open US-LA`") && !why.message.contains('\u{1b}'), "{}", why.message);
    let height = office.store.audit_height().await.unwrap();
    assert!(office.desk.open_place(office.actor.clone(), "US-LA".into()).await.unwrap());
    assert_eq!(office.store.audit_height().await.unwrap(), height + 1);
    assert!(!office.desk.open_place(office.actor.clone(), "US-LA".into()).await.unwrap());
    assert_eq!(next(&office, id).await, "A");
    for place in ["Louisiana", "US-XX", "", "XX"] {
        let refused = office.desk.close_place(office.actor.clone(), place.into(), None, "x".into()).await;
        assert!(matches!(refused, Err(DeskError::Refused(r)) if r.gate == "place"), "{place}");
    }
}

async fn talk(office: &Office, id: CampaignId, outcome: Option<Outcome>) -> String {
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Answered { sip_call_id: "SCL_1".into(), participant_sid: "PA_1".into() }).await;
    office.wait(TimeDelta::seconds(30));
    office
        .tell(
            call,
            "left",
            Source::Livekit,
            Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None },
        )
        .await;
    if let Some(outcome) = outcome {
        office.tag(call, outcome).await;
    }
    office.call(call).await.phone_number
}

/// Who has talked to us is not rung by the next campaign ten seconds later.
#[tokio::test]
async fn who_has_talked_rests_over_all_campaigns() {
    let (office, id) = office_at("2026-11-19T17:00:00Z", &csv_of(1)).await;
    talk(&office, id, None).await;
    let (source, _) = office.import(csv_of(1)).await;
    let later = office.started(source, |s| (s.start_hour, s.end_hour) = (0, 0)).await;
    office.wait(TimeDelta::seconds(10));
    assert_eq!(office.dial(later).await, Err("rest"));
    office.wait(TimeDelta::hours(24));
    office.dial(later).await.unwrap();
}

/// A voicemail is nobody who talked; a wrong number is one until somebody says otherwise.
#[tokio::test]
async fn a_voicemail_does_not_rest_and_a_wrong_number_does_for_good() {
    let (office, id) = office_at("2026-11-19T17:00:00Z", &csv_of(2)).await;
    talk(&office, id, Some(Outcome::Voicemail)).await;
    talk(&office, id, Some(Outcome::WrongNumber)).await;
    let (source, _) = office.import(csv_of(2)).await;
    let later = office.started(source, |s| (s.start_hour, s.end_hour) = (0, 0)).await;
    let called = office.dial(later).await.unwrap();
    assert_eq!(
        office.call(called).await.contact_name,
        office
            .store
            .calls(id, &dialdeck::store::CallFilter::default(), 9, 0)
            .await
            .unwrap()
            .rows
            .iter()
            .find(|c| c.outcome == Some(Outcome::Voicemail))
            .unwrap()
            .contact_name
    );
    assert_eq!(office.dial(later).await, Err("wrong_number"));
}

/// A callback promised for the night is stored for the moment the law, the place and the campaign allow, and the
/// answer says so.
#[tokio::test]
async fn a_callback_promised_for_the_night_is_made_in_the_morning() {
    let (office, id) = office_at("2026-11-19T17:00:00Z", "name,phone\nA,+12125550101\n").await;
    talk(&office, id, None).await;
    let call = office.store.calls(id, &dialdeck::store::CallFilter::default(), 1, 0).await.unwrap().rows[0].id;
    let promise = async |asked: &str| {
        let callback_at = Some(utc(asked));
        let set = SetOutcome { call, outcome: Some(Outcome::Callback), notes: None, who: Who::Operator, confidence: None, callback_at, expected: None };
        let promise = office.desk.set_outcome(office.actor.clone(), set).await.unwrap().promise.unwrap();
        let rows = office.store.calls(id, &dialdeck::store::CallFilter::default(), 100, 0).await.unwrap().rows;
        let stored: Vec<_> = rows.iter().filter(|c| c.state == State::Pending).map(|c| c.dialable_at).collect();
        assert_eq!((stored, promise.asked), (vec![promise.at], utc(asked)));
        (promise.at, promise.words)
    };
    let (at, words) = promise("2026-11-20T20:00:00Z").await;
    assert_eq!((at, words.as_str()), (utc("2026-11-20T20:00:00Z"), "to be called Fri 2026-11-20 15:00 EST"));
    // A state that somebody closed, until then; a campaign's own hours.
    office.desk.close_place(office.actor.clone(), "US-NY".into(), Some(utc("2026-11-20T15:30:00Z")), "storm".into()).await.unwrap();
    let (at, words) = promise("2026-11-20T14:00:00Z").await;
    assert!(at == utc("2026-11-20T15:30:00Z") && words.contains("US-NY is closed then (storm)"), "{words}");
    office.desk.open_place(office.actor.clone(), "US-NY".into()).await.unwrap();
    let row = office.row(id).await;
    let settings = |start, end| dialdeck::domain::campaign::Settings { start_hour: start, end_hour: end, ..row.settings() };
    let edit = |settings| {
        let row = row.clone();
        dialdeck::store::CampaignEdit { name: row.name, assistant: row.assistant_id, prompt: row.campaign_prompt, agent_name: None, settings }
    };
    office.desk.edit_campaign(office.actor.clone(), id, edit(settings(10, 17))).await.unwrap();
    let (at, words) = promise("2026-11-20T14:00:00Z").await;
    assert!(at == utc("2026-11-20T15:00:00Z") && words.contains("outside the campaign's hours"), "{words}");
    office.desk.edit_campaign(office.actor.clone(), id, edit(settings(0, 0))).await.unwrap();
    let (at, words) = promise("2026-11-20T08:00:00Z").await;
    assert_eq!(at, utc("2026-11-20T13:00:00Z"));
    assert!(words.starts_with("to be called Fri 2026-11-20 08:00 EST, not Fri 2026-11-20 03:00 EST: the law is closed then (US 08-21"), "{words}");
    office.clock.advance(utc("2026-11-20T12:59:59Z"));
    assert!(office.dial(id).await.is_err());
    office.clock.advance(utc("2026-11-20T13:00:00Z"));
    assert!(office.dial(id).await.is_ok());
}

/// The same on the command line, on the host's own clock.
#[tokio::test]
async fn the_command_line_names_the_moment_of_a_callback_and_what_a_stop_breaks() {
    let (office, id) = office_at("2026-11-19T17:00:00Z", "name,phone\nA,+12125550101\n").await;
    talk(&office, id, None).await;
    let call = office.store.calls(id, &dialdeck::store::CallFilter::default(), 1, 0).await.unwrap().rows[0].id.to_string();
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dialdeck"));
        command.env_clear().env("HOME", office.base.dir.path()).env("DATABASE_URL", office.base.url());
        let out = command.args(args).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
    };
    let told = run(&["call", "outcome", &call, "callback", "--at", "03:00"]);
    assert!(told.contains("callback, to be called") && told.contains("03:00 E") && told.contains("the law is closed then (US 08-21"), "{told}");
    let told = run(&["campaign", "stop", "Q4 Sales"]);
    assert!(told.contains("1 contacts not called") && told.contains("not kept: 1 promised callback"), "{told}");
    let told = run(&["campaign", "recycle", "Q4 Sales", "callback"]);
    assert!(told.contains("1 contacts of \"Q4 Sales\" went back"), "{told}");
    let told = run(&["call", "outcome", &call, "interested", "--at", "03:00"]);
    assert!(told.contains("--at is when a callback is promised for"), "{told}");
}

/// Another owner's campaign does not ring who told the first one's "do not call", where the owners share a list.
#[tokio::test]
async fn owners_may_share_one_do_not_call_list() {
    for shared in [false, true] {
        let (mut office, first) = office_at("2026-11-19T17:00:00Z", &csv_of(1)).await;
        office.desk.share_do_not_call(shared).await.unwrap();
        let owner = office.actor.owner;
        office.actor.owner = dialdeck::domain::id::OwnerId::fresh();
        office.assistant = office.desk.add_assistant(office.actor.clone(), None, "Olga".into(), None, "Hi".into(), None).await.unwrap().id;
        office.assign("+15550008888", office.assistant, "ST_2").await;
        let (source, _) = office.import(csv_of(1)).await;
        let (waits, later) = (office.started(source, |s| (s.start_hour, s.end_hour) = (0, 0)).await, office.import(csv_of(1)).await.0);
        let other = std::mem::replace(&mut office.actor.owner, owner);
        talk(&office, first, Some(Outcome::DoNotCall)).await;
        office.wait(TimeDelta::hours(25));
        office.actor.owner = other;
        let counts = office.row(waits).await.counts;
        assert_eq!((counts.pending, counts.canceled), if shared { (0, 1) } else { (1, 0) }, "shared: {shared}");
        let later = office.campaign(dialdeck::domain::campaign::ContactSource::CsvFile, later, |_| {}).await;
        let started = office.desk.start(office.actor.clone(), later).await;
        assert_eq!(started.is_err(), shared, "nobody is left to call: {started:?}");
    }
}
