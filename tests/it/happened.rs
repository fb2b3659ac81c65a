//! The events in sentences, what is said beside the rows of the board, and the search in the log's files: rows and
//! keys in, screen out.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    clock::{SharedClock, SystemClock},
    console::{self, Answer, Effect, Msg, Painter, Pane, Question, Snapshot, State},
    desk::{Actor, Chronicle, Entry, EntryId, Fact, Party},
    domain::{
        call::State as CallState,
        event::{End, Kind, Leave, LegStatus, Reply, Source},
        id::CallId,
        outcome::Outcome,
    },
    store::{Aside, PaneRow},
    telemetry::{LogLine, LogSearch, OldLines, Ring},
};
use ratatui::{Terminal, TerminalOptions, Viewport, layout::Rect};
use tracing::Level;

use crate::{
    console::{blank, now, press, row, screen, snapshot, uuid},
    support::{csv_of, office::Office},
};

/// What happened, as the loader has it of an office.
async fn happened(office: &Office, chronicle: &mut Chronicle) -> Snapshot {
    let clock: SharedClock = Arc::new(SystemClock::new());
    let look = console::look(&office.desk, &office.actor, &Ring::new(clock), office.now(), true).await.unwrap();
    let happened = chronicle.look(&office.desk, office.actor.owner, &look.live, &look.asides).await.unwrap();
    Snapshot { happened, ..look }
}

fn showing(data: Snapshot, at: DateTime<Utc>) -> State {
    let mut s = blank();
    s.now = at;
    s.update(Msg::Data(Box::new(data)));
    s
}

/// The lines inside the pane of the events, newest first, from the word behind the time on.
fn events(s: &mut State, width: u16, height: u16) -> Vec<String> {
    press(s, "\u{1b}EE");
    let shown = screen(s, width, height);
    let from = shown.lines().position(|l| l.contains("╭ E Events")).unwrap();
    let lines = shown.lines().skip(from + 1).take_while(|l| l.starts_with('│'));
    lines.map(|l| l.trim_matches(['│', '▌', ' ']).to_owned()).filter(|l| !l.is_empty()).collect()
}

/// A morning in an office: two are dialled, one talks and is tagged, one is busy; the campaign is paused by somebody.
#[tokio::test]
async fn what_happened_stands_in_sentences_in_the_order_of_time() {
    let (office, id) = Office::calling(csv_of(2), |_| {}).await;
    let mut chronicle = Chronicle::default();
    let first = office.dial(id).await.unwrap();
    office.tell(first, "rings", Source::Livekit, Kind::Leg { status: Some(LegStatus::Ringing), sid: "PA_1".into(), call_sid: None, polled: false }).await;
    office.wait(Duration::seconds(9));
    office.reply(first, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    let early = happened(&office, &mut chronicle).await;
    assert_eq!(early.happened.iter().filter(|e| matches!(e.fact, Fact::Answered { .. })).count(), 1, "an answer is told while the talk goes on");
    office.wait(Duration::seconds(64));
    let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    office.tell(first, "left", Source::Livekit, left).await;
    office.tag(first, Outcome::Voicemail).await;
    office.wait(Duration::seconds(2));
    let second = office.dial(id).await.unwrap();
    office.wait(Duration::seconds(3));
    office.reply(second, Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "Busy here".into() }).await;
    let ana = Actor { name: "ana".into(), ..office.actor.clone() };
    office.desk.pause(ana, id).await.unwrap();
    let look = happened(&office, &mut chronicle).await;
    let calls = [office.call(first).await, office.call(second).await];
    let mut s = showing(look, office.now());
    let told = events(&mut s, 100, 40);
    let tail = |i: usize| format!("..{}", &calls[i].phone_number[calls[i].phone_number.len() - 4..]);
    let wanted = [
        "paused     campaign, by ana".to_owned(),
        format!("busy       {} {} (486)", calls[1].contact_name, tail(1)),
        format!("dialled    {} {}, campaign, first attempt", calls[1].contact_name, tail(1)),
        format!("tagged     {} {} voicemail, by ", calls[0].contact_name, tail(0)),
        format!("ended      {} {}, talked 1:04", calls[0].contact_name, tail(0)),
        format!("answered   {} {}, rang 9 s", calls[0].contact_name, tail(0)),
        format!("dialled    {} {}, campaign, first attempt", calls[0].contact_name, tail(0)),
    ];
    let name = office.row(id).await.name;
    let wanted: Vec<String> = wanted.iter().map(|w| w.replace("campaign", &name)).collect();
    let words: Vec<&str> = told.iter().map(|l| l.split_once(' ').map_or(l.as_str(), |(_, rest)| rest)).collect();
    let mut at = 0;
    for want in &wanted {
        let found = words[at..].iter().position(|l| l.starts_with(want.as_str()));
        at += found.unwrap_or_else(|| panic!("{want:?} stands not behind line {at} of {words:#?}")) + 1;
    }
    assert!(!words.iter().any(|l| l.contains("call=") || l.contains(&first.to_string())), "{words:#?}");
    // Hidden numbers are hidden here too.
    press(&mut s, "MM");
    let told = events(&mut s, 160, 40);
    assert!(!told.iter().any(|l| l.contains(&tail(0)) || l.contains(&tail(1))), "{told:#?}");
    // A console that begins later is told the same of the calls.
    let again = happened(&office, &mut Chronicle::default()).await;
    let of_calls = |look: &Snapshot| look.happened.iter().filter(|e| !matches!(e.fact, Fact::Deed(_))).map(|e| e.id).collect::<Vec<_>>();
    assert_eq!(of_calls(&again), of_calls(&happened(&office, &mut chronicle).await));
    assert_eq!(of_calls(&again).len(), 5);
}

