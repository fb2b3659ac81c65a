//! The eighteen commonest tasks of an operator, each with the keys it may cost from the screen as it stands after
//! the start: live calls have the focus, the cursor is on the first of them.

use chrono::Duration;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use dialdeck::{
    console::{Effect, Msg, Question, Snapshot, State},
    domain::{
        call::State as CallState,
        id::{CallId, CampaignId, SourceId},
        outcome::Outcome,
    },
};

use crate::console::{assistants, row, screen, snapshot, sources, state, uuid};

/// A hand at the keys that counts them; a shifted letter is one, typed words are counted apart. `>` is the right arrow
/// and `^` Ctrl-s.
struct Hand {
    s: State,
    keys: usize,
    typed: usize,
}

impl Hand {
    fn at(s: State) -> Self {
        Self { s, keys: 0, typed: 0 }
    }

    fn one(&mut self, code: KeyCode) -> Vec<Effect> {
        self.s.now += Duration::milliseconds(400);
        self.s.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    fn press(&mut self, keys: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for c in keys.chars() {
            self.keys += 1;
            effects.extend(match c {
                '\n' => self.one(KeyCode::Enter),
                '\t' => self.one(KeyCode::Tab),
                '>' => self.one(KeyCode::Right),
                '^' => self.s.update(Msg::Key(KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL))),
                c => self.one(KeyCode::Char(c)),
            });
        }
        effects
    }

    fn types(&mut self, words: &str) {
        for c in words.chars() {
            self.typed += 1;
            self.one(KeyCode::Char(c));
        }
    }

    fn sees(&mut self, words: &str) {
        let shown = screen(&mut self.s, 120, 40);
        assert!(shown.contains(words), "\"{words}\" is not on\n{shown}");
    }

    #[track_caller]
    fn cost(&self, keys: usize) {
        assert_eq!(self.keys, keys);
    }
}

fn queue_of(n: u128) -> Snapshot {
    let to_tag = (0..n).map(|i| row(50 + i, &format!("Person {i}"), CallState::Completed, 100)).collect();
    Snapshot { to_tag, ..snapshot() }
}

#[test]
fn t1_is_all_well() {
    let mut hand = Hand::at(state());
    hand.sees("● LiveKit");
    hand.sees("answered 41 %");
    hand.sees("to tag 1");
    hand.cost(0);
}

#[test]
fn t2_tag_an_ended_call() {
    let mut hand = Hand::at(state());
    // The row that is wanted is selected.
    hand.press("jjjj");
    hand.keys = 0;
    let effects = hand.press("1");
    assert!(matches!(effects.as_slice(), [Effect::Tag { call, outcome: Some(Outcome::Interested), .. }] if *call == CallId(uuid(39))), "{effects:?}");
    hand.cost(1);
}

#[test]
fn t3_tag_the_next_ten() {
    let mut hand = Hand::at(state());
    hand.s.update(Msg::Data(Box::new(queue_of(10))));
    let mut effects = hand.press("O");
    effects.extend(hand.press("1121215112"));
    let mut tagged: Vec<CallId> = effects.iter().filter_map(|e| if let Effect::Tag { call, .. } = e { Some(*call) } else { None }).collect();
    tagged.sort();
    tagged.dedup();
    assert_eq!(tagged.len(), 10, "each on its own call: {effects:?}");
    hand.cost(11);
}

#[test]
fn t4_undo_a_wrong_tag() {
    let mut hand = Hand::at(state());
    hand.press("jjjj2");
    let (call, name) = (CallId(uuid(39)), "Ana Lima".to_owned());
    hand.s.update(Msg::Tagged { call, name, outcome: Some(Outcome::NotInterested), previous: None, undone: false, result: Ok(None) });
    hand.keys = 0;
    let effects = hand.press("u");
    assert!(matches!(effects.as_slice(), [Effect::UndoTag { .. }]), "{effects:?}");
    hand.cost(1);
}

#[test]
fn t5_t6_pause_one_and_all() {
    let mut hand = Hand::at(state());
    assert_eq!(hand.press("p"), [Effect::Pause(CampaignId(uuid(10)), "Q4 Sales".into())]);
    hand.cost(1);
    let mut hand = Hand::at(state());
    assert_eq!(hand.press("P"), [Effect::PauseAll]);
    hand.cost(1);
}

