//! Every call ever, and people: keys in, screen out.

use std::sync::OnceLock;

use chrono::Duration;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    console::{self, Answer, Effect, Msg, Pane, Question, State},
    desk::{Actor, NumberStory},
    domain::{
        call::State as CallState,
        campaign::ContactSource,
        id::{CallId, CampaignId, ContactId, OwnerId, SourceId},
        outcome::{Outcome, Who},
        phone::PhoneNumber,
    },
    store::{
        CallSearch, ContactRow, ContactSearch, Found, FoundCall, FoundContacts, FoundListed, ListedNumber, ListedSearch, Place, PromisedCall, SuppressedRow,
    },
};

use crate::{
    console::{blank, now, press, row, screen, snapshot, sources, uuid},
    support::office::Office,
};

/// A call that was made days ago.
pub fn past(n: u128, name: &str, state: CallState, days: i64) -> FoundCall {
    let mut call = row(n, name, state, 160);
    let back = Duration::days(days) + Duration::minutes(i64::try_from(n).unwrap());
    for at in [&mut call.armed_at, &mut call.ringing_at, &mut call.answered_at, &mut call.completed_at] {
        *at = at.map(|t| t - back);
    }
    let dialled = 10_000 - i64::try_from(n).unwrap();
    FoundCall {
        dialled,
        call,
        country: "US".into(),
        zones: "America/New_York".into(),
        outcome_who: None,
        outcome_by: None,
        outcome_at: None,
        abandoned: false,
        promised: None,
    }
}

pub fn some() -> Vec<FoundCall> {
    let mut tagged = past(41, "Jane Roe", CallState::Completed, 1);
    tagged.call.outcome = Some(Outcome::Interested);
    (tagged.outcome_who, tagged.outcome_by) = (Some(Who::Operator), Some("ana".into()));
    let mut alone = past(44, "Tom Berg", CallState::Completed, 40);
    alone.abandoned = true;
    vec![
        past(40, "Omar Haddad", CallState::Completed, 0),
        tagged,
        past(42, "R. Shah", CallState::Busy, 2),
        past(43, "L. Okafor", CallState::NoAnswer, 3),
        alone,
    ]
}

pub fn open() -> State {
    let mut state = blank();
    let mut look = snapshot();
    look.sources = sources();
    state.update(Msg::Data(Box::new(look)));
    state.resize(120, 40);
    state
}

pub fn searches(effects: &[Effect]) -> Vec<CallSearch> {
    let search = |e: &Effect| if let Effect::Ask(Question::Calls(s)) = e { Some((**s).clone()) } else { None };
    effects.iter().filter_map(search).collect()
}

pub fn answer(state: &mut State, search: &CallSearch, rows: Vec<FoundCall>, next: Option<Place>) -> Vec<Effect> {
    let found = Found { rows, next, unsearched: 0 };
    state.update(Msg::Answer(Question::Calls(Box::new(search.clone())), Ok(Answer::Calls(Box::new(found)))))
}

/// The room with its first page; the field has the keys.
pub fn calls() -> State {
    let mut state = open();
    let asked = searches(&press(&mut state, "K"));
    assert_eq!(asked.len(), 1, "the newest of all");
    answer(&mut state, &asked[0], some(), None);
    state
}

/// In the list, on a row.
fn on(name: &str) -> State {
    let mut state = calls();
    let asked = searches(&press(&mut state, "\n"));
    answer(&mut state, &asked[0], some(), None);
    while state.selected().is_some_and(|r| r.contact_name != name) {
        press(&mut state, "j");
    }
    assert_eq!(state.selected().map(|r| r.contact_name.as_str()), Some(name));
    state
}

