//! Words and digits as they are typed, and as they are kept to be found.

use unicode_normalization::UnicodeNormalization;

use super::super::sql::Kind;
use crate::domain::id::{CampaignId, OwnerId};

/// What is typed: the beginnings of words, and the ends of numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    words: Vec<String>,
    /// The digits of each backwards; alone they may begin a word of a name or a note as well.
    ends: Vec<String>,
}

impl Wanted {
    pub(super) fn of(text: &str) -> Self {
        // A number as it is written, with its spaces and brackets, is one.
        let number = text.chars().any(|c| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
        if number {
            return Self { words: Vec::new(), ends: vec![backwards(text)] };
        }
        let (ends, words): (Vec<String>, _) = words(text).partition(|w| w.bytes().all(|b| b.is_ascii_digit()));
        Self { words, ends: ends.iter().map(|d| backwards(d)).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.ends.is_empty()
    }

    /// As the index compares, for calls that it has not yet.
    pub(super) fn fits(&self, name: &str, note: &str, number: &str) -> bool {
        let (said, tail): (Vec<String>, String) = (words(name).chain(words(note)).collect(), backwards(number));
        let begins = |word: &String| said.iter().any(|n| n.starts_with(word.as_str()));
        self.words.iter().all(begins) && self.ends.iter().all(|end| tail.starts_with(end.as_str()) || self.words.is_empty() && begins(&forwards(end)))
    }

    /// The question to the index. Only letters and digits stand in it, and what is no ASCII.
    pub(super) fn matched(&self, kind: Kind, owner: OwnerId, campaign: Option<CampaignId>) -> String {
        let column = |column: &str, begins: &str| match kind {
            Kind::Sqlite => format!("{column} : \"{begins}\" *"),
            Kind::Postgres => format!("'{}{begins}':*", &column[..1]),
        };
        let scope = |scope: String| if kind == Kind::Sqlite { format!("scope : {scope}") } else { format!("'{scope}'") };
        let (and, or) = if kind == Kind::Sqlite { (" AND ", " OR ") } else { (" & ", " | ") };
        let mut all = vec![scope(format!("o{}", owner.hex().to_lowercase()))];
        all.extend(campaign.map(|c| scope(format!("c{}", c.hex().to_lowercase()))));
        all.extend(self.words.iter().map(|w| column("name", w)));
        all.extend(self.ends.iter().map(|e| {
            let tail = column("tail", e);
            if self.words.is_empty() { format!("({tail}{or}{})", column("name", &forwards(e))) } else { tail }
        }));
        all.join(and)
    }
}

fn forwards(backwards: &str) -> String {
    backwards.chars().rev().collect()
}

/// The digits of a number, the last first.
pub(super) fn backwards(number: &str) -> String {
    number.chars().rev().filter(char::is_ascii_digit).collect()
}

/// Longer words are known by so many letters: neither index takes a word of any length.
const LETTERS: usize = 64;

/// The words of a name or a note in small letters, accents as they are. The index parts words at ASCII that is no letter or
/// digit, and nowhere else: so must this.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    let plain: String = text.nfc().flat_map(char::to_lowercase).map(|c| if is_part(c) { c } else { ' ' }).collect();
    plain.split(' ').filter(|w| !w.is_empty()).map(|w| w.chars().take(LETTERS).collect()).collect::<Vec<_>>().into_iter()
}

fn is_part(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { !c.is_whitespace() && !matches!(c, '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_and_numbers_end_with_what_is_typed() {
        let fits = |text: &str, name: &str, number: &str| Wanted::of(text).fits(name, "", number);
        assert!(fits("ro", "Jane Roe", "+12025550142") && fits("JANE 0142", "Jane Roe", "+12025550142"));
        assert!(!fits("oe", "Jane Roe", "+12025550142"), "the beginning of a word");
        assert!(fits("(202) 555-0142", "", "+12025550142") && fits("+1 202 555 0142", "", "+12025550142"));
        assert!(!fits("0143", "Jane Roe", "+12025550142") && fits("12", "Contact 1239", "+12025550142"));
        assert!(fits("brien", "Sean O'Brien", "") && fits("ÉLO", "Élodie", "") && fits("elo\u{301}", "Eló", "") && !fits("elo", "Élodie", ""));
    }

    #[test]
    fn a_note_says_more_of_who_is_meant() {
        let fits = |text: &str| Wanted::of(text).fits("Jane Roe", "Second line:\ncalls back at 1430, gro\u{df}e Firma", "+12025550142");
        assert!(fits("second") && fits("jane FIRMA") && fits("gro\u{df}e") && fits("roe 0142 second") && fits("1430"));
        assert!(!fits("econd") && !fits("jane third") && !fits("jane 1430"), "digits beside words are a number's");
        let long = "x".repeat(4000);
        assert!(Wanted::of(&long).fits("", &long, "") && words(&long).all(|w| w.len() == LETTERS));
    }

    #[test]
    fn what_is_typed_never_becomes_a_word_of_the_index() {
        let wanted = Wanted::of("a\" OR name:* NEAR(x) -b { ^c");
        assert_eq!(wanted.words, ["a", "or", "name", "near", "x", "b", "c"]);
        assert!(Wanted::of(" \" * ( ").is_empty());
    }
}
