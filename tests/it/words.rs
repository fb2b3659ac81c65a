//! What the screen says: errors and alerts whole, keys as the one table has them, everything by its name.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    console::{self, ConsoleOptions, Depth, Effect, Msg, Snapshot, State, TABLE, Theme},
    domain::{
        call::State as CallState,
        campaign::Status,
        id::{CallId, CampaignId},
        stats::Counts,
    },
};

use crate::console::{assistants, blank, campaign, now, options, press, row, screen, snapshot, sources, state, uuid};

fn code(s: &mut State, code: KeyCode) -> Vec<Effect> {
    s.now += chrono::Duration::milliseconds(400);
    s.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

const REMEDY: &str = "No outbound trunk was found for the number of the assistant \"Sarah from Acme Corporation\": give the assistant a number \
                      with `dialdeck number assign +12025550100 --assistant Sarah --address NAME.pstn.twilio.com`, then start the campaign again";

/// Words as they stand on the screen, however they were broken.
fn flat(shown: &str) -> String {
    let frames: &[char] = &['│', '▌', '▐', '╭', '╮', '╰', '╯', '─'];
    shown.replace(frames, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_error_is_read_to_its_end_at_80x24_and_stands_beside_what_goes_well() {
    let mut s = state();
    s.update(Msg::Done { words: String::new(), result: Err(REMEDY.into()) });
    let end = "then start the campaign again";
    let shown = flat(&screen(&mut s, 80, 24));
    assert!(shown.contains(end) || shown.contains("(! has all)"), "{shown}");
    s.update(Msg::Done { words: "paused \"Win-back\"".into(), result: Ok(()) });
    let shown = flat(&screen(&mut s, 80, 24));
    assert!(shown.contains("No outbound trunk") && shown.contains("paused \"Win-back\""), "{shown}");
    press(&mut s, "!");
    assert!(flat(&screen(&mut s, 80, 24)).contains(end), "the list has it whole");
    press(&mut s, "\u{1b}\u{1b}");
    assert!(!screen(&mut s, 80, 24).contains("No outbound trunk"), "Esc puts it away");
    press(&mut s, "!");
    assert!(flat(&screen(&mut s, 80, 24)).contains(end), "and the list still has it");
}

/// The alert's campaign is that of its why, whatever the cursor stands on.
#[test]
fn the_list_of_alerts_answers_why_for_the_campaign_it_names() {
    let mut s = blank();
    let mut data = snapshot();
    data.campaigns.push(campaign(12, "Failing one", Status::Error, Counts::default()));
    data.campaigns[2].row.status_reason = format!("{REMEDY}.");
    data.last_failure = Some((CampaignId(uuid(11)), 3, 20, "SIP 486".into()));
    s.update(Msg::Data(Box::new(data)));
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("! Win-back: 3 of the last 20 dials failed (SIP 486)") && shown.contains("1 of 2, ! opens"), "{shown}");
    press(&mut s, "!");
    assert!(flat(&screen(&mut s, 80, 24)).contains("then start the campaign again."));
    assert_eq!(press(&mut s, "w"), [Effect::Why(CampaignId(uuid(11)))]);
    press(&mut s, "!j");
    assert_eq!(press(&mut s, "\n"), [Effect::Why(CampaignId(uuid(12)))]);
}

#[test]
fn the_footer_offers_only_what_works_now() {
    let mut s = blank();
    s.update(Msg::Data(Box::new(Snapshot { live: vec![row(33, "R. Shah", CallState::Busy, 0)], to_tag: vec![], ..snapshot() })));
    let footer = |s: &mut State| screen(s, 200, 60).lines().rev().take(2).collect::<Vec<_>>().join("\n");
    let shown = footer(&mut s);
    assert!(shown.contains("4 do not call") && shown.contains("6 wrong number"), "{shown}");
    for word in ["interested", "callback", "voicemail", "hang up", "clear", "takes back", "start"] {
        assert!(!shown.contains(word), "{word} is refused, and offered: {shown}");
    }
    for word in ["p pause", "x stop", "e edit", "P pause ALL", "/ find", ": command", "? help", "q quit"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    s.options.read_only = true;
    let shown = footer(&mut s);
    for word in ["do not call", "note", "stop", "edit", "new"] {
        assert!(!shown.contains(word), "{word} under read-only: {shown}");
    }
    let mut s = blank();
    s.update(Msg::Data(Box::new(Snapshot { live: vec![], to_tag: vec![], ..snapshot() })));
    let shown = footer(&mut s);
    assert!(shown.contains("no call here") && !shown.contains("note") && !shown.contains("hang up"), "{shown}");
}

/// Every row of the table stands in the help, with its keys; and every one does something, or says why not.
#[test]
fn every_key_of_the_table_is_in_the_help_and_answers() {
    let mut s = state();
    press(&mut s, "?");
    let shown = screen(&mut s, 200, 100);
    for row in TABLE {
        let keys = if row.keys.is_empty() { format!(":{}", row.name) } else { row.keys.join(" ") };
        let found = shown.contains(&format!("{keys} ")) && shown.contains(&row.words.chars().take(40).collect::<String>());
        assert!(found, "{}: {keys} {}\n{shown}", row.name, row.words);
    }
    // At 80x24 it scrolls to its end, and one step back shows.
    let mut s = state();
    press(&mut s, "?");
    screen(&mut s, 80, 24);
    press(&mut s, "G");
    let last = screen(&mut s, 80, 24);
    assert!(last.contains("theme NAME"), "{last}");
    press(&mut s, "jjjk");
    assert_ne!(screen(&mut s, 80, 24), last, "no step is lost beyond the end");
    let mut s = state();
    assert_eq!(press(&mut s, "r"), []);
    assert!(flat(&screen(&mut s, 80, 24)).contains("the call with Jane Roe is not over"));
}

#[test]
fn the_palette_finds_by_a_few_letters_and_says_why_not() {
    let mut s = state();
    let mut data = snapshot();
    (data.assistants, data.sources) = (assistants(), sources());
    s.update(Msg::Data(Box::new(data)));
    press(&mut s, ":resum");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("resume NAME"), "{shown}");
    press(&mut s, "\u{1b}:");
    press(&mut s, "relea");
    let shown = screen(&mut s, 120, 40);
    assert!(shown.contains("release") && shown.contains("the kill switch is off"), "{shown}");
    press(&mut s, "\n");
    assert!(s.dialog.is_some() && screen(&mut s, 120, 40).contains("the kill switch is off"), "what was typed stays");
    press(&mut s, "\u{1b}:");
    // A campaign by a few letters behind a verb; a call, a list.
    assert_eq!(press(&mut s, "why winb\n"), [Effect::Why(CampaignId(uuid(11)))]);
    press(&mut s, ":shah\n");
    assert_eq!(s.live, Some(CallId(uuid(33))));
    press(&mut s, ":leadscsv\n");
    assert!(screen(&mut s, 120, 40).contains("New campaign") && screen(&mut s, 120, 40).contains("leads.csv"));
    press(&mut s, "\u{1b}");
    // What was typed before, by the up key.
    press(&mut s, ":");
    code(&mut s, KeyCode::Up);
    assert!(screen(&mut s, 120, 40).contains(": why Win-back_"), "{}", screen(&mut s, 120, 40));
    press(&mut s, "\u{1b}:nonsense at all\n");
    assert!(screen(&mut s, 120, 40).contains("nothing is called \"nonsense at all\""));
}

#[test]
fn commands_do_what_they_say() {
    let mut s = state();
    assert_eq!(press(&mut s, ":pause all\n"), [Effect::PauseAll]);
    assert_eq!(press(&mut s, ":stop all\n"), []);
    assert_eq!(press(&mut s, "k"), [], "the kill switch asks");
    assert!(screen(&mut s, 80, 24).contains("Type STOP:"));
    assert_eq!(press(&mut s, "stop\n"), [], "the word must be right");
    press(&mut s, "\u{1b}:stop all\nk");
    assert_eq!(press(&mut s, "STOP\n"), [Effect::KillSwitch(true)]);
    s.update(Msg::Data(Box::new(Snapshot { kill_switch: true, ..snapshot() })));
    assert_eq!(press(&mut s, ":release\n"), [], "it asks");
    assert_eq!(press(&mut s, "RELEASE\n"), [Effect::KillSwitch(false)]);
    press(&mut s, ":readonly\n");
    assert!(s.options.read_only);
    assert_eq!(press(&mut s, ":stop all\n"), []);
    assert!(s.dialog.is_none(), "no question whose answer is refused");
    press(&mut s, ":readonly\n");
    assert!(!s.options.read_only, "it can be taken back");
    press(&mut s, ":theme nope\n");
    assert!(screen(&mut s, 120, 40).contains("nothing is called \"theme nope\""));
    press(&mut s, "\u{1b}:theme light\n");
    assert_eq!(s.theme.name, "light");
}

#[test]
fn a_file_of_keys_goes_over_the_table_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.toml");
    std::fs::write(&file, "[keys]\npause-all = \"F9\"\nnote = \"x\"\nnothing = \"y\"\n").unwrap();
    let options = ConsoleOptions { keys_file: file, ..options() };
    let theme = Theme::parse("mono", "[meta]\ncolour = \"none\"", Depth::None).unwrap();
    let mut s = console::open(options, state().actor, theme, now());
    s.update(Msg::Data(Box::new(snapshot())));
    let shown = flat(&screen(&mut s, 200, 60));
    assert!(shown.contains("line 4: there is no action \"nothing\"") || shown.contains("2 errors"), "{shown}");
    assert!(shown.contains("F9 pause ALL") && shown.contains("x note"), "{shown}");
    press(&mut s, "!");
    let shown = flat(&screen(&mut s, 120, 40));
    assert!(shown.contains("line 3 gives x to note, and its built-in key to stop") && shown.contains("no action \"nothing\""), "{shown}");
    press(&mut s, "\u{1b}");
    assert_eq!(press(&mut s, "P"), []);
    assert_eq!(code(&mut s, KeyCode::F(9)), [Effect::PauseAll]);
    press(&mut s, "x");
    assert!(screen(&mut s, 120, 40).contains("Note on Jane Roe"));
}

#[test]
fn what_is_typed_is_seen_where_the_caret_is_and_not_lost_by_one_key() {
    let mut s = state();
    press(&mut s, "N");
    press(&mut s, &"abcdefghij".repeat(15));
    let shown = screen(&mut s, 80, 24);
    assert!(shown.contains("ghij_"), "the end is seen while it is typed: {shown}");
    code(&mut s, KeyCode::Left);
    code(&mut s, KeyCode::Left);
    press(&mut s, "X");
    assert!(screen(&mut s, 80, 24).contains("ghXi"), "{}", screen(&mut s, 80, 24));
    press(&mut s, "\u{1b}");
    assert!(s.dialog.is_some() && screen(&mut s, 80, 24).contains("Esc again throws away"));
    press(&mut s, "Y");
    assert!(screen(&mut s, 80, 24).contains("ghXYi"), "any other key goes on");
    press(&mut s, "\u{1b}\u{1b}");
    assert!(s.dialog.is_none());
    // A note of several lines.
    press(&mut s, "n");
    press(&mut s, "wants the price list, then a call on tuesday at three or, if she is away, wednesday morning before ten please");
    let shown = flat(&screen(&mut s, 80, 24));
    assert!(shown.contains("wants the price list") && shown.contains("before ten please"), "{shown}");
    let effects = press(&mut s, "\n");
    assert!(matches!(effects.as_slice(), [Effect::Note { note, .. }] if note.ends_with("please")), "{effects:?}");
}

#[test]
fn a_letter_twice_is_the_whole_screen_and_esc_goes_back() {
    for (keys, title) in [("CC", "C Campaigns 2"), ("LL", "L Live calls 3"), ("OO", "To tag 1"), ("EE", "E Events")] {
        let mut s = state();
        // Live calls have the focus at first: one press more is the second.
        press(&mut s, if keys == "LL" { "L" } else { keys });
        let shown = screen(&mut s, 120, 40);
        assert!(shown.contains(&format!("deck › {title}")) && shown.contains("Esc the deck"), "{shown}");
        let panes = shown.lines().filter(|l| l.contains('╭')).count();
        // What the cursor stands on is beside the list, or below it.
        assert_eq!(panes, 2, "{shown}");
        press(&mut s, "\u{1b}");
        assert!(screen(&mut s, 120, 40).lines().filter(|l| l.contains('╭')).count() > 1);
    }
}

#[test]
fn events_are_read_from_the_newest_down_and_a_line_stays_under_the_cursor() {
    let mut s = state();
    let line = |number: u64| dialdeck::telemetry::LogLine {
        number,
        at: now(),
        level: tracing::Level::WARN,
        target: "engine".into(),
        text: format!("line {number} {}", "and more ".repeat(30)),
    };
    let look = |n: u64| Msg::Data(Box::new(Snapshot { logs: (1..=n).map(line).collect(), log_count: n, ..snapshot() }));
    s.update(look(50));
    press(&mut s, "Ejj");
    let bar = |s: &mut State| screen(s, 120, 40).lines().find(|l| l.contains("│▌")).map(str::to_owned);
    assert!(bar(&mut s).unwrap().contains("line 49 "), "the second step is the line below the newest: {:?}", bar(&mut s));
    s.update(look(60));
    assert!(bar(&mut s).unwrap().contains("line 49 "), "new lines do not slide it away");
    press(&mut s, "\n");
    assert!(flat(&screen(&mut s, 120, 40)).matches("and more").count() >= 30, "Enter shows the line whole");
    press(&mut s, "\n");
    press(&mut s, "g");
    assert!(bar(&mut s).unwrap().contains("line 60 "));
    press(&mut s, "\u{1b}");
    assert!(screen(&mut s, 120, 40).contains(" live ─╯"));
}

#[test]
fn the_smallest_screens_say_what_works_and_lose_nothing_in_silence() {
    let mut s = state();
    press(&mut s, "n");
    let shown = flat(&screen(&mut s, 59, 14));
    assert!(shown.contains("SIMULATED") && shown.contains("P pauses all, q drains") && shown.contains("needs 60x15"), "{shown}");
    assert_eq!(press(&mut s, "P"), [Effect::PauseAll], "with a dialog open behind it too");
    let shown = screen(&mut s, 60, 15);
    assert!(shown.contains("live 3/20"), "{shown}");
    press(&mut s, "\u{1b}\u{1b}");
    let shown = screen(&mut s, 60, 15);
    assert!(shown.contains("6 wr"), "all six digits: {shown}");
}