pub fn code(state: &mut State, code: KeyCode) -> Vec<Effect> {
    state.now += Duration::milliseconds(400);
    state.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

pub fn bottom(state: &mut State) -> String {
    let shown = screen(state, 120, 40);
    let lines: Vec<&str> = shown.lines().collect();
    lines[lines.len() - 3..].join("\n")
}

#[test]
fn every_call_is_found_while_it_is_typed() {
    let mut state = calls();
    let asked = searches(&press(&mut state, "roe 0142 yesterday outcome:int"));
    let last = asked.last().unwrap();
    assert_eq!((last.text.as_str(), last.outcome), ("roe 0142", Some(Outcome::Interested)));
    assert_eq!((last.from, last.until), ("2026-11-17T00:00:00Z".parse().ok(), "2026-11-18T00:00:00Z".parse().ok()));
    assert_eq!(last.owner, OwnerId(uuid(1)));
    answer(&mut state, last, some()[1..2].to_vec(), None);
    for (w, h) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("calls_typed_{w}x{h}"), screen(&mut state, w, h));
    }
    // What is not understood is said, with what there is.
    press(&mut state, " colour:red by:zoe");
    let shown = screen(&mut state, 80, 24);
    assert!(shown.contains("\"colour:\" is no field; there are outcome: campaign: day: by: state:"), "{shown}");
    assert!(shown.contains("nobody called \"zoe\""), "{shown}");
}

#[test]
fn the_newest_stand_there_at_once_and_the_list_names_its_columns() {
    let mut state = on("R. Shah");
    for (w, h) in [(80, 24), (120, 40), (200, 60)] {
        insta::assert_snapshot!(format!("calls_{w}x{h}"), screen(&mut state, w, h));
    }
}

/// What waits for a tag is looked for in the words of the screen.
#[test]
fn calls_to_tag_are_looked_for() {
    for typed in ["roe to tag", "roe untagged", "roe outcome:none", "roe outcome:to-tag"] {
        let mut state = calls();
        let asked = searches(&press(&mut state, typed));
        let last = asked.last().unwrap();
        assert_eq!((last.text.as_str(), last.to_tag, last.outcome), ("roe", true, None), "{typed}");
        assert!(screen(&mut state, 80, 24).contains("[to tag]"), "{typed}");
    }
    let asked = searches(&press(&mut calls(), "tag"));
    assert!(!asked.last().unwrap().to_tag, "a name may begin so");
}

/// Digits, and whatever else is typed, go into the field: nobody is tagged by a search.
#[test]
fn a_search_tags_nobody() {
    let mut state = calls();
    let effects = press(&mut state, "1234560HnPqx");
    assert!(effects.iter().all(|e| matches!(e, Effect::Ask(_))), "{effects:?}");
    assert!(state.dialog.is_none() && state.saving.is_empty() && state.target().is_none());
    assert!(bottom(&mut state).contains("Ctrl-u empties the field"), "{}", bottom(&mut state));
    // Pasted, it is typed too, and harmless.
    let asked = searches(&state.update(Msg::Paste("+1 202\n555 0142\u{1b}[31m".into())));
    assert!(asked[0].text.ends_with("+1 202 555 0142[31m"), "{}", asked[0].text);
}

/// A line that is pasted key by key ends in the field: what stands behind it tags nobody.
#[test]
fn the_rest_of_a_paste_tags_nobody() {
    for pasted in ["0140\n4", "+1 202 555 0140\n1", "x\n6\n"] {
        let mut state = calls();
        let mut effects = Vec::new();
        for c in pasted.chars() {
            state.now += Duration::milliseconds(2);
            let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            effects.extend(state.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))));
        }
        assert!(!effects.iter().any(|e| matches!(e, Effect::Tag { .. })), "{pasted}: {effects:?}");
        assert!(state.saving.is_empty());
    }
}

/// A held key: every change is asked, and only the answer to the last one is shown.
#[test]
fn answers_to_what_was_typed_before_are_passed_over() {
    let mut state = calls();
    let mut asked = Vec::new();
    for _ in 0..40 {
        // Faster than hands.
        state.now += Duration::milliseconds(5);
        asked.extend(searches(&state.update(Msg::Key(KeyEvent::new(KeyCode::Char('a'), KeyModifiers::NONE)))));
    }
    assert_eq!(asked.len(), 40);
    let (last, before) = asked.split_last().unwrap();
    answer(&mut state, last, some()[..1].to_vec(), None);
    for old in before {
        assert_eq!(answer(&mut state, old, some()[1..].to_vec(), None), [], "it is not asked again");
    }
    let shown = screen(&mut state, 120, 40);
    assert!(shown.contains("Omar Haddad") && !shown.contains("Okafor"), "{shown}");
}

