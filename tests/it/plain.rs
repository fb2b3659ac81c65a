//! The console in lines: what is typed, what is said, and that every tag goes to the call it names.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::Duration as Span;
use dialdeck::{
    console::{Answer, Effect, Ending, Msg, Question, Snapshot, plain::Lines},
    domain::{
        call::State as CallState,
        id::{CallId, CampaignId},
        outcome::Outcome,
    },
    store::PromisedCall,
};

use crate::console::{blank, row, snapshot, uuid};

/// What is said of a line, and what it wants done.
fn typed(lines: &mut Lines, text: &str) -> (String, Vec<Effect>) {
    lines.plain.state.now += Span::seconds(1);
    let said = lines.hear(Msg::Paste(format!("{text}\n")));
    (said.lines.join("\n"), said.effects)
}

fn lines() -> Lines {
    let mut lines = Lines::new(blank(), true);
    lines.hear(Msg::Data(Box::new(snapshot())));
    lines
}

/// The number that a person's call has in a list.
fn number(said: &str, name: &str) -> usize {
    let line = said.lines().find(|l| l.contains(name)).unwrap_or_else(|| panic!("no {name} in:\n{said}"));
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn a_call_keeps_its_number_and_the_tag_goes_to_it() {
    let mut l = lines();
    let (said, _) = typed(&mut l, "calls");
    let (ana, jane) = (number(&said, "Ana Lima"), number(&said, "Jane Roe"));
    // The order changes, others come: the number is hers.
    let mut data = snapshot();
    data.live.insert(0, row(70, "Somebody New", CallState::Completed, 3));
    data.live.reverse();
    l.hear(Msg::Data(Box::new(data)));
    let (_, effects) = typed(&mut l, &format!("tag {ana} interested"));
    assert!(
        matches!(effects.as_slice(), [Effect::Tag { call, name, outcome: Some(Outcome::Interested), .. }] if *call == CallId(uuid(39)) && name == "Ana Lima")
    );
    let (said, effects) = typed(&mut l, &format!("tag {jane} 6"));
    assert!(matches!(effects.as_slice(), [Effect::Tag { outcome: Some(Outcome::WrongNumber), .. }]), "{said}");
    let (said, effects) = typed(&mut l, "tag 99 interested");
    assert!(effects.is_empty() && said.contains("no call has the number \"99\""), "{said}");
    let okafor = number(&typed(&mut l, "calls").0, "L. Okafor");
    let (said, effects) = typed(&mut l, &format!("tag {okafor} interested"));
    assert!(effects.is_empty() && said.contains("needs an answered call; this one is ringing"), "{said}");
}

#[test]
fn questions_are_numbered_and_enter_alone_leaves_them() {
    let mut l = lines();
    let ana = number(&typed(&mut l, "queue").0, "Ana Lima");
    let (said, effects) = typed(&mut l, &format!("tag {ana}"));
    assert!(effects.is_empty() && said.contains("Ana Lima: which outcome?") && said.contains("3 callback"), "{said}");
    let (said, effects) = typed(&mut l, "");
    assert!(effects.is_empty() && said.contains("left as it is"), "{said}");
    typed(&mut l, &format!("tag {ana}"));
    let (said, _) = typed(&mut l, "3");
    assert!(said.contains("When is Ana Lima to be called back?"), "{said}");
    let (_, effects) = typed(&mut l, "+2h");
    assert!(matches!(effects.as_slice(), [Effect::Tag { outcome: Some(Outcome::Callback), callback_at: Some(_), .. }]), "{effects:?}");
    // What nobody understands is asked again, until there is a time or a no.
    l.plain.state.saving.clear();
    typed(&mut l, &format!("tag {ana} callback"));
    let (said, effects) = typed(&mut l, "some day");
    assert!(effects.is_empty() && said.contains("nothing was changed") && said.contains("When is Ana Lima"), "{said}");
    let (_, effects) = typed(&mut l, "+3h");
    assert!(matches!(effects.as_slice(), [Effect::Tag { callback_at: Some(_), .. }]), "{effects:?}");
    l.plain.state.saving.clear();
    for leaves in ["no", "stop Q4 Sales", "NO"] {
        if leaves == "no" {
            typed(&mut l, &format!("tag {ana} callback"));
        }
        let (said, effects) = typed(&mut l, leaves);
        assert!(!effects.iter().any(|e| matches!(e, Effect::Tag { .. } | Effect::Stop { .. })), "{said}");
    }
    assert!(l.plain.ask.is_none(), "no leaves a question with numbers too");
}

#[test]
fn a_stop_asks_and_an_answer_that_was_typed_ahead_is_not_taken() {
    let mut l = lines();
    let (said, effects) = typed(&mut l, "stop Q4 Sales");
    assert!(
        matches!(effects.as_slice(), [Effect::Ask(_)])
            && said.contains("Stop \"Q4 Sales\"? 3 live calls; 620 people would not be called")
            && said.contains("2 stop it and hang up now"),
        "{said}"
    );
    let mut found = crate::deck::room();
    found.promised = vec![PromisedCall {
        id: CallId(uuid(70)),
        campaign_id: CampaignId(uuid(10)),
        campaign_name: "Q4 Sales".into(),
        phone_number: "+12025550170".into(),
        contact_name: "Ines Tan".into(),
        zones: "America/New_York".into(),
        due: crate::console::now(),
        reason: String::new(),
    }];
    let told = |l: &mut Lines, id| l.hear(Msg::Answer(Question::Campaign(id), Ok(Answer::Campaign(Some(Box::new(found.clone())))))).lines.join("\n");
    assert_eq!(told(&mut l, CampaignId(uuid(11))), "", "another's");
    let kept = told(&mut l, CampaignId(uuid(10)));
    assert!(kept.contains("Not kept: 1 promised callback: Ines Tan ") && kept.contains("The question before stands"), "{kept}");
    let said = l.hear(Msg::Paste("1\n".into()));
    assert!(said.effects.is_empty(), "in the same moment: {:?}", said.effects);
    let (_, effects) = typed(&mut l, "1");
    assert_eq!(effects, [Effect::Stop { campaign: CampaignId(uuid(10)), name: "Q4 Sales".into(), hang_up: false }]);
    typed(&mut l, "stop q4 sales");
    let (said, effects) = typed(&mut l, "2");
    assert!(effects.is_empty() && said.contains("hang up on 3 people in mid-call?"), "{said}");
    let (_, effects) = typed(&mut l, "1");
    assert!(matches!(effects.as_slice(), [Effect::Stop { hang_up: true, .. }]), "{effects:?}");
    let (said, effects) = typed(&mut l, "stop all");
    assert!(effects.is_empty() && said.contains("Type STOP"), "{said}");
    let (_, effects) = typed(&mut l, "stop");
    assert!(effects.is_empty(), "the word is STOP");
    typed(&mut l, "stop all");
    assert_eq!(typed(&mut l, "STOP").1, [Effect::KillSwitch(true)]);
}

#[test]
fn campaigns_are_named_or_numbered() {
    let mut l = lines();
    assert!(matches!(typed(&mut l, "pause Q4 Sales").1.as_slice(), [Effect::Pause(id, _)] if *id == CampaignId(uuid(10))));
    let win = number(&typed(&mut l, "campaigns").0, "Win-back");
    assert!(matches!(typed(&mut l, &format!("start {win}")).1.as_slice(), [Effect::Start(id, _)] if *id == CampaignId(uuid(11))));
    let (said, effects) = typed(&mut l, "start Nobody");
    assert!(effects.is_empty() && said.contains("no campaign is called \"Nobody\""), "{said}");
    assert_eq!(typed(&mut l, "why Win-back").1, [Effect::Why(CampaignId(uuid(11)))]);
    let said = l.hear(Msg::Why { title: "Why: Win-back".into(), lines: vec!["it is not started".into()] });
    assert_eq!(said.lines, ["Why: Win-back", "it is not started"]);
    let said = l.hear(Msg::Terms(CampaignId(uuid(11)), "Win-back".into())).lines.join("\n");
    assert!(said.contains("Your name accepts"), "{said}");
    let (_, effects) = typed(&mut l, "Ana Lima");
    assert!(matches!(effects.as_slice(), [Effect::AcceptTerms { person, .. }] if person == "Ana Lima"), "{effects:?}");
}

#[test]
fn each_event_is_one_line_and_foreign_text_moves_nothing() {
    let mut l = lines();
    let mut data = snapshot();
    data.live[1].state = CallState::Answered;
    data.live[1].answered_at = Some(data.at);
    let mut evil = row(77, "Eve\u{1b}[2J\u{202e}\n\rroot\u{7}", CallState::Ringing, 2);
    evil.campaign_name = "A\u{9b}31mB".into();
    data.live.push(evil);
    l.plain.state.now += Span::seconds(1);
    let said = l.hear(Msg::Data(Box::new(data.clone())));
    let text = said.lines.join("\n");
    assert!(text.contains("L. Okafor ..0181: answered") && text.contains("ringing"), "{text}");
    assert_eq!(said.lines.len(), 2, "{text}");
    assert!(said.lines.iter().all(|line| !line.chars().any(|c| c.is_control() || c == '\u{202e}')), "{text:?}");
    assert!(l.hear(Msg::Data(Box::new(data))).lines.is_empty(), "nothing new is nothing said");
    let mut flood = snapshot();
    flood.live = (0..90).map(|n| row(100 + n, "Somebody", CallState::Ringing, 1)).collect();
    let said = l.hear(Msg::Data(Box::new(flood)));
    assert!(said.lines.len() <= 22 && said.lines.iter().any(|l| l.contains("and 70 more")), "{:?}", said.lines);
}

#[test]
fn a_read_only_console_in_lines_changes_nothing() {
    let mut l = lines();
    let ana = number(&typed(&mut l, "queue").0, "Ana Lima");
    l.plain.state.options.read_only = true;
    let tags = [format!("tag {ana} interested"), format!("tag {ana}"), format!("note {ana} x"), format!("hang-up {ana}")];
    let verbs = ["start Win-back", "pause Q4 Sales", "stop Q4 Sales", "stop all", "pause all", "P", "undo"].map(str::to_owned);
    for line in verbs.into_iter().chain(tags) {
        let (said, effects) = typed(&mut l, &line);
        assert!(effects.is_empty() && l.plain.ask.is_none(), "{line}: {said} {effects:?}");
    }
}

#[test]
fn leaving_with_live_calls_asks_and_an_end_that_waits_says_for_whom() {
    let mut l = lines();
    let (said, effects) = typed(&mut l, "quit");
    assert!(effects.is_empty() && said.contains("3 live calls. How to leave?") && !said.contains("keep running"), "{said}");
    assert_eq!(typed(&mut l, "1").1, [Effect::Leave(Ending::Drain)]);
    assert_eq!(l.plain.state.leave(Ending::Drain), None, "it waits");
    let said = l.tick().lines.join("\n");
    assert!(said.contains("ending: nothing new is dialled") && said.contains("3 live calls (Jane Roe, L. Okafor"), "{said}");
    let over = |mut r: dialdeck::store::PaneRow| {
        r.state = CallState::Completed;
        r
    };
    l.hear(Msg::Data(Box::new(Snapshot { live: snapshot().live.into_iter().map(over).collect(), ..snapshot() })));
    assert_eq!(l.plain.state.left(), Some(Ending::Drain));
}

/// The real program over pipes: a program types, a program reads.
struct Pipe {
    child: Child,
    said: Arc<Mutex<String>>,
    _home: tempfile::TempDir,
}

impl Pipe {
    fn demo() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_dialdeck"))
            .args(["demo", "--plain", "--speed", "20"])
            .env_clear()
            .env("HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said: Arc<Mutex<String>> = Arc::default();
        let (kept, out) = (said.clone(), child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                kept.lock().unwrap().push_str(&(line.unwrap() + "\n"));
            }
        });
        Self { child, said, _home: home }
    }

    fn type_line(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn wait_for(&self, what: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let said = self.said.lock().unwrap().clone();
            if what(&said) {
                return said;
            }
            assert!(Instant::now() < end, "{said}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn a_program_starts_tags_finds_and_leaves_over_pipes() {
    let mut t = Pipe::demo();
    t.wait_for(|said| said.contains("SIMULATED"));
    t.type_line("start Q4 Sales");
    let said = t.wait_for(|said| said.contains("To tag: tag "));
    let number = said.split("To tag: tag ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    t.type_line(&format!("tag {number}"));
    t.wait_for(|said| said.contains("which outcome?"));
    t.type_line("2");
    let said = t.wait_for(|said| said.contains("\"not interested\" - u undoes"));
    let name = said.split("\ntagged ").nth(1).unwrap().split(" \"").next().unwrap().to_owned();
    t.type_line("undo");
    t.wait_for(|said| said.contains(&format!("{name} is without a tag again")));
    t.type_line(&format!("find {name}"));
    t.type_line(&format!("story {number}"));
    t.wait_for(|said| said.contains("attempt 1"));
    t.type_line("pause Q4 Sales");
    t.wait_for(|said| said.contains("paused \"Q4 Sales\""));
    t.type_line("quit");
    // With nobody on the line it has left already.
    std::thread::sleep(Duration::from_millis(500));
    let _ = writeln!(t.child.stdin.as_mut().unwrap(), "2");
    let status = t.child.wait().unwrap();
    let said = t.said.lock().unwrap().clone();
    assert!(status.success(), "{said}");
    assert!(!said.contains('\u{1b}') && said.lines().all(|l| l.chars().count() <= 2001), "no line is drawn over another");
}

#[test]
fn the_end_of_the_input_is_the_end_of_a_console_in_lines() {
    let mut t = Pipe::demo();
    t.wait_for(|said| said.contains("SIMULATED"));
    drop(t.child.stdin.take());
    assert!(t.child.wait().unwrap().success());
}

/// A call that is over for a while has left the screen's rows: it is looked up, and the tag goes to it.
#[test]
fn a_number_is_good_for_as_long_as_the_console_runs() {
    let mut l = lines();
    let shah = number(&typed(&mut l, "calls").0, "R. Shah");
    l.hear(Msg::Data(Box::new(Snapshot { live: Vec::new(), to_tag: Vec::new(), ..snapshot() })));
    let (said, effects) = typed(&mut l, &format!("tag {shah} 6"));
    assert_eq!(effects, [Effect::Show(Some(CallId(uuid(33))))], "{said}");
    let detail = dialdeck::console::Detail { row: row(33, "R. Shah", CallState::Busy, 0), timeline: vec![], outcomes: vec![], audit: vec![] };
    let said = l.hear(Msg::Detail(Box::new(detail)));
    assert!(said.effects.iter().any(|e| matches!(e, Effect::Tag { call, outcome: Some(Outcome::WrongNumber), .. } if *call == CallId(uuid(33)))), "{said:?}");
}
