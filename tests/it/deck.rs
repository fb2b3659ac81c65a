//! The looks of the console: header, deck and its rooms at every size, in both sets of glyphs.

use std::{cell::Cell, collections::HashMap, path::Path, rc::Rc, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use dialdeck::{
    config::Ages,
    console::{self, Answer, ConsoleOptions, Depth, Detail, Effect, Msg, Question, Snapshot, State, Theme, draw},
    desk::{Actor, Bar, CampaignRoom, Explanation, Figures, Forecast, Head, HourRate, Lights, Next, Recycle, Waiting, ZoneWait},
    domain::{
        call::State as CallState,
        campaign::Status,
        event::{Kind, Leave, LegStatus, Reply, Source},
        id::{CallId, CampaignId},
        outcome::{Outcome, Who},
        people::People,
        stats::{Counts, Pace},
        system::{Light, Mend, System},
    },
    store::{AuditRow, EventRow, PaneRow, PromiseCount, Rounds},
    telemetry::LogLine,
};
use ratatui::{Terminal, TerminalOptions, Viewport, backend::CrosstermBackend, backend::TestBackend, buffer::Buffer, layout::Rect, style::Color};
use sqlx::types::Json;

use crate::{
    console::{blank, campaign, now, options, press, row, screen, snapshot, uuid},
    support::{csv_of, office::Office},
};

fn pace(dials: i64, answered: i64, failed: i64) -> Pace {
    Pace { armed: dials, dials, answered, abandoned: 0, failed, talk_seconds: answered * 90 }
}

pub fn head() -> Head {
    let minutes: Vec<Pace> = (0..60).map(|m| pace(4 + m % 9, 1 + m % 4, i64::from(m % 20 == 7))).collect();
    let outcomes = Outcome::ALL.into_iter().zip([31, 26, 12, 5, 11, 0]).collect();
    Head {
        figures: Figures {
            to_tag: 1,
            oldest: Some(now() - Duration::minutes(4)),
            callbacks: PromiseCount { due: 2, next: Some(now() + Duration::hours(1)) },
            dials_per_minute: 11,
            hour: Pace { armed: 500, dials: 500, answered: 205, abandoned: 1, failed: 15, talk_seconds: 9000 },
            minutes,
        },
        today: pace(214, 88, 6),
        outcomes,
        lights: Some(Lights {
            livekit: System::good("LiveKit", "answers"),
            livekit_took: Some(44),
            agents: System::good("agent worker", "no call had to wait for one"),
            hooks: System::good("hooks", "last one 2 s ago"),
            hook_at: Some(now() - Duration::seconds(2)),
            trunk: System::good("trunk", "13 of 20 lines in use"),
            lines: (13, 20),
            live: 5,
        }),
        next: HashMap::from([(CampaignId(uuid(10)), Next::Done(now() + Duration::minutes(58)))]),
        people: HashMap::from([(CampaignId(uuid(10)), people())]),
    }
}

/// Where those of the first campaign stand.
fn people() -> People {
    People { contacts: 1000, called: 341, on_the_line: 5, waiting: 620, again: 40, do_not_call: 12, not_reached: 22, ..People::default() }
}

/// The deck of an afternoon: four campaigns, nine calls, a queue, a log.
fn busy() -> Snapshot {
    let counts =
        |total, pending, live| Counts { total, pending, processing: live, live, dials: total - pending, pickups: 88, untagged: 0, ..Counts::default() };
    let mut campaigns = vec![
        campaign(10, "Q4 Sales West Coast", Status::Running, counts(1000, 620, 5)),
        campaign(12, "Renewals", Status::Running, counts(400, 116, 2)),
        campaign(13, "Win-back", Status::Paused, counts(300, 264, 0)),
        campaign(14, "Survey NPS", Status::Running, counts(900, 900, 0)),
    ];
    campaigns[2].row.status_actor = "ana".into();
    campaigns[3].row.timezone = "America/New_York".into();
    let mut head = head();
    head.next.insert(CampaignId(uuid(12)), Next::Cap(now() + Duration::minutes(23)));
    head.next.insert(CampaignId(uuid(14)), Next::Waits("hours".into(), Some(now() + Duration::minutes(18))));
    let says = |mut r: PaneRow, o, sure| {
        (r.suggestion, r.suggestion_confidence) = (Some(o), Some(sure));
        r
    };
    let of = |mut r: PaneRow| {
        r.campaign_name = "Q4 Sales West Coast".into();
        r
    };
    let waits = of(says(row(39, "Ana Lima", CallState::Completed, 160), Outcome::Callback, 0.91));
    let mut tagged = of(row(37, "T. Berg", CallState::Completed, 36));
    tagged.outcome = Some(Outcome::Callback);
    let live = vec![
        of(row(42, "Jane Roe", CallState::Answered, 192)),
        of(says(row(77, "Omar Haddad", CallState::Answered, 108), Outcome::Interested, 0.82)),
        of(row(81, "L. Okafor", CallState::Ringing, 3)),
        of(row(83, "Mei Tan", CallState::Ringing, 50)),
        of(row(90, "P. Novak", CallState::Armed, -8)),
        waits.clone(),
        tagged,
        of(row(33, "R. Shah", CallState::Busy, 0)),
    ];
    let line = |(n, level, text): (u64, tracing::Level, &str)| LogLine { number: n, at: now(), level, target: "engine".into(), text: text.into() };
    let logs = [(1, tracing::Level::INFO, "the lease was renewed"), (2, tracing::Level::WARN, "the trunk was slow to answer: 4 s")];
    let happened = vec![
        crate::happened::dialled(33, "R. Shah", -4),
        crate::happened::answered(81, "L. Okafor", -3, 9),
        crate::happened::busy(33, "R. Shah", -2, now() + Duration::minutes(13)),
        crate::happened::dialled(90, "P. Novak", 0),
    ];
    Snapshot {
        campaigns,
        live,
        to_tag: vec![waits.clone()],
        logs: logs.map(line).into(),
        happened: Arc::new(happened),
        log_count: 2,
        head: Some(Arc::new(head)),
        reasons: Arc::new(HashMap::from([(waits.id, "asked to be called on Tuesday at three".to_owned())])),
        ..snapshot()
    }
}

fn showing(data: Snapshot, ascii: bool) -> State {
    let options = ConsoleOptions { ascii, ..options() };
    let mut s = console::open(options, blank().actor, Theme::parse("mono", "[meta]\ncolour = \"none\"", Depth::None).unwrap(), now());
    s.update(Msg::Data(Box::new(data)));
    s
}

const SIZES: [(u16, u16); 7] = [(59, 14), (60, 15), (80, 24), (100, 30), (120, 40), (160, 40), (200, 60)];

#[test]
fn the_deck_at_every_size_in_both_sets_of_glyphs() {
    for (w, h) in SIZES {
        insta::assert_snapshot!(format!("deck_{w}x{h}"), screen(&mut showing(busy(), false), w, h));
        let plain = screen(&mut showing(busy(), true), w, h);
        assert!(plain.is_ascii(), "{plain}");
        insta::assert_snapshot!(format!("deck_ascii_{w}x{h}"), plain);
    }
}

/// All of one campaign.
pub fn room() -> CampaignRoom {
    let c = busy().campaigns.remove(0);
    let place = |zones: &str, waiting, opens: Option<DateTime<Utc>>, lawful| ZoneWait {
        zones: zones.into(),
        waiting,
        opens,
        lawful,
        due: if lawful { waiting } else { 0 },
        shut: None,
        closed: None,
    };
    let waiting = Waiting {
        dialable_now: 412,
        later: 208,
        zones: vec![
            place("America/New_York", 412, Some(now()), true),
            place("America/Los_Angeles", 188, Some(now() + Duration::hours(1)), false),
            place("America/Denver", 20, None, false),
        ],
        do_not_call: 12,
        exhausted: 22,
        invalid: 11,
        calling_seconds: 3500,
    };
    CampaignRoom {
        bar: Bar { people: people(), closed_by_law: 208, invalid: 11 },
        why: Explanation {
            gate: "open".into(),
            message: "calls are being made".into(),
            until: None,
            waiting,
            people: people(),
            forecast: Forecast { ends: Some(now() + Duration::minutes(58)), cap: None, calling_seconds: 3500, never: 20, dials: 214 },
            obstacles: Vec::new(),
        },
        hours: (9..16).map(|hour| HourRate { hour, pace: pace(100, i64::from(hour) * 4, 2) }).collect(),
        minutes: (0..60).map(|minute| pace(minute % 7, minute % 3, 0)).collect(),
        today: pace(214, 88, 6),
        outcomes: Outcome::ALL.into_iter().zip([31, 26, 12, 5, 11, 0]).collect(),
        used_today: 214,
        brake: None,
        breaker: None,
        callbacks: PromiseCount { due: 2, next: Some(now() + Duration::hours(1)) },
        promised: vec![],
        row: c.row,
    }
}

#[test]
fn a_campaign_stands_beside_the_list_with_all_that_is_known_of_it() {
    for (w, h) in [(80, 24), (120, 40), (200, 60)] {
        let mut s = showing(busy(), false);
        s.resize(w, h);
        let id = CampaignId(uuid(10));
        let asked = press(&mut s, "CC");
        assert_eq!(asked, [Effect::Ask(Question::Campaign(id))], "asked once");
        s.update(Msg::Answer(Question::Campaign(id), Ok(Answer::Campaign(Some(Box::new(room()))))));
        insta::assert_snapshot!(format!("campaign_{w}x{h}"), screen(&mut s, w, h));
        // The next under the cursor is asked about; what comes late of the first is not taken for it.
        assert_eq!(press(&mut s, "j"), [Effect::Ask(Question::Campaign(CampaignId(uuid(12))))]);
        s.update(Msg::Answer(Question::Campaign(id), Ok(Answer::Campaign(Some(Box::new(room()))))));
        let shown = screen(&mut s, w, h);
        assert!(shown.contains("loading...") && !shown.contains("closed by law"), "{shown}");
    }
}

/// What changes is asked about again, not with every message.
#[test]
fn a_campaigns_room_is_asked_again_when_rows_change_and_not_sooner() {
    let mut s = showing(busy(), false);
    let id = CampaignId(uuid(10));
    press(&mut s, "CC");
    let answer = |s: &mut State| s.update(Msg::Answer(Question::Campaign(id), Ok(Answer::Campaign(Some(Box::new(room()))))));
    assert_eq!(answer(&mut s), []);
    let look = |s: &mut State, seconds: i64| {
        s.now += Duration::seconds(seconds);
        let at = s.now;
        s.update(Msg::Data(Box::new(Snapshot { at, ..busy() })))
    };
    assert_eq!(look(&mut s, 1), [], "a second later it is fresh");
    assert_eq!(look(&mut s, 3), [Effect::Ask(Question::Campaign(id))]);
    assert_eq!(look(&mut s, 9), [], "the answer is waited for");
    assert_eq!(s.update(Msg::Answer(Question::Campaign(id), Err("the database is locked".into()))), []);
    assert_eq!(look(&mut s, 4), [Effect::Ask(Question::Campaign(id))], "a failure is asked again");
    press(&mut s, "\u{1b}\u{1b}");
    assert_eq!(look(&mut s, 60), [], "closed, nothing is asked");
}

#[test]
fn lines_are_changed_by_a_key_and_one_step_takes_several_back() {
    let mut s = showing(busy(), false);
    let (campaign, name) = (CampaignId(uuid(10)), "Q4 Sales West Coast".to_owned());
    let lines = |by, undone| Effect::Lines { campaign, name: name.clone(), by, undone };
    assert_eq!(press(&mut s, "C++"), [lines(1, false), lines(1, false)]);
    for (was, now) in [(20, 21), (21, 22)] {
        s.update(Msg::Lines { campaign, name: name.clone(), by: 1, undone: false, result: Ok((was, now)) });
    }
    assert!(screen(&mut s, 120, 40).contains("\"Q4 Sales West Coast\": 22 lines at once, 21 before - u takes it back"));
    assert_eq!(press(&mut s, "u"), [lines(-2, true)]);
    s.update(Msg::Lines { campaign, name: name.clone(), by: -2, undone: true, result: Ok((22, 20)) });
    assert!(screen(&mut s, 120, 40).contains("has 20 lines at once again"));
    assert_eq!(press(&mut s, "-"), [lines(-1, false)]);
    s.update(Msg::Lines { campaign, name, by: -1, undone: false, result: Ok((1, 1)) });
    assert_eq!(press(&mut s, "u"), [], "nothing was changed, nothing is taken back");
    s.options.read_only = true;
    assert_eq!(press(&mut s, "+"), []);
}

#[tokio::test]
async fn lines_change_by_one_whoever_else_changes_them() {
    let (office, id) = Office::calling(csv_of(1), |s| s.max_concurrent = 3).await;
    let change = async |by| office.desk.change_lines(office.actor.clone(), id, by).await.unwrap();
    assert_eq!((change(1).await, change(1).await), ((3, 4), (4, 5)));
    let before = office.row(id).await;
    assert_eq!(change(-100).await, (5, 1), "one is the least");
    assert_eq!(change(-1).await, (1, 1));
    let after = office.row(id).await;
    assert_eq!((after.max_concurrent, after.settings().daily_cap, after.campaign_prompt), (1, before.settings().daily_cap, before.campaign_prompt));
    let stranger = Actor { owner: dialdeck::domain::id::OwnerId(uuid(99)), ..office.actor.clone() };
    assert!(office.desk.change_lines(stranger, id, 1).await.is_err(), "another's campaign");
}

#[test]
fn recycling_asks_whom_and_queues_nobody_by_itself() {
    let mut s = showing(busy(), false);
    let asked = press(&mut s, "CCr");
    let whom = Question::Rounds(CampaignId(uuid(10)));
    assert!(asked.contains(&Effect::Ask(whom.clone())), "{asked:?}");
    assert!(screen(&mut s, 80, 24).contains("Queue contacts of \"Q4 Sales West Coast\" again?"));
    let found = Rounds { no_answer: 1204, busy: 12, waiting: 1, looked_through: 1300, ..Rounds::default() };
    s.update(Msg::Answer(whom.clone(), Ok(Answer::Rounds(found))));
    let shown = screen(&mut s, 80, 24);
    for line in ["[ ] n     1204  no answer", "[ ] v        0  voicemail", "1 contact waits for the next attempt already."] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    s.update(Msg::Answer(whom, Ok(Answer::Rounds(Rounds { looked_through: Rounds::LOOKED_THROUGH, ..found }))));
    assert!(screen(&mut s, 80, 24).contains("[ ] b      12+  busy"), "not all were counted");
    assert_eq!(press(&mut s, "y"), [], "nothing is chosen");
    let what = Recycle { busy: true, callback: true, ..Recycle::default() };
    assert_eq!(press(&mut s, "bcvvy"), [Effect::Recycle(CampaignId(uuid(10)), "Q4 Sales West Coast".into(), what)]);
    assert!(s.dialog.is_none());
}

/// The story of one call, as the board has it beside it.
fn story() -> Detail {
    let at = |s: i64| now() - Duration::seconds(s);
    let event = |id: i64, source, kind, s| EventRow { id, source, kind: Json(kind), at: at(s), received_at: at(s), applied: None };
    let left = Kind::LegLeft { sid: "PA_1".into(), reason: Leave::ClientInitiated, status: Some(LegStatus::Hangup), call_sid: None };
    let leg = |status| Kind::Leg { sid: "PA_1".into(), status, call_sid: None, polled: false };
    let details = serde_json::json!({ "rules": "2026-11-01", "contactClocks": ["America/New_York Wed 12:00"], "generation": 2 });
    let audit = AuditRow { at: at(170), actor: "engine".into(), source: "engine".into(), action: "call_armed".into(), details: Json(details) };
    Detail {
        row: busy().to_tag.remove(0),
        timeline: vec![
            event(1, Source::Livekit, leg(Some(LegStatus::Ringing)), 168),
            event(2, Source::Poll, leg(Some(LegStatus::Ringing)), 167),
            event(3, Source::Dial, Kind::Reply(Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }), 160),
            event(4, Source::Livekit, left, 5),
        ],
        outcomes: vec![],
        audit: vec![audit],
    }
}