/// A database that cannot answer is not asked without end; the next key asks again.
#[test]
fn what_cannot_be_answered_is_said_once() {
    let mut state = calls();
    let asked = searches(&press(&mut state, "r"));
    let failed = Msg::Answer(Question::Calls(Box::new(asked[0].clone())), Err("the disk is gone".into()));
    assert_eq!(state.update(failed), []);
    assert!(screen(&mut state, 80, 24).contains("the disk is gone"));
    assert_eq!(state.update(Msg::Resize), []);
    assert_eq!(searches(&code(&mut state, KeyCode::Down)).len(), 1);
}

#[test]
fn older_ones_come_as_the_cursor_goes_down() {
    let mut state = calls();
    let asked = searches(&press(&mut state, "\n"));
    let page: Vec<FoundCall> = (100..200).map(|n| past(n, &format!("Person {n}"), CallState::Completed, 1)).collect();
    let place = Place { at: now(), dialled: 9800 };
    assert_eq!(answer(&mut state, &asked[0], page, Some(place)), [], "not before they are wanted");
    assert_eq!(press(&mut state, "jjj").iter().filter(|e| matches!(e, Effect::Ask(Question::Calls(_)))).count(), 0);
    // The last row is gone to: once is asked, however often the key comes.
    let asked = searches(&press(&mut state, "GGGG"));
    assert_eq!(asked.iter().map(|s| s.after).collect::<Vec<_>>(), [Some(place)]);
    let more: Vec<FoundCall> = (200..230).map(|n| past(n, &format!("Person {n}"), CallState::Completed, 1)).collect();
    answer(&mut state, &asked[0], more, None);
    assert_eq!(state.selected().unwrap().contact_name, "Person 199", "the cursor stays on its call");
    press(&mut state, "G");
    assert!(screen(&mut state, 80, 24).contains("Person 229"));
    // Pages of nothing: so many are looked through, then a key looks further.
    let mut state = calls();
    let mut asked = searches(&press(&mut state, "z"));
    let mut pages = 0;
    while let Some(search) = asked.pop() {
        pages += 1;
        asked = searches(&answer(&mut state, &search, vec![], Some(Place { at: now(), dialled: 9000 - pages })));
    }
    assert_eq!(pages, 5);
    let shown = screen(&mut state, 80, 24);
    assert!(shown.contains("None fits among the newest. G looks further back"), "{shown}");
    code(&mut state, KeyCode::Esc);
    assert_eq!(searches(&press(&mut state, "G")).len(), 1);
}

#[test]
fn a_past_call_is_tagged_by_key_and_shown_so() {
    let mut state = on("Omar Haddad");
    assert!(bottom(&mut state).contains("▌Omar Haddad ..0140"), "{}", bottom(&mut state));
    let id = CallId(uuid(40));
    let effects = press(&mut state, "1");
    assert_eq!(effects, [Effect::Tag { call: id, name: "Omar Haddad".into(), outcome: Some(Outcome::Interested), previous: None, callback_at: None }]);
    let told = Msg::Tagged { call: id, name: "Omar Haddad".into(), outcome: Some(Outcome::Interested), previous: None, undone: false, result: Ok(None) };
    // It is looked at again: who, and what else has changed.
    assert_eq!(state.update(told), [Effect::Ask(Question::Call(id))]);
    let mut tagged = some().remove(0);
    tagged.call.outcome = Some(Outcome::Interested);
    tagged.outcome_by = Some("tester".into());
    state.update(Msg::Answer(Question::Call(id), Ok(Answer::Call(Some(Box::new(tagged))))));
    assert!(screen(&mut state, 120, 40).contains("1 interested  by tester"));
    // The cursor does not go on by itself, and one key takes it back.
    assert_eq!(state.selected().unwrap().id, id);
    assert!(matches!(press(&mut state, "u").as_slice(), [Effect::UndoTag { call, .. }] if *call == id));
    // What its state does not allow is said.
    let mut state = on("R. Shah");
    assert_eq!(press(&mut state, "1"), []);
    assert!(bottom(&mut state).contains("needs an answered call"), "{}", bottom(&mut state));
    assert!(matches!(press(&mut state, "4").as_slice(), [Effect::Tag { outcome: Some(Outcome::DoNotCall), .. }]));
}