fn log(number: u64, level: Level, text: &str) -> LogLine {
    LogLine { number, at: now() + Duration::seconds(i64::try_from(number).unwrap()), level, target: "engine".into(), text: text.into() }
}

fn entry(n: u128, after: i64, step: u8, fact: Fact) -> Arc<Entry> {
    Arc::new(Entry { id: EntryId { at: now() + Duration::seconds(after), step, of: n }, fact })
}

fn party(n: u128, name: &str) -> Party {
    Party { call: CallId(uuid(n)), name: name.into(), number: format!("+120255501{n:02}"), campaign: "Renewals".into() }
}

pub fn dialled(n: u128, name: &str, after: i64) -> Arc<Entry> {
    entry(n, after, 0, Fact::Dialled { who: party(n, name), attempt: 1 })
}

pub fn answered(n: u128, name: &str, after: i64, rang: i64) -> Arc<Entry> {
    entry(n, after, 1, Fact::Answered { who: party(n, name), rang: Some(rang) })
}

pub fn busy(n: u128, name: &str, after: i64, again: DateTime<Utc>) -> Arc<Entry> {
    let fact = Fact::Ended {
        who: party(n, name),
        state: CallState::Busy,
        talked: None,
        rang: None,
        code: Some(486),
        reason: "Busy here".into(),
        again_at: Some(again),
    };
    entry(n, after, 2, fact)
}

fn both() -> Snapshot {
    let logs =
        vec![log(1, Level::INFO, "the lease was renewed"), log(3, Level::WARN, "the trunk was slow to answer"), log(5, Level::ERROR, "the trunk is gone")];
    Snapshot { logs, log_count: 5, happened: Arc::new(vec![dialled(42, "Jane Roe", 2), dialled(43, "Mei Tan", 4)]), ..snapshot() }
}

#[test]
fn levels_show_errors_then_warnings_then_what_happened_then_the_log() {
    let mut s = showing(both(), now());
    let words = |s: &mut State| -> Vec<String> { events(s, 120, 40).iter().map(|l| l.split_whitespace().nth(1).unwrap_or_default().to_owned()).collect() };
    assert_eq!(words(&mut s), ["error", "dialled", "warning", "dialled"]);
    assert_eq!(press(&mut s, "+"), [Effect::LogLevel(Level::DEBUG)]);
    assert_eq!(words(&mut s), ["error", "dialled", "warning", "dialled", "log"]);
    press(&mut s, "--");
    assert_eq!(words(&mut s), ["error", "warning"]);
    press(&mut s, "-");
    assert_eq!(words(&mut s), ["error"]);
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("errors only  + more - fewer"), "{shown}");
    // The command says the same.
    assert_eq!(press(&mut s, ":log info\n"), [Effect::LogLevel(Level::INFO)]);
    assert_eq!(words(&mut s), ["error", "dialled", "warning", "dialled"]);
}

