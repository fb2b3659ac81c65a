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

/// The same where it is a command of this console.
const COMMANDS: &[(&str, &str)] = &[
    ("`dialdeck backup FILE`", ":backup FILE"),
    ("load a newer one with `dialdeck dnc import --national`", ":national FILE loads a newer one"),
    ("was loaded: `dialdeck dnc import --national`", "was loaded: :national FILE does"),
    ("only an admin may lift it now", "an admin lifts it by :allow NUMBER"),
    ("only an admin may lift it, with a reason", "an admin lifts it by :allow NUMBER, with a reason"),
    ("it was a single call: `dialdeck call` makes another", "it was a single call, and is asked for anew where it was asked for"),
    ("Is `dialdeck` or `dialdeck serve` running on the dialler host?", "Is dialdeck running on the host that dials?"),
    ("start `dialdeck` or `dialdeck serve`", "start dialdeck on the host that dials"),
    ("; `dialdeck demo` practises without", ""),
    ("import with --region", "say whose it is by :country US"),
];

/// The sentence for whoever sits at this console.
#[must_use]
pub fn in_keys(keys: &KeyMap, text: &str) -> String {
    let mut out = text.to_owned();
    for (command, action, words) in TABLE.iter().filter(|(command, ..)| text.contains(command)) {
        out = out.replace(command, &words.replace("{}", &keys.name(*action)));
    }
    for (command, words) in COMMANDS {
        if out.contains(command) {
            out = out.replace(command, words);
        }
    }
    if let Some((before, rest)) = out.split_once(OPENS.0)
        && let Some((place, after)) = rest.split_once(OPENS.1)
    {
        out = format!("{before}:law {place} opens it{after}");
    }
    by_name(keys, &out)
}

/// `:edit` between ticks is the key of that name; a command that has none stands as it is typed.
fn by_name(keys: &KeyMap, text: &str) -> String {
    let mut parts = text.split('`');
    let mut out = parts.next().unwrap_or_default().to_owned();
    while let Some(inside) = parts.next() {
        let after = parts.next();
        if let Some(name) = inside.strip_prefix(':').filter(|_| after.is_some()) {
            let key = super::keys::TABLE.iter().find(|k| k.name == name);
            out.push_str(&key.map_or_else(|| inside.to_owned(), |k| keys.name(k.action)));
        } else {
            out.push('`');
            out.push_str(inside);
            out.push_str(if after.is_some() { "`" } else { "" });
        }
        out.push_str(after.unwrap_or_default());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sentences of the desk, the engine and the decision that name a verb of the shell: at a console each has a key, or a
    /// command of its own.
    #[test]
    fn no_remedy_is_a_word_of_the_shell_where_a_key_does_it() {
        let (root, keys) = (std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), KeyMap::default());
        // Said by a verb of the shell itself, or of a database that no console opens.
        let of_the_shell = ["stop-all --hang-up` ends them", "dialdeck migrate`"];
        let mut looked = 0;
        let mut folders = vec![root.join("desk"), root.join("domain"), root.join("engine"), root.join("store")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap_or_default().replace("\\\n    ", "");
                let said = text.lines().filter(|l| l.contains('"') && !l.trim_start().starts_with("//"));
                for line in said.filter(|l| l.contains("`dialdeck")) {
                    looked += 1;
                    let told = in_keys(&keys, line);
                    assert!(!told.contains("`dialdeck") || of_the_shell.iter().any(|s| told.contains(s)), "{}: {told}", path.display());
                }
            }
        }
        assert!(looked > 10, "{looked}");
    }

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
            ("nothing of it: `dialdeck backup FILE` makes one", "nothing of it: :backup FILE makes one"),
            ("outside its hours; `:edit` changes them, `:law US-LA` reads on", "outside its hours; e changes them, :law US-LA reads on"),
            ("as `it` is, and `alone", "as `it` is, and `alone"),
        ] {
            assert_eq!(in_keys(&keys, told), said);
        }
    }
}