/// The moment is one of the campaign's own hours, as in outcomes.
#[test]
fn a_callback_on_a_past_call_has_its_hour() {
    let mut state = on("Omar Haddad");
    press(&mut state, "3");
    let effects = press(&mut state, "2026-11-19 18:30\n");
    let [Effect::Tag { callback_at: Some(at), .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*at, "2026-11-20T09:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap(), "it closes at 17:00");
}

/// Marks of the deck hold on the deck: a tag here goes to the call under the cursor, or to those marked here.
#[test]
fn marks_made_elsewhere_are_not_tagged_from_here() {
    let mut state = open();
    press(&mut state, " ");
    assert_eq!(state.marks.of(Pane::Live).len(), 1);
    let asked = searches(&press(&mut state, "K"));
    answer(&mut state, &asked[0], some(), None);
    code(&mut state, KeyCode::Esc);
    let effects = press(&mut state, "6");
    assert!(matches!(effects.as_slice(), [Effect::Tag { call, .. }] if *call == CallId(uuid(40))), "{effects:?}");
    press(&mut state, " ");
    assert_eq!((state.marks.of(Pane::Live).len(), state.marks.of(Pane::Calls).len()), (1, 1));
}

/// What is found may be on the line: it is shown as it is now, and never under another's name.
#[test]
fn a_call_that_goes_on_is_shown_as_it_is() {
    let mut state = open();
    let asked = searches(&press(&mut state, "K"));
    let live = FoundCall { call: row(42, "Jane Roe", CallState::Ringing, 3), ..past(42, "", CallState::Ringing, 0) };
    answer(&mut state, &asked[0], vec![live], None);
    assert!(screen(&mut state, 120, 40).contains("ringing"));
    state.update(Msg::Data(Box::new(snapshot())));
    assert!(screen(&mut state, 120, 40).contains("● on call"));
}

#[test]
fn numbers_are_hidden_and_hostile_names_are_harmless() {
    let mut rows = some();
    rows[0].call.contact_name = "Eve\u{1b}[2J\u{202e}lave".into();
    rows[0].call.outcome = Some(Outcome::Voicemail);
    rows[0].outcome_by = Some("root\u{1b}[31m".into());
    let mut state = open();
    let asked = searches(&press(&mut state, "K"));
    answer(&mut state, &asked[0], rows, None);
    code(&mut state, KeyCode::Esc);
    let shown = screen(&mut state, 150, 40);
    assert!(shown.contains("+1 202 555 0140") && shown.contains("Eve[2Jlave") && shown.contains("by root[31m"), "{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
    press(&mut state, "M");
    let shown = screen(&mut state, 120, 40);
    assert!(shown.contains("..0140") && !shown.contains("202 555"), "{shown}");
    press(&mut state, "M");
    let shown = screen(&mut state, 120, 40);
    assert!(shown.contains("hidden") && !shown.contains("0140"), "{shown}");
    // Its history hides it too.
    press(&mut state, "B");
    let number = Question::Number("+12025550140".into());
    state.update(Msg::Answer(number, Ok(Answer::Number(Box::new(story("+12025550140"))))));
    let shown = screen(&mut state, 120, 40);
    assert!(!shown.contains("0140") && !shown.contains("202 555"), "{shown}");
}

/// The room entered again has what was typed; the first letter begins anew, an arrow goes on with it.
#[test]
fn what_was_typed_before_is_in_nobodys_way() {
    let mut state = calls();
    let asked = searches(&press(&mut state, "roe\u{1b}"));
    answer(&mut state, asked.last().unwrap(), some(), None);
    let asked = searches(&press(&mut state, "\u{1b}K"));
    assert_eq!(asked[0].text, "roe");
    assert_eq!(searches(&press(&mut state, "lima")).last().unwrap().text, "lima");
    press(&mut state, "\u{1b}\u{1b}K");
    code(&mut state, KeyCode::End);
    assert_eq!(searches(&press(&mut state, "s")).last().unwrap().text, "limas");
}

/// Esc leads back the way one came, and what was looked for is there again.
#[test]
fn rooms_are_left_by_the_way_that_led_there() {
    let mut state = open();
    press(&mut state, "C");
    let asked = searches(&press(&mut state, "K"));
    answer(&mut state, &asked[0], some(), None);
    let asked = searches(&press(&mut state, "day:today"));
    answer(&mut state, asked.last().unwrap(), some(), None);
    press(&mut state, "\u{1b}");
    let asked = press(&mut state, "B");
    assert_eq!((state.focus, asked), (Pane::People, vec![Effect::Ask(Question::Number("+12025550140".into()))]), "the number under the cursor");
    press(&mut state, "\u{1b}");
    assert_eq!(state.focus, Pane::Calls);
    assert!(screen(&mut state, 120, 40).contains("/ day:today"), "{}", screen(&mut state, 120, 40));
    press(&mut state, "\u{1b}");
    assert_eq!((state.focus, state.zoom), (Pane::Campaigns, false));
    // By a command, and by the palette.
    let asked = searches(&press(&mut state, ":calls roe state:busy\n"));
    assert_eq!((state.focus, asked[0].text.as_str(), asked[0].states.as_slice()), (Pane::Calls, "roe", &[CallState::Busy][..]));
    press(&mut state, "\u{1b}");
    let asked = searches(&press(&mut state, ":0142\n"));
    assert_eq!(asked[0].text, "0142");
}

#[test]
fn the_story_leads_to_everything_known_of_the_number() {
    let mut state = on("R. Shah");
    assert!(press(&mut state, "\n").contains(&Effect::Show(Some(CallId(uuid(42))))));
    let detail = console::Detail { row: some()[2].call.clone(), timeline: vec![], outcomes: vec![], audit: vec![] };
    state.update(Msg::Detail(Box::new(detail)));
    let effects = press(&mut state, "B");
    assert!(effects.contains(&Effect::Ask(Question::Number("+12025550142".into()))), "{effects:?}");
    assert!(state.dialog.is_none() && state.focus == Pane::People);
    press(&mut state, "\u{1b}");
    assert_eq!(state.focus, Pane::Calls);
}

/// A contact as the database gives one, under another name.
fn contact(n: u128, name: &str, company: &str) -> ContactRow {
    static ONE: OnceLock<ContactRow> = OnceLock::new();
    let one = ONE.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let office = Office::open(|_| {}).await;
            office.import(PEOPLE.into()).await;
            office.store.cards_of(office.actor.owner, "+12025550142").await.unwrap().remove(0)
        })
    });
    let mut row = one.clone();
    (row.id, row.phone_number, row.email) = (ContactId(uuid(n)), format!("+120255501{n:02}"), String::new());
    (row.name, row.company) = (name.into(), company.into());
    row
}

