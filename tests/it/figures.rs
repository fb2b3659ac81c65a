//! One campaign in a hard state, asked at every place that tells a figure: the same figure everywhere.

use std::sync::Arc;

use chrono::TimeDelta;
use dialdeck::{
    console::{self, Effect, Msg, Question},
    desk::{Import, Next, Progress, SetOutcome},
    domain::{
        campaign::{ContactSource, Settings},
        contact::ImportReport,
        event::{End, Kind, Leave, LegStatus, Reply, Source},
        id::{CallId, CampaignId},
        outcome::{Outcome, Who},
        people::People,
        phone::PhoneNumber,
    },
    store::{CampaignEdit, ContactTable},
    telemetry::Ring,
};
use tokio_util::sync::CancellationToken;

use crate::{
    console::{blank, press, screen},
    support::office::Office,
};

const PEOPLE: &str = "name,phone,donotcall\nAda Answered,+12025550101,\nBen Busy,+12025550102,\nCleo Closed,+13105550103,\nDora Asked,+12025550104,\n\
                      Eva Flagged,+12025550105,yes\nFay Waits,+12025550106,\nGus Waits,+12025550107,\n";

fn answered() -> Reply {
    Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }
}

fn busy() -> Reply {
    Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "Busy Here".into() }
}

/// The next call of those in the East.
async fn dial_east(office: &Office, id: CampaignId) -> CallId {
    office.wait(TimeDelta::milliseconds(1));
    let zones = office.store.zone_heads(id).await.unwrap().into_iter().map(|h| h.zones).filter(|z| !z.contains("Los_Angeles")).collect();
    let claimed = office.claim_of(id, zones, 1).await.ready.pop().expect("somebody in the East");
    office.arm(claimed).await.expect("may be called").call()
}

async fn talked(office: &Office, call: CallId) {
    office.reply(call, answered()).await;
    office.wait(TimeDelta::minutes(1));
    let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    office.tell(call, "left", Source::Livekit, left).await;
}

fn number(n: &str) -> PhoneNumber {
    PhoneNumber::own(n).unwrap()
}

/// Retries waiting, people who must not be called, a closed place, a cap nearly used, and a deleted campaign whose call
/// is not tagged.
async fn hard() -> (Office, CampaignId) {
    let office = Office::open(|_| {}).await;
    let (source, _) = office.import("name,phone\nOld One,+12025550190\n".into()).await;
    let gone = office.started(source, |_| {}).await;
    let call = dial_east(&office, gone).await;
    talked(&office, call).await;
    office.desk.stop(office.actor.clone(), gone, false).await.unwrap();
    office.desk.delete_campaign(office.actor.clone(), gone).await.unwrap();
    office.wait(TimeDelta::hours(2));
    let (source, report) = office.import(PEOPLE.into()).await;
    assert_eq!((report.imported, report.do_not_call), (7, 1));
    let id = office.started(source, |s| (s.daily_cap, s.retry.max_attempts) = (3, 3)).await;
    let ada = dial_east(&office, id).await;
    talked(&office, ada).await;
    let ben = dial_east(&office, id).await;
    office.reply(ben, busy()).await;
    assert!(office.desk.add_do_not_call(office.actor.clone(), number("+12025550104"), "asked".into()).await.unwrap());
    office.desk.close_place(office.actor.clone(), "US-CA".into(), None, "fire".into()).await.unwrap();
    office.desk.heartbeat(office.incarnation, "host".into(), 1).await.unwrap();
    (office, id)
}

