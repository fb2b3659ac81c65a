//! Keys in, screen out: the console's state and drawing without a terminal.

use chrono::{DateTime, Duration, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    console::{self, CampaignView, ConsoleOptions, Depth, Detail, Effect, Ending, Msg, Snapshot, State, Theme, draw},
    desk::Actor,
    domain::{
        call::State as CallState,
        campaign::{ContactSource, Status},
        id::{AssistantId, CallId, CampaignId, OwnerId, SourceId},
        outcome::Outcome,
        stats::Counts,
    },
    store::{AssistantRow, AuditRow, CampaignRow, PaneRow, SourceRow},
};
use ratatui::{Terminal, backend::TestBackend};
use sqlx::types::Json;

pub fn now() -> DateTime<Utc> {
    "2026-11-18T15:42:07Z".parse().unwrap()
}

pub fn options() -> ConsoleOptions {
    ConsoleOptions {
        theme: "dark".into(),
        color: "never".into(),
        read_only: false,
        role: dialdeck::domain::role::Role::Admin,
        mask: 0,
        ages: dialdeck::config::Ages::default(),
        simulated: true,
        known: None,
        following: tokio::sync::watch::Sender::new(None).subscribe(),
        broken: tokio::sync::watch::Sender::new(None).subscribe(),
        themes_folder: "/nonexistent".into(),
        keys_file: "/nonexistent/keys.toml".into(),
        zone: dialdeck::domain::zone::Zone::utc(),
        region: None,
        filter: String::new(),
        ascii: false,
        outside: None,
        plain: false,
        port: tokio::sync::watch::Sender::new(None).subscribe(),
        drain: dialdeck::console::Drain::default(),
        keeper: None,
        session: console::SessionOptions::default(),
    }
}

pub fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

pub fn campaign(n: u128, name: &str, status: Status, counts: Counts) -> CampaignView {
    let row = CampaignRow {
        id: CampaignId(uuid(n)),
        user_id: OwnerId(uuid(1)),
        name: name.into(),
        assistant_id: AssistantId(uuid(2)),
        assistant_name: "Sarah".into(),
        assistant_agent_name: None,
        assistant_prompt: String::new(),
        assistant_language: "en".into(),
        contact_source: ContactSource::CsvFile,
        contact_list_id: None,
        contact_list_name: None,
        csv_file_id: Some(SourceId(uuid(3))),
        csv_file_name: Some("leads.csv".into()),
        daily_cap: 500,
        calling_days: Json(vec!["monday".into(), "tuesday".into(), "wednesday".into(), "thursday".into(), "friday".into()]),
        start_hour: 9,
        end_hour: 17,
        start_minute: 0,
        end_minute: 0,
        timezone: "UTC".into(),
        campaign_prompt: "Hello".into(),
        agent_name: None,
        max_concurrent: 20,
        call_delay_ms: 2000,
        ring_timeout_s: 30,
        max_call_duration_s: 900,
        retry: Json(dialdeck::domain::retry::RetryRules::default()),
        contact_hours: true,
        execution_status: status,
        status_reason: String::new(),
        status_actor: String::new(),
        status_at: now(),
        generation: 1,
        fill_position: None,
        manual: false,
        created_at: now(),
        updated_at: now(),
        next_call_at: None,
        last_execution_at: None,
        counts,
    };
    CampaignView { row, used_today: 214, open: true }
}

pub fn row(n: u128, name: &str, state: CallState, age: i64) -> PaneRow {
    let at = |seconds: i64| Some(now() - Duration::seconds(seconds));
    let ended = state.is_ended();
    let talked = matches!(state, CallState::Answered | CallState::Completed);
    PaneRow {
        id: CallId(uuid(n)),
        campaign_id: CampaignId(uuid(10)),
        campaign_name: "Q4 Sales".into(),
        phone_number: format!("+120255501{n:02}"),
        contact_name: name.into(),
        attempt: 1,
        state,
        armed_at: at(age + 10),
        ringing_at: at(age + 8),
        answered_at: if talked { at(age) } else { None },
        completed_at: if ended { at(5) } else { None },
        call_duration: if state == CallState::Completed { age - 5 } else { 0 },
        sip_code: (state == CallState::Busy).then_some(486),
        reason: if state == CallState::Busy { "Busy here".into() } else { String::new() },
        outcome: None,
        suggestion: None,
        suggestion_confidence: None,
        hangup_requested_at: None,
        room_name: Some("dd-1".into()),
        notes: String::new(),
    }
}

