//! Lists: every call with marks, order and columns by keys; and imports into a list that is there.

use chrono::Duration;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    console::{self, Effect, Msg, Pane, Snapshot, State},
    desk::{Actor, Import, ImportError, Progress},
    domain::{
        call::State as CallState,
        contact::ImportReport,
        event::{End, Reply},
        id::{CallId, OwnerId, SourceId},
        outcome::Outcome,
        phone,
    },
    store::{ContactRow, ContactSearch, ContactTable, FoundCall, PaneRow, Place},
};
use tokio_util::sync::CancellationToken;

use crate::{
    console::{now, press, screen, snapshot, uuid},
    judging,
    past::{answer, bottom, calls, code, open, past, people, searches, some},
    support::{office::Office, pty::flat},
};

fn call(n: u128) -> CallId {
    CallId(uuid(n))
}

/// Whose tags were sent, and which.
fn tags(effects: &[Effect]) -> Vec<(CallId, Option<Outcome>)> {
    effects.iter().filter_map(|e| if let Effect::Tag { call, outcome, .. } = e { Some((*call, *outcome)) } else { None }).collect()
}

fn page(from: u128, to: u128) -> Vec<FoundCall> {
    (from..to).map(|n| past(n, &format!("Person {n}"), CallState::Completed, 1)).collect()
}

fn goes_on(dialled: i64) -> Place {
    Place { at: now(), dialled }
}

/// In the list, with these calls in it and perhaps older ones.
fn with(rows: Vec<FoundCall>, next: Option<Place>) -> State {
    let mut state = calls();
    let asked = searches(&press(&mut state, "\n"));
    answer(&mut state, &asked[0], rows, next);
    press(&mut state, "g");
    state
}

fn names(state: &mut State) -> Vec<String> {
    let room = state.room(Pane::Calls).unwrap();
    room.calls(state).iter().map(|r| r.contact_name.clone()).collect()
}

/// A mark stays with its call across pages; one key tags all of them, each by its id, and one takes them back.
#[test]
fn marks_hold_across_pages_and_are_tagged_together() {
    let mut state = with(page(100, 200), Some(goes_on(9800)));
    press(&mut state, " ");
    let asked = searches(&press(&mut state, "j G"));
    answer(&mut state, &asked[0], page(200, 230), None);
    press(&mut state, "G ");
    assert!(screen(&mut state, 80, 24).contains("3 marked"), "{}", screen(&mut state, 80, 24));
    assert!(bottom(&mut state).contains("◆ 3 marked"), "{}", bottom(&mut state));
    let effects = press(&mut state, "5");
    assert_eq!(tags(&effects), [100, 102, 229].map(|n| (call(n), Some(Outcome::Voicemail))));
    assert!(state.marks.of(Pane::Calls).is_empty(), "they are used up");
    for n in [100, 102, 229] {
        let told = Msg::Tagged { call: call(n), name: "x".into(), outcome: Some(Outcome::Voicemail), previous: None, undone: false, result: Ok(None) };
        state.update(told);
    }
    assert!(bottom(&mut state).contains("tagged 3 calls"), "{}", bottom(&mut state));
    let undone = press(&mut state, "u");
    assert_eq!(undone.iter().filter(|e| matches!(e, Effect::UndoTag { .. })).count(), 3);
}

/// What the list does not show is not tagged: nobody sees whom it would hit.
#[test]
fn marks_that_a_search_does_not_show_are_not_tagged() {
    let mut state = with(some(), None);
    press(&mut state, " ");
    let asked = searches(&press(&mut state, "/roe\n"));
    let roe = some()[1..2].to_vec();
    answer(&mut state, asked.last().unwrap(), roe, None);
    code(&mut state, KeyCode::Down);
    // One mark, and nobody of it here: the key goes to the call under the cursor.
    assert!(bottom(&mut state).contains("▌Jane Roe"), "{}", bottom(&mut state));
    assert_eq!(tags(&press(&mut state, "5")), [(call(41), Some(Outcome::Voicemail))]);
    assert_eq!(state.marks.of(Pane::Calls).len(), 1);
    // Found again, it is marked still; Esc takes the marks before it leads out.
    let asked = searches(&press(&mut state, "/"));
    assert!(asked.is_empty());
    let asked = searches(&[press(&mut state, "\u{1b}:calls omar\n")].concat());
    answer(&mut state, asked.last().unwrap(), some()[..1].to_vec(), None);
    assert!(bottom(&mut state).contains("◆ 1 marked"), "{}", bottom(&mut state));
    code(&mut state, KeyCode::Esc);
    assert_eq!((state.focus, state.marks.of(Pane::Calls).len()), (Pane::Calls, 0));
    code(&mut state, KeyCode::Esc);
    assert_ne!(state.focus, Pane::Calls);
}

