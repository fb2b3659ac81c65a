//! From one console to the next, and what an operator sets on the way: keys and the mouse in, screen and files out.

use std::{path::Path, sync::Arc};

use crate::support::base::only_a_file;
use crate::{
    console::{blank, now, options, press, row, screen, snapshot, state, uuid},
    support::{
        csv_of,
        office::Office,
        pty::{Pty, flat},
    },
};
use chrono::{DateTime, Duration, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use dialdeck::{
    console::{
        self, ConsoleOptions, Depth, Effect, Msg, Pane, SessionOptions, Snapshot, State, Theme,
        kept::Kept,
        notify::Way,
        question::{Answer, Question},
        waiting::{self, Tag},
    },
    desk::{Actor, Away, CampaignShift, DeskError, Happening, OperatorShift, ShiftReport, What},
    domain::{
        call::State as CallState,
        campaign::Status,
        event::{End, Reply},
        id::{CallId, CampaignId},
        outcome::Outcome,
        stats::Pace,
    },
    store::{PaneRow, PromiseCount},
};

fn code(s: &mut State, code: KeyCode) -> Vec<Effect> {
    s.now += Duration::milliseconds(400);
    s.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

/// A console over these options, as the last one left it.
fn open(change: impl FnOnce(&mut ConsoleOptions), kept: &Kept) -> (State, Vec<Effect>) {
    let mut options = options();
    options.simulated = false;
    change(&mut options);
    let theme = console::theme::load(&options.theme, &options.themes_folder, Depth::True);
    let actor = Actor { owner: dialdeck::domain::id::OwnerId(uuid(1)), name: "tester".into(), source: "console" };
    let mut state = console::open(options, actor, theme, now());
    let effects = console::begin(&mut state, kept);
    (state, effects)
}

fn names(rows: &[&PaneRow]) -> Vec<String> {
    rows.iter().map(|r| r.contact_name.split('\u{1b}').next().unwrap().to_owned()).collect()
}

// What is kept

#[test]
fn what_was_left_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = console::kept::path(folder.path());
    let keeps = |o: &mut ConsoleOptions| o.session = SessionOptions { kept: Some(file.clone()), ..SessionOptions::default() };
    let (mut s, first) = open(keeps, &Kept::load(&file));
    assert!(!first.iter().any(|e| matches!(e, Effect::Ask(_))), "nobody was away before the first start: {first:?}");
    s.update(Msg::Data(Box::new(snapshot())));
    let mut saved = Vec::new();
    for keys in ["/ana\n", "oo", "R", "v", "jj \n", "C/win\n", "EE", "/error\n", ":mouse on\n", ":log warn\n", "MM", "T", "jj\n"] {
        saved.extend(press(&mut s, keys));
    }
    let changes = saved.iter().filter(|e| matches!(e, Effect::Keep(_))).count();
    assert!((1..=4).contains(&changes), "saved now and then, not by every key: {changes}");
    // A crash loses little: what changed is handed out within seconds, by whatever happens.
    s.now += Duration::seconds(6);
    let effects = s.update(Msg::Resize);
    let [Effect::Keep(kept)] = effects.as_slice() else { panic!("{effects:?}") };
    kept.save(&file).unwrap();
    assert_eq!(s.update(Msg::Resize), [], "and once");
    s.now += Duration::seconds(61);
    assert!(matches!(s.update(Msg::Resize).as_slice(), [Effect::Keep(later)] if later.seen_at > kept.seen_at), "when somebody looked last goes on");

    let kept = Kept { seen_at: Some(now() - Duration::hours(9)), ..Kept::load(&file) };
    let (mut again, effects) = open(keeps, &kept);
    again.update(Msg::Data(Box::new(snapshot())));
    assert!(effects.contains(&Effect::Mouse(true)) && effects.contains(&Effect::Ask(Question::Away(kept.seen_at.unwrap()))), "{effects:?}");
    assert_eq!((again.focus, again.zoom, again.mask), (Pane::Events, true, 2));
    let shown = screen(&mut again, 120, 40);
    assert!(shown.contains("deck › E Events") && shown.contains("/error  0 of 0"), "{shown}");
    press(&mut again, "\u{1b}\u{1b}L");
    let shown = screen(&mut again, 120, 40);
    assert!(shown.contains("/ana  1 of 5") && shown.contains("sort contact reversed"), "{shown}");
    let head = shown.lines().find(|l| l.contains("contact") && l.contains("time")).unwrap();
    assert!(!head.contains("number"), "the column that was left out: {head}");
    assert!(shown.contains("/win  1 of 2"), "{shown}");
    assert!(kept.theme.is_some() && kept.theme == again.session.theme);
}

#[test]
fn a_flag_goes_before_what_was_kept_and_what_is_hidden_stays_hidden() {
    let mut kept = Kept { mask: Some(0), ..Kept::default() };
    kept.filters.insert("live".into(), "omar".into());
    kept.filters.insert("campaigns".into(), "win".into());
    kept.room = Some("nowhere/whole".into());
    kept.sorts.insert("live".into(), "-colour".into());
    let (mut s, _) = open(
        |o| {
            (o.filter, o.mask) = ("ana".into(), 1);
        },
        &kept,
    );
    s.update(Msg::Data(Box::new(snapshot())));
    assert_eq!(names(&s.live_rows()), ["Ana Lima"]);
    assert_eq!((s.mask, s.focus, s.zoom), (1, Pane::Live, false), "a room that is no more is passed over");
    assert_eq!(s.campaign_rows().len(), 1);
}

// Themes

#[test]
fn themes_are_seen_while_they_are_chosen() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), "[meta]\ninherits = \"light\"\n").unwrap();
    std::fs::write(folder.path().join("broken.toml"), "[meta]\n[roles\n").unwrap();
    let (mut s, _) = open(|o| o.themes_folder = folder.path().into(), &Kept::default());
    s.update(Msg::Data(Box::new(snapshot())));
    press(&mut s, "T");
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("Themes") && shown.contains("mine") && shown.contains("yours") && shown.contains("Enter keeps"), "{shown}");
    press(&mut s, "G");
    let last = s.theme.name.clone();
    assert_ne!(last, "dark", "it is seen already");
    press(&mut s, "\u{1b}");
    assert_eq!(s.theme.name, "dark", "Esc brings the one before back");
    // The broken one says where, and is not taken.
    press(&mut s, "Tg");
    let shown = flat(&screen(&mut s, 80, 24));
    assert!(shown.contains("line 2") && shown.contains("broken"), "{shown}");
    press(&mut s, "\n");
    assert!(s.dialog.is_some() && s.theme.name != "broken");
    press(&mut s, "\u{1b}");
    assert_eq!(press(&mut s, ":theme mine\n"), [Effect::Watch("mine".into())]);
    assert_eq!(s.theme.name, "mine");
}