pub fn snapshot() -> Snapshot {
    let counts = Counts {
        total: 1000,
        pending: 600,
        processing: 3,
        live: 3,
        dials: 397,
        pickups: 160,
        interested: 31,
        not_interested: 88,
        untagged: 1,
        ..Counts::default()
    };
    let mut suggested = row(39, "Ana Lima", CallState::Completed, 160);
    suggested.suggestion = Some(Outcome::Interested);
    suggested.suggestion_confidence = Some(0.82);
    let live = vec![
        row(42, "Jane Roe", CallState::Answered, 192),
        row(81, "L. Okafor", CallState::Ringing, 3),
        row(90, "P. Novak\u{1b}[31m", CallState::Armed, -8),
        suggested.clone(),
        row(33, "R. Shah", CallState::Busy, 0),
    ];
    Snapshot {
        at: now(),
        campaigns: vec![campaign(10, "Q4 Sales", Status::Running, counts), campaign(11, "Win-back", Status::Idle, Counts::default())],
        live,
        to_tag: vec![suggested],
        head: Some(std::sync::Arc::new(crate::deck::head())),
        ..Snapshot::default()
    }
}

pub fn assistants() -> Vec<AssistantRow> {
    vec![AssistantRow {
        id: AssistantId(uuid(2)),
        user_id: OwnerId(uuid(1)),
        name: "Sarah".into(),
        agent_name: None,
        prompt: "Hello".into(),
        language: "en".into(),
        created_at: now(),
    }]
}

pub fn sources() -> Vec<SourceRow> {
    vec![SourceRow {
        id: SourceId(uuid(3)),
        user_id: OwnerId(uuid(1)),
        name: "leads.csv".into(),
        description: String::new(),
        file_size: 0,
        updated_at: now(),
        source: ContactSource::CsvFile,
        status: "completed".into(),
        contacts: 1000,
        invalid: 0,
        do_not_call: 12,
        created_at: now(),
    }]
}

/// A screen that has seen no rows yet.
pub fn blank() -> State {
    let theme = Theme::parse("mono", "[meta]\ncolour = \"none\"", Depth::None).unwrap();
    let actor = Actor { owner: OwnerId(uuid(1)), name: "tester".into(), source: "console" };
    console::open(options(), actor, theme, now())
}

pub fn state() -> State {
    let mut state = blank();
    state.update(Msg::Data(Box::new(snapshot())));
    state
}

pub fn press(state: &mut State, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            '\t' => KeyCode::Tab,
            c => KeyCode::Char(c),
        };
        // A person, not a held key.
        state.now += Duration::milliseconds(400);
        effects.extend(state.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))));
    }
    effects
}