/// Above a handful it asks, names them, and says what stays as it is.
#[test]
fn many_marked_calls_ask_and_are_named() {
    let mut rows = page(100, 108);
    rows[2] = past(102, "R. Shah", CallState::Busy, 1);
    let mut state = with(rows, None);
    press(&mut state, "        ");
    assert_eq!(tags(&press(&mut state, "1")), []);
    let shown = screen(&mut state, 80, 24);
    assert!(shown.contains("Tag 7 calls?") && shown.contains("Person 100") && shown.contains("and 1 more"), "{shown}");
    assert!(shown.contains("1 call stays as it is: its state does not allow it."), "{shown}");
    assert_eq!(tags(&press(&mut state, "y")).len(), 7);
    // Callbacks are promised one by one; nothing is written read-only.
    press(&mut state, "g ");
    assert_eq!(press(&mut state, "3"), []);
    state.options.read_only = true;
    assert_eq!(tags(&press(&mut state, "1")), []);
}

/// The story shows one call: its keys go to that one, whatever is marked below.
#[test]
fn a_story_is_tagged_alone() {
    for deck in [true, false] {
        let mut state = if deck { open() } else { with(some(), None) };
        press(&mut state, "  ");
        let row = state.selected().unwrap().clone();
        press(&mut state, "\n");
        let detail = console::Detail { row: row.clone(), timeline: vec![], outcomes: vec![], audit: vec![] };
        state.update(Msg::Detail(Box::new(detail)));
        state.now += Duration::seconds(1);
        let effects = press(&mut state, "4");
        assert_eq!(tags(&effects), [(row.id, Some(Outcome::DoNotCall))], "deck {deck}");
        assert_eq!(state.marks.of(state.focus).len(), 2);
    }
}

/// Ordered by a column, older ones are asked for until all are there: the longest talk may be an old one. The cursor
/// stays on its call.
#[test]
fn every_call_is_ordered_by_a_column() {
    let talked = |n: u128, seconds: i64| {
        let mut found = past(n, &format!("Person {n}"), CallState::Completed, 1);
        found.call.call_duration = seconds;
        found
    };
    let rows = [(1, 30), (2, 90), (3, 60)].into_iter().chain((300..340).map(|n| (n, 1)));
    let mut state = with(rows.map(|(n, seconds)| talked(n, seconds)).collect(), Some(goes_on(9950)));
    let whose = state.selected().unwrap().id;
    let asked = searches(&press(&mut state, ":sort talk\n"));
    assert!(!asked.is_empty(), "{}", screen(&mut state, 80, 24));
    assert_eq!(asked.last().unwrap().after, Some(goes_on(9950)), "without a key that goes there");
    assert_eq!(names(&mut state)[..3], ["Person 2", "Person 3", "Person 1"]);
    let shown = screen(&mut state, 80, 24);
    assert!(shown.contains("by talk among the newest 43"), "{shown}");
    answer(&mut state, asked.last().unwrap(), vec![talked(4, 3600)], None);
    assert_eq!(names(&mut state)[0], "Person 4");
    let shown = screen(&mut state, 80, 24);
    assert!(shown.contains("  by talk") && !shown.contains("among"), "{shown}");
    assert_eq!(state.selected().unwrap().id, whose);
    // What is typed below goes to whom the cursor names, and the row stays where it is while it is tagged.
    press(&mut state, "g");
    assert_eq!(tags(&press(&mut state, "2")), [(call(4), Some(Outcome::NotInterested))]);
    press(&mut state, "R");
    assert_eq!(names(&mut state)[43], "Person 4");
    // By the next column, and after the last in the order of the list again.
    let order: Vec<String> = (0..9)
        .map(|_| {
            press(&mut state, "o");
            state.lists.of(Pane::Calls).order().unwrap_or_default()
        })
        .collect();
    assert_eq!(order, ["try", "campaign", "outcome", "", "dialled", "contact", "number", "state", "talk"]);
}