#[test]
fn a_theme_file_that_changes_shows_and_a_broken_one_changes_nothing() {
    let (mut s, _) = open(|_| {}, &Kept::default());
    s.update(Msg::Data(Box::new(snapshot())));
    let light = Theme::parse("dark", "[meta]\ninherits = \"light\"", Depth::True).unwrap();
    let look = light.style("text");
    s.update(Msg::Theme("dark".into(), Box::new(Ok(light))));
    assert_eq!(s.theme.style("text"), look);
    s.update(Msg::Theme("dark".into(), Box::new(Err("theme dark: line 7: no colour".into()))));
    assert!(flat(&screen(&mut s, 80, 24)).contains("line 7: no colour; the theme stays as it was"));
    assert_eq!(s.theme.style("text"), look);
}

// While nobody was here, and the shift

fn happening(what: What, who: &str, reason: &str) -> Happening {
    Happening { at: now() - Duration::hours(1), campaign: Some("Q4 Sales".into()), what, who: who.into(), reason: reason.into() }
}

fn away() -> Away {
    Away {
        from: now() - Duration::hours(9),
        until: now(),
        pace: Pace { armed: 220, dials: 214, answered: 88, abandoned: 1, failed: 6, talk_seconds: 8800 },
        outcomes: vec![(Outcome::Interested, 3)],
        happened: vec![happening(What::BreakerOpened, "breaker", "7 of 10 calls failed\u{1b}[31m")],
        missed: Vec::new(),
    }
}

#[test]
fn what_happened_meanwhile_is_told_once_and_any_key_closes_it() {
    let answer = |away: Away| Msg::Answer(Question::Away(away.from), Ok(Answer::Away(Box::new(away))));
    let mut s = state();
    s.update(answer(Away { pace: Pace::default(), outcomes: vec![], happened: vec![], ..away() }));
    assert!(s.dialog.is_none(), "nothing happened: nothing is told");
    press(&mut s, "n");
    s.update(answer(away()));
    assert!(!screen(&mut s, 80, 24).contains("While you were away"), "not over what somebody types into");
    press(&mut s, "\u{1b}");
    for (w, h) in [(60, 15), (80, 24), (120, 40)] {
        let shown = flat(&screen(&mut s, w, h));
        for words in ["While you were away", "214 dials, 88 answered (41 %)", "3 interested", "Q4 Sales was paused because its calls went wrong"] {
            assert!(shown.contains(words), "{w}x{h} {words}: {shown}");
        }
    }
    assert_eq!(press(&mut s, "4"), [], "the key only closes it");
    assert!(s.dialog.is_none());
    assert!(!screen(&mut s, 80, 24).contains("While you were away"));
}

fn shift() -> ShiftReport {
    let a = away();
    ShiftReport {
        from: now() - Duration::hours(8),
        until: now(),
        pace: a.pace,
        outcomes: a.outcomes.clone(),
        campaigns: vec![CampaignShift { id: CampaignId(uuid(10)), name: "Q4 Sales".into(), pace: a.pace, outcomes: a.outcomes.clone() }],
        operators: vec![OperatorShift { name: "ana".into(), tags: 31, seconds_each: Some(6.2), outcomes: a.outcomes.clone() }],
        quarters: vec![(now() - Duration::hours(8), a.pace)],
        listed: vec![("ana".into(), 2)],
        happened: a.happened,
    }
}