fn listed(number: &str) -> SuppressedRow {
    let (reason, source, created_by) = ("asked never to be called".into(), "console".into(), "ana".into());
    SuppressedRow { number: number.into(), reason, source, created_by, created_at: now() - Duration::days(35) }
}

fn story(number: &str) -> NumberStory {
    let promised = PromisedCall {
        id: CallId(uuid(90)),
        campaign_id: CampaignId(uuid(10)),
        campaign_name: "Q4 Sales".into(),
        phone_number: number.into(),
        contact_name: "Jane Roe".into(),
        zones: "America/New_York".into(),
        due: now() + Duration::days(1),
        reason: String::new(),
    };
    NumberStory {
        number: number.into(),
        calls: some()[1..4].to_vec(),
        cards: vec![("leads.csv".into(), contact(41, "Jane Roe", "Acme"))],
        do_not_call: Some(ListedNumber { entry: listed(number), own: true }),
        promised: vec![promised],
    }
}

/// The room with the people of its first list.
pub fn people() -> State {
    let mut state = open();
    let asked = press(&mut state, "B");
    let search = ContactSearch { list: SourceId(uuid(3)), text: String::new(), after: None, limit: 100 };
    let count = ListedSearch { digits: String::new(), after: None, limit: 1 };
    let wanted = [Question::Contacts(Box::new(search.clone())), Question::Listed(Box::new(count.clone()))];
    assert_eq!(asked, wanted.map(Effect::Ask));
    let total = FoundListed { total: Some(12_345), ..FoundListed::default() };
    state.update(Msg::Answer(Question::Listed(Box::new(count)), Ok(Answer::Listed(Box::new(total)))));
    let rows = vec![contact(41, "Jane Roe", "Acme"), contact(42, "Eve\u{1b}[2J", "Umbrella\u{202e}")];
    state.update(Msg::Answer(Question::Contacts(Box::new(search)), Ok(Answer::Contacts(Box::new(FoundContacts { rows, next: None })))));
    state
}