/// So many pages and no more without a key: a rare word among a million calls must not keep the disk busy.
#[test]
fn ordering_ends_somewhere() {
    let mut state = with(page(100, 200), Some(goes_on(9800)));
    let mut asked = searches(&press(&mut state, "o"));
    let mut pages = 0;
    while let Some(search) = asked.pop() {
        pages += 1;
        asked = searches(&answer(&mut state, &search, page(200 + pages, 201 + pages), Some(goes_on(9000 - i64::try_from(pages).unwrap()))));
        assert!(pages < 200, "without end");
    }
    assert_eq!(pages, 29);
    assert!(screen(&mut state, 80, 24).contains("by dialled among the newest 129"), "{}", screen(&mut state, 80, 24));
}

#[test]
fn columns_of_every_call_are_left_out_by_keys() {
    let mut state = with(some(), None);
    press(&mut state, "v");
    let shown = screen(&mut state, 80, 24);
    assert!(shown.contains("Columns of every call") && shown.contains("[x] talk") && !shown.contains("[x] room"), "{shown}");
    // Whose row it is stays.
    press(&mut state, "j jj ");
    code(&mut state, KeyCode::Enter);
    let shown = screen(&mut state, 120, 40);
    let head = shown.lines().find(|l| l.contains("dialled")).unwrap();
    assert!(head.contains("contact") && head.contains("number") && !head.contains("state"), "{head}");
    assert!(shown.contains("+1 202 555 0141") && !shown.contains("no answer"), "{shown}");
    for columns in ["number outcome", "dialled", "talk try campaign", "contact"] {
        press(&mut state, &format!(":columns {columns}\n"));
        for (w, h) in [(60, 15), (80, 24), (120, 40), (200, 60)] {
            let shown = screen(&mut state, w, h);
            assert!(shown.contains("Haddad"), "{columns} at {w}x{h}: {shown}");
        }
    }
    insta::assert_snapshot!("contact_alone_80x24", screen(&mut state, 80, 24));
}

/// A held key marks rows and tags nobody; a filter typed as a command is the search.
#[test]
fn a_held_key_marks_and_nothing_else() {
    let mut state = with(page(100, 160), None);
    let mut effects = Vec::new();
    for _ in 0..30 {
        state.now += Duration::milliseconds(33);
        effects.extend(state.update(Msg::Key(KeyEvent::new(KeyCode::Char(' '), KeyModifiers::NONE))));
    }
    assert_eq!(tags(&effects), []);
    assert_eq!(state.marks.of(Pane::Calls).len(), 30);
    let asked = searches(&press(&mut state, ":filter roe\n"));
    assert_eq!(asked.last().unwrap().text, "roe");
}

// ---- an import into a list that is there

const PEOPLE: &str = "name,phone,city
Jane Roe,+12025550142,Boston
Omar Haddad,+12125550177,Bronx
Ann Bell,+12125550178,Bronx
";

const MORE: &str = "name,phone,plan,do_not_call
Jane Other,+12025550142,Pro,
New One,+12025550150,Basic,
No More,+12125550177,,yes
Nobody,12,,
Twice,+12025550150,,
Last One,+12025550151,Pro,
";

async fn import_into(office: &Office, list: SourceId, csv: &str, cancel: CancellationToken) -> Result<ImportReport, ImportError> {
    let region = phone::region("US").ok();
    let import = Import { table: ContactTable::ContactList, name: "more.csv".into(), region, mapping: Vec::new(), size: None, dry_run: false };
    let progress = tokio::sync::watch::Sender::new(Progress::default());
    office.desk.import_into(office.actor.clone(), list, import, std::io::Cursor::new(csv.to_owned()), progress, cancel).await
}