#[test]
fn enter_on_what_happened_to_a_call_opens_its_story() {
    let mut s = showing(both(), now());
    let effects = press(&mut s, "Ejj\n");
    assert_eq!(effects, [Effect::Show(Some(CallId(uuid(43))))], "the cursor stands on the second line, of Mei Tan");
    assert!(screen(&mut s, 120, 40).contains("The call"));
}

#[test]
fn a_search_goes_on_in_the_files_of_the_log() {
    let mut s = showing(both(), now() + Duration::seconds(60));
    press(&mut s, "EE");
    let typing = press(&mut s, "/trunk");
    assert!(!typing.iter().any(|e| matches!(e, Effect::Ask(Question::Log(_)))), "not with every letter: {typing:?}");
    let effects = press(&mut s, "\n");
    let [Effect::Ask(Question::Log(search))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*search, LogSearch { words: "trunk".into(), least: Level::WARN, before: log(1, Level::INFO, "").at });
    assert!(screen(&mut s, 120, 40).contains("looking in the log's files..."));
    let old = LogLine { at: now() - Duration::days(2), ..log(0, Level::WARN, "the trunk was slow on Monday") };
    let found = OldLines { lines: vec![old], stopped_at: Some(now() - Duration::days(3)) };
    // An answer to what was asked before is passed over.
    let other = LogSearch { words: "lease".into(), ..search.clone() };
    s.update(Msg::Answer(Question::Log(other), Ok(Answer::Log(found.clone()))));
    assert!(!screen(&mut s, 120, 40).contains("on Monday"));
    s.update(Msg::Answer(Question::Log(search.clone()), Ok(Answer::Log(found))));
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("16 Nov 15:42 warning    the trunk was slow on Monday") && shown.contains("1 line of the log's files back to 15 Nov"), "{shown}");
    assert_eq!(s.event_rows().len(), 3, "the newest first, what the files have below");
    assert_eq!(press(&mut s, "k"), [], "asked once");
    press(&mut s, "\u{1b}");
    assert_eq!(s.event_rows().len(), 4, "and gone with the search");
    assert!(!screen(&mut s, 120, 40).contains("log's files"));
}

#[test]
fn a_time_finds_what_happened_then() {
    let mut s = showing(both(), now());
    press(&mut s, "E");
    let typed = format!("/{}\n", (now() + Duration::seconds(4)).format("%H:%M:%S"));
    press(&mut s, &typed);
    let rows = s.event_rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
}

/// What the board says beside its rows, cut nowhere before the more important is.
#[test]
fn the_board_says_when_it_is_called_again_and_who_tagged_it() {
    let mut tagged = row(37, "T. Berg", CallState::Completed, 36);
    tagged.outcome = Some(Outcome::Callback);
    let busy = row(33, "R. Shah", CallState::Busy, 0);
    let at = |hours| Some(now() + Duration::hours(hours));
    let asides =
        HashMap::from([(tagged.id, Aside { tagged_by: Some("ana".into()), again_at: at(6 * 24 + 5) }), (busy.id, Aside { tagged_by: None, again_at: at(1) })]);
    let mut s = showing(Snapshot { live: vec![tagged, busy], to_tag: vec![], asides: Arc::new(asides), ..snapshot() }, now());
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("3 callback  Tue 20:42  by ana") && shown.contains("again at 16:42"), "{shown}");
    assert!(!shown.contains("486"), "what the state says is not said again: {shown}");
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("3 callback") && shown.contains("again at 16:42"), "{shown}");
}