#[test]
fn lists_and_their_people() {
    let mut state = people();
    for (w, h) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("people_{w}x{h}"), screen(&mut state, w, h));
    }
    // Tab goes over; what is typed is looked for in this list.
    press(&mut state, "\t/");
    let asked = press(&mut state, "jane");
    let Some(Effect::Ask(Question::Contacts(search))) = asked.last() else { panic!("{asked:?}") };
    assert_eq!(search.text, "jane");
    let old = Question::Contacts(Box::new(ContactSearch { text: "jan".into(), ..(**search).clone() }));
    state.update(Msg::Answer(old, Ok(Answer::Contacts(Box::default()))));
    assert!(screen(&mut state, 120, 40).contains("Acme"), "an answer to what was typed before");
    let found = FoundContacts { rows: vec![contact(41, "Jane Roe", "Acme")], next: None };
    state.update(Msg::Answer(Question::Contacts(search.clone()), Ok(Answer::Contacts(Box::new(found)))));
    press(&mut state, "\n");
    insta::assert_snapshot!("people_found_80x24", screen(&mut state, 80, 24));
    assert_eq!(press(&mut state, "\n"), [Effect::Ask(Question::Number("+12025550141".into()))]);
}

#[test]
fn a_number_over_all_campaigns() {
    let mut state = people();
    press(&mut state, ":person +1 202 555 0141\n");
    assert!(screen(&mut state, 120, 40).contains("looking..."));
    state.update(Msg::Answer(Question::Number("+12025550100".into()), Ok(Answer::Number(Box::new(story("+12025550100"))))));
    assert!(screen(&mut state, 120, 40).contains("looking..."), "another number's is not this one's");
    state.update(Msg::Answer(Question::Number("+12025550141".into()), Ok(Answer::Number(Box::new(story("+12025550141"))))));
    press(&mut state, "j");
    for (w, h) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("person_{w}x{h}"), screen(&mut state, w, h));
    }
    assert_eq!(press(&mut state, "\n"), [Effect::Show(Some(CallId(uuid(41))))]);
    press(&mut state, "\u{1b}:person 12\n");
    assert!(screen(&mut state, 120, 40).contains("\"12\" is no number"));
}

/// The one key that silences a number asks first, for only an admin takes it back; it names the number.
#[test]
fn a_number_goes_onto_the_list_after_a_question() {
    let number = PhoneNumber::own("+12025550141").unwrap();
    let mut state = people();
    assert_eq!(press(&mut state, "4"), []);
    assert!(state.dialog.is_none() && bottom(&mut state).contains("nobody is selected"), "in the lists nobody is meant");
    press(&mut state, "\tj4");
    let shown = screen(&mut state, 80, 24);
    assert!(shown.contains("Jane Roe, +1 202 555 0141: no campaign calls this number again."), "{shown}");
    assert_eq!(press(&mut state, "4n\n"), []);
    assert_eq!(press(&mut state, "y"), [Effect::NeverCall { number: number.clone(), name: "Jane Roe".into() }]);
    // Done, the list is looked at again.
    let asked = state.update(Msg::Done { words: "done".into(), result: Ok(()) });
    assert!(matches!(asked.as_slice(), [Effect::Ask(Question::Contacts(_)), Effect::Ask(Question::Listed(_))]), "{asked:?}");
    press(&mut state, ":dnc (202) 555-0141\n");
    assert!(state.dialog.is_none() && screen(&mut state, 120, 40).contains("of which country is (202) 555-0141? :country US"));
    press(&mut state, "\u{1b}:dnc +1 202 555 0141\n");
    assert_eq!(press(&mut state, "y"), [Effect::NeverCall { number, name: "+1 202 555 0141".into() }]);
    // Nothing of it under read-only.
    state.options.read_only = true;
    for keys in ["4", "e", "\u{1b}D", ":dnc +12025550141\n"] {
        assert_eq!(press(&mut state, keys), []);
        assert!(state.dialog.is_none() && bottom(&mut state).contains("read-only"), "{keys}: {}", bottom(&mut state));
    }
}