#[test]
fn the_shift_is_written_and_shown() {
    let mut s = state();
    let asked = press(&mut s, ":report 8h\n");
    let [Effect::Ask(Question::Shift(from, until))] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(*until - *from, Duration::hours(8));
    let told = s.update(Msg::Answer(Question::Shift(*from, *until), Ok(Answer::Shift(Box::new(shift())))));
    let [Effect::Write { path, text }] = told.as_slice() else { panic!("{told:?}") };
    assert!(path.to_str().unwrap().starts_with("dialdeck-shift-2026-11-18-") && path.extension().unwrap() == "md", "{path:?}");
    insta::assert_snapshot!("session_report", text);
    let shown = flat(&screen(&mut s, 80, 24));
    assert!(shown.contains("The shift") && shown.contains("Q4 Sales: 214 dials"), "{shown}");
    press(&mut s, "\u{1b}");
    // JSON by its name, since this console began, or since midnight.
    let asked = press(&mut s, ":report today /tmp/x.json\n");
    let [Effect::Ask(Question::Shift(from, _))] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(*from, "2026-11-18T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let told = s.update(Msg::Answer(Question::Shift(*from, now()), Ok(Answer::Shift(Box::new(shift())))));
    let [Effect::Write { text, .. }] = told.as_slice() else { panic!("{told:?}") };
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!((value["pace"]["dials"].as_i64(), value["operators"][0]["name"].as_str()), (Some(214), Some("ana")));
    press(&mut s, "\u{1b}");
    let asked = press(&mut s, ":report\n");
    assert!(matches!(asked.as_slice(), [Effect::Ask(Question::Shift(from, _))] if *from == s.session.since), "{asked:?}");
    // One that nobody asked for here is another room's.
    s.update(Msg::Answer(Question::Shift(now(), now()), Err("x".into())));
    s.session.report = None;
    assert_eq!(s.update(Msg::Answer(Question::Shift(now(), now()), Ok(Answer::Shift(Box::new(shift()))))), []);
}

#[test]
fn the_rows_that_are_shown_are_written_as_they_are_shown() {
    let mut s = state();
    let mut data = snapshot();
    data.live[3].notes = "=1+1".into();
    s.update(Msg::Data(Box::new(data)));
    press(&mut s, "/name:ana\n");
    let effects = press(&mut s, ":write calls.csv\n");
    let [Effect::Write { text, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("Ana Lima,+12025550139,Q4 Sales") && text.contains(",'=1+1"), "a number stays one, a formula does not: {text}");
    press(&mut s, "M");
    let effects = press(&mut s, ":write calls.json\n");
    let [Effect::Write { text, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(value[0]["number"], "..0139", "what is hidden on the screen is hidden in the file");
    assert_eq!(press(&mut s, ":write calls.doc\n"), []);
    assert!(flat(&screen(&mut s, 80, 24)).contains("ends in .csv or .json"));
}

/// Whatever is open, at any size.
#[test]
fn no_size_breaks_what_is_open() {
    for keys in ["T", "v", "/ana", "Cv", "E/x", ":sort contact\nR/ro\n", "jjjjr", ":report\n", "O/an\n"] {
        let mut s = state();
        press(&mut s, keys);
        s.update(Msg::Answer(Question::Away(away().from), Ok(Answer::Away(Box::new(away())))));
        for (w, h) in [(1, 1), (20, 3), (59, 14), (60, 15), (61, 16), (80, 24), (100, 30), (120, 40), (160, 40), (200, 60)] {
            let shown = screen(&mut s, w, h);
            assert!(!shown.contains('\u{1b}'), "{keys} at {w}x{h}");
        }
    }
}

// Filters, orders, columns

#[test]
fn each_pane_has_its_own_filter_on_its_own_frame() {
    let mut s = state();
    press(&mut s, "C/wn");
    let shown = screen(&mut s, 120, 40);
    let edge = shown.lines().find(|l| l.contains("/ wn_")).unwrap();
    assert!(edge.trim_start().starts_with('╰') && edge.contains("0 of 2") && edge.contains("Enter keeps"), "{shown}");
    code(&mut s, KeyCode::Backspace);
    press(&mut s, "inb\n");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("/winb  1 of 2"), "found by the beginnings of its words: {shown}");
    assert_eq!((s.campaign_rows().len(), s.live_rows().len(), s.queue_rows().len()), (1, 5, 1), "of campaigns alone");
    press(&mut s, "L/berlin\n");
    let shown = flat(&screen(&mut s, 120, 40));
    assert!(shown.contains("0 of 5 match \"berlin\". Esc clears"), "{shown}");
    press(&mut s, "/");
    assert!(screen(&mut s, 120, 40).contains("/ berlin_"), "it is gone on with");
    press(&mut s, "\u{1b}");
    assert_eq!(s.live_rows().len(), 5, "Esc takes it away");
    // At 80x24 a pane that is filtered and not seen is told.
    let shown = flat(&screen(&mut s, 80, 24));
    assert!(shown.contains("campaigns shows only what matches \"winb\""), "{shown}");
    press(&mut s, "C");
    press(&mut s, "\u{1b}");
    assert_eq!(s.campaign_rows().len(), 2);
    // Every word at 80x24 that says what to do.
    press(&mut s, "L/");
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("Enter keeps  Esc clears"), "{shown}");
}

#[test]
fn events_are_filtered_by_words_and_by_level() {
    use tracing::Level;
    let mut s = state();
    let line = |number: u64, level, text: &str| dialdeck::telemetry::LogLine { number, at: now(), level, target: "engine".into(), text: text.into() };
    let logs = vec![line(1, Level::WARN, "dial ..0142"), line(2, Level::ERROR, "the trunk is gone"), line(3, Level::WARN, "dial ..0177 busy")];
    s.update(Msg::Data(Box::new(Snapshot { logs, log_count: 3, ..snapshot() })));
    press(&mut s, "E/dial !0142\n");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("..0177 busy") && !shown.contains("dial ..0142") && !shown.contains("trunk is gone"), "{shown}");
    press(&mut s, "\u{1b}");
    assert_eq!(press(&mut s, ":log error\n"), [Effect::LogLevel(Level::ERROR)]);
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("trunk is gone") && !shown.contains("0177"), "{shown}");
    press(&mut s, ":log loud\n");
    assert!(flat(&screen(&mut s, 120, 40)).contains("nothing is called \"log loud\""));
}