#[test]
fn the_board_has_the_story_beside_it_and_it_scrolls() {
    let mut s = showing(busy(), false);
    s.live = Some(CallId(uuid(39)));
    s.resize(120, 40);
    let asked = press(&mut s, "L");
    assert!(asked.contains(&Effect::Show(Some(CallId(uuid(39))))), "{asked:?}");
    s.update(Msg::Detail(Box::new(story())));
    let shown = screen(&mut s, 120, 40);
    insta::assert_snapshot!("board_120x40", shown);
    for jargon in ["leg", "poll", "armed", "generation", "contactClocks"] {
        assert!(!shown.contains(jargon), "{jargon} is no word of a supervisor: {shown}");
    }
    assert_eq!(shown.matches("the phone rings").count(), 1, "what two told is said once");
    // Longer than its place, it scrolls, and no key is lost at the end.
    let mut long = story();
    long.row.notes = (0..60).map(|n| format!("note{n:02}")).collect::<Vec<_>>().join(" ");
    s.update(Msg::Detail(Box::new(long)));
    assert!(!screen(&mut s, 120, 20).contains("hung up by the contact"));
    press(&mut s, "]]]]]]]]");
    let end = screen(&mut s, 120, 20);
    assert!(end.contains("hung up by the contact"), "{end}");
    press(&mut s, "[");
    assert_ne!(screen(&mut s, 120, 20), end);
}