#[test]
fn t7_start_an_idle_campaign_some_rows_down() {
    let mut hand = Hand::at(state());
    assert_eq!(hand.press("Cjs"), [Effect::Start(CampaignId(uuid(11)), "Win-back".into())]);
    hand.cost(3);
}

#[test]
fn t8_stop_and_let_live_calls_end() {
    let mut hand = Hand::at(state());
    let effects = hand.press("xk");
    assert!(matches!(effects.as_slice(), [Effect::Ask(_), Effect::Stop { hang_up: false, .. }]), "{effects:?}");
    hand.cost(2);
}

#[test]
fn t9_why() {
    let mut hand = Hand::at(state());
    assert_eq!(hand.press("w"), [Effect::Why(CampaignId(uuid(10)))]);
    hand.cost(1);
}

/// One key more than a filter of the screen, and every call ever instead of those on it.
#[test]
fn t10_find_by_the_last_digits() {
    let mut hand = Hand::at(state());
    hand.press("/");
    hand.types("0133");
    hand.press("\n");
    hand.sees("R. Shah");
    assert!(!screen(&mut hand.s, 120, 40).contains("L. Okafor"));
    assert_eq!((hand.keys, hand.typed), (2, 4));
    let mut hand = Hand::at(state());
    hand.press("K");
    let asked: Vec<Effect> = "0133".chars().flat_map(|c| hand.one(KeyCode::Char(c))).collect();
    assert!(matches!(asked.last(), Some(Effect::Ask(Question::Calls(search))) if search.text == "0133"), "{asked:?}");
    hand.cost(1);
}

#[test]
fn t11_the_story_of_a_call() {
    let mut hand = Hand::at(state());
    hand.press("\n");
    assert!(hand.s.dialog.is_some());
    assert_eq!(hand.s.shown, Some(CallId(uuid(42))));
    hand.cost(1);
}

#[test]
fn t12_hang_up() {
    let mut hand = Hand::at(state());
    let effects = hand.press("Hy");
    assert!(effects.contains(&Effect::HangUp(CallId(uuid(42)), "Jane Roe".into())), "{effects:?}");
    hand.cost(2);
}

#[test]
fn t13_t14_do_not_call_and_callback() {
    let mut hand = Hand::at(state());
    let effects = hand.press("4");
    assert!(matches!(effects.first(), Some(Effect::Tag { outcome: Some(Outcome::DoNotCall), .. })), "{effects:?}");
    hand.cost(1);
    let mut hand = Hand::at(state());
    hand.press("jjjj");
    hand.keys = 0;
    let effects = hand.press("3\n");
    assert!(matches!(effects.as_slice(), [Effect::Tag { outcome: Some(Outcome::Callback), callback_at: Some(_), .. }]), "{effects:?}");
    hand.cost(2);
}

#[test]
fn t15_copy_the_number() {
    let mut hand = Hand::at(state());
    assert_eq!(hand.press("y"), [Effect::Copy("+12025550142".into())]);
    hand.cost(1);
}

#[test]
fn t16_a_campaign_like_this_one() {
    let mut hand = Hand::at(state());
    let mut other = sources();
    other.push(dialdeck::store::SourceRow { id: SourceId(uuid(4)), name: "more.csv".into(), ..other[0].clone() });
    let data = Snapshot { assistants: assistants(), sources: other, ..snapshot() };
    hand.s.update(Msg::Data(Box::new(data)));
    hand.press("CN");
    hand.types("Second");
    hand.press("\n\t>");
    hand.sees("more.csv");
    let effects = hand.press("^");
    let [Effect::Create { values, start: false }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((values.name.as_str(), values.source_id), ("Second", SourceId(uuid(4))));
    hand.cost(6);
}

#[test]
fn t17_t18_import_and_mask() {
    let mut hand = Hand::at(state());
    hand.press("i");
    hand.types("/tmp/x.csv");
    let effects = hand.press("\n");
    assert!(matches!(effects.as_slice(), [Effect::Preview(_)]), "{effects:?}");
    hand.cost(2);
    let mut hand = Hand::at(state());
    hand.press("M");
    assert!(!screen(&mut hand.s, 120, 40).contains("+1 202 555 0142"));
    hand.cost(1);
}