#[test]
fn the_list_of_those_who_must_not_be_called() {
    let mut state = people();
    let asked = press(&mut state, "k");
    let search = ListedSearch { digits: String::new(), after: None, limit: 100 };
    assert_eq!(asked, [Effect::Ask(Question::Listed(Box::new(search.clone())))]);
    let found = FoundListed { rows: vec![listed("+12025550141")], next: None, total: Some(1) };
    state.update(Msg::Answer(Question::Listed(Box::new(search)), Ok(Answer::Listed(Box::new(found)))));
    insta::assert_snapshot!("people_listed_120x40", screen(&mut state, 120, 40));
    // A file of numbers.
    press(&mut state, "i");
    assert_eq!(press(&mut state, "/lists/dnc.csv\n"), [Effect::ImportNumbers("/lists/dnc.csv".into())]);
    assert_eq!(press(&mut state, "D"), []);
    assert!(bottom(&mut state).contains("is not deleted"), "{}", bottom(&mut state));
}

#[test]
fn a_list_is_deleted_by_its_name_and_a_card_edited() {
    let mut state = people();
    press(&mut state, "D");
    assert!(bottom(&mut state).contains("calls from this list: delete the campaign first"), "said before its name is typed: {}", bottom(&mut state));
    state.data.campaigns.clear();
    press(&mut state, "D");
    assert!(screen(&mut state, 80, 24).contains("1000 contacts of it are lost"));
    assert_eq!(press(&mut state, "leads\n"), []);
    assert_eq!(press(&mut state, ".csv\n"), [Effect::DeleteList(ContactSource::CsvFile, SourceId(uuid(3)), "leads.csv".into())]);
    press(&mut state, "\tje");
    let shown = screen(&mut state, 80, 24);
    assert!(shown.contains("Card of +1 202 555 0141") && shown.contains("Name:   Jane Roe_"), "{shown}");
    let effects = press(&mut state, "\tjane@acme.example\n");
    let id = ContactId(uuid(41));
    let email = Some("jane@acme.example".to_owned());
    assert_eq!(effects, [Effect::EditContact { table: ContactSource::CsvFile, id, name: None, email, notes: None }], "only what was changed");
    // Keys of campaigns act on none that is not on the screen.
    for key in ["p", "x", "s", "w"] {
        assert_eq!(press(&mut state, key), []);
        assert!(state.dialog.is_none() && bottom(&mut state).contains("campaigns are in C"), "{key}");
    }
}

#[test]
fn both_rooms_at_every_size() {
    for (w, h) in [(59, 14), (60, 15), (80, 24), (100, 30), (120, 40), (160, 40), (200, 60)] {
        for ascii in [false, true] {
            let mut states = [calls(), on("Jane Roe"), people()];
            for state in &mut states {
                state.options.ascii = ascii;
                let shown = screen(state, w, h);
                if ascii {
                    assert!(!shown.contains(['│', '╭', '▌', '●', '✓']), "{shown}");
                }
                // The way out is never cut.
                assert!((w, h) < (60, 15) || shown.contains("Esc"), "{w}x{h}: {shown}");
            }
        }
    }
}

const PEOPLE: &str = "name,phone,company,email
Jane Roe,+12025550142,Acme,jane@acme.example
Ólafur Ævar,+12025550143,100 % Wool,
Omar Haddad,+12125550177,Umbrella,
";