const WANTED: People = People { contacts: 7, on_the_line: 0, waiting: 4, again: 1, do_not_call: 2, stopped: 0, turned_away: 0, not_reached: 0, called: 1 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_campaign_in_a_hard_state_has_the_same_figures_everywhere() {
    let (office, id) = hard().await;
    let (desk, owner, row) = (&office.desk, office.actor.owner, office.row(id).await);
    assert_eq!(desk.people(&row).await.unwrap(), WANTED);
    assert_eq!(WANTED.done_percent(), Some(42), "three of seven: a retry is no further person");

    // `w`, the API's status and a start's words.
    let why = desk.explain(&row).await.unwrap();
    let w = &why.waiting;
    assert_eq!((why.people, w.dialable_now, w.later, w.closed()), (WANTED, 2, 2, 1), "{w:?}");
    assert_eq!((w.do_not_call, w.exhausted), (WANTED.do_not_call, WANTED.not_reached));
    let told = why.lines(row.zone(), office.now()).join("\n");
    assert!(told.contains("2 can be called now by the law, 1 to be tried again later, 1 where the law is closed, 2 on do-not-call"), "{told}");
    let status = dialdeck::api::rows::status(&row, 2, &why);
    assert_eq!(status["people"], serde_json::to_value(WANTED).unwrap());
    assert_eq!((status["waiting"]["doNotCall"].as_i64(), status["total_calls_made"].as_i64()), (Some(2), Some(2)));
    let start = desk.preflight(&row).await.unwrap();
    assert_eq!((start.contacts, start.do_not_call, start.dialable_now), (7, 2, 2));

    // Its room, its row, and what is ahead of it.
    let room = desk.campaign_room(row.clone()).await.unwrap();
    assert_eq!((room.bar.people, room.bar.closed_by_law), (WANTED, 1));
    let head = desk.head(owner, office.now() - TimeDelta::hours(1)).await.unwrap();
    assert_eq!(head.people[&id], WANTED);
    assert_eq!((room.used_today, room.today.dials, room.row.counts.dials), (2, 2, 2));
    assert_eq!((head.today.dials, head.figures.hour.dials), (2, 2), "the deleted one's was two hours ago");
    assert_eq!(head.figures.hour, head.figures.minutes.iter().copied().sum());
    let ahead = &why.forecast;
    assert_eq!((room.why.forecast.clone(), &head.next[&id]), (ahead.clone(), &Next::Cap(ahead.cap.unwrap())), "one of the cap is left, two may be called");
    assert!(ahead.ends.unwrap() > ahead.cap.unwrap() + TimeDelta::hours(6), "the others are called tomorrow: {ahead:?}");
    assert_eq!(ahead.never, 1, "closed until somebody opens it");

    // The screen.
    let look = console::look(desk, &office.actor, &Ring::new(Arc::new(office.clock.clone())), office.now(), true).await.unwrap();
    assert_eq!((look.untagged, look.to_tag.len(), head.figures.to_tag), (Some(2), 2, 2), "of the deleted one too");
    let today = Some(head.today);
    let mut s = blank();
    s.now = office.now();
    s.update(Msg::Data(Box::new(console::Snapshot { head: Some(Arc::new(head)), today, ..look })));
    let deck = screen(&mut s, 120, 40);
    for words in ["42 %", "2/3", "to tag 2", "O Outcomes", "2 to tag", "2 dialled", "1 answered"] {
        assert!(deck.contains(words), "{words}: {deck}");
    }
    press(&mut s, "CC");
    s.update(Msg::Answer(Question::Campaign(id), Ok(console::Answer::Campaign(Some(Box::new(room))))));
    let shown = screen(&mut s, 120, 40);
    for words in
        ["7 in the list, 42 % done", "1 called", "3 waiting", "1 closed by law", "2 do not call", "2 of 3 dials", "2 contacts can be called now, 1 again"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let written = press(&mut s, ":write rows.csv\n");
    let text = written.iter().find_map(|e| if let Effect::Write { text, .. } = e { Some(text.clone()) } else { None }).expect("a file");
    assert!(text.contains("Q4 Sales,running,7,4,0,2,1,2,3,1,1,42"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_changes_nobodys_place_and_a_new_start_calls_whoever_was_left() {
    let (office, id) = hard().await;
    office.desk.stop(office.actor.clone(), id, false).await.unwrap();
    let stopped = People { waiting: 0, again: 0, stopped: 4, ..WANTED };
    let people = office.desk.people(&office.row(id).await).await.unwrap();
    assert_eq!((people, people.done_percent()), (stopped, Some(42)));
    office.start(id).await;
    let people = office.desk.people(&office.row(id).await).await.unwrap();
    assert_eq!((people, people.done_percent()), (WANTED, Some(42)), "their calls are seven more rows, and nobody more");
}

/// The pace is of this start: what was dialled before it tells nothing of the minutes since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_is_not_reckoned_by_dials_of_before_a_restart() {
    let people: Vec<String> = (0..60).map(|n| format!("P{n},+1202555{:04}\n", 100 + n)).collect();
    let (office, id) =
        Office::calling(format!("name,phone\n{}", people.concat()), |s| (s.max_concurrent, s.call_delay_ms, s.retry.max_attempts) = (2, 0, 1)).await;
    for _ in 0..30 {
        let call = office.dial(id).await.unwrap();
        office.reply(call, busy()).await;
    }
    let ends = async |office: &Office| office.desk.explain(&office.row(id).await).await.unwrap().forecast;
    office.desk.stop(office.actor.clone(), id, true).await.unwrap();
    office.wait(TimeDelta::minutes(10));
    office.start(id).await;
    office.wait(TimeDelta::seconds(30));
    let ahead = ends(&office).await;
    assert_eq!(ahead.dials, 0, "none since it began");
    let takes = ahead.ends.unwrap() - office.now();
    assert!(takes > TimeDelta::minutes(3), "30 people over two lines, 15 s each: {takes}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_is_told_of_dials_since_then_to_the_second() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    office.dial(id).await.unwrap();
    office.wait(TimeDelta::seconds(10));
    let left = office.now();
    office.wait(TimeDelta::seconds(10));
    office.dial(id).await.unwrap();
    let away = office.desk.away(office.actor.owner, left).await.unwrap();
    assert_eq!(away.pace.dials, 1, "the one of the same minute was seen");
    office.wait(TimeDelta::minutes(3));
    office.dial(id).await.unwrap();
    assert_eq!(office.desk.away(office.actor.owner, left).await.unwrap().pace.dials, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_names_whom_it_breaks_a_promise_to() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let call = dial_east(&office, id).await;
    talked(&office, call).await;
    let set = SetOutcome {
        call,
        outcome: Some(Outcome::Callback),
        notes: None,
        who: Who::Operator,
        confidence: None,
        callback_at: Some(office.now() + TimeDelta::hours(3)),
        expected: None,
    };
    office.desk.set_outcome(office.actor.clone(), set).await.unwrap();
    let room = office.desk.campaign_room(office.row(id).await).await.unwrap();
    let look = console::look(&office.desk, &office.actor, &Ring::new(Arc::new(office.clock.clone())), office.now(), true).await.unwrap();
    let mut s = blank();
    s.now = office.now();
    s.update(Msg::Data(Box::new(look)));
    let asked = press(&mut s, "Cx");
    assert!(asked.contains(&Effect::Ask(Question::Campaign(id))), "{asked:?}");
    assert!(screen(&mut s, 80, 24).contains("looking who was promised a call"));
    s.update(Msg::Answer(Question::Campaign(id), Ok(console::Answer::Campaign(Some(Box::new(room))))));
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("Not kept: 1 promised callback: Ada Answered Wed"), "{shown}");
    let stopped = office.desk.stop(office.actor.clone(), id, false).await.unwrap();
    let words = stopped.broken();
    assert!(words.contains("not kept: 1 promised callback: Ada Answered Wed 20:01 UTC"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_campaign_over_the_same_people_says_how_many() {
    let (office, id) = hard().await;
    let (list, _) = office.import_as(ContactTable::ContactList, "US", "name,phone\nAda,+12025550101\nFay,+12025550106\nNew,+12025550160\n".into()).await;
    let second = office.campaign(ContactSource::ContactList, list, |_| {}).await;
    let overlap = office.desk.overlap_of(&office.row(second).await).await.unwrap();
    assert_eq!((overlap.contacts, overlap.do_not_call, overlap.dialled_today), (3, 0, 1));
    assert_eq!(overlap.words(), ["2 of these people are in list \"contacts.csv\" that \"Q4 Sales\" calls too.", "1 of them was dialled today."], "{overlap:?}");
    let own = office.desk.overlap_of(&office.row(id).await).await.unwrap();
    assert!(own.others.is_empty(), "a campaign is no other to itself: {own:?}");
    office.desk.pause(office.actor.clone(), id).await.unwrap();
    office.desk.stop(office.actor.clone(), id, false).await.unwrap();
    assert!(office.desk.overlap_of(&office.row(second).await).await.unwrap().others.is_empty(), "who is stopped calls nobody");
}

/// The same code counts and imports, so the figures before `Enter` are those after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_counted_before_it_is_made() {
    const FILE: &str = "name,phone,donotcall\nA,+12025550101,\nB,+12025550102,\nB,+12025550102,\nC,+12025550103,\nD,12,\nE,+12025550105,yes\nF,+4930901820,\n";
    let office = Office::open(|r| r.countries = vec!["US".into()]).await;
    let (desk, owner) = (&office.desk, office.actor.owner);
    assert!(desk.add_do_not_call(office.actor.clone(), number("+12025550103"), "asked".into()).await.unwrap());
    let count = async |into| {
        let import = Import { table: ContactTable::CsvFile, name: "leads.csv".into(), region: None, mapping: Vec::new(), size: None, dry_run: false };
        let progress = tokio::sync::watch::Sender::new(Progress::default());
        desk.count_import(office.actor.clone(), import, into, std::io::Cursor::new(FILE), progress, CancellationToken::new()).await.unwrap()
    };
    let figures = |r: &ImportReport| (r.imported, r.duplicate, r.invalid, r.do_not_call, r.on_list, r.abroad_words());
    let counted = count(None).await;
    let abroad = "1 person is in countries that are not switched on, and not called (DE 1): [compliance] countries".to_owned();
    assert_eq!(figures(&counted), (5, 1, 1, 1, 1, Some(abroad)));
    assert!(office.store.sources(owner).await.unwrap().is_empty(), "nothing is kept");
    assert!(!office.store.on_do_not_call(owner, "+12025550105").await.unwrap(), "and nobody listed");
    let (list, report) = office.import(FILE.into()).await;
    assert_eq!(figures(&report), figures(&counted));
    let again = count(Some(list)).await;
    assert_eq!((again.imported, again.duplicate, again.invalid), (0, 6, 1), "all of them are in that list");
}

#[test]
fn a_preview_says_what_enter_would_import() {
    let mut s = crate::console::state();
    press(&mut s, "i/lists/more.csv\n");
    let columns = vec![("phone".to_owned(), Some("phone")), ("name".to_owned(), Some("name"))];
    let preview = console::Preview { path: "/lists/more.csv".into(), columns, unclear: vec![], rows: vec![], error: None };
    let counted = |turn, rows, done| Msg::Counted(Box::new(console::Counted { path: "/lists/more.csv".into(), turn, percent: 40, rows, done }));
    s.update(counted(0, 12, None));
    s.update(Msg::Preview(Box::new(preview)));
    assert!(screen(&mut s, 80, 24).contains("counting what it would import: 40 %, 12 lines"), "{}", screen(&mut s, 80, 24));
    let report = ImportReport { imported: 5, duplicate: 1, invalid: 2, do_not_call: 1, on_list: 1, no_zone: 3, ..ImportReport::default() };
    s.update(counted(0, 8, Some(Ok(report.clone()))));
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("Enter imports 5 people; 1 duplicate, 2 refused. Of them 2 on do-not-call"), "{shown}");
    // Another meaning of a column is counted anew; what comes late of the first is passed over.
    let effects = press(&mut s, "\t");
    assert!(matches!(effects.as_slice(), [Effect::Count { turn: 1, .. }]), "{effects:?}");
    s.update(counted(0, 8, Some(Ok(report))));
    assert!(screen(&mut s, 80, 24).contains("counting what it would import..."));
    assert_eq!(press(&mut s, "\u{1b}\u{1b}"), [Effect::StopCounting]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shift_report_has_what_people_changed() {
    let (office, id) = hard().await;
    let row = office.row(id).await;
    let settings = Settings { daily_cap: 9, ..row.settings() };
    let edit = CampaignEdit { name: row.name.clone(), assistant: row.assistant_id, prompt: row.campaign_prompt.clone(), agent_name: None, settings };
    office.desk.edit_campaign(office.actor.clone(), id, edit).await.unwrap();
    let call = dial_east(&office, id).await;
    office.reply(call, answered()).await;
    office.desk.hang_up(office.actor.clone(), call).await.unwrap();
    office.wait(TimeDelta::seconds(1));
    let report = office.desk.shift_report(office.actor.owner, office.now() - TimeDelta::hours(9), office.now()).await.unwrap();
    let told = console::report::markdown(&report, dialdeck::domain::zone::Zone::utc());
    for words in [
        "Q4 Sales was made by tester",
        "Q4 Sales was changed by tester: cap 3 to 9",
        "list contacts.csv was imported by tester: 7 people",
        "Q4 Sales was deleted by tester",
        "Fay Waits was hung up on by tester",
        "## Put on the do-not-call list",
        "2 numbers by tester",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(report.pace, report.campaigns.iter().map(|c| c.pace).sum(), "the whole is its parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_can_be_read_by_whoever_gets_it() {
    let (office, id) = hard().await;
    let path = office.base.dir.path().join("out.csv");
    let to = Box::new(std::fs::File::create(&path).unwrap());
    dialdeck::app::export(&office.desk, &office.row(id).await, dialdeck::app::ExportFormat::Csv { raw: false }, to, |_| {}).await.unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let head = text.lines().next().unwrap();
    assert!(head.starts_with("call_id,phone_number,contact_name,attempt,status,phase,reason,sip_code,dialled_at"), "the old columns stay: {head}");
    assert!(head.ends_with("allowed_by,campaign,agent_says,agent_sure,dialled_there,answered_there,ended_there"), "{head}");
    let ada = text.lines().find(|l| l.contains("Ada Answered")).unwrap();
    assert!(ada.contains(",Q4 Sales,") && ada.contains("2026-11-18 14:01 EST"), "{ada}");
}

#[test]
fn an_emptied_note_comes_back() {
    let mut s = crate::console::state();
    press(&mut s, "Lj");
    let before = s.selected().expect("a call").clone();
    let keep = |s: &mut dialdeck::console::State, keys: &str| press(s, keys).into_iter().find(|e| matches!(e, Effect::Note { .. }));
    let note = |note: &str| Some(Effect::Note { call: before.id, note: note.into() });
    assert_eq!(keep(&mut s, "nhello\n"), note(&format!("{}hello", before.notes)));
    assert!(screen(&mut s, 120, 40).contains("u takes back the note on") || screen(&mut s, 160, 40).contains("the note on"), "{}", screen(&mut s, 160, 40));
    s.now += TimeDelta::seconds(1);
    let mut data = s.data.clone();
    for row in data.live.iter_mut().filter(|r| r.id == before.id) {
        row.notes = format!("{}hello", before.notes);
    }
    s.update(Msg::Data(Box::new(data.clone())));
    assert_eq!(keep(&mut s, "u"), note(&before.notes));
    // Another's note is not written over.
    assert!(keep(&mut s, "n2\n").is_some());
    for row in data.live.iter_mut().filter(|r| r.id == before.id) {
        row.notes = "of a colleague".into();
    }
    s.now += TimeDelta::seconds(1);
    s.update(Msg::Data(Box::new(data)));
    assert_eq!(keep(&mut s, "u"), None);
    assert!(screen(&mut s, 120, 40).contains("is another by now: it stays"), "{}", screen(&mut s, 120, 40));
}