/// The people of a list in the order in which they are called, and what is kept of their city and plan.
async fn of_list(office: &Office, list: SourceId) -> Vec<(String, String)> {
    let source = office.store.source(office.actor.owner, list).await.unwrap().unwrap();
    let mut rows = office.store.contacts(office.actor.owner, &source, 100, 0).await.unwrap().rows;
    assert_eq!(source.contacts, i64::try_from(rows.len()).unwrap(), "the figure beside the list");
    rows.reverse();
    let text = |r: &ContactRow, key: &str| r.fields.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
    rows.iter().map(|r| (r.name.clone(), [text(r, "city"), text(r, "plan")].concat())).collect()
}

fn kept(rows: &[(String, String)]) -> Vec<(&str, &str)> {
    rows.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect()
}

/// Who is there stays, who is new comes behind them and is called, and who must not be called is not, whatever row
/// said so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_into_a_list_that_is_there() {
    let (office, campaign) = Office::calling(PEOPLE.into(), |_| {}).await;
    let list = office.store.sources(office.actor.owner).await.unwrap()[0].id;
    let report = import_into(&office, list, MORE, CancellationToken::new()).await.unwrap();
    assert_eq!((report.imported, report.duplicate, report.invalid, report.listed), (2, 3, 1, 1));
    let why: Vec<_> = report.rejects.iter().map(|r| r.line).collect();
    assert_eq!(why, [5, 2, 4, 6], "{:?}", report.rejects);
    let rows = of_list(&office, list).await;
    let all = [("Jane Roe", "Boston"), ("Omar Haddad", "Bronx"), ("Ann Bell", "Bronx"), ("New One", "Basic"), ("Last One", "Pro")];
    assert_eq!(kept(&rows), all, "each by the names of the file it came from");
    assert_eq!(office.store.sources(office.actor.owner).await.unwrap().len(), 1, "nothing is left beside it");
    assert!(office.row(campaign).await.fill_position.is_some(), "the engine fills what is not full");
    while office.desk.fill(office.actor.owner, campaign).await.unwrap() {}
    let busy = Reply::Ended { end: End::Busy, sip_code: Some(486), reason: "busy".into() };
    let (mut numbers, _) = office.dial_all(campaign, busy).await;
    numbers.sort();
    assert_eq!(numbers, ["+12025550142", "+12025550150", "+12025550151", "+12125550178"], "whom the file flags is not called");
    // The same file once more changes nothing.
    let report = import_into(&office, list, MORE, CancellationToken::new()).await.unwrap();
    assert_eq!((report.imported, report.duplicate), (0, 5));
    assert_eq!(of_list(&office, list).await.len(), 5);
    assert_eq!(office.row(campaign).await.counts.total, 5, "nobody is queued twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_breaks_off_leaves_the_list_as_it_was() {
    let office = Office::open(|_| {}).await;
    let (list, _) = office.import(PEOPLE.into()).await;
    let before = of_list(&office, list).await;
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert!(matches!(import_into(&office, list, MORE, cancel).await, Err(ImportError::Cancelled(_))));
    let broken = format!("{MORE}\"never closed,+12025550160\n");
    let far = format!("{}\u{0}", "x,".repeat(300_000));
    for csv in [broken, far] {
        let _ = import_into(&office, list, &csv, CancellationToken::new()).await;
        let rows = of_list(&office, list).await;
        assert!(rows.len() == before.len() || rows.len() == before.len() + 2, "whole or nothing: {rows:?}");
    }
    let gone = SourceId(uuid(77));
    assert!(matches!(import_into(&office, gone, MORE, CancellationToken::new()).await, Err(ImportError::Desk(_))));
    // Another owner's list is none.
    let other = Actor { owner: OwnerId(uuid(4711)), ..office.actor.clone() };
    let other = Office { actor: other, ..office };
    assert!(matches!(import_into(&other, list, MORE, CancellationToken::new()).await, Err(ImportError::Desk(_))));
}