/// Another owner's calls, contacts and numbers are never answered, whatever the question says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_what_is_anothers() {
    let (office, id) = Office::calling(PEOPLE.into(), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.tag(call, Outcome::DoNotCall).await;
    let other = Actor { owner: OwnerId(uuid(4711)), ..office.actor.clone() };
    let list = office.store.sources(office.actor.owner).await.unwrap()[0].id;
    let number = office.call(call).await.phone_number;
    let questions = [
        Question::Calls(Box::new(CallSearch::all(office.actor.owner, 100))),
        Question::Call(call),
        Question::Taggers,
        Question::Contacts(Box::new(ContactSearch { list, text: String::new(), after: None, limit: 100 })),
        Question::Listed(Box::new(ListedSearch { digits: String::new(), after: None, limit: 100 })),
        Question::Number(number),
    ];
    for question in questions {
        let (mine, theirs) = (n(&office, &office.actor, &question).await, n(&office, &other, &question).await);
        assert!(mine > 0 && theirs == 0, "{question:?}: {mine} and {theirs}");
    }
}

/// How much is answered.
async fn n(office: &Office, actor: &Actor, question: &Question) -> usize {
    match console::answer(&office.desk, actor, question).await.unwrap() {
        Answer::Calls(found) => found.rows.len(),
        Answer::Call(found) => usize::from(found.is_some()),
        Answer::Taggers(names) => names.len(),
        Answer::Contacts(found) => found.rows.len(),
        Answer::Listed(found) => found.rows.len() + usize::try_from(found.total.unwrap_or(0)).unwrap(),
        Answer::Number(story) => story.calls.len() + story.cards.len() + usize::from(story.do_not_call.is_some()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contacts_are_found_by_what_is_typed() {
    let (office, _) = Office::calling(PEOPLE.into(), |_| {}).await;
    let source = office.store.sources(office.actor.owner).await.unwrap().remove(0);
    for (text, names) in [
        ("", vec!["Omar Haddad", "Ólafur Ævar", "Jane Roe"]),
        ("jane", vec!["Jane Roe"]),
        ("ROE acme", vec!["Jane Roe"]),
        ("0142", vec!["Jane Roe"]),
        ("(202) 555", vec!["Ólafur Ævar", "Jane Roe"]),
        ("ólaf", vec!["Ólafur Ævar"]),
        ("ævar", vec!["Ólafur Ævar"]),
        ("100 %", vec!["Ólafur Ævar"]),
        ("%", vec!["Ólafur Ævar"]),
        ("_", vec![]),
        ("' OR 1=1 --", vec![]),
    ] {
        let search = ContactSearch { list: source.id, text: text.into(), after: None, limit: 100 };
        let found = office.store.find_contacts(office.actor.owner, &source, &search).await.unwrap();
        assert_eq!(found.rows.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), names, "{text}");
        assert!(found.next.is_none());
    }
    // Page by page nobody is missed and nobody comes twice.
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let search = ContactSearch { list: source.id, text: String::new(), after, limit: 1 };
        let found = office.store.find_contacts(office.actor.owner, &source, &search).await.unwrap();
        names.extend(found.rows.into_iter().map(|r| r.name));
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(names, ["Omar Haddad", "Ólafur Ævar", "Jane Roe"]);
    // The do-not-call list by digits, page by page too.
    for number in ["+12025550142", "+12125550177", "+442079460000"] {
        office.desk.add_do_not_call(office.actor.clone(), PhoneNumber::own(number).unwrap(), String::new()).await.unwrap();
    }
    let search = ListedSearch { digits: "5550".into(), after: None, limit: 1 };
    let first = office.store.find_listed(office.actor.owner, &search).await.unwrap();
    assert_eq!((first.rows[0].number.as_str(), first.total), ("+12025550142", None));
    let second = office.store.find_listed(office.actor.owner, &ListedSearch { after: first.next, ..search }).await.unwrap();
    assert_eq!(second.rows[0].number, "+12125550177");
    let all = office.store.find_listed(office.actor.owner, &ListedSearch { digits: String::new(), after: None, limit: 100 }).await.unwrap();
    assert_eq!((all.rows.len(), all.total, all.next), (3, Some(3), None));
}