#[test]
fn rows_are_sorted_by_any_column_and_the_cursor_stays() {
    let mut s = state();
    let standard = names(&s.live_rows());
    press(&mut s, "jj");
    let under = s.live;
    press(&mut s, ":sort contact\n");
    let mut wanted = standard.clone();
    wanted.sort();
    assert_eq!(names(&s.live_rows()), wanted);
    press(&mut s, "R");
    wanted.reverse();
    assert_eq!(names(&s.live_rows()), wanted);
    assert_eq!(s.live, under);
    assert!(screen(&mut s, 120, 40).contains("sort contact reversed"));
    press(&mut s, ":sort time\n");
    assert_eq!(names(&s.live_rows())[0], "Jane Roe", "the longest first");
    press(&mut s, ":sort -time\n");
    assert_eq!(names(&s.live_rows()).last().unwrap(), "Jane Roe");
    press(&mut s, ":sort colour\n");
    assert!(flat(&screen(&mut s, 120, 40)).contains("nothing is called \"sort colour\""));
    press(&mut s, "\u{1b}");
    // `o` goes through all of them and comes back to the list's own.
    for _ in 0..8 {
        press(&mut s, "o");
    }
    while s.lists.of(Pane::Live).order().is_some() {
        press(&mut s, "o");
    }
    assert_eq!(names(&s.live_rows()), standard);
    press(&mut s, "C");
    press(&mut s, ":sort -campaign\n");
    assert_eq!(s.campaign_rows()[0].row.name, "Win-back");
}

/// Fifty changes a second under a sort: while keys are pressed no row that stands moves, and afterwards the order is
/// right.
#[test]
fn an_order_holds_still_under_the_hand() {
    let mut s = blank();
    let mut rows: Vec<PaneRow> = (0..20).map(|n| row(10 + n, &format!("Person {n:02}"), CallState::Answered, 60 + i64::try_from(n).unwrap())).collect();
    s.update(Msg::Data(Box::new(Snapshot { live: rows.clone(), ..snapshot() })));
    press(&mut s, ":sort outcome\n");
    press(&mut s, "j");
    let (stood, under) = (names(&s.live_rows()), s.live);
    for i in 0..50usize {
        s.now += Duration::milliseconds(20);
        rows[i % 20].outcome = Some(Outcome::ALL[i % 6]);
        s.update(Msg::Data(Box::new(Snapshot { live: rows.clone(), ..snapshot() })));
        if i % 10 == 0 {
            press(&mut s, "j");
            press(&mut s, "k");
        }
        assert_eq!(names(&s.live_rows()), stood, "change {i}");
    }
    assert_eq!(s.live, under);
    s.now += Duration::seconds(2);
    assert!(s.tick(), "the order is put right once the hand rests");
    let digits: Vec<_> = s.live_rows().iter().map(|r| r.outcome.map(Outcome::digit)).collect();
    assert!(digits.is_sorted() && names(&s.live_rows()) != stood, "{digits:?}");
    assert_eq!(s.live, under);
}

#[test]
fn columns_are_left_out_and_brought_back() {
    let mut s = state();
    press(&mut s, "v");
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("Columns of live") && shown.contains("[x] number"), "{shown}");
    press(&mut s, "j ");
    assert!(flat(&screen(&mut s, 80, 24)).contains("\"contact\" says whose row it is"));
    press(&mut s, "j \n");
    assert!(!screen(&mut s, 120, 40).contains("+1 202 555 0142"));
    press(&mut s, ":columns number outcome\n");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("+1 202 555 0142") && shown.contains("Jane Roe") && !shown.contains("03:12"), "{shown}");
    press(&mut s, "Cv");
    press(&mut s, "jj \n");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.lines().any(|l| l.contains("campaign") && l.contains("live") && !l.contains("done")), "{shown}");
    press(&mut s, "Ev");
    assert!(s.dialog.is_none() && flat(&screen(&mut s, 120, 40)).contains("works on campaigns, live calls and outcomes"));
}

// Commands

#[test]
fn commands_of_the_session() {
    let mut s = state();
    assert_eq!(press(&mut s, ":health\n"), [Effect::Ask(Question::Systems)]);
    assert_eq!(s.focus, Pane::Systems);
    press(&mut s, "\u{1b}");
    // Read-only up and down, but not where it was started so.
    press(&mut s, ":readonly\n:readonly\n");
    assert!(!s.options.read_only);
    let (mut s, _) = open(|o| o.read_only = true, &Kept::default());
    press(&mut s, ":readonly\n");
    assert!(s.options.read_only && flat(&screen(&mut s, 80, 24)).contains("was started with --read-only"));
    press(&mut s, ":resume all\n");
    assert!(!flat(&screen(&mut s, 80, 24)).contains("no campaign is called"));
    // Completion, and what words a command wants.
    let mut s = state();
    press(&mut s, ":sort ti");
    code(&mut s, KeyCode::Tab);
    assert!(screen(&mut s, 120, 40).contains(": sort time_"), "{}", screen(&mut s, 120, 40));
    press(&mut s, "\n");
    assert!(screen(&mut s, 120, 40).contains("sort time"));
    press(&mut s, ":");
    code(&mut s, KeyCode::Up);
    assert!(screen(&mut s, 120, 40).contains(": sort time_"), "what was typed before");
}