/// The process dies between the decision and the last contact: the rest follows at the next start, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_decided_is_finished_at_the_next_start() {
    let office = Office::open(|_| {}).await;
    let (list, _) = office.import(PEOPLE.into()).await;
    let (half, _) = office.import(MORE.into()).await;
    let interrupted = |id: &str| format!("UPDATE csv_files SET status = 'processing', report = '{{\"into\": \"{}\"}}' WHERE id = {id}", list.hex());
    office.base.run_in_its_words(&interrupted(&format!("unhex('{}')", half.hex())), &interrupted(&format!("'{half}'"))).await;
    for _ in 0..2 {
        office.desk.discard_unfinished(Duration::hours(1)).await.unwrap();
        let names: Vec<String> = of_list(&office, list).await.into_iter().map(|r| r.0).collect();
        assert_eq!(names, ["Jane Roe", "Omar Haddad", "Ann Bell", "New One", "Last One"]);
    }
    let left: i64 = office.base.one("SELECT count(*) FROM csv_files").await;
    assert_eq!(left, 1);
}

/// In people the key means the list under the cursor; who calls from it is said before it is done.
#[test]
fn the_key_imports_into_the_list_under_the_cursor() {
    let preview = || {
        let columns = vec![("name".to_owned(), Some("name")), ("phone".to_owned(), Some("phone"))];
        let rows = vec![vec!["+12025550150".to_owned(), "New One".to_owned()]];
        console::Preview { path: "/lists/more.csv".into(), columns, unclear: vec![], rows, error: None }
    };
    let into = |effects: &[Effect]| match effects {
        [Effect::Import { into, .. }] => into.as_ref().map(|l| l.name.clone()),
        other => panic!("{other:?}"),
    };
    let mut state = people();
    assert!(bottom(&mut state).contains("i import contacts"), "{}", bottom(&mut state));
    press(&mut state, "i");
    assert!(screen(&mut state, 80, 24).contains("Import contacts into \"leads.csv\""), "{}", screen(&mut state, 80, 24));
    assert_eq!(press(&mut state, "/lists/more.csv\n"), [Effect::Preview("/lists/more.csv".into())]);
    state.update(Msg::Preview(Box::new(preview())));
    let shown = screen(&mut state, 80, 24);
    let flat = flat(&shown);
    assert!(flat.contains("which has 1000 contacts: who is in it already stays as they are"), "{shown}");
    assert!(flat.contains("from it: whom the file adds is called as well"), "{shown}");
    insta::assert_snapshot!("import_into_80x24", shown);
    code(&mut state, KeyCode::Tab);
    assert!(screen(&mut state, 80, 24).contains("It makes a list of its own"), "{}", screen(&mut state, 80, 24));
    code(&mut state, KeyCode::BackTab);
    assert_eq!(into(&press(&mut state, "\n")).as_deref(), Some("leads.csv"));
    let report = ImportReport { imported: 1, ..ImportReport::default() };
    state.update(Msg::ImportDone(Ok(("\"more.csv\" into \"leads.csv\"".into(), report))));
    assert!(screen(&mut state, 80, 24).contains("1 imported"), "{}", screen(&mut state, 80, 24));
    // Elsewhere it makes a list of its own, until somebody chooses.
    let mut state = open();
    press(&mut state, "C");
    press(&mut state, "i/lists/more.csv\n");
    state.update(Msg::Preview(Box::new(preview())));
    assert_eq!(into(&press(&mut state, "\n")), None);
    // Nothing of it read-only.
    let mut state = people();
    state.options.read_only = true;
    assert_eq!(press(&mut state, "i"), []);
    assert!(state.dialog.is_none() && bottom(&mut state).contains("read-only"), "{}", bottom(&mut state));
}

// ---- the tagging desk

fn retag(state: &mut State, to_tag: Vec<PaneRow>) {
    let look = Snapshot { to_tag, ..snapshot() };
    state.update(Msg::Data(Box::new(look)));
}