pub fn screen(state: &mut State, width: u16, height: u16) -> String {
    state.resize(width, height);
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    (0..height).map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_screen_at_every_size() {
    for (w, h) in [(59, 14), (60, 15), (80, 24), (100, 30), (120, 40), (160, 40), (200, 60)] {
        insta::assert_snapshot!(format!("screen_{w}x{h}"), screen(&mut state(), w, h));
    }
}

#[test]
fn any_size_draws_without_panic_and_foreign_text_is_harmless() {
    let mut s = state();
    let mut dice = 7u64;
    for _ in 0..1000 {
        dice = dialdeck::telephony::simulator::die(dice);
        let (w, h) = (u16::try_from(dice % 260 + 1).unwrap(), u16::try_from((dice >> 20) % 80 + 1).unwrap());
        let text = screen(&mut s, w, h);
        assert!(!text.contains('\u{1b}'));
    }
}

#[test]
fn one_key_tags_the_selected_call_and_u_takes_it_back() {
    let mut s = state();
    press(&mut s, "O");
    let call = CallId(uuid(39));
    let effects = press(&mut s, "1");
    assert_eq!(effects, [Effect::Tag { call, name: "Ana Lima".into(), outcome: Some(Outcome::Interested), previous: None, callback_at: None }]);
    s.update(Msg::Tagged { call, name: "Ana Lima".into(), outcome: Some(Outcome::Interested), previous: None, undone: false, result: Ok(None) });
    assert!(screen(&mut s, 120, 40).contains("tagged Ana Lima \"interested\" - u undoes"));
    let effects = press(&mut s, "u");
    assert!(matches!(effects.as_slice(), [Effect::UndoTag { previous: None, outcome: Some(Outcome::Interested), lift: false, .. }]), "{effects:?}");
}

#[test]
fn a_promised_callback_is_told_with_its_moment() {
    let mut s = state();
    let words = Some("to be called Fri 2026-11-20 08:00 EST, not Fri 2026-11-20 03:00 EST".to_owned());
    let call = CallId(uuid(39));
    s.update(Msg::Tagged { call, name: "Ana Lima".into(), outcome: Some(Outcome::Callback), previous: None, undone: false, result: Ok(words) });
    assert!(screen(&mut s, 120, 40).contains("tagged Ana Lima \"callback\", to be called Fri 2026-11-20 08:00 EST"));
}

#[test]
fn a_held_digit_tags_once() {
    let mut s = state();
    press(&mut s, "O");
    let mut effects = Vec::new();
    for _ in 0..60 {
        s.now += Duration::milliseconds(33);
        effects.extend(s.update(Msg::Key(KeyEvent::new(KeyCode::Char('1'), KeyModifiers::NONE))));
    }
    assert_eq!(effects.len(), 1, "tags from a held key");
}

#[test]
fn outcomes_are_refused_where_the_state_forbids_them() {
    let mut s = state();
    s.live = Some(CallId(uuid(81)));
    assert!(press(&mut s, "1").is_empty());
    assert!(screen(&mut s, 80, 24).contains("needs an answered call; this one is ringing"));
    assert!(matches!(press(&mut s, "4").as_slice(), [Effect::Tag { outcome: Some(Outcome::DoNotCall), .. }]));
}

#[test]
fn a_paste_outside_an_input_does_nothing() {
    let mut s = state();
    press(&mut s, "O");
    assert!(s.update(Msg::Paste("1234\n".into())).is_empty());
    assert!(s.saving.is_empty());
}

#[test]
fn campaign_keys_act_on_the_named_campaign() {
    let mut s = state();
    assert!(matches!(press(&mut s, "Cp").as_slice(), [Effect::Pause(id, name)] if *id == CampaignId(uuid(10)) && name == "Q4 Sales"));
    assert!(screen(&mut s, 120, 40).contains("pausing"));
    assert!(matches!(press(&mut s, "js").as_slice(), [Effect::Start(id, _)] if *id == CampaignId(uuid(11))));
    assert!(matches!(press(&mut s, "kxk").as_slice(), [Effect::Ask(_), Effect::Stop { hang_up: false, .. }]));
    assert_eq!(press(&mut s, "P"), [Effect::PauseAll]);
}

#[test]
fn dialogs_are_deaf_at_first_and_esc_gets_out() {
    let mut s = state();
    s.update(Msg::Key(KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE)));
    assert!(s.update(Msg::Key(KeyEvent::new(KeyCode::Char('k'), KeyModifiers::NONE))).is_empty(), "typed ahead");
    assert!(s.dialog.is_some());
    press(&mut s, "\u{1b}");
    assert!(s.dialog.is_none());
}

#[test]
fn filters_narrow_the_live_pane() {
    let mut s = state();
    press(&mut s, "/0142\n");
    assert_eq!(s.live_rows().len(), 1);
    press(&mut s, "\u{1b}\u{1b}");
    assert_eq!(s.live_rows().len(), 5);
}

#[test]
fn quitting_with_live_calls_asks() {
    let mut s = state();
    assert!(press(&mut s, "q").is_empty());
    assert!(screen(&mut s, 80, 24).contains("d dial no more"));
    assert_eq!(press(&mut s, "d"), [Effect::Leave(Ending::Drain)]);
    let mut idle = state();
    idle.live = None;
    idle.update(Msg::Data(Box::new(Snapshot { live: Vec::new(), ..snapshot() })));
    assert_eq!(press(&mut idle, "q"), [Effect::Leave(Ending::QuitNow)]);
}

#[test]
fn read_only_changes_nothing() {
    let mut s = state();
    press(&mut s, "O");
    s.options.read_only = true;
    for keys in ["1", "p", "P", "x", "N", "u"] {
        assert!(press(&mut s, keys).is_empty(), "{keys}");
        assert!(s.dialog.is_none());
    }
}

#[test]
fn new_rows_do_not_move_the_cursor() {
    let mut s = state();
    s.follow = false;
    s.live = Some(CallId(uuid(81)));
    let mut more = snapshot();
    more.live.insert(0, row(1, "Newcomer", CallState::Answered, 500));
    s.update(Msg::Data(Box::new(more)));
    assert_eq!(s.live, Some(CallId(uuid(81))));
}