#[test]
fn events_are_chosen_by_level_and_read_in_full() {
    let mut s = showing(busy(), false);
    let shown = |s: &mut State| screen(s, 120, 40);
    press(&mut s, "EE");
    assert!(shown(&mut s).contains("what happened") && shown(&mut s).contains("P. Novak"));
    press(&mut s, "-j");
    let text = shown(&mut s);
    assert!(text.contains("what went wrong") && text.contains("the trunk was slow") && !text.contains("P. Novak"), "{text}");
    assert_eq!(text.matches("the trunk was slow to answer: 4 s").count(), 2, "the line stands in full below: {text}");
    press(&mut s, "-");
    assert!(shown(&mut s).contains("None of 6 lines is of this kind (errors only). + shows more"));
    press(&mut s, "++++");
    assert!(shown(&mut s).contains("the log too") && shown(&mut s).contains("the lease was renewed"));
}

#[test]
fn the_header_says_what_is_wrong_and_drops_from_the_right() {
    let top = |data: Snapshot, w: u16, h: u16| screen(&mut showing(data, false), w, h).lines().take(2).collect::<Vec<_>>().join("\n");
    let with = |change: &dyn Fn(&mut Head)| {
        let mut head = head();
        change(&mut head);
        Snapshot { head: Some(Arc::new(head)), ..busy() }
    };
    let lights = |head: &mut Head, change: &dyn Fn(&mut Lights)| change(head.lights.as_mut().unwrap());
    let shown = top(busy(), 120, 40);
    for words in ["dialdeck  SIMULATED", "● LiveKit", "● agents", "● hooks", "● trunk", "13/20", "3 running, 1 paused", "15:42:07"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    for words in ["dials/min 11", "answered 41 %", "to tag 1", "2 callbacks due", "abandoned 0.5 %", "failed 3 %"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let bad = with(&|h| lights(h, &|l| l.agents = System::other("agent worker", Light::Bad, "nobody came", Mend::ReadOn, "start one")));
    assert!(top(bad.clone(), 120, 40).contains("✗ agents"));
    assert!(top(bad, 80, 24).contains("✗ agents"), "the worst is named where there is no room for all");
    assert!(top(busy(), 80, 24).contains("● all well"));
    let old = with(&|h| lights(h, &|l| l.hook_at = Some(now() - Duration::minutes(7))));
    assert!(top(old, 120, 40).contains("● hooks 7 m"));
    let none = with(&|h| (h.figures.hour, h.figures.callbacks) = (Pace::default(), PromiseCount { due: 0, next: None }));
    let shown = top(none, 120, 40);
    assert!(shown.contains("answered -") && !shown.contains("callback"), "{shown}");
    // Whatever the width: what it is, and the clock; and nothing is cut in half.
    for w in 60..=200 {
        let shown = top(busy(), w, 40);
        let first = shown.lines().next().unwrap();
        assert!(first.contains("SIMULATED") && first.ends_with("15:42:07"), "{w}: {shown}");
        assert!(!shown.contains('…'), "{w}: {shown}");
    }
}

/// Cells of a screen with all its colours.
fn painted(s: &mut State, w: u16, h: u16) -> Buffer {
    s.resize(w, h);
    let mut terminal = Terminal::new(TestBackend::new(w, h)).unwrap();
    terminal.draw(|frame| draw(frame, s)).unwrap();
    terminal.backend().buffer().clone()
}

fn coloured(data: Snapshot) -> State {
    let dark = console::theme::load("dark", Path::new("/nonexistent"), Depth::True);
    let mut s = console::open(options(), blank().actor, dark, now());
    s.update(Msg::Data(Box::new(data)));
    s
}

/// The colour of the first cell of some words.
fn colour_of(buffer: &Buffer, words: &str) -> Color {
    let (w, h) = (buffer.area.width, buffer.area.height);
    let found = (0..h).find_map(|y| {
        let line: Vec<&str> = (0..w).map(|x| buffer[(x, y)].symbol()).collect();
        let at = line.concat().find(words)?;
        let x = line.iter().scan(0, |bytes, c| Some(std::mem::replace(bytes, *bytes + c.len()))).position(|b| b == at)?;
        Some(buffer[(u16::try_from(x).unwrap(), y)].fg)
    });
    found.unwrap_or_else(|| panic!("\"{words}\" is not on the screen"))
}

fn role(s: &State, role: &str) -> Color {
    s.theme.style(role).fg.unwrap()
}

#[test]
fn each_role_has_its_colour_on_the_deck() {
    let mut s = coloured(busy());
    s.live = None;
    let screen = painted(&mut s, 200, 60);
    for (words, wants) in [
        ("● on call", "call_answered"),
        ("◔ ringing     L. Okafor", "call_calling"),
        ("✗ busy", "text_faint"),
        ("Jane Roe", "text"),
        ("T. Berg", "text_faint"),
        ("callback? 91 %", "outcome_callback"),
        ("interested? 82 %", "outcome_interested"),
        ("asked to be", "text_dim"),
        ("◐ Win-back", "state_paused"),
        ("done about", "text_dim"),
        ("● LiveKit", "success"),
        ("2 callbacks due", "warn"),
        ("P pause ALL", "key"),
    ] {
        assert_eq!(colour_of(&screen, words), role(&s, wants), "{words}");
    }
    // One accent for the focus: border and title, and of one pane.
    let corners: Vec<Color> = (0..60).flat_map(|y| (0..200).map(move |x| (x, y))).filter(|at| screen[*at].symbol() == "╭").map(|at| screen[at].fg).collect();
    assert_eq!(corners.iter().filter(|c| **c == role(&s, "border_focus")).count(), 1, "{corners:?}");
    assert!(corners.iter().all(|c| *c == role(&s, "border_focus") || *c == role(&s, "border")));
    assert!(screen.content.iter().all(|c| !"═║╔╗╚╝".contains(c.symbol())), "no double lines");
}

/// Of each minute's dials the answered are at the foot, in a colour of their own; failures below.
#[test]
fn the_last_hour_shows_what_was_answered_of_what_was_dialled() {
    let mut s = coloured(busy());
    let screen = painted(&mut s, 200, 60);
    let row_of = |words: &str| (0..60).find(|y| (82..200).map(|x| screen[(x, *y)].symbol()).collect::<String>().contains(words)).unwrap();
    let (top, failed) = (row_of("dials 500"), row_of("failed 15"));
    assert!(row_of("answered 205, 41 %") > top && row_of("-60 min") == failed + 1);
    let left = (82..200).rfind(|x| screen[(*x, top)].symbol() == "d").unwrap() + 23;
    let colours = |y: u16| (left..199).filter(|x| screen[(*x, y)].symbol() != " ").map(|x| screen[(x, y)].fg).collect::<Vec<_>>();
    let (highest, lowest) = (colours(top), colours(failed - 1));
    assert!(!highest.is_empty() && highest.iter().all(|c| *c == role(&s, "spark")), "{highest:?}");
    assert!(lowest.len() > 30 && lowest.iter().all(|c| *c == role(&s, "call_answered")), "{lowest:?}");
    assert_eq!(colours(failed), vec![role(&s, "error"); 3], "three minutes had a failure");
}

#[test]
fn a_rows_age_colours_all_of_it_by_the_limits_of_its_state() {
    let mut s = coloured(busy());
    s.live = None;
    let screen = painted(&mut s, 160, 40);
    // Ringing for 58 s, limit 45.
    for words in ["Mei Tan", "+1 202 555 0183"] {
        assert_eq!(colour_of(&screen, words), role(&s, "error"), "{words}");
    }
    assert_eq!(colour_of(&screen, "Jane Roe"), role(&s, "text"));
    s.options.ages = "ringing=30/90, on_call=120/600".parse::<Ages>().unwrap();
    let screen = painted(&mut s, 160, 40);
    assert_eq!(colour_of(&screen, "Mei Tan"), role(&s, "warn"));
    assert_eq!(colour_of(&screen, "+1 202 555 0142"), role(&s, "warn"), "192 s on call");
}

/// Whatever theme is chosen: a terminal without the glyphs does not get them.
#[test]
fn a_terminal_of_ascii_stays_one_under_every_theme() {
    let mut s = showing(busy(), true);
    for theme in console::theme::names() {
        press(&mut s, &format!(":theme {theme}\n"));
        assert_eq!(s.theme.name, theme);
        let shown = screen(&mut s, 120, 40);
        assert!(shown.is_ascii() && shown.contains("+ C Campaigns 4 --"), "{shown}");
    }
}

/// Counts what would go over the wire.
#[derive(Clone, Default)]
struct Wire(Rc<Cell<usize>>);

impl std::io::Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A terminal that writes from the right may turn a name round, and nothing beside it.
#[test]
fn a_name_from_the_right_is_kept_apart_from_what_stands_beside_it() {
    let live = vec![row(42, "مريم حداد", CallState::Answered, 192), row(43, "Jane Roe", CallState::Answered, 100)];
    let mut s = showing(Snapshot { live, to_tag: vec![], ..busy() }, false);
    let shown = screen(&mut s, 120, 40);
    let bare = |l: &str| l.chars().filter(|c| !('\u{2066}'..='\u{2069}').contains(c)).collect::<String>();
    // What the painter makes of the marks is in `happened`.
    let line = shown.lines().find(|l| l.contains("on call") && l.contains('م')).unwrap();
    assert!(bare(line).contains("مريم حداد") && line.contains(" 3:12") && bare(line) != line, "{line}");
    let other = shown.lines().find(|l| l.contains("on call     Jane Roe")).unwrap();
    let plain = bare(line);
    assert_eq!(plain.chars().count(), other.chars().count(), "the marks take no cell");
}

/// Bytes that a second of talk costs on the wire.
fn bytes_a_second(w: u16, h: u16) -> usize {
    const SECONDS: usize = 20;
    let live: Vec<PaneRow> = (0..20u8).map(|n| row(100 + u128::from(n), &format!("Person {n}"), CallState::Answered, 60 + 31 * i64::from(n))).collect();
    let mut s = coloured(Snapshot { live, to_tag: vec![], ..busy() });
    s.resize(w, h);
    let wire = Wire::default();
    let area = Rect { x: 0, y: 0, width: w, height: h };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(wire.clone()), TerminalOptions { viewport: Viewport::Fixed(area) }).unwrap();
    terminal.draw(|frame| draw(frame, &s)).unwrap();
    let first = wire.0.get();
    for _ in 0..SECONDS {
        s.now += Duration::seconds(1);
        terminal.draw(|frame| draw(frame, &s)).unwrap();
    }
    assert!(wire.0.get() > first, "clocks go on");
    (wire.0.get() - first) / SECONDS
}

#[test]
fn twenty_calls_on_the_line_cost_little_on_the_wire() {
    let (small, large) = (bytes_a_second(120, 40), bytes_a_second(200, 60));
    assert!(small <= 1200 && large <= 2000, "{small} bytes a second at 120x40, {large} at 200x60");
}

#[test]
fn empty_panes_say_what_would_fill_them() {
    let mut s = showing(Snapshot { campaigns: vec![], live: vec![], to_tag: vec![], head: None, ..snapshot() }, false);
    // Without a campaign the first question is what is missing; the deck is one key away.
    press(&mut s, "\u{1b}");
    let shown = screen(&mut s, 200, 60);
    for words in [
        "i imports contacts, N makes a campaign",
        "They stand here once a campaign runs",
        "Nothing has happened yet",
        "No dial in the last hour",
        "its story stands here",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

/// Every dial and every answer is in the rates while it is on the line, and the head is of the rows.
#[tokio::test]
async fn the_head_of_the_deck_is_read_off_the_rows() {
    let (office, id) = Office::calling(csv_of(3), |s| s.daily_cap = 500).await;
    let day = office.now() - Duration::hours(12);
    let read = async || office.desk.head(office.actor.owner, day).await.unwrap();
    let before = read().await;
    assert_eq!((before.figures.hour.dials, before.next.get(&id)), (0, Some(&Next::Waits("engine".into(), None))), "no engine runs here");
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    let live = read().await;
    assert_eq!((live.figures.hour.dials, live.figures.hour.answered, live.figures.dials_per_minute), (1, 1, 1), "on the line, and counted");
    assert_eq!((live.today.dials, live.today.answered), (1, 1));
    let lights = live.lights.unwrap();
    assert_eq!((lights.lines.0, lights.trunk.light), (1, Light::Good), "a line is in use");
    assert_eq!(lights.livekit.light, Light::Bad, "no engine runs in this office");
    office.tag(call, Outcome::Interested).await;
    office.wait(Duration::seconds(1));
    assert_eq!(read().await.outcomes[0], (Outcome::Interested, 1));
}

/// The reason that the agent gives stands with what it suggests.
#[tokio::test]
async fn a_look_brings_the_agents_reasons() {
    let (office, id) = Office::calling(csv_of(1), |_| {}).await;
    let call = office.dial(id).await.unwrap();
    office.reply(call, Reply::Answered { participant_sid: "PA_1".into(), sip_call_id: "SCL_1".into() }).await;
    let set = dialdeck::desk::SetOutcome {
        call,
        outcome: Some(Outcome::Interested),
        notes: Some("asked for the price list".into()),
        who: Who::Agent,
        confidence: Some(0.8),
        callback_at: None,
        expected: None,
    };
    office.desk.set_outcome(office.actor.clone(), set).await.unwrap();
    let clock: dialdeck::clock::SharedClock = Arc::new(dialdeck::clock::SystemClock::new());
    let ring = dialdeck::telemetry::Ring::new(clock);
    let look = console::look(&office.desk, &office.actor, &ring, office.now(), false).await.unwrap();
    assert_eq!(look.reasons.get(&call).map(String::as_str), Some("asked for the price list"));
}