fn under(state: &State) -> Option<&str> {
    state.selected().map(|r| r.contact_name.as_str())
}

/// What is taken back is tagged anew: the next key goes to that call, or to nobody while it is on its way.
#[test]
fn what_was_taken_back_comes_back_under_the_cursor() {
    for (keys, word) in [("2", Outcome::NotInterested), ("4", Outcome::DoNotCall)] {
        let mut state = judging::desk();
        let queue = state.data.to_tag.clone();
        press(&mut state, "OOj");
        let effects = press(&mut state, keys);
        judging::taken(&mut state, effects);
        retag(&mut state, queue.iter().filter(|r| r.contact_name != "Tomas Reyes").cloned().collect());
        assert_eq!(under(&state), Some("Lars Olsen"), "auto-next");
        let mut back = press(&mut state, "u");
        if word == Outcome::DoNotCall {
            back = press(&mut state, "y");
        }
        assert!(matches!(back.as_slice(), [Effect::UndoTag { name, .. }, ..] if name == "Tomas Reyes"), "{back:?}");
        // Nobody is hit meanwhile.
        assert_eq!(judging::tags(&press(&mut state, "4")), []);
        assert!(bottom(&mut state).contains("is on its way"), "{}", bottom(&mut state));
        let call = queue[1].id;
        state.update(Msg::Tagged { call, name: "Tomas Reyes".into(), outcome: None, previous: Some(word), undone: true, result: Ok(None) });
        assert!(bottom(&mut state).contains("taken back: Tomas Reyes is without a tag again"), "{}", bottom(&mut state));
        retag(&mut state, queue.clone());
        assert_eq!(under(&state), Some("Tomas Reyes"));
        assert_eq!(judging::tags(&press(&mut state, "1")), [("Tomas Reyes".to_owned(), Some(Outcome::Interested))]);
    }
    // Whoever goes elsewhere meanwhile stays there.
    let mut state = judging::desk();
    let queue = state.data.to_tag.clone();
    press(&mut state, "OO");
    let effects = press(&mut state, "2");
    judging::taken(&mut state, effects);
    retag(&mut state, queue[1..].to_vec());
    press(&mut state, "uj");
    retag(&mut state, queue);
    assert_eq!(under(&state), Some("Tomas Reyes"), "where the key led");
}

/// Enter on marked calls gives each its own word, names them first, and touches no other.
#[test]
fn marked_calls_are_each_tagged_with_their_own_word() {
    let mut state = judging::desk();
    press(&mut state, "OOj  ");
    assert_eq!(under(&state), Some("Chloe Shah"));
    press(&mut state, "k");
    assert_eq!(judging::tags(&press(&mut state, "\n")), []);
    let shown = flat(&screen(&mut state, 80, 24));
    assert!(shown.contains("y tags 2 calls, each with its own word."), "{shown}");
    assert!(shown.contains("1 \"voicemail\": Tomas Reyes") && shown.contains("1 \"not interested\": Lars Olsen"), "{shown}");
    let effects = press(&mut state, "y");
    let each = [("Tomas Reyes".to_owned(), Some(Outcome::Voicemail)), ("Lars Olsen".to_owned(), Some(Outcome::NotInterested))];
    assert_eq!(judging::tags(&effects), each);
    judging::taken(&mut state, effects);
    press(&mut state, "u");
    for (n, name) in [(2, "Tomas Reyes"), (3, "Lars Olsen")] {
        state.update(Msg::Tagged { call: call(n), name: name.into(), outcome: None, previous: None, undone: true, result: Ok(None) });
    }
    assert!(bottom(&mut state).contains("taken back 2 tags: Tomas Reyes, Lars Olsen"), "{}", bottom(&mut state));
    // A callback has its own hour, and of one the agent says nothing: they stay, and that is said.
    let mut state = judging::desk();
    press(&mut state, "OO jj ");
    press(&mut state, "\n");
    let shown = flat(&screen(&mut state, 80, 24));
    assert!(shown.contains("The agent says nothing of them.") && shown.contains("2 calls stay as they are"), "{shown}");
    assert_eq!(judging::tags(&press(&mut state, "y")), []);
}