/// Who is on the line stays in sight, whatever becomes of the call under the cursor.
#[test]
fn the_board_does_not_run_after_a_call_that_ends() {
    let mut rows: Vec<PaneRow> = (1..40).map(|n| row(n, &format!("Person {n}"), CallState::Answered, 100 + i64::try_from(n).unwrap())).collect();
    let mut s = blank();
    s.update(Msg::Data(Box::new(Snapshot { live: rows.clone(), to_tag: vec![], ..snapshot() })));
    s.resize(120, 40);
    press(&mut s, "Ljj");
    let under = s.live;
    let first = |s: &mut State| s.sight[&Pane::Live].0;
    assert_eq!(first(&mut s), 0);
    let ended = rows.iter_mut().find(|r| Some(r.id) == under).unwrap();
    (ended.state, ended.completed_at) = (CallState::Completed, Some(now()));
    s.now += Duration::seconds(5);
    s.update(Msg::Data(Box::new(Snapshot { live: rows, to_tag: vec![], ..snapshot() })));
    assert_eq!((s.live, first(&mut s)), (under, 0), "the cursor stays on its call, the view on the others");
    assert!(s.target().is_none(), "and no tag goes to whom nobody sees");
    // Rooms that hide the board do not forget where it stood.
    for room in ["CC", "K", "B", "A"] {
        press(&mut s, room);
        press(&mut s, "\u{1b}");
        assert_eq!(first(&mut s), 0, "after {room}");
    }
    let keys = if s.focus == Pane::Live { "j" } else { "Lj" };
    press(&mut s, keys);
    assert_eq!(s.target().map(|r| r.id), under, "a key goes there");
}

/// One key off the row rings nobody.
#[test]
fn the_first_start_of_a_campaign_asks() {
    let mut s = showing(snapshot(), now());
    s.options.simulated = false;
    let effects = press(&mut s, "Cjs");
    assert!(matches!(effects.as_slice(), [Effect::Ask(Question::Campaign(_)), Effect::Ask(Question::OverlapOf(_))]), "{effects:?}");
    assert!(screen(&mut s, 80, 24).contains("Start \"Win-back\"?"));
    s.now += Duration::milliseconds(300);
    assert!(matches!(press(&mut s, "s").as_slice(), []), "a held key starts nothing");
    assert!(matches!(press(&mut s, "y").as_slice(), [Effect::Start(..)]));
}

#[test]
fn who_sits_here_is_said_and_kept() {
    let mut s = showing(snapshot(), now());
    let effects = press(&mut s, ":me Ana\n");
    assert!(effects.contains(&Effect::Me("Ana".into())), "{effects:?}");
    assert_eq!(s.actor.name, "Ana");
    assert_eq!(press(&mut s, ":me engine\n"), []);
    assert_eq!(s.actor.name, "Ana");
}

/// The bytes of two frames, the second in which some of a name's letters have changed.
fn frames(before: &str, after: &str) -> (String, String) {
    let mut s = blank();
    let mut sent = Vec::new();
    let mut painter = Painter::new(&mut sent);
    painter.resized(120);
    let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, 120, 40)) };
    let mut terminal = Terminal::with_options(painter, options).unwrap();
    s.resize(120, 40);
    let mut draw = |name: &str| {
        s.update(Msg::Data(Box::new(Snapshot { live: vec![row(42, name, CallState::Answered, 90)], to_tag: vec![], ..snapshot() })));
        terminal.draw(|frame| console::draw(frame, &s)).unwrap();
    };
    draw(before);
    draw(after);
    drop(terminal);
    let text = String::from_utf8(sent).unwrap();
    let end = text.find("\u{1b}[?2026l").unwrap_or(0);
    (text[..end].to_owned(), text[end..].to_owned())
}

#[test]
fn a_name_from_the_right_is_isolated_by_us_and_by_nobody_else() {
    let (first, second) = frames("שלום עולם", "שלוש עולם");
    assert!(first.contains("\u{2068}שלום עולם\u{2069}"), "{first:?}");
    assert!(second.contains("\u{2068}שלוש עולם\u{2069}"), "all of the name is sent again, in one isolate: {second:?}");
    let (first, _) = frames("\u{2067}Jane\u{2069} Roe", "x");
    assert!(first.contains("Jane Roe") && !first.contains(['\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}']), "{first:?}");
    let (first, _) = frames("محمد عبد الله", "x");
    assert!(first.contains("\u{2068}محمد عبد الله\u{2069}"), "no letter is lost: {first:?}");
}

/// The keys that open help say the rooms on its first page.
#[test]
fn help_names_the_rooms_where_it_begins() {
    let mut s = showing(snapshot(), now());
    press(&mut s, "?");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("every call ever") && shown.contains("Rooms"), "{shown}");
    s.update(Msg::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)));
}