// The mouse

fn mouse(s: &mut State, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    s.now += Duration::milliseconds(100);
    s.update(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

fn click(s: &mut State, at: (u16, u16)) -> Vec<Effect> {
    mouse(s, MouseEventKind::Down(MouseButton::Left), at.0, at.1)
}

/// Where words stand on the screen.
fn find(s: &mut State, words: &str) -> (u16, u16) {
    let (width, height) = s.size;
    let shown = screen(s, width, height);
    let (row, line) = shown.lines().enumerate().find(|(_, l)| l.contains(words)).unwrap_or_else(|| panic!("no {words} in\n{shown}"));
    let column = line[..line.find(words).unwrap()].chars().count();
    (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
}

#[test]
fn the_mouse_is_off_until_it_is_asked_for() {
    let mut s = state();
    screen(&mut s, 120, 40);
    let at = find(&mut s, "Win-back");
    click(&mut s, at);
    assert_eq!((s.focus, s.campaign), (Pane::Live, Some(CampaignId(uuid(10)))), "off");
    assert_eq!(press(&mut s, ":mouse on\n"), [Effect::Mouse(true)]);
    click(&mut s, at);
    assert_eq!((s.focus, s.campaign), (Pane::Campaigns, Some(CampaignId(uuid(11)))));
    assert!(!s.zoom, "a click on a pane is no second letter");
    assert_eq!(press(&mut s, ":mouse off\n"), [Effect::Mouse(false)]);
}

#[test]
fn clicks_do_what_stands_there_and_a_second_one_opens() {
    for (w, h) in [(80, 24), (100, 30), (120, 40), (200, 60)] {
        let mut s = state();
        press(&mut s, ":mouse on\n");
        screen(&mut s, w, h);
        let at = find(&mut s, "L. Okafor");
        assert_eq!(click(&mut s, at).iter().filter(|e| !matches!(e, Effect::Show(_))).count(), 0);
        assert_eq!((s.live, s.follow), (Some(CallId(uuid(81))), false), "{w}x{h}");
        s.now += Duration::seconds(2);
        click(&mut s, at);
        assert!(s.dialog.is_none(), "long after the first it is a first one again");
        click(&mut s, at);
        assert!(s.dialog.is_some() && screen(&mut s, w, h).contains("L. Okafor"), "{w}x{h}");
        let before = s.live;
        click(&mut s, (2, 2));
        assert!(s.dialog.is_some() && s.live == before, "a click beside a dialog decides nothing");
        press(&mut s, "\u{1b}");
        screen(&mut s, w, h);
        // The frame and the head are no rows.
        let head = find(&mut s, "state");
        click(&mut s, head);
        assert_eq!(s.live, before);
        let pause = find(&mut s, "P pause ALL");
        assert_eq!(click(&mut s, pause), [Effect::PauseAll], "{w}x{h}");
        let help = find(&mut s, "? help");
        click(&mut s, help);
        assert!(screen(&mut s, w, h).contains("Keys"));
    }
    let mut s = state();
    press(&mut s, ":mouse on\n");
    screen(&mut s, 80, 24);
    let tab = find(&mut s, "O Outcomes");
    click(&mut s, tab);
    assert_eq!((s.focus, s.zoom), (Pane::Outcomes, false));
    let tag = find(&mut s, "1 yes 2");
    screen(&mut s, 80, 24);
    assert!(matches!(click(&mut s, tag).as_slice(), [Effect::Tag { outcome: Some(Outcome::Interested), .. }]));
}

/// In the tagging desk Enter takes the agent's word; a click never does.
#[test]
fn no_click_on_a_row_tags() {
    let mut s = state();
    press(&mut s, ":mouse on\n");
    press(&mut s, "OO");
    for (w, h) in [(80, 24), (120, 40)] {
        screen(&mut s, w, h);
        s.update(Msg::Resize);
        let at = find(&mut s, "Ana Lima");
        let effects: Vec<_> = [click(&mut s, at), click(&mut s, at)].concat();
        assert!(!effects.iter().any(|e| matches!(e, Effect::Tag { .. })), "{effects:?}");
        press(&mut s, "\u{1b}");
        s.zoom = true;
    }
}

#[test]
fn the_wheel_moves_the_view_and_never_the_cursor() {
    let mut s = blank();
    let rows: Vec<PaneRow> = (100..160).map(|n| row(n, &format!("Person {n}"), CallState::Answered, 300 - i64::try_from(n).unwrap())).collect();
    s.update(Msg::Data(Box::new(Snapshot { live: rows.clone(), ..snapshot() })));
    press(&mut s, ":mouse on\n");
    screen(&mut s, 80, 24);
    let under = s.live;
    for _ in 0..10 {
        mouse(&mut s, MouseEventKind::ScrollDown, 30, 10);
    }
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("Person 130") && !shown.contains("550 1100"), "{shown}");
    assert_eq!(s.live, under);
    // A new look does not pull it back, and nobody out of sight is tagged.
    s.update(Msg::Data(Box::new(Snapshot { live: rows, ..snapshot() })));
    assert!(screen(&mut s, 80, 24).contains("Person 130"));
    assert_eq!(press(&mut s, "1"), []);
    assert!(flat(&screen(&mut s, 80, 24)).contains("Person 100 is not on the screen"));
    for _ in 0..100 {
        mouse(&mut s, MouseEventKind::ScrollDown, 30, 10);
    }
    assert!(screen(&mut s, 80, 24).contains("Person 159"), "not beyond the end");
    let at = find(&mut s, "Person 150");
    click(&mut s, at);
    assert_eq!(s.live, Some(CallId(uuid(150))));
    assert!(screen(&mut s, 80, 24).contains("▌Person 150"), "the footer names who was clicked: {}", screen(&mut s, 80, 24));
}

// Alerts that leave the screen

fn ringing(way: Way) -> State {
    let (s, _) = open(|o| o.session = SessionOptions { notify: way, ..SessionOptions::default() }, &Kept::default());
    s
}

#[test]
fn somebody_who_looks_elsewhere_is_called_for_what_matters_and_not_too_often() {
    let mut s = ringing(Way::Osc9);
    let look = |change: &dyn Fn(&mut Snapshot)| {
        let mut data = snapshot();
        change(&mut data);
        Msg::Data(Box::new(data))
    };
    assert_eq!(s.update(look(&|_| {})), []);
    assert_eq!(s.alarms.take(), "");
    let paused = |d: &mut Snapshot| {
        let row = &mut d.campaigns[0].row;
        (row.execution_status, row.status_actor, row.status_reason) = (Status::Paused, "breaker".into(), "7 of 10 calls failed".into());
    };
    s.update(look(&paused));
    assert_eq!(s.alarms.take(), "\u{1b}]9;Q4 Sales paused: 7 of 10 calls failed\u{1b}\\");
    s.update(look(&paused));
    assert_eq!(s.alarms.take(), "", "once");
    s.update(look(&|d| d.campaigns[0].row.execution_status = Status::Paused));
    assert_eq!(s.alarms.take(), "", "what a person paused calls nobody");
    s.update(look(&|d| d.health = "LiveKit does not answer".into()));
    assert!(s.alarms.take().contains("LiveKit does not answer"));
    s.now += Duration::seconds(1);
    s.update(look(&|d| d.to_tag[0].completed_at = Some(now() - Duration::minutes(16))));
    assert!(s.alarms.take().contains("1 call to tag, Ana Lima for 16 minutes"));
    s.update(look(&|d| {
        let mut head = (**d.head.as_ref().unwrap()).clone();
        head.figures.callbacks = PromiseCount { due: 3, next: None };
        d.head = Some(Arc::new(head));
    }));
    assert!(s.alarms.take().contains("3 promised callbacks due"));
    press(&mut s, "b");
    assert!(screen(&mut s, 80, 24).contains("the bell is off"));
    s.update(look(&|d| d.kill_switch = true));
    assert_eq!(s.alarms.take(), "");
    // Without a way in the configuration `b` is a bell.
    let mut s = ringing(Way::None);
    assert_eq!(s.update(look(&|_| {})), [], "nobody asks for figures in vain");
    press(&mut s, "b");
    s.update(look(&paused));
    assert_eq!(s.alarms.take(), "\u{7}");
}

// Again

#[test]
fn another_attempt_is_asked_for_by_name_and_never_for_who_said_no() {
    let mut s = state();
    s.live = Some(CallId(uuid(33)));
    assert_eq!(press(&mut s, "r"), []);
    let shown = flat(&screen(&mut s, 80, 24));
    for words in ["Call again?", "R. Shah ..0133 in \"Q4 Sales\"", "attempt 1 of 3, last result busy (Busy here)", "y call again Esc back"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(press(&mut s, "x"), []);
    assert_eq!(press(&mut s, "y"), [Effect::Again(CallId(uuid(33)), "R. Shah".into())]);
    for tag in [Outcome::DoNotCall, Outcome::WrongNumber] {
        let mut data = snapshot();
        data.live[4].outcome = Some(tag);
        s.update(Msg::Data(Box::new(data)));
        assert_eq!(press(&mut s, "r"), []);
        assert!(s.dialog.is_none() && flat(&screen(&mut s, 80, 24)).contains("is not called again"), "{tag:?}");
    }
    press(&mut s, "E");
    press(&mut s, "r");
    assert!(s.dialog.is_none(), "it works on a call");
    s.options.read_only = true;
    press(&mut s, "Lr");
    assert!(s.dialog.is_none());
}

/// What no rule of a campaign follows with another attempt by itself.
fn declined() -> Reply {
    Reply::Ended { end: End::Rejected, sip_code: Some(603), reason: "Decline".into() }
}

/// Through the queue and every gate: one row, one attempt more, and nobody twice.
#[tokio::test]
async fn a_call_is_queued_again_once_and_inside_its_attempts() {
    let (office, id) = Office::calling(csv_of(1), |s| s.retry.max_attempts = 2).await;
    let call = office.dial(id).await.unwrap();
    let live = office.desk.call_again(office.actor.clone(), call).await.unwrap_err();
    assert!(live.to_string().contains("not over"), "{live}");
    office.reply(call, declined()).await;
    let row = office.call(call).await;
    assert!(row.state.is_ended(), "{:?}", row.state);
    assert_eq!(office.desk.call_again(office.actor.clone(), call).await.unwrap(), 2);
    let twice = office.desk.call_again(office.actor.clone(), call).await.unwrap_err();
    assert!(twice.to_string().contains("another call to this contact is"), "{twice}");
    let calls = office.store.calls(id, &dialdeck::store::CallFilter::default(), 10, 0).await.unwrap().rows;
    assert_eq!(calls.len(), 2);
    assert_eq!(office.row(id).await.counts, crate::support::counted(&calls));
    let audit = office.store.audit_of(office.actor.owner, call.0).await.unwrap();
    assert!(audit.iter().any(|a| a.action == "call_again" && a.actor == "tester"), "{audit:?}");
    // It is dialled as any other.
    let second = office.dial(id).await.unwrap();
    assert_ne!(second, call);
    office.reply(second, declined()).await;
    let older = office.desk.call_again(office.actor.clone(), call).await.unwrap_err();
    assert!(older.to_string().contains("called again since"), "{older}");
    let used = office.desk.call_again(office.actor.clone(), second).await.unwrap_err();
    assert!(used.to_string().contains("all 2 attempts"), "{used}");
}

#[tokio::test]
async fn who_said_no_is_not_called_again_by_anybody() {
    for tag in [Outcome::DoNotCall, Outcome::WrongNumber] {
        let (office, id) = Office::calling(csv_of(1), |s| s.retry.max_attempts = 5).await;
        let call = office.dial(id).await.unwrap();
        office.reply(call, declined()).await;
        office.tag(call, tag).await;
        let refused = office.desk.call_again(office.actor.clone(), call).await;
        assert!(matches!(refused, Err(DeskError::Refused(_))), "{tag:?}: {refused:?}");
        assert_eq!(office.dial(id).await, Err("empty"));
    }
    // Neither is whose number somebody put on the list since, from another campaign.
    let (office, id) = Office::calling(csv_of(1), |s| s.retry.max_attempts = 5).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, declined()).await;
    let number = dialdeck::domain::phone::PhoneNumber::own(&office.call(call).await.phone_number).unwrap();
    office.desk.add_do_not_call(office.actor.clone(), number, "asked".into()).await.unwrap();
    let refused = office.desk.call_again(office.actor.clone(), call).await.unwrap_err();
    assert!(refused.to_string().contains("do-not-call list"), "{refused}");
    assert_eq!(office.dial(id).await, Err("empty"));
}

// Tags that wait

#[test]
fn a_tag_that_is_not_written_stays_on_the_screen_and_is_said_when_it_is_lost() {
    let mut s = state();
    press(&mut s, "O1");
    let call = CallId(uuid(39));
    let outcome = Some(Outcome::Interested);
    s.update(Msg::TagWaits { call, name: "Ana Lima".into(), outcome, why: "the database is busy or its disk is full: database is locked".into() });
    s.now += Duration::seconds(4);
    for (w, h) in [(80, 24), (120, 40)] {
        let shown = flat(&screen(&mut s, w, h));
        assert!(shown.contains("1 tag not written yet, tried again until done: Ana Lima \"interested\""), "{w}x{h}: {shown}");
    }
    assert!(screen(&mut s, 120, 40).contains("~ interested waits"), "{}", screen(&mut s, 120, 40));
    s.queue = Some(call);
    s.update(Msg::Resize);
    assert_eq!(press(&mut s, "2"), []);
    assert!(flat(&screen(&mut s, 120, 40)).contains("the tag of Ana Lima waits for the database"));
    press(&mut s, "q");
    assert!(flat(&screen(&mut s, 120, 40)).contains("1 tag not written yet"), "leaving says what is lost");
    press(&mut s, "\u{1b}");
    let tagged = |result| Msg::Tagged { call, name: "Ana Lima".into(), outcome, previous: None, undone: false, result };
    s.update(tagged(Err("ana set it to \"callback\" meanwhile".into())));
    let shown = flat(&screen(&mut s, 120, 40));
    assert!(shown.contains("the tag \"interested\" that waited is lost: ana set it to \"callback\" meanwhile"), "{shown}");
    assert!(!shown.contains("not written yet") && s.saving.is_empty() && s.undo.is_empty());
    // One that is written in the end is as any other.
    s.update(Msg::TagWaits { call, name: "Ana Lima".into(), outcome, why: "locked".into() });
    s.update(tagged(Ok(None)));
    assert!(s.waiting.is_empty() && screen(&mut s, 120, 40).contains("tagged Ana Lima \"interested\""));
}

/// The real thing: a database that somebody else holds, and a colleague who tags meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_waits_for_a_locked_database_and_never_goes_over_a_newer_one() {
    use sqlx::Connection;
    only_a_file!("the write lock of a file");
    let (office, id) = Office::calling(csv_of(2), |_| {}).await;
    let mut calls = Vec::new();
    for _ in 0..2 {
        let call = office.dial(id).await.unwrap();
        office.reply(call, Reply::Answered { participant_sid: format!("PA_{call}"), sip_call_id: format!("SC_{call}") }).await;
        calls.push(call);
    }
    for mine in [true, false] {
        let call = calls.pop().unwrap();
        let mut db = sqlx::SqliteConnection::connect(&format!("sqlite:{}", office.base.dir.path().join("t.db").display())).await.unwrap();
        while sqlx::query("BEGIN IMMEDIATE").execute(&mut db).await.is_err() {}
        let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
        let tag = Tag { call, name: "Ann".into(), outcome: Some(Outcome::Interested), previous: None, callback_at: None };
        let (desk, actor) = (office.desk.clone(), office.actor.clone());
        let task = tokio::spawn(async move { waiting::write(desk, actor, tag, |msg| told.send(msg).unwrap()).await });
        assert!(matches!(hears.recv().await, Some(Msg::TagWaits { .. })), "it waits");
        assert_eq!(office.call(call).await.outcome, None);
        if !mine {
            // The colleague's process had the turn before ours.
            sqlx::query("UPDATE campaign_calls SET outcome = 'callback', outcome_who = 'operator', outcome_by = 'ana' WHERE id = $1")
                .bind(call)
                .execute(&mut db)
                .await
                .unwrap();
        }
        sqlx::query("COMMIT").execute(&mut db).await.unwrap();
        db.close().await.unwrap();
        task.await.unwrap();
        let mut last = None;
        while let Some(msg) = hears.recv().await {
            last = Some(msg);
        }
        let Some(Msg::Tagged { result, .. }) = last else { panic!("{last:?}") };
        if mine {
            assert_eq!((result, office.call(call).await.outcome), (Ok(None), Some(Outcome::Interested)));
        } else {
            assert!(result.unwrap_err().contains("ana set it to \"callback\" meanwhile"));
            assert_eq!(office.call(call).await.outcome, Some(Outcome::Callback));
        }
    }
}

// The real binary in a real terminal

/// A demonstration, over folders that outlive it.
fn demo(home: &Path, args: &[&str]) -> Pty {
    Pty::start(home, &[&["demo"], args].concat(), (120, 40))
}

#[test]
fn two_consoles_one_after_the_other_and_a_mouse_between() {
    let _turn = crate::support::blocking_turn();
    let home = tempfile::tempdir().unwrap();
    let mut first = demo(home.path(), &[]);
    first.until("the campaigns", |s| s.contains("Survey NPS"));
    assert!(!first.said("\u{1b}[?1000h"), "the mouse is the terminal's own");
    first.press(":", "Everything");
    first.press("mouse on", ": mouse on_");
    first.press("\r", "the mouse clicks");
    assert!(first.said("\u{1b}[?1000h\u{1b}[?1006h") && !first.said("\u{1b}[?1003h"), "clicks are told, motion is not");
    // A press and its release on the third campaign, in SGR's numbers from one.
    let row = first.screen().lines().position(|l| l.contains("Survey NPS")).unwrap() + 1;
    first.press(&format!("\u{1b}[<0;20;{row}M\u{1b}[<0;20;{row}m"), "3/3");
    first.press("T", "Themes");
    first.press("j", "▌ high-contrast");
    first.press("\r", "theme high-contrast");
    first.press("/", "Enter keeps");
    first.press("rene", "/ rene_");
    first.press("\r", "/rene  1 of 3");
    let all = first.quit();
    let end = &all[all.len().saturating_sub(300)..];
    assert!(end.contains("\u{1b}[?1006l\u{1b}[?1000l") && end.contains("\u{1b}[?1049l"), "{end:?}");
    let kept = std::fs::read_to_string(home.path().join(".local/state/dialdeck/demo.toml")).unwrap();
    assert!(kept.contains("high-contrast") && kept.contains("mouse = true") && kept.contains("seen_at"), "{kept}");

    let mut second = demo(home.path(), &[]);
    second.until("the filter", |s| s.contains("/rene  1 of 3"));
    assert!(second.said("\u{1b}[?1000h"), "the mouse is on again");
    second.press("T", "high-contrast                in use");
    second.press("\u{1b}", "/rene");
    second.quit();
    // A flag goes before it, for once; a theme that there is not is told on the screen.
    let third = demo(home.path(), &["--theme", "nope"]);
    third.until("the complaint", |s| s.contains("no theme is called \"nope\""));
    third.quit();
    assert!(std::fs::read_to_string(home.path().join(".local/state/dialdeck/demo.toml")).unwrap().contains("theme = \"high-contrast\""));
}

#[test]
fn a_theme_that_is_edited_is_seen_at_once_and_a_broken_one_is_told() {
    let _turn = crate::support::blocking_turn();
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/dialdeck/themes");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("mine.toml");
    std::fs::write(&file, "[meta]\ninherits = \"light\"\n").unwrap();
    let mut t = demo(home.path(), &["--theme", "mine"]);
    t.until("the campaigns", |s| s.contains("Survey NPS"));
    std::fs::write(&file, "[meta]\ninherits = \"dark\"\n# longer\n").unwrap();
    t.until("the new look", |s| s.contains("theme mine read anew"));
    std::fs::write(&file, "[meta]\n[roles\n").unwrap();
    t.until("what is wrong with it", |s| s.contains("line 2") && s.contains("the theme stays as it was"));
    // A report beside it, and never over one that is there.
    std::fs::write(home.path().join("shift.json"), "mine").unwrap();
    t.press(":", "Everything");
    t.press("report today shift.json", "shift.json_");
    t.press("\r", "shift.json is there already and stays as it is");
    t.press("\u{1b}", "Survey");
    t.press(":", "Everything");
    t.press("report shift.md", "shift.md_");
    t.press("\r", "Shift ");
    t.until("its place", |s| s.contains("written: "));
    assert!(std::fs::read_to_string(home.path().join("shift.md")).unwrap().starts_with("# Shift"));
    assert_eq!(std::fs::read_to_string(home.path().join("shift.json")).unwrap(), "mine");
    t.press("\u{1b}", "Survey");
    t.quit();
}