/// How sure the agent must be is chosen where it is asked.
#[test]
fn how_sure_is_chosen_by_keys() {
    let mut state = judging::desk();
    press(&mut state, "OOA");
    for _ in 0..6 {
        code(&mut state, KeyCode::Left);
    }
    let shown = flat(&screen(&mut state, 80, 24));
    assert!(shown.contains("where it is 60 % sure?") && shown.contains("Lars Olsen"), "{shown}");
    assert_eq!(judging::tags(&press(&mut state, "y")).len(), 3);
}

/// Keys that come before the hand has rested hit nobody: a series that is typed ahead does not slip.
#[test]
fn a_series_that_is_typed_too_fast_does_not_slip() {
    let mut state = judging::desk();
    press(&mut state, "OO");
    let mut effects = Vec::new();
    for (i, key) in "12121212".chars().enumerate() {
        state.now += Duration::milliseconds(if i == 0 { 400 } else { 150 });
        effects.extend(state.update(Msg::Key(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE))));
    }
    assert_eq!(judging::tags(&effects), [("Ana Lima".to_owned(), Some(Outcome::Interested))]);
    assert!(bottom(&mut state).contains("was not taken"), "{}", bottom(&mut state));
    assert_eq!(judging::tags(&press(&mut state, "2")).len(), 1, "rested");
}

/// A colleague was quicker: the row is gone, nobody is selected, and who it was is said.
#[test]
fn a_call_that_another_tagged_is_said_and_nobody_is_hit() {
    let mut state = judging::desk();
    let queue = state.data.to_tag.clone();
    press(&mut state, "OO");
    retag(&mut state, queue[1..].to_vec());
    assert!(bottom(&mut state).contains("Ana Lima was just tagged elsewhere; j takes the next"), "{}", bottom(&mut state));
    assert_eq!(judging::tags(&press(&mut state, "2")), []);
}

/// An hour is the contact's, and stands on both clocks before it is promised.
#[test]
fn callbacks_are_on_the_contacts_clock() {
    let mut state = judging::desk();
    press(&mut state, "OOj3");
    press(&mut state, "tomorrow 10");
    let shown = flat(&screen(&mut state, 80, 24));
    assert!(shown.contains("= Thu 19 Nov 10:00 in New York, Thu 15:00 here"), "{shown}");
    assert!(shown.contains("on the clock of New York, Wed 10:42 there now"), "{shown}");
    let at = |effects: &[Effect]| effects.iter().find_map(|e| if let Effect::Tag { callback_at, .. } = e { *callback_at } else { None });
    assert_eq!(at(&press(&mut state, "\n")), "2026-11-19T15:00:00Z".parse().ok());
    // An hour behind "here" is the operator's own.
    press(&mut state, "jj3");
    press(&mut state, "thu 11:00 here");
    assert_eq!(at(&press(&mut state, "\n")), "2026-11-19T11:00:00Z".parse().ok());
}

// ---- every call: what is typed, and Enter

/// A word that names nothing finds nobody, and says so; what is only begun is no mistake yet.
#[test]
fn an_unknown_word_finds_nobody() {
    let mut state = calls();
    assert!(screen(&mut state, 80, 24).contains("Omar Haddad"));
    press(&mut state, "by:tomas");
    let shown = flat(&screen(&mut state, 80, 24));
    assert!(shown.contains("nobody called \"tomas\" has tagged a call") && !shown.contains("Omar"), "{shown}");
    press(&mut state, "\u{1b}");
    assert!(state.selected().is_none());
    assert_eq!(tags(&press(&mut state, "4")), []);
    let mut state = calls();
    press(&mut state, "by:");
    assert!(screen(&mut state, 80, 24).contains("Omar Haddad"));
}

