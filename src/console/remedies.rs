//! Ways out that the desk and the engine say for the command line, in the keys of this console: who sits here has no
//! shell in the hand.

use super::{
    keymap::KeyMap,
    keys::{Action, Pane},
};

/// What stands in a sentence, and what stands there instead: `{}` is the key.
const TABLE: &[(&str, Action, &str)] = &[
    ("with `dialdeck number assign` or POST /phone-numbers/assign", Action::Focus(Pane::Systems), "in all systems ({})"),
    ("with `dialdeck number assign`", Action::Focus(Pane::Systems), "in all systems ({})"),
    ("with `i` or `dialdeck import`", Action::Import, "with {}"),
    ("`dialdeck stop-all --release`", Action::Release, "{}"),
    ("`dialdeck law open all` empties it", Action::Focus(Pane::Systems), "{}, then o, empties it"),
    ("start a campaign in the console, or `dialdeck terms show` and `dialdeck terms accept --name NAME` (or POST /terms)", Action::Start, "{} asks for them"),
    (
        "start `dialdeck` or `dialdeck serve` on the dialler host",
        Action::Focus(Pane::Systems),
        "start dialdeck on the host that dials; {} shows what else is missing",
    ),
];
/// A place is opened by its name.
const OPENS: (&str, &str) = ("`dialdeck law open ", "` opens it");

/// The sentence for whoever sits at this console.
#[must_use]
pub fn in_keys(keys: &KeyMap, text: &str) -> String {
    if !text.contains('`') {
        return text.to_owned();
    }
    let mut out = text.to_owned();
    for (command, action, words) in TABLE.iter().filter(|(command, ..)| text.contains(command)) {
        out = out.replace(command, &words.replace("{}", &keys.name(*action)));
    }
    if let Some((before, rest)) = out.split_once(OPENS.0)
        && let Some((place, after)) = rest.split_once(OPENS.1)
    {
        out = format!("{before}:law {place} opens it{after}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_does_is_said_by_the_key() {
        let keys = KeyMap::default();
        for (told, said) in [
            (
                "\"Renewals\" has no contact that may be called: import some with `i` or `dialdeck import`",
                "\"Renewals\" has no contact that may be called: import some with i",
            ),
            ("the assistant has no number: assign it one with `dialdeck number assign`", "the assistant has no number: assign it one in all systems (A)"),
            ("US-LA was closed (storm): `dialdeck law open US-LA` opens it", "US-LA was closed (storm): :law US-LA opens it"),
            ("nothing of it: `dialdeck backup FILE` makes one", "nothing of it: `dialdeck backup FILE` makes one"),
        ] {
            assert_eq!(in_keys(&keys, told), said);
        }
    }
}