#[test]
fn a_new_campaign_is_like_the_selected_one_and_a_refusal_loses_nothing() {
    let mut data = snapshot();
    data.campaigns[0].row.start_minute = 30;
    data.assistants = assistants();
    data.sources = sources();
    let mut s = state();
    s.update(Msg::Data(Box::new(data)));
    press(&mut s, "CN");
    press(&mut s, "Spring");
    let text = screen(&mut s, 120, 40);
    assert!(text.contains("9:30-17") && text.contains("500") && text.contains("988 contacts to call"), "like the selected one:\n{text}");
    // To the summary, one back from the first field by Shift-Tab's twin, the arrow.
    let up = |s: &mut State| s.update(Msg::Key(KeyEvent::new(KeyCode::Up, KeyModifiers::NONE)));
    up(&mut s);
    assert_eq!(press(&mut s, "S"), [], "starting asks");
    assert!(screen(&mut s, 120, 40).contains("begin to dial? y yes"));
    assert_eq!(press(&mut s, "n"), [], "any other key: no");
    press(&mut s, "S");
    let effects = press(&mut s, "y");
    assert!(
        matches!(effects.as_slice(), [Effect::Create { values, start: true }] if values.name == "Spring" && values.settings.start_minute == 30),
        "{effects:?}"
    );
    s.update(Msg::Created { words: String::new(), result: Err("the database is locked".into()) });
    let text = screen(&mut s, 120, 40);
    assert!(text.contains("Spring") && text.contains("the database is locked"), "the form is back:\n{text}");
    let effects = press(&mut s, "Sc");
    assert!(matches!(effects.as_slice(), [Effect::Create { start: false, .. }]), "{effects:?}");
    s.update(Msg::Created { words: "made \"Spring\"".into(), result: Ok(()) });
    assert!(!screen(&mut s, 120, 40).contains("Daily cap"));
}

#[test]
fn a_follower_says_whom_it_follows_until_it_leads() {
    let lead = tokio::sync::watch::Sender::new(Some("calls go on in another process on /x.db: this screen looks on, and steers".to_owned()));
    let mut s = state();
    s.options.following = lead.subscribe();
    let text = screen(&mut s, 80, 24);
    let head: Vec<&str> = text.lines().take(2).collect();
    assert!(head[0].contains("looks on") && head[1].contains("another process on /x.db"), "{head:?}");
    assert_eq!(press(&mut s, "q"), [Effect::Leave(Ending::QuitNow)], "its calls are another's: nothing to ask");
    lead.send_replace(None);
    assert!(!screen(&mut s, 80, 24).contains("looks on"));
}

/// The first campaign over a real LiveKit asks who accepts the terms; a name and Enter, not a key.
#[test]
fn the_terms_are_accepted_by_a_name_that_is_typed() {
    let mut s = state();
    let id = CampaignId(uuid(1));
    s.update(Msg::Terms(id, "Q4 Sales".into()));
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("Real phones will ring") && shown.contains("not called again") && shown.contains("Your name: _"), "{shown}");
    s.update(Msg::Key(KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE)));
    assert!(screen(&mut s, 80, 24).contains("Your name: _"), "what was typed before it opened is no name");
    s.now += chrono::TimeDelta::seconds(2);
    assert!(press(&mut s, "\n").is_empty(), "no name, no consent");
    let effects = press(&mut s, "Ana Lima\n");
    assert_eq!(effects, [Effect::AcceptTerms { person: "Ana Lima".into(), campaign: id, name: "Q4 Sales".into() }]);
    assert!(s.dialog.is_none());
    // It never opens over what somebody is typing into.
    press(&mut s, "/jane");
    s.update(Msg::Terms(id, "Q4 Sales".into()));
    assert!(press(&mut s, "\n").is_empty() && s.dialog.is_none());
}

/// The detail says why a call was allowed.
#[test]
fn the_detail_shows_what_the_gates_looked_at() {
    let mut s = state();
    let row = s.data.live[0].clone();
    let details = serde_json::json!({ "rules": "2026-11-01", "contactClocks": ["America/New_York Wed 12:00"], "dials24h": 1, "consentAt": null });
    let audit = vec![AuditRow { at: now(), actor: "engine".into(), source: "engine".into(), action: "call_armed".into(), details: Json(details) }];
    s.live = Some(row.id);
    press(&mut s, "\n");
    s.update(Msg::Detail(Box::new(Detail { row, timeline: vec![], outcomes: vec![], audit })));
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("allowed and dialled") && !shown.contains("dials24h"), "{shown}");
    press(&mut s, "d");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("America/New_York Wed 12:00") && shown.contains("dials24h 1"), "{shown}");
    assert!(!shown.contains("consentAt"), "what was not looked at is not shown");
}

#[test]
fn a_plain_screen_has_no_letters_but_ascii_around_what_it_shows() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let options = ConsoleOptions { ascii: true, filter: "busy".into(), ..options() };
        let mut plain = console::open(options, state().actor, Theme::parse("dark", "", Depth::None).unwrap(), now());
        plain.take(snapshot());
        let shown = screen(&mut plain, width, height);
        assert!(shown.lines().all(str::is_ascii) && shown.contains('|') && shown.contains('-'), "{shown}");
        assert_eq!(plain.lists.of(console::Pane::Live).filter, "busy");
    }
}