/// Digits and Enter within a moment: the first that is found is taken when it is found, and no key hits another.
#[test]
fn enter_takes_the_first_that_is_found() {
    let mut state = calls();
    let mut asked = searches(&press(&mut state, "0141"));
    asked.extend(searches(&code(&mut state, KeyCode::Enter)));
    assert!(state.selected().is_none(), "what stands there is of another search");
    assert_eq!(tags(&press(&mut state, "4")), []);
    let last = asked.last().unwrap().clone();
    answer(&mut state, &last, some()[1..2].to_vec(), None);
    assert_eq!(under(&state), None, "a key went elsewhere meanwhile");
    let mut state = calls();
    press(&mut state, "0141");
    let asked = searches(&code(&mut state, KeyCode::Enter));
    let asked = if asked.is_empty() { searches(&press(&mut state, "")) } else { asked };
    let last = asked.last().cloned().unwrap_or(last);
    answer(&mut state, &last, some()[1..2].to_vec(), None);
    assert_eq!(under(&state), Some("Jane Roe"));
    state.now += Duration::milliseconds(100);
    let early = state.update(Msg::Key(KeyEvent::new(KeyCode::Char('4'), KeyModifiers::NONE)));
    assert_eq!(tags(&early), [], "it came by itself");
    assert_eq!(tags(&press(&mut state, "1")), [(call(41), Some(Outcome::Interested))]);
}

/// A note keeps its lines, and nothing in it moves a cursor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_keeps_its_lines() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.desk.set_note(office.actor.clone(), call, " first  line\nsecond\u{1b}[31m\r\n\nfourth\n".into()).await.unwrap();
    assert_eq!(office.call(call).await.notes, "first line\nsecond[31m\n\nfourth");
    let mut state = judging::desk();
    let mut queue = state.data.to_tag.clone();
    queue[0].notes = "first\nsecond".into();
    retag(&mut state, queue);
    press(&mut state, "OO");
    let shown = screen(&mut state, 120, 40);
    let at = shown.lines().position(|l| l.contains("Note")).unwrap();
    assert!(shown.lines().nth(at).unwrap().contains("first") && shown.lines().nth(at + 1).unwrap().contains("second"), "{shown}");
}

/// Contacts of a long list are looked through to the end, in looks of milliseconds, and nobody twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rare_name_at_the_end_of_a_long_list_is_found() {
    let office = Office::open(|_| {}).await;
    let mut csv = "name,phone\nQuintus Rare,+12125550100\n".to_owned();
    for i in 0..11_000 {
        csv.push_str(&format!("Contact {i},+1212{}\n", 2_200_000 + i));
    }
    let (list, report) = office.import(csv).await;
    assert_eq!(report.imported, 11_001);
    let source = office.store.source(office.actor.owner, list).await.unwrap().unwrap();
    let (mut after, mut found, mut looks) = (None, Vec::new(), 0);
    loop {
        let search = ContactSearch { list, text: "quintus".into(), after, limit: 100 };
        let page = office.store.find_contacts(office.actor.owner, &source, &search).await.unwrap();
        found.extend(page.rows.into_iter().map(|r| r.name));
        (after, looks) = (page.next, looks + 1);
        if after.is_none() {
            break;
        }
        assert!(looks < 10, "without end");
    }
    assert_eq!((found, looks), (vec!["Quintus Rare".to_owned()], 3));
}

/// A page is what is seen, less the row that is known again, whatever the height.
#[test]
fn a_page_is_as_tall_as_the_list() {
    for height in [24, 40, 60] {
        let mut state = with(page(100, 200), None);
        let shown = screen(&mut state, 120, height).lines().filter(|l| l.starts_with('│') && l.contains("Person 1")).count();
        let at = |state: &State| state.selected().unwrap().id;
        press(&mut state, "j");
        let first = at(&state);
        state.update(Msg::Key(KeyEvent::new(KeyCode::PageDown, KeyModifiers::NONE)));
        let moved = usize::try_from(at(&state).0.as_u128() - first.0.as_u128()).unwrap();
        assert_eq!(moved, shown - 1, "{height}");
        state.update(Msg::Key(KeyEvent::new(KeyCode::PageUp, KeyModifiers::NONE)));
        assert_eq!(at(&state), first);
    }
}
